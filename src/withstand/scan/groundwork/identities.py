"""Identities, logged in and kept so (V0), and throw-away users. `health` watches them."""

from typing import Final

from withstand.client.credential import Credential
from withstand.client.exchange import Exchange, Failure, Request
from withstand.client.identity import Identity
from withstand.client.redirect import secure_address
from withstand.errors import IdentityBroken, TargetUnreachable, UsageError
from withstand.openapi.value_pool import ValuePool
from withstand.scan.answers.profile import profile_in
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.throwaways import make_throwaway
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.login import log_in
from withstand.scan.wire.real_users import RealUsers

_RENEW_BEFORE_S: Final = 30.0


async def reach(plan: ScanPlan, courier: Courier) -> None:
    """One request to the base URL; any HTTP answer will do but a redirect to https, another origin.

    Raises TargetUnreachable and UsageError.
    """
    path = (plan.target.base_path or "") + "/"
    exchange = await courier.send(Request(method="GET", path=path), noise_is_answer=True)
    if isinstance(exchange.outcome, Failure):
        raise TargetUnreachable(
            f"{plan.target.base_url} does not answer ({exchange.outcome})",
            hint="start the API, or correct base_url under [target] or --base-url",
        )
    secure = secure_address(plan.target, exchange.request, exchange.outcome)
    if secure is not None:
        raise UsageError(
            f"{plan.target.base_url} only redirects to {secure}, so nothing can be tested there",
            hint=f"set base_url under [target] or --base-url to {secure}{plan.target.base_path}",
        )


async def log_everybody_in(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """Every configured identity with a credential. Raises IdentityBroken naming those without."""
    problems = []
    recipes = (plan.login, *(identity.login for identity in plan.identities))
    courier.real_users = RealUsers(
        frozenset(plan.target.base_path + recipe.path for recipe in recipes if recipe is not None)
    )
    if plan.login is not None:
        courier.secrets.update(plan.login.secrets)
    for identity in plan.identities:
        if identity.credential is None:
            courier.knows(identity)  # whether or not it logs in, its password is a secret
            got = await log_in(plan.login, identity, courier, base_path=plan.target.base_path)
            if not isinstance(got, Credential):
                problems.append(f"{identity.name}: {got}")
                continue
            identity = identity.logged_in(got)
            answer = courier.logbook.observed[-1].response  # it may say whose login it was
            courier.real_users.know(identity, profile_in(answer) if answer is not None else None)
        courier.real_users.know(identity)
        _take_in(ground, courier, identity)
        ground.pools[identity.name] = ValuePool()
    if problems:
        raise IdentityBroken(
            "cannot log in as " + "; ".join(problems),
            hint="check the password and [login] in the configuration, then run again",
        )


async def sign_somebody_up(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """The first user of the scan's own, where identities are configured; a note without one."""
    if plan.identities:
        made = await new_throwaway(plan, ground, courier)
        if isinstance(made, str):
            ground.notes.append(
                f"No throw-away user ({made}): operations that change an account were not tried."
            )


async def new_throwaway(
    plan: ScanPlan, ground: Groundwork, courier: Courier, *, name: str | None = None
) -> Identity | str:
    """One more user of the scan's own, or another under the `name` of one that is gone, logged in;
    or why there is none.
    """
    count = len(ground.throwaways)
    name = name or ("throwaway" if not count else f"throwaway{count + 1}")
    made = await make_throwaway(plan, ground.builder, courier, name=name)
    if isinstance(made, Identity):
        ground.throwaways[name] = made
        ground.pools[name] = ValuePool()
        for shown in ground.shown.values():
            shown.pop(name, None)
        ground.logged_in_at_s[name] = courier.now_s()
    return made


async def renew_if_old(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """Logs in again whoever's token is about to expire, by its claim or by what its login said."""
    for identity in (*ground.identities.values(), *ground.throwaways.values()):
        if identity.credential is None or not _is_old(
            identity.credential, ground, identity, courier
        ):
            continue
        await log_in_again(plan, ground, courier, identity)


def go_on_with(ground: Groundwork, courier: Courier) -> None:
    """Takes over the credentials that a check got in the place of those that it spent."""
    for name, credential in courier.kept.items():
        identity = ground.identities.get(name) or ground.throwaways.get(name)
        if identity is not None:
            _take_in(ground, courier, identity.logged_in(credential))
    courier.kept.clear()


def logs_in(plan: ScanPlan, identity: Identity) -> bool:
    """Whether an identity has a login. A key that does not change is no session that could end:
    where it is refused, the operation wants another kind of credential.
    """
    if identity.login is None and plan.login is None:
        return False
    configured = (each for each in plan.identities if each.name == identity.name)
    return all(each.credential is None for each in configured)


async def log_in_again(
    plan: ScanPlan, ground: Groundwork, courier: Courier, identity: Identity
) -> str | None:
    """A new credential for an identity; the reason where there is none."""
    got = await log_in(plan.login, identity, courier, base_path=plan.target.base_path)
    if not isinstance(got, Credential):
        return got
    if identity.credential is not None:
        courier.supersede(identity.credential, got)
    _take_in(ground, courier, identity.logged_in(got))
    return None


def can_start_anew(plan: ScanPlan, identity: Identity) -> bool:
    """Whether an identity does without its session: it has none, or can log in once more."""
    session = identity.credential is not None and bool(identity.credential.cookies)
    return not session or plan.login is not None or identity.login is not None


async def start_anew(
    plan: ScanPlan, ground: Groundwork, courier: Courier, identity: Identity
) -> None:
    """A new session for who has one, after a sign-up: the old one may be the new user's now.

    Raises IdentityBroken where it cannot log in again.
    """
    if identity.credential is None or not identity.credential.cookies:
        return
    problem = await log_in_again(plan, ground, courier, ground.identities[identity.name])
    if problem is not None:
        raise IdentityBroken(
            f"{identity.name} cannot log in again after a sign-up in its session: {problem}",
            hint="list the sign-up as never under [access]",
        )


async def let_in_again(
    plan: ScanPlan, ground: Groundwork, courier: Courier, refused: Exchange, name: str
) -> Exchange | None:
    """The answer after a new login, where an identity that was served before is refused with 401.

    An operation may have ended its session without its name saying so. Once for each identity;
    None where that is not so. Raises IdentityBroken where it cannot log in again.
    """
    identity = ground.identities.get(name)
    if refused.status != 401 or identity is None or name in ground.let_in_again:
        return None
    if name not in ground.served or not logs_in(plan, identity):
        return None
    ground.let_in_again.add(name)
    problem = await log_in_again(plan, ground, courier, identity)
    if problem is not None:
        raise IdentityBroken(
            f"{name} was logged out while requests were tried, and cannot log in again: {problem}",
            hint="list the operation that does it as never under [access]",
        )
    exchange = await courier.send(refused.request)
    if exchange.status == 401:
        return None
    ground.notes.append(
        f"{name} was logged out while requests were tried, and logged in again: list the "
        "operation that does it as never under [access]."
    )
    return exchange


def _take_in(ground: Groundwork, courier: Courier, identity: Identity) -> None:
    everybody = ground.throwaways if identity.throwaway else ground.identities
    everybody[identity.name] = identity
    ground.logged_in_at_s[identity.name] = courier.now_s()
    courier.knows(identity)


def _is_old(
    credential: Credential, ground: Groundwork, identity: Identity, courier: Courier
) -> bool:
    now_s = courier.now_s()
    if credential.expires_at_s is not None:
        return credential.expires_at_s - now_s <= _RENEW_BEFORE_S
    if credential.lifetime_s is None:
        return False
    age_s = now_s - ground.logged_in_at_s[identity.name]
    return credential.lifetime_s - age_s <= min(_RENEW_BEFORE_S, credential.lifetime_s / 4)
