"""What one step of a capacity search says of its rate. Pure.

A step is judged as any run is, objective by objective (`withstand.slo.judge`: batch means over
windows of a second), with two things more: overload is seen at once, and a generator that was not
up to the rate makes the step void instead of slow.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.stress import StressStep
from withstand.slo.judgement import applicable, judge
from withstand.slo.objective import WHOLE_RUN, Indicator, Objective, format_value
from withstand.slo.operation_verdict import slower
from withstand.slo.verdict import Verdict, VerdictState
from withstand.stats.capacity import Step, StepState, Tried
from withstand.stats.quantile_bounds import estimate_share
from withstand.units import format_share

_OVERLOAD_WINDOWS: Final = 3
# Fewer requests than this are slow by chance now and then.
_OVERLOAD_REQUESTS: Final = 10
_ERRORS_THAT_BREAK: Final = 0.05
_THROUGHPUT_KEPT: Final = 0.9
# Random arrivals differ from their rate by the root of their number: three of those are rare.
_SPREADS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StepVerdict:
    """A step, judged by the seconds in `run`. `void` says why the generator makes it worthless,
    `broken` what had begun to break at its rate; None each when nothing did.
    """

    step: StressStep
    run: LoadMeasurement
    state: StepState
    verdicts: tuple[Verdict, ...]
    void: str | None
    broken: str | None

    @property
    def breached(self) -> tuple[Verdict, ...]:
        """The objectives that are not met at this rate."""
        return tuple(each for each in self.verdicts if each.state is VerdictState.BREACHED)

    @property
    def tried(self) -> Tried:
        """What the search needs to know of it."""
        return Tried(
            rate_per_s=self.step.rate_per_s,
            purpose=self.step.purpose,
            state=self.state,
            duration_s=self.step.duration_s,
            broken=self.broken is not None,
        )


def judge_step(objectives: Sequence[Objective], step: StressStep) -> StepVerdict:
    """The verdicts on a step's windows, and what they come to.

    A lagging generator can only make the target look worse, so what is met in spite of it is met.
    """
    run = step.judged()
    overload = {
        (each.objective, each.operation): each for each in _overloaded(objectives, step, run)
    }
    verdicts = tuple(
        overload.get((each.objective, each.operation), each) for each in judge(objectives, run)
    )
    states = {each.state for each in verdicts}
    void = run.generator.saturated or run.generator.lost
    if void is None and run.generator.lagging in {each.reason for each in verdicts}:
        void = run.generator.lagging
    if void is not None:
        state = StepState.VOID
    elif VerdictState.BREACHED in states:
        state = StepState.BREACHED
    elif VerdictState.INCONCLUSIVE in states or not verdicts:
        state = StepState.INCONCLUSIVE
    else:
        state = StepState.MET
    broken = None if void else _broken(objectives, step, run)
    return StepVerdict(step=step, run=run, state=state, verdicts=verdicts, void=void, broken=broken)


def decided_after(
    objectives: Sequence[Objective], wanted: Step, so_far: StressStep, *, looked_at: int
) -> int | None:
    """After how many windows the step is over; None while it has to go on.

    `so_far` has the windows that are settled, of which `looked_at` were looked at before.
    """
    for windows in range(looked_at + 1, so_far.windows + 1):
        step = replace(so_far, windows=windows)
        if next(_overloaded(objectives, step, step.judged(last=_OVERLOAD_WINDOWS)), None):
            return windows
        if windows >= wanted.most_windows:
            return windows
        beyond = windows - wanted.least_windows
        if beyond >= 0 and beyond % wanted.more_windows == 0:
            state = judge_step(objectives, step).state
            if state in (StepState.MET, StepState.BREACHED):
                return windows
    return None


def _overloaded(
    objectives: Sequence[Objective], step: StressStep, run: LoadMeasurement
) -> Iterator[Verdict]:
    """The objectives that the last three seconds alone leave no hope for.

    More than half of the requests beyond what may be slow or fail, for three seconds: a queue that
    only grows. To wait for ten seconds of it would make it longer and teach nothing. (More than
    half of the rest, so that a promise on the median is not given up for noise.)
    """
    if step.windows < _OVERLOAD_WINDOWS or run.generator.lagging is not None:
        return
    start = step.warm_up_windows + step.windows - _OVERLOAD_WINDOWS
    for name, operation in run.operations.items():
        last = [
            each for each in operation.windows if start <= each.second < start + _OVERLOAD_WINDOWS
        ]
        count = sum(each.requests for each in last)
        if count < _OVERLOAD_REQUESTS:
            continue
        for objective in applicable(objectives, name):
            if objective.indicator is Indicator.QUANTILE:
                allowed = 1 - (objective.quantile or 0.0)
                exceeding = sum(slower(each, objective.limit) for each in last)
                what = f"failed or took longer than {_limit(objective)}"
            elif objective.indicator is Indicator.ERRORS:
                allowed = objective.limit
                exceeding = sum(each.errors for each in last)
                what = "failed or got an unexpected status"
            else:
                continue
            if exceeding > (1 + allowed) / 2 * count:
                yield Verdict(
                    objective=objective,
                    operation=name,
                    state=VerdictState.BREACHED,
                    observed=_observed(objective, operation),
                    unit=objective.unit,
                    interval=None,
                    samples=operation.requests,
                    reason=f"{format_share(exceeding / count)} of the requests of the last "
                    f"{_OVERLOAD_WINDOWS} seconds {what}; {format_share(allowed)} may",
                )


def _observed(objective: Objective, operation: OperationMeasurement) -> float | None:
    if objective.indicator is Indicator.ERRORS:
        return operation.errors / operation.requests
    return operation.response_time.quantile(objective.quantile or 0.0)


def _limit(objective: Objective) -> str:
    return format_value(objective.limit, objective.unit)


def _broken(objectives: Sequence[Objective], step: StressStep, run: LoadMeasurement) -> str | None:
    """What had begun at this rate: errors beyond what is allowed (5 % where nothing is said), or
    collapse: good answers at less than 90 % of the rate at which requests came.
    """
    allowed = min(
        (
            each.limit
            for each in objectives
            if each.indicator is Indicator.ERRORS and each.operation == WHOLE_RUN
        ),
        default=_ERRORS_THAT_BREAK,
    )
    windows = [each for operation in run.operations.values() for each in operation.windows]
    seconds = sorted({each.second for each in windows})
    errors = [sum(each.errors for each in windows if each.second == second) for second in seconds]
    sizes = [sum(each.requests for each in windows if each.second == second) for second in seconds]
    share = estimate_share(errors, sizes, allowed=allowed)
    if share.surely_above(allowed):
        return f"{format_share(share.value)} of the requests failed"
    due = step.rate_per_s * step.answered_over_s
    if step.answered < _THROUGHPUT_KEPT * due - _SPREADS * math.sqrt(due):
        return f"only {step.throughput_per_s:,.4g} of {step.rate_per_s:,.4g} a second were answered"
    return None
