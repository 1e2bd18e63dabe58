"""When paced iterations are due: what `constant_pacing` and `constant_throughput` promise.

An iteration that is late, because the one before took longer than the pacing or because the process
was busy, has its clock running since it was due. Locust begins the next one a whole pacing later;
the iterations that came due meanwhile never take place, and are counted as `missed`.
"""

from time import perf_counter, perf_counter_ns
from typing import Any, Final

import locust.user.wait_time
from locust.user.task import TaskSet

_FUNCTION: Final = "constant_pacing.<locals>.wait_time_func"
_GOLDEN: Final = 0.6180339887498949  # of its multiples, any number are spread about evenly
_clock: Any = vars(locust.user.wait_time).get("perf_counter") or vars(locust.user.wait_time)["time"]
"""The one that Locust's pacing looks at; that of the wall, before Locust 2.47."""


class Pacing:
    """The paced users of this process. With `staggered`, a user's iterations after the first are
    shifted by a part of its pacing, so that users who began together do not send together.
    """

    def __init__(self) -> None:
        self.staggered = False
        self.missed = 0
        self.paced = False  # whether any user is
        self._known: dict[tuple[type, type], tuple[float, bool] | None] = {}
        self._shifted = 0

    def before_wait(self, tasks: Any, user: Any) -> None:
        """A user's wait function is about to be asked: note when the next iteration is due."""
        key = (type(tasks), type(user))
        try:
            found = self._known[key]
        except KeyError:
            found = self._known[key] = _pacing_of(*key)
        if found is None:
            return
        pacing_s, of_tasks = found
        holder = tasks if of_tasks else user
        if self.staggered and not holder.__dict__.get("withstand_is_shifted"):
            holder.withstand_is_shifted = True
            holder._cp_last_run += pacing_s * (self._shifted * _GOLDEN % 1.0)
            self._shifted += 1
        self.paced = True
        waited_s = getattr(holder, "_cp_last_wait_time", 0)  # not there before the first wait, once
        due_s = holder._cp_last_run + waited_s + pacing_s
        late_s = _clock() - due_s
        if _clock is perf_counter:
            user.withstand_due_ns = int(due_s * 1e9)
        else:
            user.withstand_due_ns = perf_counter_ns() - int(late_s * 1e9)
        if late_s > pacing_s:
            self.missed += int(late_s / pacing_s)


def _pacing_of(tasks: type, user: type) -> tuple[float, bool] | None:
    """The pacing in seconds, and whether it is that of the task set; None for users not paced."""
    own = getattr(tasks, "wait_time", None)
    of_tasks = own is not TaskSet.wait_time
    function: Any = own if of_tasks else getattr(user, "wait_time", None)
    if getattr(function, "__qualname__", "") != _FUNCTION or not function.__closure__:
        return None
    return float(function.__closure__[0].cell_contents), of_tasks


PACING: Final = Pacing()
