"""Load in stages: a rate, or a number of users, that ramps, holds and jumps. Pure.

A stage's level moves in a straight line, so what has arrived by a moment is a sum of areas, and
the moment of an arrival is a square root: no step of simulation, hence no error that grows with
the run. Only the four operations and the square root are used, which IEEE 754 rounds in one way,
so that shards on different machines agree on every nanosecond of a paced schedule.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count

from withstand.errors import UsageError
from withstand.load.profile.profile import (
    Arrivals,
    ArrivalSchedule,
    Stay,
    UserSchedule,
    require_above_zero,
)
from withstand.load.profile.rhythm import Rhythm, described_pauses

_NS_PER_S = 1_000_000_000
# What a person writes has at most nine places; the nearest such fraction is the number meant,
# where the float of 0.1 or of 100/min is off in the 17th and would make one arrival too many.
_MOST_PARTS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch with the level in a straight line from `start` to `end`: requests per second, or
    users. Raises UsageError for a level below zero or no duration.
    """

    start: float
    end: float
    duration_s: float

    def __post_init__(self) -> None:
        require_above_zero("duration of a stage", self.duration_s)
        for level in (self.start, self.end):
            if not 0 <= level < math.inf:
                raise UsageError(
                    f"the level of a stage is {level:g}", hint="give zero or a number above it"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedRate(ArrivalSchedule):
    """Arrivals at a rate in stages, `paced` or `poisson`.

    Arrival i (from 0) comes when the integral of the rate reaches i; a Poisson process is the same
    with sums of exponential gaps in place of i (inversion; Çinlar, Introduction to Stochastic
    Processes, 1975, chapter 4). What is reached at the end of a stage belongs to the next one with
    a rate. Raises UsageError when the stages send nothing.
    """

    stages: tuple[Stage, ...]
    arrivals: Arrivals = "paced"
    seed: int = 1

    def __post_init__(self) -> None:
        _require_level(self.stages)

    @property
    def duration_s(self) -> float:
        """All stages together."""
        return float(sum(_exact(stage.duration_s) for stage in self.stages))

    @property
    def peak(self) -> float:
        """The highest rate per second of any stage."""
        return _peak(self.stages)

    def offsets_ns(self) -> Iterator[int]:
        """Arrival times, exact to the nanosecond."""
        paced = self.arrivals == "paced"
        targets = count() if paced else _unit_process(self.seed)
        target = next(targets)
        begin, begin_s = Fraction(0), Fraction(0)  # arrivals and seconds before the stage
        for stage in self.stages:
            duration = _exact(stage.duration_s)
            end = begin + (_exact(stage.start) + _exact(stage.end)) / 2 * duration
            begin_ns = begin_s * _NS_PER_S
            slope = abs(stage.end - stage.start) / stage.duration_s
            # Counted from whole numbers, whose differences are exact, to the stage's lower end:
            # a falling ramp is a rising one that runs backwards.
            falls = stage.end < stage.start
            edge = math.ceil(end) if falls else math.floor(begin)
            rest = float(edge - end) if falls else float(begin - edge)
            origin_ns = float(begin_ns + (duration * _NS_PER_S if falls else 0))
            lower = min(stage.start, stage.end)
            limit = math.ceil(end) if paced else float(end)
            while target < limit:
                if falls:
                    yield int(origin_ns - _reach_ns(lower, slope, edge - target - rest))
                else:
                    yield int(origin_ns + _reach_ns(lower, slope, target - edge - rest))
                target = next(targets)
            begin, begin_s = end, begin_s + duration

    def describe(self) -> str:
        """`30 s from 0/s to 200/s, 60 s at 200/s`, with the kind of arrivals when random."""
        kind = ", Poisson arrivals" if self.arrivals == "poisson" else ""
        return _described(self.stages, "/s") + kind


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedUsers(UserSchedule):
    """Users who come and go: user k (from 0) is there while the level is above k.

    The last to come are the first to go, each after the answer that it waits for. Raises UsageError
    for levels that are no whole numbers, or when there is never a user.
    """

    stages: tuple[Stage, ...]
    rhythm: Rhythm | None = None

    def __post_init__(self) -> None:
        for stage in self.stages:
            for level in (stage.start, stage.end):
                if level != int(level):
                    raise UsageError(f"there are no {level:g} users", hint="give a whole number")
        _require_level(self.stages)

    @property
    def duration_s(self) -> float:
        """All stages together."""
        return float(sum(_exact(stage.duration_s) for stage in self.stages))

    @property
    def peak(self) -> float:
        """The most users of any stage."""
        return _peak(self.stages)

    def stays(self) -> Iterator[Stay]:
        """When each user is there; who comes back has two stays."""
        begun: list[int] = []  # by user number, of those who are there
        found: list[Stay] = []
        end_ns = 0
        for stage in self.stages:
            begin_ns, end_ns = end_ns, end_ns + round(stage.duration_s * _NS_PER_S)
            start, end = int(stage.start), int(stage.end)
            steps = max(abs(end - start), 1)
            found += _left(begun, start, begin_ns, begin_ns, 1)
            begun += [begin_ns] * (start - len(begun))
            found += _left(begun, end, begin_ns, end_ns, steps)
            begun += [
                begin_ns + (end_ns - begin_ns) * joined // steps for joined in range(end - start)
            ]
        found += _left(begun, 0, end_ns, end_ns, 1)
        yield from sorted(found, key=lambda stay: (stay.begin_ns, stay.number))

    def describe(self) -> str:
        """`30 s from 0 to 50 users, 60 s at 50 users`, with the pauses."""
        return _described(self.stages, " users") + described_pauses(self.rhythm)


def _left(begun: list[int], level: int, begin_ns: int, end_ns: int, steps: int) -> list[Stay]:
    """The stays of those above the level, who leave one by one, the last first."""
    stays = []
    present = len(begun)
    while len(begun) > level:
        gone = present - len(begun) + 1
        left_ns = begin_ns + (end_ns - begin_ns) * gone // steps
        stays.append(Stay(number=len(begun) - 1, begin_ns=begun.pop(), end_ns=left_ns))
    return [stay for stay in stays if stay.begin_ns < stay.end_ns]


def _reach_ns(rate_per_s: float, slope: float, arrivals: float) -> float:
    """Nanoseconds until so many have arrived at a rate that grows by `slope` each second.

    The root of rate t + slope t²/2 = arrivals in the form in which nothing cancels (Higham,
    Accuracy and Stability of Numerical Algorithms, 2nd edition, section 1.8).
    """
    if arrivals <= 0:
        return 0.0
    root = math.sqrt(rate_per_s * rate_per_s + 2 * slope * arrivals)
    return 2 * arrivals / (rate_per_s + root) * _NS_PER_S


def _unit_process(seed: int) -> Iterator[float]:
    """The arrivals of a Poisson process of rate 1."""
    gap = random.Random(seed).expovariate  # noqa: S311 - arrivals, no secrets
    at = gap(1.0)
    while True:
        yield at
        at += gap(1.0)


def _exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(_MOST_PARTS)


def _peak(stages: tuple[Stage, ...]) -> float:
    return max(max(stage.start, stage.end) for stage in stages)


def _require_level(stages: tuple[Stage, ...]) -> None:
    if not stages or _peak(stages) == 0:
        raise UsageError(
            "the stages never rise above zero, so nothing would be sent",
            hint="give at least one level above zero, such as 30s:200/s",
        )


def _described(stages: tuple[Stage, ...], unit: str) -> str:
    return ", ".join(
        f"{stage.duration_s:g} s at {stage.end:g}{unit}"
        if stage.start == stage.end
        else f"{stage.duration_s:g} s from {stage.start:g}{unit if unit == '/s' else ''} "
        f"to {stage.end:g}{unit}"
        for stage in stages
    )
