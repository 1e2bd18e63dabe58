"""Logs an identity in over HTTP, once and synchronously, for the fixtures."""

import socket
from urllib.parse import urlsplit

from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.target import Target
from withstand.errors import ConfigurationError, IdentityBroken, TargetUnreachable

_CONNECT_TIMEOUT_S = 5.0


def require_reachable(target: Target) -> None:
    """Connects once. Raises TargetUnreachable, with the next step, when nothing listens.

    Where a proxy from the environment stands between, the first request tells instead.
    """
    if _goes_through_proxy(target):
        return
    try:
        socket.create_connection((target.host, target.port), timeout=_CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise unreachable(target, error.strerror or str(error)) from None


def log_in(
    target: Target,
    recipe: LoginRecipe,
    identity: Identity,
    *,
    timeout_s: float,
    short_lived: bool = False,
) -> Credential:
    """The credential that the login operation gives to an identity.

    Raises IdentityBroken when it gives none, TargetUnreachable when nothing answers, and
    ConfigurationError when the recipe needs a field that the identity lacks.
    """
    recipe = identity.login or recipe
    last: Response | None = None
    try:
        steps = recipe.steps(identity, short_lived=short_lived)
        request = next(steps)
        while True:
            last = _send(target, request, timeout_s)
            request = steps.send(last)
    except StopIteration as end:
        found: Credential | str = end.value
    except KeyError as missing:
        raise ConfigurationError(
            "the configuration",
            (f"identities.{identity.name} has no {missing.args[0]}, which [login] needs",),
            hint=f'add {missing.args[0]} = "…" to {identity.name} under [identities]',
        ) from None
    if not isinstance(found, str):
        return found
    if last is None or not last.succeeded:
        raise IdentityBroken(
            f"{identity.name} cannot log in: {found}",
            hint=f"check {identity.name} under [identities], and [login]",
        )
    raise IdentityBroken(
        f"{identity.name} cannot log in: {_nothing_found(recipe)}{_members(last)}",
        hint='set token = "$.…" under [login] to where the answer has it',
    )


def _nothing_found(recipe: LoginRecipe) -> str:
    if (recipe.token_path or "").startswith("$"):
        where = f"at {recipe.token_path}"
        return f"the answer of {recipe.operation_key} has no token {where}"
    return f"{recipe.operation_key} answered {recipe.what_is_missing}"


def unreachable(target: Target, reason: str) -> TargetUnreachable:
    """Nothing answers at the target."""
    return TargetUnreachable(
        f"nothing answers at {target.base_url}: {reason}",
        hint="start the API, or point --api-url or base_url under [target] at where it runs",
    )


def _send(target: Target, request: Request, timeout_s: float) -> Response:
    import httpx2

    from withstand.pytest_plugin.api_client import ApiClient

    with ApiClient(target=target, credential=None, timeout=timeout_s) as client:
        try:
            answer = client.request(
                request.method,
                request.path,
                headers=list(request.headers),
                content=request.body,
            )
        except httpx2.TransportError as error:
            raise unreachable(target, str(error) or type(error).__name__) from None
    return Response(
        status=answer.status_code,
        reason=answer.reason_phrase,
        headers=tuple(answer.headers.multi_items()),
        body=answer.content,
    )


def _members(response: Response) -> str:
    # Names only: the values are where the token is.
    document = response.json()
    names = ", ".join(map(str, document)) if isinstance(document, dict) else ""
    return f" (it has {names})" if names else ""


def _goes_through_proxy(target: Target) -> bool:
    if target.is_loopback:
        return False
    from urllib.request import getproxies, proxy_bypass

    scheme = urlsplit(target.base_url).scheme
    return bool(getproxies().get(scheme)) and not proxy_bypass(target.host)
