"""What must stand before any verdict: identities that are logged in and stay healthy.

V0: every identity logs in, and a canary GET succeeds with its credential and is refused without.
The requests that work are taken by `withstand.scan.baselines`.
"""

from dataclasses import dataclass, field
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request
from withstand.client.identity import Credential, Identity
from withstand.errors import IdentityBroken, TargetUnreachable
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import RequestBuilder
from withstand.openapi.value_pool import ValuePool
from withstand.scan.accounts import make_throwaway, sign_up_operation
from withstand.scan.attempt import Attempt
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.login import log_in
from withstand.scan.plan import ScanPlan
from withstand.scan.shape import same_shape
from withstand.scan.similarity import normalised, same_content
from withstand.scan.subject import Baseline

_GARBAGE_TOKEN: Final = "ws-no-such-token"  # noqa: S105 - refused by every API, that is its use
_CANARY_WORDS: Final = ("me", "self", "whoami", "profile", "account", "userinfo")
_RENEW_BEFORE_S: Final = 30.0


@dataclass(slots=True, kw_only=True)
class Groundwork:
    """Who is logged in, what works, and why the rest does not. Grows while the scan runs."""

    builder: RequestBuilder
    identities: dict[str, Identity] = field(default_factory=dict)
    pools: dict[str, ValuePool] = field(default_factory=dict)
    baselines: dict[str, Baseline] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # operation key → why no baseline
    refused: dict[str, Baseline] = field(default_factory=dict)  # what stands in for it, if anything
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)  # operation key → tries
    canary: Baseline | None = None
    watched: frozenset[str] = frozenset()  # the identities that the canary can tell about
    refusals: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    throwaway: Identity | None = None


async def reach(plan: ScanPlan, courier: Courier) -> None:
    """One request to the base URL; any HTTP answer will do. Raises TargetUnreachable."""
    path = (plan.target.base_path or "") + "/"
    exchange = await courier.send(Request(method="GET", path=path), noise_is_answer=True)
    if isinstance(exchange.outcome, Failure):
        raise TargetUnreachable(
            f"{plan.target.base_url} does not answer ({exchange.outcome})",
            hint="start the API, or correct base_url under [target] or --base-url",
        )


async def log_everybody_in(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """Every configured identity with a credential. Raises IdentityBroken naming those without."""
    problems = []
    for identity in plan.identities:
        if identity.credential is None:
            got = await _credential(plan, identity, courier)
            if not isinstance(got, Credential):
                problems.append(f"{identity.name}: {got}")
                continue
            identity = identity.logged_in(got)
        ground.identities[identity.name] = identity
        ground.pools[identity.name] = ValuePool()
        courier.knows(identity)
    if problems:
        raise IdentityBroken(
            "cannot log in as " + "; ".join(problems),
            hint="check the password and [login] in the configuration, then run again",
        )
    if plan.identities:
        await _sign_up_throwaway(plan, ground, courier)


async def renew_if_old(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """Logs in again whoever's token is about to expire."""
    for identity in tuple(ground.identities.values()):
        expires_s = identity.credential.expires_at_s if identity.credential else None
        if expires_s is None or expires_s - courier.now_s() > _RENEW_BEFORE_S:
            continue
        got = await _credential(plan, identity, courier)
        if isinstance(got, Credential):
            ground.identities[identity.name] = identity.logged_in(got)
            courier.knows(ground.identities[identity.name])


def go_on_with(ground: Groundwork, courier: Courier) -> None:
    """Takes over the credentials that a check got in the place of those that it spent."""
    for name, credential in courier.kept.items():
        if name in ground.identities:
            ground.identities[name] = ground.identities[name].logged_in(credential)
            courier.knows(ground.identities[name])
        elif ground.throwaway is not None and ground.throwaway.name == name:
            ground.throwaway = ground.throwaway.logged_in(credential)
            courier.knows(ground.throwaway)
    courier.kept.clear()


async def find_canary(ground: Groundwork, courier: Courier) -> None:
    """The secured GET that tells a healthy identity from a broken one, and how refusals look."""
    candidates = [
        baseline
        for baseline in ground.baselines.values()
        if baseline.identity is not None
        and baseline.operation.method == "GET"
        and not baseline.operation.path_parameters
    ]
    candidates.sort(key=lambda baseline: _canary_rank(baseline.operation))
    for baseline in candidates:
        identity = ground.identities[baseline.identity or ""]
        if identity.credential is None:
            continue
        bare = identity.credential.strip(baseline.exchange.request)
        garbage = identity.credential.with_token(_GARBAGE_TOKEN).apply(bare)
        # What it sees may have changed since the baseline: it is asked again, before and after.
        asked = baseline.exchange.request
        before, *answers, after = [
            await courier.send(request) for request in (asked, bare, garbage, asked)
        ]
        if not all(_is_refusal(answer, before, after) for answer in answers):
            continue
        passing = frozenset(
            [name for name in ground.identities if await _passes(ground, baseline, name, courier)]
        )
        if len(passing) > len(ground.watched):
            ground.canary, ground.watched = baseline, passing
            ground.refusals = {
                normalised(answer.response)
                for answer in answers
                if answer.response is not None and answer.response.succeeded
            }
        if len(passing) == len(ground.identities):
            return


async def broken_identity(ground: Groundwork, courier: Courier) -> str | None:
    """The first identity whose canary no longer succeeds, with what it got; None when all do.

    A target that is busy (429, 503) says nothing about its identities; one that does not answer at
    all has ended the run.
    """
    if ground.canary is None:
        return None
    for name in ground.watched:
        try:
            exchange = await courier.send(_canary_request(ground, ground.canary, name))
        except NoiseStays as noise:
            if isinstance(noise.exchange.outcome, Failure):
                return f"{name} ({noise})"
            continue
        if not _healthy(ground, exchange):
            return f"{name} ({ground.canary.operation.key} answered {exchange.status})"
    return None


async def _passes(ground: Groundwork, baseline: Baseline, name: str, courier: Courier) -> bool:
    exchange = await courier.send(_canary_request(ground, baseline, name))
    return exchange.succeeded


def _canary_request(ground: Groundwork, baseline: Baseline, name: str) -> Request:
    request = baseline.exchange.request
    for identity in ground.identities.values():
        if identity.credential is not None:
            request = identity.credential.strip(request)
    return ground.identities[name].authorize(request)


def _healthy(ground: Groundwork, exchange: Exchange) -> bool:
    response = exchange.response
    return (
        response is not None and response.succeeded and normalised(response) not in ground.refusals
    )


async def _credential(plan: ScanPlan, identity: Identity, courier: Courier) -> Credential | str:
    if plan.login is None:
        return "it has no token, and there is no [login] that would get one"
    return await log_in(plan.login, identity, courier, base_path=plan.target.base_path)


async def _sign_up_throwaway(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    sign_up = sign_up_operation(plan.api, ground.builder)
    forbidden = plan.policy.forbids(sign_up) if sign_up is not None else None
    made: Identity | str
    if sign_up is not None and forbidden is not None:
        made = f"{sign_up.key} is not called: {forbidden}"
    else:
        made = await make_throwaway(
            plan.api,
            ground.builder,
            plan.login,
            courier,
            name="throwaway",
            role="throwaway",
            base_path=plan.target.base_path,
            nonce=plan.nonce(),
        )
    if isinstance(made, str):
        ground.notes.append(
            f"No throw-away user ({made}): operations that change an account were not tried."
        )
        return
    ground.throwaway = made
    ground.pools[made.name] = ValuePool()
    courier.knows(made)


def _canary_rank(operation: Operation) -> tuple[int, int]:
    last = operation.path.rstrip("/").rsplit("/", 1)[-1].lower()
    return (0 if last in _CANARY_WORDS else 1, len(operation.path))


def _is_refusal(answer: Exchange, before: Exchange, after: Exchange) -> bool:
    """Refused by status, or a 200 that holds something else than what the identity sees (V6).

    `before` and `after` are what it saw around that moment. Other values in the same properties
    are no refusal: that is how somebody else's data look.
    """
    response, expected = answer.response, before.response
    if response is None or expected is None:
        return False
    if response.status in {400, 401, 403, 404, 422} or 300 <= response.status < 400:
        return True
    return (
        response.succeeded
        and not same_shape(expected, response)
        and not same_content(expected, response, repeat_of_one=after.response)
    )
