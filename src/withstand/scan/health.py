"""Whether the identities are still who they were: a canary read by each, around every batch (V0).

A canary is a secured GET that succeeds with an identity's credential and is refused without it and
with a made-up one.
"""

from dataclasses import dataclass
from typing import Final

from withstand.client.credential import Credential
from withstand.client.exchange import Exchange, Failure, Request
from withstand.client.identity import Identity
from withstand.client.soft_errors import says_no
from withstand.errors import IdentityBroken
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.groundwork import Groundwork, let_in_again, log_in_again, logs_in
from withstand.scan.login import Busy, log_in
from withstand.scan.plan import ScanPlan
from withstand.scan.profile import differences, is_profile, profile_in
from withstand.scan.shape import same_shape
from withstand.scan.similarity import normalised, same_content
from withstand.scan.subject import Baseline
from withstand.units import format_names

_GARBAGE_TOKEN: Final = "ws-no-such-token"  # noqa: S105 - refused by every API, that is its use
_CANARY_WORDS: Final = ("me", "self", "whoami", "profile", "account", "userinfo")
_MOST_CANDIDATES: Final = 12  # reads that are tried as canary: a few requests each


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An identity whose canary says that it is not what it was, and what the canary got."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


async def find_canary(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """The canary of each identity, the configured one or a read that serves, and how refusals look.

    Raises IdentityBroken where the configured canary refuses an identity.
    """
    if plan.canary is not None:
        await _use_configured(plan, plan.canary, ground, courier)
        return
    candidates = [
        baseline
        for baseline in ground.baselines.values()
        if baseline.identity in ground.identities
        and baseline.operation.method == "GET"
        and not baseline.operation.path_parameters
    ]
    candidates.sort(key=lambda baseline: _canary_rank(baseline.operation))
    await _all_let_in_again(plan, candidates, ground, courier)
    most = 0
    for baseline in candidates[:_MOST_CANDIDATES]:
        refusals = await _refusals(ground, baseline, courier)
        if refusals is None:
            continue
        answers = {
            name: await courier.send(_canary_request(ground, baseline, name))
            for name in ground.identities
        }
        passing = [name for name in answers if _serves(answers[name], refusals)]
        for name in passing:
            if name not in ground.canaries or len(passing) > most:
                _watch(ground, name, baseline, answers[name])
        ground.refusals |= refusals
        if len(passing) > most:
            ground.canary, most = baseline, len(passing)
        if len(ground.canaries) == len(ground.identities):
            return


async def broken_identity(ground: Groundwork, courier: Courier) -> Broken | None:
    """The first identity whose canary no longer succeeds or says somebody else; None when all do.

    A target that is busy (429, 503) says nothing about its identities; one that does not answer at
    all has ended the run.
    """
    for name, canary in ground.canaries.items():
        try:
            exchange = await courier.send(_canary_request(ground, canary, name))
        except NoiseStays as noise:
            if isinstance(noise.exchange.outcome, Failure):
                return Broken(name=name, reason=str(noise))
            continue
        reason = _ill(ground, name, canary, exchange)
        if reason is not None:
            return Broken(name=name, reason=reason)
    return None


async def recovered(
    plan: ScanPlan, ground: Groundwork, courier: Courier, broken: Broken
) -> str | None:
    """Logs a broken identity in once more; why that did not mend it, or None when it did."""
    identity, canary = ground.identities[broken.name], ground.canaries[broken.name]
    if not logs_in(plan, identity):
        return broken.reason
    problem = await log_in_again(plan, ground, courier, identity)
    if problem is not None:
        return f"{broken.reason}, and it cannot log in again: {problem}"
    try:
        exchange = await courier.send(_canary_request(ground, canary, broken.name))
    except NoiseStays as noise:
        return str(noise)
    reason = _ill(ground, broken.name, canary, exchange)
    return None if reason is None else f"{reason}, also after it logged in again"


async def attest(plan: ScanPlan, ground: Groundwork, courier: Courier) -> str | None:
    """Every configured identity once more, at the end: what broke, None where nothing did.

    Who is well is a fact of the scan, who could not be asked one of its notes.

    Who logs in does so again with what is configured; the canary is asked with what that gives.
    """
    well, unsure = [], []
    for name, identity in ground.identities.items():
        asked = busy = False
        canary = ground.canaries.get(name)
        if logs_in(plan, identity):
            got = await log_in(
                plan.login, identity, courier, base_path=plan.target.base_path, patient=False
            )
            if isinstance(got, Busy):
                unsure.append(f"{name} ({got})")
                busy = True
            elif not isinstance(got, Credential):
                return f"{name} no longer logs in: {got}"
            else:
                ground.identities[name] = identity.logged_in(got)
                asked = True
        if canary is not None:
            exchange = await courier.send(
                _canary_request(ground, canary, name), noise_is_answer=True
            )
            if exchange.response is None or exchange.status in {429, 502, 503, 504}:
                unsure.append(f"{name} ({canary.operation.key} answered {exchange.status})")
                continue
            reason = _ill(ground, name, canary, exchange)
            if reason is not None:
                return f"{name} is not what it was: {reason}"
            asked = True
        if asked and not busy:
            well.append(name)
    if well:
        ground.facts.append(
            f"After the scan {format_names(well)} still {_log(well)} in as configured"
            + (", with the profile of before." if ground.profiles else ".")
        )
    if unsure:
        ground.notes.append(
            f"Whether {format_names(unsure)} still {_log(unsure)} in could not be told: the API "
            "was busy."
        )
    return None


async def _all_let_in_again(
    plan: ScanPlan, candidates: list[Baseline], ground: Groundwork, courier: Courier
) -> None:
    """Logs in anew whoever's session the last of the requests that were tried has ended."""
    first = {baseline.identity: baseline for baseline in reversed(candidates)}
    for name, baseline in first.items():
        asked = await courier.send(_canary_request(ground, baseline, name or ""))
        await let_in_again(plan, ground, courier, asked, name or "")


async def _use_configured(plan: ScanPlan, key: str, ground: Groundwork, courier: Courier) -> None:
    """The canary that the user named. Raises IdentityBroken where it refuses an identity."""
    method, _, path = key.partition(" ")
    operation = plan.api.operation(key) or Operation(method=method, path=path)
    bare = Request(method=method, path=plan.target.base_path + path, headers=(("Accept", "*/*"),))
    built = Built(request=bare, operation=operation)
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
        return
    first, exchange = next(iter(answers.items()))
    baseline = Baseline(operation=operation, identity=first, built=built, exchange=exchange)
    refusals = await _refusals(ground, baseline, courier)
    if refusals is None:
        ground.notes.append(
            f"{key} answers without a credential what it answers with one, so as a canary it does "
            "not tell whether an identity is healthy. Name another read under [login]."
        )
        return
    ground.canary, ground.refusals = baseline, ground.refusals | refusals
    for name, answer in answers.items():
        _watch(ground, name, baseline, answer)


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
    asked = _canary_request(ground, baseline, identity.name)
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
    ground.profiles.pop(name, None)
    if answer.response is not None and is_profile(canary.operation.path):
        profile = profile_in(answer.response)
        if profile:
            ground.profiles[name] = profile


def _ill(ground: Groundwork, name: str, canary: Baseline, exchange: Exchange) -> str | None:
    """What the answer of its canary says against an identity; None when it is healthy."""
    key, response = canary.operation.key, exchange.response
    if response is None or not _serves(exchange, ground.refusals):
        soft = " with a refusal" if exchange.succeeded else ""
        return f"{key} answered {exchange.status}{soft}"
    changed = differences(ground.profiles.get(name, {}), profile_in(response))
    if changed:
        return f"{key} shows another {', '.join(sorted(changed)[:3])}"
    return None


def _canary_request(ground: Groundwork, baseline: Baseline, name: str) -> Request:
    return ground.identities[name].authorize(_stripped(ground, baseline.exchange.request))


def _stripped(ground: Groundwork, request: Request) -> Request:
    identities: list[Identity] = [*ground.identities.values(), *ground.throwaways.values()]
    for identity in identities:
        if identity.credential is not None:
            request = identity.credential.strip(request)
    return request


def _serves(exchange: Exchange, refusals: set[str]) -> bool:
    response = exchange.response
    return (
        response is not None
        and response.succeeded
        and normalised(response) not in refusals
        and not says_no(response)
    )


def _canary_rank(operation: Operation) -> tuple[int, int]:
    last = operation.path.rstrip("/").rsplit("/", 1)[-1].lower()
    rank = 0 if last in _CANARY_WORDS else 1 if is_profile(operation.path) else 2
    return (rank, len(operation.path))


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


def _log(names: list[str]) -> str:
    return "logs" if len(names) == 1 else "log"
