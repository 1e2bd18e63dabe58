"""Logging identities in over a courier."""

from dataclasses import replace

from withstand.client.credential import Credential
from withstand.client.exchange import Failure, Request
from withstand.client.identity import Identity
from withstand.client.login_recipe import LoginRecipe
from withstand.scan.wire.courier import Courier, NoiseStays, is_noise


class Busy(str):
    """Why there is no credential, where the API is only busy: it says nothing about the login."""

    __slots__ = ()


async def log_in(
    recipe: LoginRecipe | None,
    identity: Identity,
    courier: Courier,
    *,
    base_path: str = "",
    short_lived: bool = False,
    patient: bool = True,
) -> Credential | str:
    """The credential of an identity, or the sentence that says why there is none.

    A recipe of the identity's own wins. Without `patient` a busy API is not asked again.
    """
    recipe = identity.login or recipe
    if recipe is None:
        return "it has no token, and there is no [login] that would get one"
    result: Credential | str
    try:
        steps = recipe.steps(identity, short_lived=short_lived)
        request = next(steps)
        while True:
            exchange = await courier.send(based(request, base_path), noise_is_answer=not patient)
            if not patient and is_noise(exchange):
                return Busy(f"{recipe.operation_key} answered {exchange.status}")
            if isinstance(exchange.outcome, Failure):
                return f"{recipe.operation_key} failed: {exchange.outcome}"
            request = steps.send(exchange.outcome)
    except StopIteration as end:
        result = end.value
    except KeyError as missing:
        return f"the login uses {{{missing.args[0]}}}, which {identity.name} does not have"
    except NoiseStays as noise:
        return Busy(f"no usable answer to {noise}")
    if isinstance(result, Credential):
        courier.knows(identity.logged_in(result))
    return result


def based(request: Request, base_path: str) -> Request:
    """The request with the base URL's path in front."""
    return replace(request, path=base_path + request.path) if base_path else request
