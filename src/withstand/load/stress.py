"""What a search for the sustainable rate measured: its steps, one after another. Pure.

Only what was counted is kept. What a step says of its rate, and what all of them say of the API,
is worked out anew by `withstand.slo.capacity` whenever it is asked for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from withstand.load.generator import with_lagging
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.profile.profile import ArrivalSchedule
from withstand.load.window import Window
from withstand.stats.capacity import Purpose, SearchPlan
from withstand.stats.usl import Throughput

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StressStep:
    """One rate, held for a while.

    `windows` seconds count, those after the first `warm_up_windows`; what the load has beyond them
    was sent while the step was still being judged. `duration_s` is what the step cost in all, the
    time until the server had answered what was left included. `answered` requests came to a good
    end within `answered_over_s` seconds of the clock while the rate was held.
    """

    rate_per_s: float
    purpose: Purpose
    warm_up_windows: int
    windows: int
    duration_s: float
    answered: int
    answered_over_s: float
    load: LoadMeasurement

    @property
    def throughput_per_s(self) -> float:
        """Good answers a second. Below the rate, the server did not keep up."""
        return self.answered / self.answered_over_s if self.answered_over_s else 0.0

    def judged(self, *, last: int | None = None) -> LoadMeasurement:
        """The seconds that count (or the `last` of them) as a run of their own."""
        end = self.warm_up_windows + self.windows
        first = self.warm_up_windows if last is None else max(end - last, self.warm_up_windows)
        operations = {
            name: OperationMeasurement.of(
                name, [each for each in operation.windows if first <= each.second < end]
            )
            for name, operation in self.load.operations.items()
        }
        return with_lagging(
            replace(self.load, operations=operations, duration_s=float(end - first))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StressMeasurement:
    """A whole search. `sweep` is what a sweep over numbers of users gave, empty without one.

    `left_out` says of operations that were asked for why they were not loaded. `lost` says how the
    target failed to answer at all after the last step; None where it did.
    """

    plan: SearchPlan
    steps: tuple[StressStep, ...]
    sweep: tuple[Throughput, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    lost: str | None = None
    interrupted: bool = False


class Settling:
    """Which windows of a running load are counted to their end: all that was due in them ended.

    A window that still waits for answers would show only the quick ones.
    """

    __slots__ = ("_due", "_offsets_ns", "_pending_ns", "_settled")

    def __init__(self, schedule: ArrivalSchedule) -> None:
        self._offsets_ns: Iterator[int] = schedule.offsets_ns()
        self._pending_ns: int | None = next(self._offsets_ns, None)
        self._settled = 0
        self._due: int | None = None

    def settled(self, windows: Mapping[str, tuple[Window, ...]], elapsed_s: float) -> int:
        """How many windows from the run's start on are settled, of those that it is given."""
        ended: dict[int, int] = {}
        for some in windows.values():
            for window in some:
                ended[window.second] = ended.get(window.second, 0) + window.requests
        while self._settled + 1 <= elapsed_s:
            if self._due is None:
                self._due = self._count(self._settled)
            if ended.get(self._settled, 0) < self._due:
                break
            self._settled += 1
            self._due = None
        return self._settled

    def _count(self, second: int) -> int:
        """How many arrivals are due in a second, each second being asked for once, in order."""
        due = 0
        end_ns = (second + 1) * _NS_PER_S
        while self._pending_ns is not None and self._pending_ns < end_ns:
            due += 1
            self._pending_ns = next(self._offsets_ns, None)
        return due
