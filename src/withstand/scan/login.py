"""Logging identities in over a courier."""

from dataclasses import replace

from withstand.client.exchange import Failure, Request
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.scan.courier import Courier, NoiseStays


async def log_in(
    recipe: LoginRecipe,
    identity: Identity,
    courier: Courier,
    *,
    base_path: str = "",
    short_lived: bool = False,
) -> Credential | str:
    """The credential of an identity, or the sentence that says why there is none."""
    try:
        request = based(recipe.request(identity, short_lived=short_lived), base_path)
    except KeyError as missing:
        return f"the login body uses {{{missing.args[0]}}}, which {identity.name} does not have"
    try:
        exchange = await courier.send(request)
    except NoiseStays as noise:
        return f"no usable answer to {noise}"
    outcome = exchange.outcome
    if isinstance(outcome, Failure):
        return f"{recipe.operation_key} failed: {outcome}"
    if not outcome.succeeded:
        return f"{recipe.operation_key} answered {outcome.status}"
    credential = recipe.credential(outcome)
    if credential is None:
        return f"{recipe.operation_key} answered {outcome.status} without {recipe.token_path}"
    return credential


def based(request: Request, base_path: str) -> Request:
    """The request with the base URL's path in front."""
    return replace(request, path=base_path + request.path) if base_path else request
