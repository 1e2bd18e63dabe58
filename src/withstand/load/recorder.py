"""Counts what happens during a run, as cheaply as Python allows, into measurements. Pure.

One recorder per operation. A response costs two or three bucket increments, and nothing is kept per
request: memory grows with the number of windows, not with the number of requests.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from withstand.load.measurement import OperationMeasurement, Window
from withstand.stats.histogram import Histogram, merged

MAX_WINDOWS: Final = 600
_NS_PER_S: Final = 1_000_000_000
_SUCCESS: Final = frozenset(range(200, 400))


def window_width_s(duration_s: float) -> int:
    """Seconds per window: 1 for ten minutes, more for longer runs; the same on every shard."""
    return max(math.ceil(duration_s / MAX_WINDOWS), 1)


class Tally:
    """Counts by bucket with the exact extremes and total: what becomes a Histogram."""

    __slots__ = ("counts", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.total = 0
        self.minimum = 1 << 63
        self.maximum = -1

    def record(self, value: int) -> None:
        """Count a non-negative value."""
        shift = value.bit_length() - 8
        self.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        self.total += value
        if not self.minimum <= value <= self.maximum:
            self.widen(value)

    def widen(self, value: int) -> None:
        """Move the extremes to take in a value."""
        self.minimum = min(value, self.minimum)
        self.maximum = max(value, self.maximum)

    def histogram(self) -> Histogram:
        """The values so far."""
        if not self.counts:
            return Histogram()
        return Histogram.from_counts(
            self.counts, minimum=self.minimum, maximum=self.maximum, total=self.total
        )


class _OpenWindow:
    """The response times of one window.

    Those that are service times as well (the request left at its intended start, as all do in the
    closed model) are counted once, in `prompt`; the others in `delayed`; the errors among both
    once more in `error_time`.
    """

    __slots__ = ("delayed", "error_time", "errors", "prompt")

    def __init__(self) -> None:
        self.prompt = Tally()
        self.delayed = Tally()
        self.error_time = Tally()
        self.errors = 0

    def response_time(self) -> Histogram:
        return self.prompt.histogram() + self.delayed.histogram()


class OperationRecorder:
    """One operation's counts. `origin_ns` is the clock's reading at the run's start."""

    __slots__ = (
        "_expected",
        "_failures",
        "_first_byte",
        "_service",
        "_statuses",
        "_unexpected",
        "_width_ns",
        "_window",
        "_window_end_ns",
        "_window_start_ns",
        "_windows",
        "bytes_received",
        "operation",
        "origin_ns",
    )

    def __init__(
        self,
        operation: str,
        *,
        origin_ns: int = 0,
        width_s: int = 1,
        expected: frozenset[int] | None = None,
    ) -> None:
        self.operation = operation
        self.bytes_received = 0
        self._expected = _SUCCESS if expected is None else expected
        self.origin_ns = origin_ns
        self._width_ns = width_s * _NS_PER_S
        self._windows: dict[int, _OpenWindow] = {}
        self._window = _OpenWindow()
        self._window_start_ns = self._window_end_ns = -1  # holds no time: the first switches
        self._service = Tally()
        self._first_byte = Tally()
        self._statuses: defaultdict[int, int] = defaultdict(int)
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._unexpected = 0

    def response(
        self,
        intended_ns: int,
        sent_ns: int,
        first_byte_ns: int,
        end_ns: int,
        status: int,
        size_bytes: int = 0,
    ) -> None:
        """Count a complete response.

        The hottest lines of the engine: `Tally.record` is written out, as a call costs as much as
        the counting.
        """
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        window = self._window

        value = end_ns - sent_ns
        tally = window.prompt if intended_ns == sent_ns else self._service
        shift = value.bit_length() - 8
        tally.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        tally.total += value
        if not tally.minimum <= value <= tally.maximum:
            tally.widen(value)

        value = first_byte_ns - sent_ns
        tally = self._first_byte
        shift = value.bit_length() - 8
        tally.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        tally.total += value
        if not tally.minimum <= value <= tally.maximum:
            tally.widen(value)

        self.bytes_received += size_bytes
        self._statuses[status] += 1
        if intended_ns != sent_ns:
            window.delayed.record(end_ns - intended_ns)
        if status not in self._expected:
            self._unexpected += 1
            window.errors += 1
            window.error_time.record(end_ns - intended_ns)

    def failure(self, intended_ns: int, end_ns: int, kind: str, size_bytes: int = 0) -> None:
        """Count a request that got no complete response, at the time that it took."""
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        window = self._window
        window.delayed.record(end_ns - intended_ns)
        window.errors += 1
        window.error_time.record(end_ns - intended_ns)
        self._failures[kind] += 1
        self.bytes_received += size_bytes

    def _switch(self, intended_ns: int) -> None:
        index = (intended_ns - self.origin_ns) // self._width_ns
        self._window_start_ns = self.origin_ns + index * self._width_ns
        self._window_end_ns = self._window_start_ns + self._width_ns
        self._window = self._windows.setdefault(index, _OpenWindow())

    @property
    def completed(self) -> int:
        """Requests that came to an end so far."""
        return sum(self._statuses.values()) + sum(self._failures.values())

    @property
    def errors(self) -> int:
        """Failures and unexpected statuses so far."""
        return self._unexpected + sum(self._failures.values())

    def recent(self, now_ns: int) -> Histogram:
        """The response times of what began in this window and the one before."""
        index = (now_ns - self.origin_ns) // self._width_ns
        newest = (self._windows.get(index - 1), self._windows.get(index))
        return merged(window.response_time() for window in newest if window is not None)

    def measurement(self, *, bytes_sent: int = 0) -> OperationMeasurement:
        """Everything counted so far, beside what the sending side counted."""
        windows = tuple(self._closed_windows())
        return OperationMeasurement(
            operation=self.operation,
            response_time=merged(window.response_time for window in windows),
            service_time=merged(
                (
                    self._service.histogram(),
                    *(window.prompt.histogram() for window in self._windows.values()),
                )
            ),
            first_byte=self._first_byte.histogram(),
            statuses=dict(sorted(self._statuses.items())),
            failures=dict(sorted(self._failures.items())),
            unexpected=self._unexpected,
            bytes_received=self.bytes_received,
            bytes_sent=bytes_sent,
            error_time=merged(window.error_time for window in windows),
            windows=windows,
        )

    def _closed_windows(self) -> Iterator[Window]:
        width_s = self._width_ns // _NS_PER_S
        for index, window in sorted(self._windows.items()):
            yield Window(
                second=index * width_s,
                width_s=width_s,
                response_time=window.response_time(),
                errors=window.errors,
                error_time=window.error_time.histogram(),
            )
