"""A timer finer than the event loop's: uvloop's own fires in whole milliseconds.

On Linux a timerfd wakes the loop at the nanosecond asked for, give or take the scheduler, and
costs nothing in between. Elsewhere the loop sleeps until a millisecond before and then spins.
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


class Timer(Protocol):
    """Calls back once, at a reading of `time.perf_counter_ns`; setting it again moves it."""

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

    def set(self, at_ns: int) -> None:
        """Call back at this time."""
        self._at_ns = at_ns
        if self._handle is not None:
            self._handle.cancel()
        wait_ns = at_ns - perf_counter_ns() - _SPIN_NS
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
        if perf_counter_ns() >= self._at_ns:
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
        loop.add_reader(self._fd, self._expired)

    def set(self, at_ns: int) -> None:
        """Call back at this time."""
        value = self._value
        # A time of zero would disarm the timer; any past time fires at once.
        value.seconds, value.nanoseconds = divmod(max(at_ns, 1), _NS_PER_S)
        self._settime(self._fd, self._ABSOLUTE, self._reference, None)

    def close(self) -> None:
        """Never call back again and close the descriptor."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # it was set again between the wake-up and now
            return
        self._callback()
