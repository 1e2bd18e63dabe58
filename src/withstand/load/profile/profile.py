"""When requests are sent: load shapes as arithmetic, without a clock. Pure.

Two models. In the open model arrivals come on a schedule, whatever the server does
(`ArrivalSchedule`); in the closed model virtual users wait for an answer before they ask again
(`UserSchedule`). Profiles whose level changes are in `stages`. A shard's share of a whole profile
is a wrapper around it, so that the shares of all shards are the whole, arrival by arrival and user
by user.
"""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from withstand.errors import UsageError
from withstand.load.profile.rhythm import Rhythm, described_pauses

Arrivals = Literal["paced", "poisson"]

_NS_PER_S = 1_000_000_000
_GOLDEN_RATIO = (math.sqrt(5) - 1) / 2


class Profile(ABC):
    """A load shape. `model` is what a measurement calls it: open or closed."""

    __slots__ = ()

    @property
    @abstractmethod
    def model(self) -> str:
        """`open` or `closed`."""

    @property
    @abstractmethod
    def duration_s(self) -> float:
        """Seconds from the first intended start to the end of the schedule."""

    @property
    @abstractmethod
    def peak(self) -> float:
        """The highest rate per second (open) or number of users (closed)."""

    @abstractmethod
    def describe(self) -> str:
        """As a person reads it: `200/s for 10 s`."""


class ArrivalSchedule(Profile):
    """The open model: when each request should start."""

    __slots__ = ()

    @property
    def model(self) -> str:
        """`open`."""
        return "open"

    @abstractmethod
    def offsets_ns(self) -> Iterator[int]:
        """Nanoseconds after the run's start of every arrival, ascending, each time the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The time for which one user is there, in nanoseconds after the run's start.

    `number` counts the users of the whole profile from 0. Who comes back has a further stay.
    """

    number: int
    begin_ns: int
    end_ns: int


class UserSchedule(Profile):
    """The closed model: how many users there are, and when each comes and goes."""

    __slots__ = ()

    @property
    def model(self) -> str:
        """`closed`."""
        return "closed"

    @property
    @abstractmethod
    def rhythm(self) -> Rhythm | None:
        """The pauses of each user; None: it asks again as soon as it has its answer."""

    @abstractmethod
    def stays(self) -> Iterator[Stay]:
        """When each user is there, ascending by its begin."""

    def phase(self, number: int) -> float:
        """Where in a period of its pacing (from 0 to below 1) a user's iterations begin.

        Multiples of the golden ratio: however many of the first users are there, the gaps between
        their phases take at most three lengths (Sós, Ann. Univ. Sci. Budapest 1, 1958), so users
        never fire together.
        """
        return number * _GOLDEN_RATIO % 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstantRate(ArrivalSchedule):
    """Arrivals at one rate: `paced` at equal distances, `poisson` at random ones.

    Raises UsageError for a rate or a duration that is not above zero.
    """

    rate_per_s: float
    duration_s: float
    arrivals: Arrivals = "paced"
    seed: int = 1

    def __post_init__(self) -> None:
        require_above_zero("rate", self.rate_per_s)
        require_above_zero("duration", self.duration_s)

    @property
    def peak(self) -> float:
        """The rate per second."""
        return self.rate_per_s

    def offsets_ns(self) -> Iterator[int]:
        """Arrival times; from the same seed always the same."""
        if self.arrivals == "poisson":
            yield from self._poisson_ns()
            return
        for index in range(math.ceil(round(self.rate_per_s * self.duration_s, 9))):
            # From the index, not by adding steps: a sum of rounded steps would drift.
            yield int(index * _NS_PER_S / self.rate_per_s)

    def _poisson_ns(self) -> Iterator[int]:
        gap_s = random.Random(self.seed).expovariate  # noqa: S311 - arrivals, no secrets
        at_s = gap_s(self.rate_per_s)
        while at_s < self.duration_s:
            yield int(at_s * _NS_PER_S)
            at_s += gap_s(self.rate_per_s)

    def describe(self) -> str:
        """`200/s for 10 s`, with the kind of arrivals when they are random."""
        kind = ", Poisson arrivals" if self.arrivals == "poisson" else ""
        return f"{self.rate_per_s:g}/s for {self.duration_s:g} s{kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(UserSchedule):
    """A fixed number of virtual users, started at `spawn_rate_per_s` (None: all at once), with the
    pauses of `rhythm` (None: without).

    Raises UsageError for numbers that are not above zero.
    """

    users: int
    duration_s: float
    spawn_rate_per_s: float | None = None
    rhythm: Rhythm | None = None

    def __post_init__(self) -> None:
        require_above_zero("number of users", self.users)
        require_above_zero("duration", self.duration_s)
        if self.spawn_rate_per_s is not None:
            require_above_zero("spawn rate", self.spawn_rate_per_s)

    @property
    def peak(self) -> float:
        """The number of users."""
        return self.users

    def stays(self) -> Iterator[Stay]:
        """Begins at equal distances, ends together; who would begin after the end never does."""
        rate = self.spawn_rate_per_s
        end_ns = int(self.duration_s * _NS_PER_S)
        for index in range(self.users):
            begin_ns = int(index * _NS_PER_S / rate) if rate is not None else 0
            if begin_ns >= end_ns:
                return
            yield Stay(number=index, begin_ns=begin_ns, end_ns=end_ns)

    def phase(self, number: int) -> float:
        """Equal distances, as the number of users is known."""
        return number / self.users

    def describe(self) -> str:
        """`50 users for 60 s`, with the rate at which they start unless all do at once, and the
        pauses.
        """
        noun = "user" if self.users == 1 else "users"
        rate = self.spawn_rate_per_s
        spawned = f", {rate:g} started per second" if rate is not None else ""
        pauses = described_pauses(self.rhythm)
        return f"{self.users} {noun} for {self.duration_s:g} s{spawned}{pauses}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalShare(ArrivalSchedule):
    """Shard `number` of `of` (1-based): every `of`-th arrival of the whole."""

    whole: ArrivalSchedule
    number: int
    of: int

    def __post_init__(self) -> None:
        _check_share(self.number, self.of)

    @property
    def duration_s(self) -> float:
        """The whole's duration."""
        return self.whole.duration_s

    @property
    def peak(self) -> float:
        """This shard's share of the whole's peak."""
        return self.whole.peak / self.of

    def offsets_ns(self) -> Iterator[int]:
        """The share's arrivals, still counted from the whole's start."""
        for index, offset_ns in enumerate(self.whole.offsets_ns()):
            if index % self.of == self.number - 1:
                yield offset_ns

    def describe(self) -> str:
        """The whole, and which part of it."""
        return f"{self.whole.describe()}, shard {self.number}/{self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserShare(UserSchedule):
    """Shard `number` of `of` (1-based): every `of`-th user of the whole."""

    whole: UserSchedule
    number: int
    of: int

    def __post_init__(self) -> None:
        _check_share(self.number, self.of)

    @property
    def duration_s(self) -> float:
        """The whole's duration."""
        return self.whole.duration_s

    @property
    def rhythm(self) -> Rhythm | None:
        """The whole's."""
        return self.whole.rhythm

    @property
    def peak(self) -> float:
        """How many users this shard has at most."""
        return math.ceil((self.whole.peak - (self.number - 1)) / self.of)

    def stays(self) -> Iterator[Stay]:
        """The share's users, with the number and the times that they have in the whole."""
        for stay in self.whole.stays():
            if stay.number % self.of == self.number - 1:
                yield stay

    def phase(self, number: int) -> float:
        """The whole's, so that the shards' users do not fire together either."""
        return self.whole.phase(number)

    def describe(self) -> str:
        """The whole, and which part of it."""
        return f"{self.whole.describe()}, shard {self.number}/{self.of}"


def share_of(profile: Profile, number: int, of: int) -> Profile:
    """One shard's share (1-based) of a profile; the profile itself when there is one shard."""
    if of == 1 and number == 1:
        return profile
    if isinstance(profile, ArrivalSchedule):
        return ArrivalShare(whole=profile, number=number, of=of)
    if isinstance(profile, UserSchedule):
        return UserShare(whole=profile, number=number, of=of)
    raise TypeError(f"{type(profile).__name__} is neither an open nor a closed profile")


def require_above_zero(what: str, value: float) -> None:
    """Raises UsageError for a number that is not finite and above zero."""
    if not (value > 0 and math.isfinite(value)):
        raise UsageError(f"the {what} is {value:g}", hint="give a number above zero")


def _check_share(number: int, of: int) -> None:
    if not 1 <= number <= of:
        raise UsageError(f"there is no shard {number} of {of}", hint="number them from 1, as 1/4")
