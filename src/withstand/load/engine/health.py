"""What the generator's own process tells of its condition: collector, event loop, descriptors."""

import asyncio
import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter_ns
from types import TracebackType
from typing import Final

import psutil

from withstand.load.engine.base import NS_PER_S, Load
from withstand.load.engine.process import CpuClock
from withstand.load.tally import Tally

_BEAT_NS: Final = 50_000_000


@contextmanager
def roomy_descriptors() -> Iterator[None]:
    """Raise the limit of open files as far as this process may, for the length of a run."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems name a hard limit that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def descriptor_limit() -> int | None:
    """How many files this process may have open; None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


class Vitals:
    """Pulse and breath of the generator, from `with` on; the share of CPU from `begin` on.

    `gc_pauses` are the collector's, `loop_lag` how late the event loop came to what it was to do
    twenty times a second: a loop that is stopped for a second is late for twenty beats.
    """

    def __init__(self) -> None:
        self.gc_pauses = Tally()
        self.loop_lag = Tally()
        self.limit = descriptor_limit()
        self.descriptors = self._others = psutil.Process().num_fds()
        self._collecting_since_ns = 0
        self._cpu = CpuClock()

    def __enter__(self) -> "Vitals":
        gc.callbacks.append(self._collected)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        gc.callbacks.remove(self._collected)

    def begin(self) -> None:
        """The load begins: forget what preparing it took."""
        self._cpu = CpuClock()
        self.gc_pauses = Tally()

    def cpu_share(self, spun_ns: int) -> float:
        """CPU seconds per second, without those that a timer spent on nothing but waiting."""
        return self._cpu.share(waited_s=spun_ns / NS_PER_S)

    async def watch(self, load: Load) -> None:
        """Take the pulse until cancelled."""
        due_ns = perf_counter_ns() + _BEAT_NS
        while True:
            await asyncio.sleep(max(due_ns - perf_counter_ns(), 0) / NS_PER_S)
            now_ns = perf_counter_ns()
            while due_ns <= now_ns:
                self.loop_lag.record(now_ns - due_ns)
                due_ns += _BEAT_NS
            self.descriptors = max(self.descriptors, self._others + len(load.connections))

    def _collected(self, phase: str, _: object) -> None:
        if phase == "start":
            self._collecting_since_ns = perf_counter_ns()
        else:
            self.gc_pauses.record(perf_counter_ns() - self._collecting_since_ns)
