"""What a capacity search says of the API: the sustainable rate and how sure it is. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from withstand.errors import UsageError
from withstand.load.stress import StressMeasurement
from withstand.slo.judgement import applicable
from withstand.slo.objective import Indicator, Objective
from withstand.slo.step_verdict import StepVerdict, judge_step
from withstand.slo.verdict import Verdict, VerdictState
from withstand.stats.capacity import (
    Bracket,
    End,
    SearchPlan,
    Step,
    StepState,
    bracket,
    next_step,
)
from withstand.stats.distributions import student_t_quantile
from withstand.stats.quantile_bounds import CERTAINTY, degrees_of_freedom
from withstand.stats.usl import Scalability, scalability

# The sustainable rate says nothing of these: a rate is what is searched, and memory that grows
# shows in a long run, not in steps of seconds.
_NOT_OF_A_STEP: Final = (Indicator.RATE, Indicator.MEMORY_GROWTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """A search, judged. `end` is None where it was stopped before its end.

    `sustainable_per_s` is the highest rate at which every objective was met twice, the second time
    for longer; None where there is none. `required` is the verdict on the rate that was asked for;
    None where none was. `lost` says that the target did not answer any more after the last step.
    """

    plan: SearchPlan
    steps: tuple[StepVerdict, ...]
    bracket: Bracket
    end: End | None
    scalability: Scalability | None
    lost: str | None

    @property
    def sustainable_per_s(self) -> float | None:
        """The low end of the bracket, if it held."""
        return self.bracket.low_per_s if self.bracket.held else None

    @property
    def required(self) -> VerdictState | None:
        """Whether the required rate is sustained."""
        wanted, sustained = self.plan.required_per_s, self.sustainable_per_s
        if wanted is None:
            return None
        if sustained is not None and sustained >= wanted:
            return VerdictState.MET
        if self.bracket.high_per_s is not None and self.bracket.high_per_s <= wanted:
            return VerdictState.BREACHED
        return VerdictState.INCONCLUSIVE

    @property
    def fails(self) -> bool:
        """Whether something bad is proven: the required rate is not sustained, no rate is, or the
        API did not come back from one."""
        nothing_holds = self.end is End.UNATTAINABLE and self.void is None
        return self.required is VerdictState.BREACHED or nothing_holds or self.lost is not None

    @property
    def found(self) -> bool:
        """Whether the search has its answer: that the required rate is sustained, or which is."""
        if self.required is not None:
            return self.required is VerdictState.MET
        return self.sustainable_per_s is not None

    @property
    def limiting(self) -> tuple[Verdict, ...]:
        """What was breached at the high end: the objectives that set the limit."""
        for step in self.steps:
            at_the_end = step.step.rate_per_s == self.bracket.high_per_s
            if at_the_end and step.state is StepState.BREACHED:
                return step.breached
        return ()

    @property
    def breaking(self) -> StepVerdict | None:
        """The step at the lowest rate at which errors or collapse had begun; None if nothing had
        broken at any."""
        broken = [step for step in self.steps if step.broken is not None]
        return min(broken, key=lambda step: step.step.rate_per_s, default=None)

    @property
    def most_answered_per_s(self) -> float | None:
        """The highest throughput of good answers of all steps."""
        valid = (step for step in self.steps if step.void is None)
        return max((step.step.throughput_per_s for step in valid), default=None)

    @property
    def void(self) -> str | None:
        """Why the search is void: the generator was the bottleneck and the answer hangs on it."""
        if self.end is not End.GENERATOR or self.required is VerdictState.MET:
            return None
        if self.required is None and self.bracket.high_per_s is not None:
            return None
        if self.required is VerdictState.BREACHED:
            return None
        return next((step.void for step in reversed(self.steps) if step.void), None)


def capacity(objectives: Sequence[Objective], stress: StressMeasurement) -> Capacity:
    """The conclusion of a search, finished or not."""
    steps = tuple(judge_step(objectives, step) for step in stress.steps)
    tried = [step.tried for step in steps]
    following = next_step(stress.plan, tried)
    return Capacity(
        plan=stress.plan,
        steps=steps,
        bracket=bracket(stress.plan, tried),
        end=None if isinstance(following, Step) else following,
        scalability=scalability(stress.sweep),
        lost=stress.lost,
    )


def objectives_of_a_step(objectives: Iterable[Objective]) -> tuple[Objective, ...]:
    """Those that a step of seconds can be judged by: on the whole of it, and neither rates nor the
    server's memory.
    """
    return tuple(
        each for each in objectives if each.indicator not in _NOT_OF_A_STEP and each.over_s is None
    )


def least_rate_per_s(
    objectives: Sequence[Objective], shares: Mapping[str, float], plan: SearchPlan
) -> float:
    """The lowest rate at which a spotless step of the plan's greatest length is surely met.

    Below it, nothing could be decided for want of requests. `shares` says which part of the
    requests goes to each operation. The margin without a single slow request is t times the root
    of p (1 - p) / n, which must be less than the allowed share p (`withstand.stats.
    quantile_bounds`): n is more than t² (1 - p) / p. Raises UsageError when no objective applies.
    """
    windows = plan.most_windows
    freedom = degrees_of_freedom(windows)
    needed = []
    for name, share in shares.items():
        for objective in applicable(objectives_of_a_step(objectives), name):
            allowed = _allowed(objective)
            if allowed is not None:
                t = student_t_quantile(CERTAINTY, freedom)
                requests = t**2 * (1 - allowed) / allowed
                needed.append(requests / windows / share)
            else:
                needed.append(1 / windows / share)
    if not needed:
        raise UsageError(
            "no objective applies to what is sent, and the sustainable rate is the highest at "
            "which the objectives are met",
            hint='give some, such as --slo "p95<200ms" --slo "errors<1%"',
        )
    # A hair more, because the margin must be less than the share, not equal to it.
    return 1.01 * max(needed)


def _allowed(objective: Objective) -> float | None:
    """The share of requests that an objective lets go wrong; None where it speaks of no share."""
    if objective.indicator is Indicator.QUANTILE:
        return 1 - (objective.quantile or 0.0)
    if objective.indicator is Indicator.ERRORS and objective.limit > 0:
        return objective.limit
    return None
