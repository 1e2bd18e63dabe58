"""What the clients tell the rest of this process while users are at work."""

import sys
from collections import Counter
from typing import Any, Final

_OWN: Final = __name__.rpartition(".")[0]
_SILENT: Final = (_OWN, "locust", "contextlib")


class Watch:
    """`started` counts requests that were begun. With `explaining`, `call_sites` counts the
    requests of each line of the locustfile, by the way they took and the reason.
    """

    def __init__(self) -> None:
        self.started = 0
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
    """When a request should have begun: earlier than now for the first request of an iteration
    that was due before.
    """
    due_ns: int = getattr(user, "withstand_due_ns", 0)
    if not due_ns:
        return now_ns
    user.withstand_due_ns = 0
    return min(due_ns, now_ns)
