"""Counts what happens during a run, as cheaply as Python allows, into windows. Pure.

One recorder per operation. A response costs two or three bucket increments, and nothing is kept per
request. Windows that are counted to their end are packed, so that a run of days needs little more
memory than one of minutes.
"""

import math
from collections.abc import Collection, Iterator
from typing import Final

from withstand.errors import UsageError
from withstand.load.known_answer import KnownAnswer
from withstand.load.measurement import OperationMeasurement
from withstand.load.open_window import OpenWindow
from withstand.load.tally import Tally
from withstand.load.window import Window, united, unpacked

MAX_WINDOWS: Final = 600
MAX_NARROW_WINDOWS: Final = 3_600
_NS_PER_S: Final = 1_000_000_000
_SUCCESS: Final = frozenset(range(200, 400))


def window_width_s(duration_s: float, *, stretches_s: Collection[int] = ()) -> int:
    """Seconds per window: 1 for ten minutes, more for longer runs; the same on every shard.

    Stretches of time that are to be judged have to be made of whole windows, for which narrower
    ones are kept, if not too many. Raises UsageError where they would be.
    """
    usual = max(math.ceil(duration_s / MAX_WINDOWS), 1)
    whole = math.gcd(*stretches_s)  # 0 without any
    width = next(each for each in range(usual, 0, -1) if whole % each == 0)
    if duration_s > width * MAX_NARROW_WINDOWS:
        least = math.ceil(duration_s / MAX_NARROW_WINDOWS)
        raise UsageError(
            f"a run of {duration_s:g} s is too long to be judged over every "
            f"{min(stretches_s)} s: it would take {duration_s / width:,.0f} windows, and at most "
            f"{MAX_NARROW_WINDOWS:,} are kept",
            hint=f"judge it over a multiple of {least}s, or make the run shorter",
        )
    return width


class OperationRecorder:
    """One operation's counts. `origin_ns` is the clock's reading at the run's start."""

    __slots__ = (
        "_changed",
        "_expected",
        "_settled",
        "_settled_completed",
        "_settled_errors",
        "_width_ns",
        "_window",
        "_window_end_ns",
        "_window_start_ns",
        "_windows",
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
        self._expected = _SUCCESS if expected is None else expected
        self.origin_ns = origin_ns
        self._width_ns = width_s * _NS_PER_S
        self._windows: dict[int, OpenWindow] = {}
        self._window = OpenWindow()
        self._window_start_ns = self._window_end_ns = -1  # holds no time: the first switches
        self._changed: set[int] = set()
        self._settled: dict[int, bytes] = {}
        self._settled_completed = 0
        self._settled_errors = 0

    def expects(self, status: int) -> bool:
        """Whether a status is no error."""
        return status in self._expected

    def response(
        self,
        intended_ns: int,
        sent_ns: int,
        first_byte_ns: int,
        end_ns: int,
        status: int,
        size_bytes: int = 0,
        rejected: str | None = None,
    ) -> None:
        """Count a complete response; `rejected` says why it is not as expected.

        The hottest lines of the engine: `Tally.record` is written out, as a call costs as much as
        the counting.
        """
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        window = self._window
        if end_ns == first_byte_ns:
            tally = window.plain if intended_ns == sent_ns else window.at_once
        else:
            tally = window.prompt if intended_ns == sent_ns else window.service
            window.first_byte.record(first_byte_ns - sent_ns)
        value = end_ns - sent_ns
        shift = value.bit_length() - 8
        tally.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        tally.total += value
        if not tally.minimum <= value <= tally.maximum:
            tally.widen(value)
        if intended_ns != sent_ns:
            window.response.record(end_ns - intended_ns)
        window.bytes_received += size_bytes
        window.statuses[status] += 1
        if rejected is not None or status not in self._expected:
            window.unexpected += 1
            window.error_time.record(end_ns - intended_ns)
            if rejected is not None:
                window.rejected[rejected] += 1

    def repeated(
        self, data: bytes, intended_ns: int, sent_ns: int, end_ns: int
    ) -> KnownAnswer | None:
        """Count a response that came in one read, if it is a known one.

        What is known is expected too. `response` and `learn` do the rest.
        """
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            if (intended_ns - self.origin_ns) // self._width_ns not in self._windows:
                return None
            self._switch(intended_ns)
        window = self._window
        known = window.known.latest
        if len(data) != known.size or not data.startswith(known.head):
            found = window.known.find(data)
            if found is None:
                return None
            known = found
        known.times += 1
        value = end_ns - sent_ns
        if intended_ns == sent_ns:
            tally = window.plain
        else:
            tally = window.at_once
            window.response.record(end_ns - intended_ns)
        shift = value.bit_length() - 8
        tally.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        tally.total += value
        if not tally.minimum <= value <= tally.maximum:
            tally.widen(value)
        return known

    def learn(self, data: bytes, intended_ns: int, status: int) -> None:
        """Know a whole response again, unless it is an error (see `KnownAnswers.learn`)."""
        if status in self._expected:
            if not self._window_start_ns <= intended_ns < self._window_end_ns:
                self._switch(intended_ns)
            self._window.learn(data, status)

    def reject(self, intended_ns: int, end_ns: int, reason: str | None) -> None:
        """Count a response as an error that `response` has counted as none; without a reason its
        status says why.
        """
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        window = self._window
        window.unexpected += 1
        window.error_time.record(end_ns - intended_ns)
        if reason is not None:
            window.rejected[reason] += 1

    def failure(self, intended_ns: int, end_ns: int, kind: str, size_bytes: int = 0) -> None:
        """Count a request that got no complete response, at the time that it took."""
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        window = self._window
        window.response.record(end_ns - intended_ns)
        window.error_time.record(end_ns - intended_ns)
        window.failures[kind] += 1
        window.bytes_received += size_bytes

    def connected(self, intended_ns: int, connect_ns: int, tls_ns: int | None) -> None:
        """Count the opening of the connection that a request was the first to use."""
        if not self._window_start_ns <= intended_ns < self._window_end_ns:
            self._switch(intended_ns)
        self._window.connect.record(connect_ns)
        if tls_ns is not None:
            self._window.tls.record(tls_ns)

    def _switch(self, intended_ns: int) -> None:
        index = (intended_ns - self.origin_ns) // self._width_ns
        self._window_start_ns = self.origin_ns + index * self._width_ns
        self._window_end_ns = self._window_start_ns + self._width_ns
        window = self._windows.get(index)
        if window is None:
            window = self._windows[index] = OpenWindow()
        self._window = window
        self._changed.add(index)

    @property
    def completed(self) -> int:
        """Requests that came to an end so far."""
        return self._settled_completed + sum(each.completed for each in self._windows.values())

    @property
    def errors(self) -> int:
        """Failures and unexpected responses so far."""
        return self._settled_errors + sum(each.errors for each in self._windows.values())

    def recent(self, now_ns: int) -> Iterator[Tally]:
        """The response times of what began in this window and the one before."""
        index = (now_ns - self.origin_ns) // self._width_ns
        for window in (self._windows.get(index - 1), self._windows.get(index)):
            if window is not None:
                yield from (window.plain, window.prompt, window.response)

    def changed(self) -> tuple[Window, ...]:
        """The windows in which something was counted since the last call, each as a whole."""
        indices, self._changed = self._changed, set()
        # The next count must mark its window again.
        self._window_start_ns = self._window_end_ns = -1
        return tuple(self._value(index) for index in sorted(indices))

    def tell_again(self, since_ns: int) -> None:
        """Take what began since then, or in the same window, for changed, whoever knows of it."""
        first = (since_ns - self.origin_ns) // self._width_ns
        self._changed.update(i for i in (*self._windows, *self._settled) if i >= first)

    def settle(self, before_ns: int, *, reopened_before_ns: int | None = None) -> bool:
        """Put one window away that ended before a time, if there is one; whether there was.

        For a window that was put away before and opened again, `reopened_before_ns` is that time.
        """
        for index in sorted(self._windows):
            bound_ns = before_ns
            if reopened_before_ns is not None and index in self._settled:
                bound_ns = reopened_before_ns
            if self.origin_ns + (index + 1) * self._width_ns <= bound_ns:
                self._put_away(index)
                return True
        return False

    def _put_away(self, index: int) -> None:
        if self._window is self._windows[index]:
            self._window_start_ns = self._window_end_ns = -1
        window = self._windows[index]
        self._settled[index] = self._value(index).packed()
        self._settled_completed += window.completed
        self._settled_errors += window.errors
        del self._windows[index]

    def measurement(self, *, bytes_sent: int = 0) -> OperationMeasurement:
        """Everything counted so far, beside what the sending side counted."""
        return OperationMeasurement.of(
            self.operation, united(tuple(self._all_windows())), bytes_sent=bytes_sent
        )

    def _all_windows(self) -> Iterator[Window]:
        for index, data in self._settled.items():
            if index not in self._windows:
                yield unpacked(data)
        yield from (self._value(index) for index in self._windows)

    def _value(self, index: int) -> Window:
        width_s = self._width_ns // _NS_PER_S
        window = self._windows.get(index)
        if window is None:
            return unpacked(self._settled[index])
        value = window.value(index * width_s, width_s)
        earlier = self._settled.get(index)  # a straggler opened it again
        return value if earlier is None else united((unpacked(earlier), value))[0]
