"""What the live view knows of a load under way, from the snapshots that it was shown. Pure."""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.window import Window
from withstand.stats.histogram import Histogram, merged

RECENT_S: Final = 10  # the quantiles are those of requests that began in the last ten seconds
_MOST_RATES: Final = 120


@dataclass(slots=True)
class OperationTally:
    """One operation so far: counts from the start, response times of the newest windows."""

    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    windows: dict[int, Window] = field(default_factory=dict)
    _counted: dict[int, tuple[int, Counter[str]]] = field(default_factory=dict)

    def take(self, operation: OperationMeasurement) -> None:
        """Put the changed windows in the place of what they were."""
        for window in operation.windows:
            before, errors_before = self._counted.get(window.second, (0, Counter()))
            errors = error_classes(window)
            self.requests += window.requests - before
            self.errors.update(errors)
            self.errors.subtract(errors_before)
            self._counted[window.second] = (window.requests, errors)
            self.windows[window.second] = window
        newest = max(self.windows, default=0)
        for second in [each for each in self.windows if each + RECENT_S <= newest]:
            del self.windows[second]

    @property
    def recent(self) -> Histogram:
        """The response times of the newest windows."""
        return merged(window.response_time for window in self.windows.values())

    def rate_per_s(self, elapsed_s: float) -> float:
        """Requests that began in the newest windows that are over, per second."""
        over = [w for w in self.windows.values() if w.second + w.width_s <= elapsed_s]
        seconds = sum(window.width_s for window in over)
        return sum(window.requests for window in over) / seconds if seconds else 0.0


class LiveTally:
    """A load under way."""

    def __init__(self) -> None:
        self.operations: dict[str, OperationTally] = {}
        self.newest: LoadMeasurement | None = None
        self.rates: deque[float] = deque(maxlen=_MOST_RATES)
        self.offered_per_s: float | None = None

    def take(self, snapshot: LoadMeasurement) -> None:
        """Take in the next snapshot."""
        before, self.newest = self.newest, snapshot
        for name, operation in snapshot.operations.items():
            self.operations.setdefault(name, OperationTally()).take(operation)
        if before is not None and snapshot.duration_s > before.duration_s:
            seconds = snapshot.duration_s - before.duration_s
            self.offered_per_s = (snapshot.offered - before.offered) / seconds

    @property
    def errors(self) -> Counter[str]:
        """Errors by class, of all operations."""
        total: Counter[str] = Counter()
        for operation in self.operations.values():
            total.update(operation.errors)
        return +total

    @property
    def requests(self) -> int:
        """Requests that came to an end."""
        return sum(operation.requests for operation in self.operations.values())

    @property
    def recent(self) -> Histogram:
        """The response times of all operations' newest windows."""
        return merged(operation.recent for operation in self.operations.values())

    def busiest(self) -> Iterator[tuple[str, OperationTally]]:
        """The operations, those with the most requests first."""
        yield from sorted(self.operations.items(), key=lambda item: -item[1].requests)


def error_classes(window: Window) -> Counter[str]:
    """Errors by what they are: a kind of failure, a failed check, or an unexpected status.

    Which statuses were unexpected is not recorded: those from 400 on stand for them, as many as
    there were unexpected ones.
    """
    classes = Counter({str(kind): times for kind, times in window.failures.items()})
    classes.update(window.rejected)
    left = window.unexpected - sum(window.rejected.values())
    for status in sorted(window.statuses, reverse=True):
        if status >= 400 and left > 0:
            times = min(window.statuses[status], left)
            classes[f"status {status}"] += times
            left -= times
    if left > 0:
        classes["unexpected status"] += left
    return classes
