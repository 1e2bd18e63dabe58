"""The search for the highest rate that something sustains. Pure.

Which rate to try next follows from the rates tried so far and from nothing else, so a search can
be stopped anywhere, stored, and read again. It goes

1. up in steps of 1.6 until a step is breached (in steps of 1.15 where one could not be decided);
2. then by bisection of the logarithm (the classic search for a threshold from both sides) until
   the bracket is as narrow as wanted; a rate that could not be decided stays inside the bracket,
   which closes on it from both sides;
3. then it holds the highest rate that was met for longer, and goes down while that fails: of
   several steps near the boundary the luckiest wins, and a second, longer look takes luck away;
4. then up again, if nothing has broken yet, to where it breaks.

How a step is judged is the caller's business. With the judgement of `withstand.slo.capacity` the
whole is simulated in benchmarks/statistics/capacity.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_GROWTH: Final = 1.6
_CAUTIOUS_GROWTH: Final = 1.15
# Two rates nearer than this are the same question.
_SAME: Final = 0.025
_CAUTIOUS_FALL: Final = 1.5
_MOST_HOLDS: Final = 5
_MOST_BREAKS: Final = 4


class StepState(StrEnum):
    """What a step says of its rate."""

    MET = "met"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"
    VOID = "void"  # the generator was the bottleneck


class Purpose(StrEnum):
    """Why a rate is tried."""

    RAMP = "ramp"
    NARROW = "narrow"
    HOLD = "hold"
    BREAK = "break"


class End(StrEnum):
    """Why there is no further step."""

    FOUND = "found"
    UNATTAINABLE = "unattainable"  # not even the lowest rates are met
    UNDECIDABLE = "undecidable"  # not even the lowest rates can be told apart from the limit
    GENERATOR = "generator"  # the generator cannot do more
    BUDGET = "budget"  # no time is left


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """How to search. Rates are per second; a window lasts a second.

    `floor_per_s` is the lowest rate at which a step can be decided at all; `ceiling_per_s` is
    never exceeded; `required_per_s` is a rate whose verdict is wanted: it is tried itself.
    `resolution` is how narrow the bracket must get: 1.08 stands for 8 %. `budget_s` bounds the
    whole, the hold included. A step drops `warm_up_windows`, has `least_windows` to
    `most_windows`, and a holding one `hold_windows` to twice as many.
    """

    start_per_s: float
    floor_per_s: float = 1.0
    ceiling_per_s: float | None = None
    required_per_s: float | None = None
    resolution: float = 1.08
    budget_s: float = 1_200.0
    warm_up_windows: int = 5
    least_windows: int = 10
    most_windows: int = 40
    hold_windows: int = 30

    @property
    def highest_per_s(self) -> float:
        """The ceiling as a number."""
        return math.inf if self.ceiling_per_s is None else self.ceiling_per_s

    @property
    def step_s(self) -> float:
        """The least that a step costs."""
        return self.warm_up_windows + self.least_windows

    @property
    def hold_s(self) -> float:
        """The least that holding costs."""
        return self.warm_up_windows + self.hold_windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A rate to try, and for how many windows after the warm-up.

    It is judged after `least_windows`, and again after every `more_windows` until it is decided.
    """

    rate_per_s: float
    purpose: Purpose
    least_windows: int
    more_windows: int
    most_windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A step that was taken. `broken` says that errors or collapse had begun at its rate."""

    rate_per_s: float
    purpose: Purpose
    state: StepState
    duration_s: float
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """The rates between which the capacity lies: met at `low`, breached at `high`.

    None where no such rate was found. `held` says that `low` was met a second time, for longer.
    """

    low_per_s: float | None
    high_per_s: float | None
    held: bool


def bracket(plan: SearchPlan, tried: Sequence[Tried]) -> Bracket:
    """What the steps so far say; of two on one rate the later one.

    A rate that did not hold is not the low end any more.
    """
    low: float | None = None
    breached: list[float] = []
    held = False
    for step in tried:
        if step.state is StepState.VOID:
            continue
        if step.purpose is Purpose.HOLD:
            held = step.state is StepState.MET
            low = step.rate_per_s if held else step.rate_per_s / plan.resolution
        elif step.state is StepState.MET and step.purpose is not Purpose.BREAK:
            low = max(low or 0.0, step.rate_per_s)
        if step.state is StepState.BREACHED:
            breached.append(step.rate_per_s)
        elif step.state is StepState.MET:
            breached = [rate for rate in breached if rate > step.rate_per_s]
    return Bracket(low_per_s=low, high_per_s=min(breached, default=None), held=held)


def next_step(plan: SearchPlan, tried: Sequence[Tried]) -> Step | End:
    """The next rate to try, or why the search is over."""
    searched = [step for step in tried if step.purpose in (Purpose.RAMP, Purpose.NARROW)]
    seeking = _search(plan, searched)
    if isinstance(seeking, Step):
        return seeking
    if bracket(plan, tried).low_per_s is None:
        return seeking
    holding = _hold(plan, tried)
    if isinstance(holding, Step):
        return holding
    end = holding or seeking
    return end if end is not End.FOUND else _break(plan, tried)


def _search(plan: SearchPlan, searched: Sequence[Tried]) -> Step | End:
    """The next step of the ramp or of the bisection."""
    if _voided_twice(searched):
        return End.GENERATOR
    if _elapsed_s(searched) + plan.step_s + plan.hold_s > plan.budget_s:
        return End.BUDGET
    if searched and searched[-1].state is StepState.VOID:
        # A generator that stumbled gets a second chance.
        return _step(plan, searched[-1].rate_per_s, searched[-1].purpose)
    known = bracket(plan, searched)
    if known.high_per_s is None:
        rate = _higher(plan, searched, known.low_per_s)
        return rate if isinstance(rate, End) else _step(plan, rate, Purpose.RAMP)
    rate = _between(plan, searched, known.low_per_s, known.high_per_s)
    return rate if isinstance(rate, End) else _step(plan, rate, Purpose.NARROW)


def _higher(plan: SearchPlan, searched: Sequence[Tried], low: float | None) -> float | End:
    """The next rate while none is known to be too high."""
    if not searched:
        return min(plan.start_per_s, plan.highest_per_s)
    if low is None:
        # The first could not be decided. A lower one must: otherwise the limit is what even an
        # idle server does, and no rate lies surely on one side of it.
        lower = searched[0].rate_per_s / _GROWTH
        return End.UNDECIDABLE if len(searched) > 1 or lower < plan.floor_per_s else lower
    highest = max(reversed(searched), key=lambda step: step.rate_per_s)  # the later look at it
    if highest.rate_per_s >= plan.highest_per_s:
        return End.FOUND
    growth = _GROWTH if highest.state is StepState.MET else _CAUTIOUS_GROWTH
    return min(highest.rate_per_s * growth, plan.highest_per_s)


def _between(
    plan: SearchPlan, searched: Sequence[Tried], low: float | None, high: float
) -> float | End:
    """The next rate that makes the bracket narrower."""
    if low is not None and high / low <= plan.resolution:
        return End.FOUND
    least = low or 0.0
    undecided = [
        step.rate_per_s
        for step in searched
        if step.state is StepState.INCONCLUSIVE and least < step.rate_per_s < high
    ]
    candidates = []
    if plan.required_per_s is not None and least < plan.required_per_s < high:
        candidates.append(plan.required_per_s)
    if undecided:
        lowest = min(undecided)
        candidates.append(lowest / _CAUTIOUS_FALL if low is None else math.sqrt(low * lowest))
        candidates.append(math.sqrt(max(undecided) * high))
    else:
        candidates.append(high / 2 if low is None else math.sqrt(low * high))
    for rate in candidates:
        seen = any(abs(rate / step.rate_per_s - 1) <= _SAME for step in searched)
        if rate >= plan.floor_per_s and not seen:
            return rate
    if low is not None:
        return End.FOUND
    if undecided:
        return End.UNDECIDABLE
    # That no rate is met fails a build, so a hiccup must not be able to say it.
    looks = sum(step.rate_per_s == high for step in searched if step.state is not StepState.VOID)
    return high if looks == 1 else End.UNATTAINABLE


def _hold(plan: SearchPlan, tried: Sequence[Tried]) -> Step | End | None:
    """The step that confirms the low end, or why it cannot be; None when it was, or will not be."""
    holds = [step for step in tried if step.purpose is Purpose.HOLD]
    if _voided_twice(holds):
        return End.GENERATOR
    counted = [step for step in holds if step.state is not StepState.VOID]
    if counted and (counted[-1].state is StepState.MET or len(counted) == _MOST_HOLDS):
        return None
    rate = bracket(plan, tried).low_per_s
    if rate is None or rate < plan.floor_per_s:
        return End.UNDECIDABLE
    if _elapsed_s(tried) + plan.hold_s > plan.budget_s:
        return End.BUDGET
    return Step(
        rate_per_s=rate,
        purpose=Purpose.HOLD,
        least_windows=plan.hold_windows,
        more_windows=plan.least_windows,
        most_windows=2 * plan.hold_windows,
    )


def _break(plan: SearchPlan, tried: Sequence[Tried]) -> Step | End:
    """Higher and higher until something breaks, in short steps: nothing is to be decided."""
    steps = [step for step in tried if step.purpose is Purpose.BREAK]
    rate = _GROWTH * max(step.rate_per_s for step in tried)
    over = (
        any(step.broken for step in tried)
        or any(step.state is StepState.VOID for step in steps)
        or len(steps) == _MOST_BREAKS
        or rate > plan.highest_per_s
        or _elapsed_s(tried) + plan.step_s > plan.budget_s
    )
    if over:
        return End.FOUND
    return Step(
        rate_per_s=rate,
        purpose=Purpose.BREAK,
        least_windows=plan.least_windows,
        more_windows=plan.least_windows,
        most_windows=plan.least_windows,
    )


def _step(plan: SearchPlan, rate_per_s: float, purpose: Purpose) -> Step:
    return Step(
        rate_per_s=rate_per_s,
        purpose=purpose,
        least_windows=plan.least_windows,
        more_windows=plan.least_windows,
        most_windows=plan.most_windows,
    )


def _voided_twice(steps: Sequence[Tried]) -> bool:
    """Whether the generator failed at a rate and again at the second chance."""
    return [step.state for step in steps[-2:]] == [StepState.VOID] * 2


def _elapsed_s(steps: Sequence[Tried]) -> float:
    return math.fsum(step.duration_s for step in steps)
