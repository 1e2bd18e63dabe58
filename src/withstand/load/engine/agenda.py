"""What is to happen when, over one fine timer: as cheap for ten thousand users as for one."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from time import perf_counter_ns
from typing import Any, Final

from withstand.load.engine.timer import open_timer

# After a pause of the whole process, let answers in between batches of overdue entries.
MAX_BATCH: Final = 256


class Agenda:
    """Calls back at readings of `time.perf_counter_ns`, in order; at one time in order of entry."""

    __slots__ = ("_entries", "_order", "_timer")

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, Callable[[Any], None], Any]] = []
        self._order = count()
        self._timer = open_timer(self._due)

    def at(self, at_ns: int, action: Callable[[Any], None], subject: Any = None) -> None:
        """Do `action(subject)` at this time, or as soon as possible when it is past."""
        first = not self._entries or at_ns < self._entries[0][0]
        heappush(self._entries, (at_ns, next(self._order), action, subject))
        if first:
            self._timer.set(at_ns)

    @property
    def spun_ns(self) -> int:
        """How long its timer spun."""
        return self._timer.spun_ns

    def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._timer.close()

    def _due(self) -> None:
        now_ns = perf_counter_ns()
        entries = self._entries
        for _ in range(MAX_BATCH):
            if not entries or entries[0][0] > now_ns:
                break
            _, _, action, subject = heappop(entries)
            action(subject)
        if entries:
            self._timer.set(entries[0][0])
