"""Users of the scan's own, signed up or provisioned by a hook: only they may be spoiled (V8)."""

import re
from collections.abc import Mapping
from typing import Final

from withstand.client.credential import Credential
from withstand.client.exchange import Exchange
from withstand.client.identity import Identity
from withstand.client.login_fields import aliased
from withstand.client.login_recipe import LoginRecipe
from withstand.client.token_place import BEARER
from withstand.errors import WithstandError
from withstand.openapi.request_builder import RequestBuilder, Unbuildable
from withstand.scan.access.accounts import new_password, sign_up_operation, sign_up_request
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier, NoiseStays
from withstand.scan.wire.login import log_in

ROLE: Final = "throwaway"
_HOW: Final = "set provision under [login] to a command that makes a user"
_CONFIRMATION: Final = re.compile(
    r"(?i)confirm|verif|activat|validate your|check your (?:e-?)?mail"
)
_TOKEN_ONLY: Final = LoginRecipe(method="POST", path="/", payload={}, token_path=None, send_as=None)


async def make_throwaway(
    plan: ScanPlan, builder: RequestBuilder, courier: Courier, *, name: str
) -> Identity | str:
    """A user of our own that is logged in, or why there is none."""
    if plan.provision is not None:
        return await _provisioned(plan, courier, name)
    return await _signed_up(plan, builder, courier, name)


async def _provisioned(plan: ScanPlan, courier: Courier, name: str) -> Identity | str:
    assert plan.provision is not None, "the caller saw to it"
    try:
        fields = dict(plan.provision())
    except WithstandError as error:
        return error.message
    role = fields.pop("role", ROLE)
    if plan.login is not None:
        fields = aliased(fields, plan.login)
    identity = Identity(name=name, role=role, fields=fields, throwaway=True)
    token = fields.get("token")
    if token is not None:
        recipe = plan.login or _TOKEN_ONLY
        identity = identity.logged_in(recipe.credential_of(token))
        courier.knows(identity)
        return identity
    courier.knows(identity)  # its password is a secret, whether or not it logs in
    credential = await log_in(plan.login, identity, courier, base_path=plan.target.base_path)
    if not isinstance(credential, Credential):
        return f"the provisioned user cannot log in: {credential}"
    return identity.logged_in(credential)


async def _signed_up(
    plan: ScanPlan, builder: RequestBuilder, courier: Courier, name: str
) -> Identity | str:
    operation = sign_up_operation(plan.api, builder)
    if operation is None:
        return f"the document has no public sign-up operation; {_HOW}"
    forbidden = plan.policy.forbids(operation)
    if forbidden is not None:
        return f"{operation.key} is not called: {forbidden}"
    reasons = []
    for full in (True, False):
        try:
            built, fields = sign_up_request(
                operation, builder, new_password(plan.nonce()), full=full
            )
            exchange = await courier.send(built.request)
        except (Unbuildable, NoiseStays) as problem:
            return f"{operation.key} could not be used: {problem}"
        if exchange.succeeded or _led_on(exchange):
            known = fields if plan.login is None else aliased(fields, plan.login)
            user = Identity(name=name, role=ROLE, fields=known, throwaway=True)
            return await _entered(plan, courier, user, exchange)
        reasons.append(f"{exchange.status}")
        if exchange.status not in {400, 403, 409, 422} and not _said_no(exchange):
            break
    return f"{operation.key} answered {' and '.join(dict.fromkeys(reasons))}; {_HOW}"


def _led_on(exchange: Exchange) -> bool:
    """Whether it redirects to what nobody could read: then only a login can tell."""
    response = exchange.response
    return response is not None and 300 <= response.status < 400 and response.accepted is None


def _said_no(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.response.accepted is False


async def _entered(
    plan: ScanPlan, courier: Courier, user: Identity, signed_up: Exchange
) -> Identity | str:
    """The new user logged in; with the token that the sign-up gave, where there is no login."""
    credential: Credential | str = "nothing says how"
    if plan.login is not None and plan.login.is_personal:
        credential = await log_in(plan.login, user, courier, base_path=plan.target.base_path)
    if isinstance(credential, Credential):
        return user.logged_in(credential)
    response = signed_up.response
    given = _TOKEN_ONLY.credential(response) if response is not None else None
    if given is not None and given.token is not None:
        recipe = plan.login
        if recipe is not None and recipe.send_as not in {None, BEARER} and not given.cookies:
            given = recipe.credential_of(given.token)
        user = user.logged_in(given)
        courier.knows(user)
        return user
    if response is not None and _CONFIRMATION.search(response.text):
        return f"the new user has to confirm its e-mail address first; {_HOW}"
    return f"the new user cannot log in: {credential}; {_HOW}"


def removed(plan: ScanPlan, users: Mapping[str, Identity]) -> tuple[str, ...]:
    """Has the hook remove every provisioned user; a sentence for each that is left behind."""
    left = []
    for user in users.values():
        if plan.provision is None:
            continue
        if plan.deprovision is None:
            left.append(f"The provisioned user {user.name} is left: no deprovision is configured.")
            continue
        try:
            plan.deprovision({**user.fields, "role": user.role})
        except WithstandError as error:
            left.append(f"The provisioned user {user.name} is left: {error.message}.")
    return tuple(left)
