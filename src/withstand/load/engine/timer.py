"""A timer finer than the event loop's: uvloop's own fires in whole milliseconds.

On Linux a timerfd wakes the loop, which takes the kernel some tens of microseconds: the timer
learns how many, asks to be woken that much earlier and spins for the rest. What is due before the
process could have been woken is waited for by spinning alone. Elsewhere the loop sleeps until a
millisecond before and then spins. A spin is one turn of the loop, so answers are read between.
"""

import asyncio
import ctypes
import os
import platform
from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, Protocol

_NS_PER_S: Final = 1_000_000_000
_SPIN_NS: Final = 1_500_000  # spin over the last stretch, which covers the loop's rounding
# The longest that a wake-up may be asked for in advance: this, of a wait no more than a share, but
# a little always. So the spinning takes at most 5 % of a core at 200 arrivals a second, and all
# of it from 10,000 a second on, where nearly all of it is needed anyway.
_MOST_LEAD_NS: Final = 300_000
_MOST_WAITS_PER_LEAD: Final = 20
_SHORT_LEAD_NS: Final = 100_000
# The lead climbs nine steps at a late wake-up and sinks one at an early one, so that it settles
# where one wake-up in ten is late (Robbins and Monro, Ann. Math. Stat. 22, 1951).
_STEP_NS: Final = 1_000
_STEPS_UP: Final = 9
# A turn of the loop that is longer than this has done something: it was no idle spin.
_IDLE_TURN_NS: Final = 10_000


class Timer(Protocol):
    """Calls back once, at a reading of `time.perf_counter_ns`; setting it again moves it.

    `spun_ns` is how long it has kept the processor busy with nothing but waiting.
    """

    spun_ns: int

    def set(self, at_ns: int) -> None:
        """Call back at this time, or as soon as possible when it is past."""

    def close(self) -> None:
        """Never call back again and free what the timer holds."""


def open_timer(callback: Callable[[], None]) -> Timer:
    """The finest timer of this platform, on the running loop."""
    loop = asyncio.get_running_loop()
    if platform.system() == "Linux":
        return _KernelTimer(loop, callback)
    return SpinTimer(loop, callback)


class SpinTimer:
    """The portable timer: the loop's own until the last stretch, then once per loop iteration."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._at_ns = 0
        self._handle: asyncio.Handle | None = None
        self._turned_ns = 0
        self.spun_ns = 0

    def set(self, at_ns: int) -> None:
        """Call back at this time."""
        self._at_ns = at_ns
        if self._handle is not None:
            self._handle.cancel()
        self._turned_ns = now_ns = perf_counter_ns()
        wait_ns = at_ns - now_ns - _SPIN_NS
        if wait_ns > 0:
            self._handle = self._loop.call_later(wait_ns / _NS_PER_S, self._spin)
        else:
            self._handle = self._loop.call_soon(self._spin)

    def close(self) -> None:
        """Never call back again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _spin(self) -> None:
        now_ns = perf_counter_ns()
        turn_ns = now_ns - self._turned_ns
        if turn_ns < _IDLE_TURN_NS:
            self.spun_ns += turn_ns
        self._turned_ns = now_ns
        if now_ns >= self._at_ns:
            self._handle = None
            self._callback()
        else:
            self._handle = self._loop.call_soon(self._spin)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class _KernelTimer:
    """timerfd_create(2), armed once per wake-up with an absolute time.

    `perf_counter_ns` reads CLOCK_MONOTONIC on Linux, so its readings are the timer's own.
    Python has these calls from 3.13 on; ctypes reaches them before.
    """

    _CLOCK_MONOTONIC: Final = 1
    _NONBLOCK_CLOEXEC: Final = os.O_NONBLOCK | os.O_CLOEXEC
    _ABSOLUTE: Final = 1

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._fd = libc.timerfd_create(self._CLOCK_MONOTONIC, self._NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "no timer descriptor could be made")
        self._spec = _Itimerspec()
        self._value = self._spec.value
        self._reference = ctypes.byref(self._spec)
        self._loop = loop
        self._callback = callback
        self._at_ns: int | None = None  # None: nothing to call back for
        self._wake_ns = 0
        self._lead_ns = _SHORT_LEAD_NS // 2
        self._handle: asyncio.Handle | None = None  # while it spins
        self._turned_ns = 0
        self.spun_ns = 0
        loop.add_reader(self._fd, self._expired)

    def set(self, at_ns: int) -> None:
        """Call back at this time."""
        self._at_ns = at_ns
        if self._handle is None:  # a timer that spins looks at its time anew at every turn
            self._wait(at_ns, perf_counter_ns())

    def close(self) -> None:
        """Never call back again and close the descriptor."""
        self._at_ns = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _wait(self, at_ns: int, now_ns: int) -> None:
        longest_ns = max((at_ns - now_ns) // _MOST_WAITS_PER_LEAD, _SHORT_LEAD_NS)
        wake_ns = at_ns - min(self._lead_ns, longest_ns)
        if wake_ns <= now_ns:
            self._turned_ns = now_ns
            self._handle = self._loop.call_soon(self._spin)
            return
        self._wake_ns = wake_ns
        value = self._value
        value.seconds, value.nanoseconds = divmod(wake_ns, _NS_PER_S)
        self._settime(self._fd, self._ABSOLUTE, self._reference, None)

    def _expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # it was set again between the wake-up and now
            return
        at_ns = self._at_ns
        if at_ns is None or self._handle is not None:  # a time that was replaced by an earlier one
            return
        now_ns = perf_counter_ns()
        if now_ns - self._wake_ns > self._lead_ns:
            self._lead_ns = min(self._lead_ns + _STEPS_UP * _STEP_NS, _MOST_LEAD_NS)
        else:
            self._lead_ns = max(self._lead_ns - _STEP_NS, 0)
        self._reached(at_ns, now_ns)

    def _spin(self) -> None:
        self._handle = None
        at_ns = self._at_ns
        if at_ns is None:
            return
        now_ns = perf_counter_ns()
        turn_ns = now_ns - self._turned_ns
        if turn_ns < _IDLE_TURN_NS:
            self.spun_ns += turn_ns
        self._reached(at_ns, now_ns)

    def _reached(self, at_ns: int, now_ns: int) -> None:
        if now_ns >= at_ns:
            self._at_ns = None
            self._callback()
        else:
            self._wait(at_ns, now_ns)
