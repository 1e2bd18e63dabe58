"""What must stand before any verdict: healthy identities, and a request per operation that works.

V0: every identity logs in, and a canary GET succeeds with its credential and is refused without.
V1: an operation is judged only when an authorised identity's request to it succeeded in this run.
"""

from dataclasses import dataclass, field
from typing import Final

from withstand.client.exchange import Exchange, Failure, Request, Response
from withstand.client.identity import Credential, Identity
from withstand.errors import IdentityBroken, TargetUnreachable
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, RequestBuilder, Unbuildable
from withstand.openapi.resources import identifier_in, in_dependency_order, producer_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.accounts import changes_an_account, make_throwaway
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.login import log_in
from withstand.scan.plan import ScanPlan
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
    canary: Baseline | None = None
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


async def take_baselines(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """A positive control for every operation that can have one, producers first."""
    for operation in in_dependency_order(plan.api.operations):
        forbidden = plan.policy.forbids(operation)
        if forbidden is not None:
            ground.missing[operation.key] = f"not called: {forbidden}"
            continue
        await _take_baseline(plan, ground, courier, operation)


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
        answers = [await courier.send(request) for request in (bare, garbage)]
        if all(_is_refusal(answer, baseline) for answer in answers):
            ground.canary = baseline
            for answer in answers:
                if answer.response is not None and answer.response.succeeded:
                    ground.refusals.add(normalised(answer.response))
            return


async def broken_identity(ground: Groundwork, courier: Courier) -> str | None:
    """The first identity whose canary no longer succeeds, with what it got; None when all do."""
    if ground.canary is None:
        return None
    for identity in ground.identities.values():
        request = identity.authorize(
            ground.identities[ground.canary.identity or ""].credential.strip(  # type: ignore[union-attr]  # a canary has a logged-in identity
                ground.canary.exchange.request
            )
        )
        try:
            exchange = await courier.send(request)
        except NoiseStays as noise:
            return f"{identity.name} ({noise})"
        response = exchange.response
        if response is None or not response.succeeded or normalised(response) in ground.refusals:
            return f"{identity.name} ({ground.canary.operation.key} answered {exchange.status})"
    return None


async def _credential(plan: ScanPlan, identity: Identity, courier: Courier) -> Credential | str:
    if plan.login is None:
        return "it has no token, and there is no [login] that would get one"
    return await log_in(plan.login, identity, courier, base_path=plan.target.base_path)


async def _sign_up_throwaway(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
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


async def _take_baseline(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation
) -> None:
    reasons: list[str] = []
    for identity in _askers(plan, ground, operation):
        for full in (True, False):
            pool = ground.pools.get(identity.name) if identity else None
            try:
                built = ground.builder.build(operation, pool, full=full)
                if operation.method == "DELETE":
                    built = await _sacrifice(plan, ground, courier, operation, identity)
            except Unbuildable as problem:
                reasons.append(problem.reason)
                break
            request = identity.authorize(built.request) if identity else built.request
            try:
                exchange = await courier.send(request)
            except NoiseStays as noise:
                reasons.append(str(noise))
                break
            response = exchange.response
            if response is not None and response.succeeded:
                await _keep(ground, courier, operation, identity, built, exchange, response)
                return
            reasons.append(f"{identity.name if identity else 'anonymous'} got {exchange.status}")
            if exchange.status in {401, 403} or not operation.bodies:
                break
    ground.missing[operation.key] = "no valid baseline: " + (
        ", ".join(dict.fromkeys(reasons)) or "nobody may call it"
    )


async def _keep(
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
    built: Built,
    exchange: Exchange,
    response: Response,
) -> None:
    if identity is not None:
        ground.pools[identity.name].harvest(operation, exchange.request, response)
    for pool in ground.pools.values():  # what anybody may see is no secret between identities
        if identity is None:
            pool.harvest(operation, exchange.request, response)
    again = await courier.send(exchange.request) if operation.is_read else None
    ground.baselines[operation.key] = Baseline(
        operation=operation,
        identity=identity.name if identity else None,
        built=built,
        exchange=exchange,
        again=again,
    )


def _askers(plan: ScanPlan, ground: Groundwork, operation: Operation) -> list[Identity | None]:
    """Who to try, in order: those the policy names, then everybody; accounts only our own."""
    if changes_an_account(operation) and operation.security:
        return [ground.throwaway] if ground.throwaway is not None else []
    everybody = list(ground.identities.values())
    roles = plan.policy.allowed_roles(operation)
    if roles is not None:
        return [identity for identity in everybody if identity.role in roles]
    if operation.requires_credential:
        return [*everybody]
    return [None, *everybody]


async def _sacrifice(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity | None,
) -> Built:
    """The DELETE of an object that was created for it. Raises Unbuildable."""
    producer = producer_of(plan.api, operation)
    if producer is None or plan.policy.forbids(producer) or not operation.path_parameters:
        raise Unbuildable("nothing of the scan's own to delete")
    pool = ground.pools.get(identity.name) if identity else None
    made = ground.builder.build(producer, pool)
    request = identity.authorize(made.request) if identity else made.request
    exchange = await courier.send(request)
    name = operation.path_parameters[-1].name
    found = (
        identifier_in(exchange.response.json(), name)
        if exchange.succeeded and exchange.response
        else None
    )
    if found is None:
        raise Unbuildable(f"{producer.key} answered {exchange.status} without an id to delete")
    slot = next(
        slot
        for slot in ground.builder.slots(operation)
        if slot.location == "path" and slot.name == name
    )
    return ground.builder.build(operation, pool, replace={slot: found})


def _canary_rank(operation: Operation) -> tuple[int, int]:
    last = operation.path.rstrip("/").rsplit("/", 1)[-1].lower()
    return (0 if last in _CANARY_WORDS else 1, len(operation.path))


def _is_refusal(answer: Exchange, baseline: Baseline) -> bool:
    """Refused by status, or answered with something else than what the identity sees (V6)."""
    response, expected = answer.response, baseline.exchange.response
    if response is None or expected is None:
        return False
    if response.status in {400, 401, 403, 404, 422} or 300 <= response.status < 400:
        return True
    return response.succeeded and not same_content(
        expected, response, repeat_of_one=baseline.again.response if baseline.again else None
    )
