"""Whether the identities are still who they were: their canary, around every batch (V0)."""

from dataclasses import dataclass

from withstand.client.credential import Credential
from withstand.client.exchange import Exchange, Failure, Request
from withstand.scan.groundwork.canary import canary_request, ill
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.identities import log_in_again, logs_in
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Baseline
from withstand.scan.wire.courier import Courier, NoiseStays
from withstand.scan.wire.login import Busy, log_in
from withstand.scan.wire.patience import hung
from withstand.units import format_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An identity whose canary says that it is not what it was, and what the canary got."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


async def broken_identity(ground: Groundwork, courier: Courier) -> Broken | None:
    """The first identity whose canary no longer succeeds or says somebody else; None when all do.

    A target that is busy (429, 503) says nothing about its identities; one that does not answer at
    all has ended the run.
    """
    for name, canary in ground.canaries.items():
        try:
            exchange = await _asked(courier, canary_request(ground, canary, name))
        except NoiseStays as noise:
            if isinstance(noise.exchange.outcome, Failure):
                return Broken(name=name, reason=str(noise))
            continue
        reason = ill(ground, name, canary, exchange)
        if reason is not None:
            return Broken(name=name, reason=reason)
    return None


async def _asked(courier: Courier, request: Request) -> Exchange:
    """The answer of a canary, also of a target that was still busy with what a check had sent."""
    try:
        return await courier.send(request)
    except NoiseStays as noise:
        if not hung(noise.exchange) or courier.waiting.silent_since is not None:
            raise
        return await courier.send(request)


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
        exchange = await courier.send(canary_request(ground, canary, broken.name))
    except NoiseStays as noise:
        return str(noise)
    reason = ill(ground, broken.name, canary, exchange)
    return None if reason is None else f"{reason}, also after it logged in again"


async def attest(plan: ScanPlan, ground: Groundwork, courier: Courier) -> str | None:
    """Every configured identity once more, at the end: what broke, None where nothing did.

    Who is well is a fact of the scan, who could not be asked one of its notes.

    Who logs in does so again with what is configured; the canary is asked with what that gives.
    """
    well, unsure = [], []
    for name, identity in ground.identities.items():
        asked = busy = False
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
        for question in _questions(ground, name):
            exchange = await courier.send(
                canary_request(ground, question, name), noise_is_answer=True
            )
            if exchange.response is None or exchange.status in {429, 502, 503, 504}:
                unsure.append(f"{name} ({question.operation.key} answered {exchange.status})")
                busy = True
                break
            reason = ill(ground, name, question, exchange)
            if reason is not None:
                return f"{name} is not what it was: {reason}"
            asked = True
        if asked and not busy:
            well.append(name)
    if well:
        ground.facts.append(
            f"After the scan {format_names(well)} still {_log(well)} in as configured"
            + (", with the profile of before." if any(ground.profiles.values()) else ".")
        )
    if unsure:
        ground.notes.append(
            f"Whether {format_names(unsure)} still {_log(unsure)} in could not be told: the API "
            "was busy."
        )
    return None


def _questions(ground: Groundwork, name: str) -> list[Baseline]:
    """The canary of an identity, and what told its profile before the scan where that is another
    read.
    """
    canary, told = ground.canaries.get(name), ground.asks_who
    found = [canary] if canary is not None else []
    if told is not None and (canary is None or told.operation != canary.operation):
        found += [told] if told.operation.key in ground.profiles.get(name, {}) else []
    return found


def _log(names: list[str]) -> str:
    return "logs" if len(names) == 1 else "log"
