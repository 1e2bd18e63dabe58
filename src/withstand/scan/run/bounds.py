"""What keeps a check from running here: the profile, the target, what the scan works with. Pure."""

from collections.abc import Callable
from dataclasses import replace

from withstand.openapi.operation import Operation
from withstand.scan.check import Check, Inconclusive, Outcome, Per, Safety, Skipped
from withstand.scan.groundwork.examination import Readiness
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import Profile
from withstand.scan.subject import Subject


def out_of_bounds(
    plan: ScanPlan, ground: Groundwork, check: Check, operation: Operation | None
) -> Outcome | None:
    """Why a check may not run here at all, None when it may."""
    profile = plan.policy.profile
    abuse_allowed = profile is Profile.ABUSE or plan.target.is_loopback
    if profile is Profile.READONLY and check.safety is not Safety.READ_ONLY:
        return Skipped(reason=f"the readonly profile runs no {check.safety} check")
    if check.safety is Safety.ABUSIVE and not abuse_allowed:
        return Skipped(reason="floods the target: run with --profile abuse to allow it")
    if operation is not None:
        forbidden = plan.policy.forbids(operation)
        if forbidden is not None:
            return Skipped(reason=f"not called: {forbidden}")
        stands_in = check.stands_alone and operation.key in ground.refused
        has_baseline = operation.key in ground.baselines or stands_in
        if check.needs_baseline and not has_baseline:
            return Inconclusive(reason=ground.missing.get(operation.key, "no baseline"))
    return None


def readiness(
    plan: ScanPlan, ground: Groundwork, subject_of: Callable[[Operation | None], Subject]
) -> tuple[Readiness, ...]:
    """For each check where it could run, and what it lacks elsewhere."""
    ready = []
    for check in plan.checks:
        places = (None,) if check.per is Per.API else plan.api.operations
        lacking = [_lacks(plan, ground, check, subject_of(place)) for place in places]
        reasons = tuple(dict.fromkeys(each for each in lacking if each))
        ready.append(Readiness(check=check.name, able=lacking.count(None), lacks=reasons))
    return tuple(ready)


def _lacks(plan: ScanPlan, ground: Groundwork, check: Check, subject: Subject) -> str | None:
    """Why a check cannot run on a subject; "" where there is nothing to look at, None if it can."""
    operation = subject.operation
    outcome = out_of_bounds(plan, ground, check, operation)
    if outcome is None:
        if operation is not None and check.needs_baseline and subject.baseline is None:
            subject = replace(subject, baseline=ground.refused[operation.key])
        outcome = check.applies(subject)
    if isinstance(outcome, Skipped):
        return outcome.reason if outcome.applicable else ""
    return outcome.reason if isinstance(outcome, Inconclusive) else None
