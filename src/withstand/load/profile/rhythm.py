"""When a virtual user begins its next iteration: think times and pacing. Pure.

Times are nanoseconds after the run's start. Users are staggered: each has a phase within the
period, so that a crowd that begins together does not fire together.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from withstand.errors import UsageError
from withstand.units import format_duration_ns, parse_duration_ns

_WORD: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """A user's iteration that is over: its number from 1, when it was due and when it ended."""

    user: int
    turn: int
    due_ns: int
    ended_ns: int


class Rhythm(ABC):
    """The pauses of a user. Where `keeps_time`, an iteration's clock starts when it is due, even
    when the user is still busy with the one before.
    """

    __slots__ = ()

    keeps_time: bool

    @property
    @abstractmethod
    def period_ns(self) -> int:
        """From one iteration to the next of a user whose answers take no time, on average."""

    @abstractmethod
    def next_ns(self, past: Iteration) -> int:
        """When the iteration after this one is due."""

    @abstractmethod
    def describe(self) -> str:
        """As a person reads it: `1 s to 3 s of think time`."""

    def first_ns(self, *, begin_ns: int, phase: float) -> int:
        """When the first iteration of a user who comes at `begin_ns` is due: at its phase."""
        return begin_ns + (int(phase * self.period_ns) - begin_ns) % self.period_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkTime(Rhythm):
    """A pause after each answer, drawn evenly from `least_ns` to `most_ns`.

    The draw depends on seed, user and turn alone, so a run can be repeated whatever the order in
    which answers come. Raises UsageError for a range that is none.
    """

    least_ns: int
    most_ns: int
    seed: int = 1

    keeps_time = False

    def __post_init__(self) -> None:
        if not 0 <= self.least_ns <= self.most_ns:
            raise UsageError(
                f"the think time runs from {format_duration_ns(self.least_ns)} to "
                f"{format_duration_ns(self.most_ns)}",
                hint="give the shorter time first, such as 1s..3s",
            )
        if self.most_ns == 0:
            raise UsageError("the think time is no time", hint="leave it out, or give one")

    @property
    def period_ns(self) -> int:
        """The mean think time."""
        return max((self.least_ns + self.most_ns) // 2, 1)

    def first_ns(self, *, begin_ns: int, phase: float) -> int:
        """When the user, who thinks already as it comes, has thought enough.

        What is left of a think time at a moment that has nothing to do with it has the density
        (1 - F(t)) / mean (Cox, Renewal Theory, 1962, section 5.2), F being the distribution of the
        think times: so the crowd asks at its lasting rate from the beginning. The phase says which
        quantile the user has; of one fixed think time it is that share.
        """
        turned_ns = Rhythm.first_ns(self, begin_ns=begin_ns, phase=phase) - begin_ns
        beyond_ns = turned_ns - self.least_ns
        if beyond_ns <= 0:
            return begin_ns + turned_ns
        width_ns = self.most_ns - self.least_ns
        left_ns = width_ns - math.sqrt(max(width_ns * (width_ns - 2 * beyond_ns), 0))
        return begin_ns + self.least_ns + int(left_ns)

    def next_ns(self, past: Iteration) -> int:
        """A think time after the answer."""
        draw = _mixed(_mixed(_mixed(self.seed) + past.user) + past.turn)
        return past.ended_ns + self.least_ns + ((self.most_ns - self.least_ns + 1) * draw >> 64)

    def describe(self) -> str:
        """`1.00 s of think time`, `1.00 s to 3.00 s of think time`."""
        least, most = format_duration_ns(self.least_ns), format_duration_ns(self.most_ns)
        return f"{least if least == most else f'{least} to {most}'} of think time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pacing(Rhythm):
    """An iteration every `every_ns`, whether or not the one before has ended: a late one begins at
    once with its clock running, as an arrival of the open model does.
    """

    every_ns: int

    keeps_time = True

    def __post_init__(self) -> None:
        if self.every_ns <= 0:
            raise UsageError(
                f"a pacing of {self.every_ns / 1e9:g} s leaves no time between iterations",
                hint="give a time above zero, such as --pacing 2s",
            )

    @property
    def period_ns(self) -> int:
        """The pacing."""
        return self.every_ns

    def next_ns(self, past: Iteration) -> int:
        """One period after the iteration before was due."""
        return past.due_ns + self.every_ns

    def describe(self) -> str:
        """`an iteration every 2.00 s`."""
        return f"an iteration every {format_duration_ns(self.every_ns)}"


def described_pauses(rhythm: Rhythm | None) -> str:
    """What follows the description of users: `, 1.00 s of think time`, or nothing."""
    return "" if rhythm is None else f", {rhythm.describe()}"


def parse_think_time(text: str) -> ThinkTime | None:
    """`1s`, or `1s..3s` for a time between the two; None for no time at all. Raises UsageError."""
    least, separator, most = text.partition("..")
    least_ns = parse_duration_ns(least)
    most_ns = parse_duration_ns(most) if separator else least_ns
    return ThinkTime(least_ns=least_ns, most_ns=most_ns) if most_ns or least_ns else None


def parse_pacing(text: str) -> Pacing:
    """`2s`. Raises UsageError."""
    return Pacing(every_ns=parse_duration_ns(text))


def _mixed(value: int) -> int:
    """One step of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): 64 bits, well mixed."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)
