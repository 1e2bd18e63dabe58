"""What the engine asks of its own process, and of the server's: collector, CPU time, memory."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psutil

from withstand.errors import UsageError
from withstand.load.measurement import MemorySample

_MAX_MEMORY_SAMPLES: Final = 600
_COLLECT_EVERY: Final = 100_000
# Looking for child processes reads all of /proc, so it is done now and then.
_CHILDREN_EVERY_S: Final = 10.0


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep the cyclic garbage collector away from what exists already, and from most of the run.

    The engine makes no cycles per request; a full collection in a large process would stop the
    schedule for tens of milliseconds.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


class CpuClock:
    """This process's share of one core since the start, all threads together."""

    def __init__(self) -> None:
        self._wall_s = time.perf_counter()
        self._cpu_s = time.process_time()

    def share(self) -> float:
        """CPU seconds per second of wall time."""
        wall_s = time.perf_counter() - self._wall_s
        return (time.process_time() - self._cpu_s) / wall_s if wall_s > 0 else 0.0


class MemoryProbe:
    """Samples the resident memory of a server process and its children.

    Raises UsageError when there is no such process, or none that may be looked at.
    """

    def __init__(self, pid: int) -> None:
        try:
            self._process = psutil.Process(pid)
            self._process.memory_info()
        except psutil.NoSuchProcess:
            raise UsageError(
                f"there is no process {pid}", hint="give the server's process id with --pid"
            ) from None
        except psutil.AccessDenied:
            raise UsageError(
                f"process {pid} belongs to somebody else",
                hint="run as the server's user, or leave --pid out",
            ) from None
        self._children: list[psutil.Process] = []
        self._children_at_s: float | None = None
        self.samples: list[MemorySample] = []

    async def watch(self, origin_ns: int, duration_s: float) -> None:
        """Take a sample about once a second, less often in long runs, until cancelled."""
        interval_s = max(0.25, duration_s / _MAX_MEMORY_SAMPLES)
        loop = asyncio.get_running_loop()
        while True:
            # In a thread: reading /proc may take milliseconds, which the schedule has not.
            rss_bytes = await loop.run_in_executor(None, self._rss_bytes)
            at_s = (time.perf_counter_ns() - origin_ns) / 1e9
            if rss_bytes is None:  # the server is gone: its last words are the samples so far
                return
            self.samples.append(MemorySample(at_s=at_s, rss_bytes=rss_bytes))
            await asyncio.sleep(interval_s)

    def _rss_bytes(self) -> int | None:
        try:
            now_s = time.monotonic()
            if self._children_at_s is None or now_s - self._children_at_s >= _CHILDREN_EVERY_S:
                self._children = self._process.children(recursive=True)
                self._children_at_s = now_s
            total = int(self._process.memory_info().rss)
        except psutil.Error:
            return None
        for child in self._children:
            try:
                total += int(child.memory_info().rss)
            except psutil.Error:  # a worker that ended since
                continue
        return total
