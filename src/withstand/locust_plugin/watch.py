"""What the clients tell the rest of this process while users are at work."""

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from withstand.locust_plugin.timing import Timing

_OWN: Final = __name__.rpartition(".")[0]
_SILENT: Final = (_OWN, "locust", "contextlib")


class Watch:
    """`started` counts requests that were begun.

    `unheard` is the event of requests while nobody but Locust's statistics and Withstand listens to
    it: `record` counts a good answer for both, without an event that nobody misses, or says that it
    has to be fired. With `explaining`, `call_sites` counts the requests of each line of the users'
    code by the way they took.
    """

    def __init__(self) -> None:
        self.started = 0
        self.unheard: Any = None
        self.record: Callable[[str, str, int, int, Timing], bool] = lambda *_: False
        self.explaining = False
        self.call_sites: Counter[tuple[str, str]] = Counter()

    def note(self, way: str) -> None:
        """A request took a way; where in the users' code it was made is looked up."""
        self.call_sites[_call_site(), way] += 1


def _call_site() -> str:
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not any(module == each or module.startswith(f"{each}.") for each in _SILENT):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


WATCH: Final = Watch()


def intended_ns(user: Any, now_ns: int) -> int:
    """When the first request of an iteration should have begun: when that was due, if before now.

    It takes the due time away, so that the iteration's next request begins when it begins.
    """
    due_ns: int = user.withstand_due_ns
    user.withstand_due_ns = 0
    return min(due_ns, now_ns)
