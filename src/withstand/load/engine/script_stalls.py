"""Catches a user script that keeps the event loop from turning, and says at which line.

Everything runs in one thread, so a script that sleeps or computes on its own holds up every other
user and every measurement. The loop gives a sign of life now and then; a thread looks whether one
is overdue, and if so, where the loop's thread is.

Neither a machine that is busy otherwise nor many users at once must be taken for a script that
blocks. So two looks must find the loop in the very same call; a look that was late itself counts
for no more than it should have taken; and what the loop's thread spent ready to run and waiting for
a core is left out (Linux tells).
"""

import sys
import threading
from contextlib import suppress
from pathlib import Path
from time import perf_counter_ns
from types import FrameType
from typing import Final

from withstand.load.engine.script_places import Places, place_of

_LOOK_EVERY_S: Final = 0.025
_LOOK_EVERY_NS: Final = int(_LOOK_EVERY_S * 1e9)
# The signs of life come every 50 ms; what is later than that by as much is held up.
_OVERDUE_NS: Final = 100_000_000
_MOST_PLACES: Final = 50


class StallWatch:
    """Watches from the first sign of life until `close`. Only the script is blamed."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._watched = threading.get_ident()
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._beat_ns = 0
        self._held_ns: dict[str, int] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def beat(self) -> None:
        """The loop turns."""
        self._beat_ns = perf_counter_ns()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="stalls", daemon=True)
            self._thread.start()

    def held_ns(self) -> dict[str, int]:
        """How long the loop stood still, by the line that held it."""
        return dict(self._held_ns)

    def close(self) -> None:
        """Stop watching."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        held_ns = 0
        seen: FrameType | None = None
        look_ns, queued_ns = perf_counter_ns(), self._queued_ns()
        while not self._over.wait(_LOOK_EVERY_S):
            before_ns, look_ns = look_ns, perf_counter_ns()
            before_queued_ns, queued_ns = queued_ns, self._queued_ns()
            before = seen
            seen = None
            if look_ns - self._beat_ns > _OVERDUE_NS:
                seen = self._places.in_stack(sys._current_frames().get(self._watched))
            if seen is None or seen is not before:
                held_ns = 0
                continue
            passed_ns = min(look_ns - before_ns, 2 * _LOOK_EVERY_NS)
            passed_ns -= queued_ns - before_queued_ns
            if passed_ns > 0:
                held_ns += passed_ns
                # Much of what passed before the sign of life was overdue belongs to it as well.
                earlier_ns = _OVERDUE_NS // 2 if held_ns == passed_ns else 0
                self._count(place_of(seen.f_code, seen.f_lineno), earlier_ns + passed_ns)

    def _count(self, place: str, held_ns: int) -> None:
        if place in self._held_ns or len(self._held_ns) < _MOST_PLACES:
            self._held_ns[place] = self._held_ns.get(place, 0) + held_ns

    def _queued_ns(self) -> int:
        """How long the loop's thread has waited for a core so far; 0 where nobody tells."""
        with suppress(OSError, ValueError, IndexError):
            return int(self._schedule.read_text().split()[1])
        return 0
