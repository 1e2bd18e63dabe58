"""What the engine asks of its own process: collector and CPU time."""

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_COLLECT_EVERY: Final = 100_000


def usable_cores() -> int:
    """How many cores this process may use, which can be fewer than there are."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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

    def share(self, *, waited_s: float = 0.0) -> float:
        """CPU seconds per second of wall time, less those that went into busy waiting."""
        wall_s = time.perf_counter() - self._wall_s
        cpu_s = time.process_time() - self._cpu_s - waited_s
        return max(cpu_s, 0.0) / wall_s if wall_s > 0 else 0.0
