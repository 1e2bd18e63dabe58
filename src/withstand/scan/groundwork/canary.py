"""The canary: a secured read that succeeds with an identity's credential and is refused without it
and with a made-up one, and what it says of who somebody is.

Who an identity is was read before anything else was sent: what the scan's own requests change, they
change afterwards.
"""

from contextlib import suppress
from typing import Final

from withstand.client.exchange import Exchange, Request, json_request
from withstand.client.field_names import is_password
from withstand.client.identity import Identity, stripped
from withstand.client.soft_errors import says_no
from withstand.errors import IdentityBroken
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, Unbuildable
from withstand.scan.answers.profile import asks_who, differences, is_profile, profile_in
from withstand.scan.answers.shape import same_shape
from withstand.scan.answers.similarity import normalised, same_content
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import let_in_again
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Baseline
from withstand.scan.wire.courier import Courier, NoiseStays

_GARBAGE_TOKEN: Final = "ws-no-such-token"  # noqa: S105 - refused by every API, that is its use
_MOST_PROFILES: Final = 3  # operations that are asked who somebody is
_MOST_CANDIDATES: Final = 12  # reads that are tried as canary: a few requests each


async def read_profiles(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """Who each identity is before the scan: what the operations that say so answer right now."""
    requests = []
    if plan.canary is not None:
        requests.append(_configured(plan, plan.canary, ground))
    found = (op for op in plan.api.operations if asks_who(op) and plan.policy.forbids(op) is None)
    for operation in sorted(found, key=_rank)[:_MOST_PROFILES]:
        with suppress(Unbuildable):
            requests.append(ground.builder.build(operation))
    for name, identity in ground.identities.items():
        for built in {each.operation.key: each for each in requests}.values():
            try:
                exchange = await courier.send(identity.authorize(built.request))
            except NoiseStays:
                continue
            response = exchange.response
            if response is not None and _serves(exchange, set()) and profile_in(response):
                key = built.operation.key
                profile = profile_in(response)
                ground.profiles.setdefault(name, {})[key] = profile
                courier.real_users.know(identity, profile)
                ground.asks_who = ground.asks_who or Baseline(
                    operation=built.operation, identity=name, built=built, exchange=exchange
                )
                break


async def find_canary(plan: ScanPlan, ground: Groundwork, courier: Courier) -> str | None:
    """The canary of each identity, the configured one or a read that serves, and how refusals look.

    Who is no longer who they were before the scan, and by what; None where nobody is. Raises
    IdentityBroken where the configured canary refuses an identity.
    """
    if plan.canary is not None:
        answers = await _use_configured(plan, plan.canary, ground, courier)
    else:
        answers = await _find(plan, ground, courier)
    for name, answer in answers.items():
        reason = ill(ground, name, ground.canaries[name], answer)
        if reason is not None:
            return f"{name} ({reason})"
    return None


async def _find(plan: ScanPlan, ground: Groundwork, courier: Courier) -> dict[str, Exchange]:
    """What the canary that was found for each identity answered it."""
    candidates = [
        baseline
        for baseline in ground.baselines.values()
        if baseline.identity in ground.identities
        and (
            asks_who(baseline.operation)
            or (baseline.operation.method == "GET" and baseline.operation.is_read)
        )
        and not baseline.operation.path_parameters
    ]
    read = {key for profiles in ground.profiles.values() for key in profiles}
    candidates.sort(
        key=lambda b: (
            b.operation.key not in read,
            not _is_about(ground.identities[b.identity or ""], b.exchange),
            _rank(b.operation),
        )
    )
    await _all_let_in_again(plan, candidates, ground, courier)
    most, watched = 0, dict[str, Exchange]()
    for baseline in candidates[:_MOST_CANDIDATES]:
        refusals = await _refusals(ground, baseline, courier)
        if refusals is None:
            continue
        answers = {
            name: await courier.send(canary_request(ground, baseline, name))
            for name in ground.identities
        }
        passing = [name for name in answers if _serves(answers[name], refusals)]
        for name in passing:
            if name not in ground.canaries or len(passing) > most:
                _watch(ground, name, baseline, answers[name])
                watched[name] = answers[name]
        ground.refusals |= refusals
        if len(passing) > most:
            ground.canary, most = baseline, len(passing)
        if len(ground.canaries) == len(ground.identities):
            break
    return watched


async def _all_let_in_again(
    plan: ScanPlan, candidates: list[Baseline], ground: Groundwork, courier: Courier
) -> None:
    """Logs in anew whoever's session the last of the requests that were tried has ended."""
    first = {baseline.identity: baseline for baseline in reversed(candidates)}
    for name, baseline in first.items():
        asked = await courier.send(canary_request(ground, baseline, name or ""))
        await let_in_again(plan, ground, courier, asked, name or "")


async def _use_configured(
    plan: ScanPlan, key: str, ground: Groundwork, courier: Courier
) -> dict[str, Exchange]:
    """What the canary that the user named answers each identity; nothing where it tells nothing.

    Raises IdentityBroken where it refuses an identity.
    """
    built = _configured(plan, key, ground)
    operation, bare = built.operation, built.request
    answers: dict[str, Exchange] = {}
    for name, identity in ground.identities.items():
        answers[name] = await courier.send(identity.authorize(bare))
        if not answers[name].succeeded:
            raise IdentityBroken(
                f"{name} is logged in, but {key}, the canary, answers {answers[name].status}",
                hint="check how its credential is sent (send_as under [login]), or name another "
                "read as canary",
            )
    if not answers:
        return {}
    first, exchange = next(iter(answers.items()))
    baseline = Baseline(operation=operation, identity=first, built=built, exchange=exchange)
    refusals = await _refusals(ground, baseline, courier)
    if refusals is None:
        ground.notes.append(
            f"{key} answers without a credential what it answers with one, so as a canary it does "
            "not tell whether an identity is healthy. Name another read under [login]."
        )
        return {}
    ground.canary, ground.refusals = baseline, ground.refusals | refusals
    for name, answer in answers.items():
        _watch(ground, name, baseline, answer)
    return answers


def _configured(plan: ScanPlan, key: str, ground: Groundwork) -> Built:
    """The request of the canary that the user named, as its operation has it or without input."""
    method, _, path = key.partition(" ")
    operation = plan.api.operation(key)
    if operation is not None:
        with suppress(Unbuildable):
            return ground.builder.build(operation, full=False)
    whole = plan.target.base_path + path
    bare = (
        Request(method=method, path=whole, headers=(("Accept", "*/*"),))
        if method == "GET"
        else json_request(method, whole, {})
    )
    return Built(request=bare, operation=operation or Operation(method=method, path=path))


async def _refusals(ground: Groundwork, baseline: Baseline, courier: Courier) -> set[str] | None:
    """The refusals with a 2xx (V6) to nobody and to a made-up token; None where these are served.

    What the identity sees may have changed since the baseline: it is asked before and after.
    """
    identity = ground.identities[baseline.identity or ""]
    if identity.credential is None:
        return None
    bare = _stripped(ground, baseline.exchange.request)
    attempts = [bare]
    if identity.credential.token is not None:
        attempts.append(identity.credential.with_token(_GARBAGE_TOKEN).apply(bare))
    asked = canary_request(ground, baseline, identity.name)
    before, *answers, after = [await courier.send(request) for request in (asked, *attempts, asked)]
    if not before.succeeded or not all(_is_refusal(each, before, after) for each in answers):
        return None
    return {
        normalised(answer.response)
        for answer in answers
        if answer.response is not None and answer.response.succeeded
    }


def _watch(ground: Groundwork, name: str, canary: Baseline, answer: Exchange) -> None:
    ground.canaries[name] = canary
    known = ground.profiles.setdefault(name, {})
    tells = is_profile(canary.operation.path) or _is_about(ground.identities[name], answer)
    if answer.response is not None and tells:
        known.setdefault(canary.operation.key, profile_in(answer.response))


def ill(ground: Groundwork, name: str, canary: Baseline, exchange: Exchange) -> str | None:
    """What the answer of its canary says against an identity; None when it is healthy."""
    key, response = canary.operation.key, exchange.response
    if response is None or not _serves(exchange, ground.refusals):
        soft = " with a refusal" if exchange.succeeded else ""
        return f"{key} answered {exchange.status}{soft}"
    changed = differences(ground.profiles.get(name, {}).get(key, {}), profile_in(response))
    if changed:
        return f"{key} shows another {', '.join(sorted(changed)[:3])}"
    return None


def canary_request(ground: Groundwork, baseline: Baseline, name: str) -> Request:
    """The canary's request as an identity sends it."""
    return ground.identities[name].authorize(_stripped(ground, baseline.exchange.request))


def _stripped(ground: Groundwork, request: Request) -> Request:
    return stripped(request, [*ground.identities.values(), *ground.throwaways.values()])


def _serves(exchange: Exchange, refusals: set[str]) -> bool:
    response = exchange.response
    return (
        response is not None
        and response.succeeded
        and normalised(response) not in refusals
        and not says_no(response)
    )


def _rank(operation: Operation) -> tuple[int, int]:
    return (0 if is_profile(operation.path) else 1, len(operation.path))


def _is_about(identity: Identity, answer: Exchange) -> bool:
    """Whether an answer is about whoever asks, by the name or address that it logs in with: a
    profile need not be called so, `GET /user/dashboard`.
    """
    own = {text for name, text in identity.fields.items() if not is_password(name)}
    told = profile_in(answer.response) if answer.response is not None else {}
    return not own.isdisjoint(map(str, told.values()))


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
