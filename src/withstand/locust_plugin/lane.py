"""Counts good answers without an event, while nobody would hear it."""

from collections.abc import Callable
from typing import Any

from withstand.locust_plugin.recording import Recording
from withstand.locust_plugin.timing import Timing
from withstand.locust_plugin.watch import WATCH

_STOCK = "Runner.__init__.<locals>.on_request"


def open_lane(event: Any, ours: Callable[..., Any], stats: Any, recording: Recording) -> None:
    """From now on, if only Locust's statistics and `ours` listen to the event of requests.

    Whoever begins to listen later is heard: the event is fired from then on.
    """
    handlers = event._handlers
    others = [each for each in handlers if each != ours]  # a bound method is made anew each time
    close_lane()
    if [getattr(each, "__qualname__", "") for each in others] != [_STOCK]:
        return
    known = len(handlers)
    log, find, good = stats.log_request, recording.find, recording.good

    def record(method: str, name: str, status: int, size_bytes: int, timing: Timing) -> bool:
        if len(handlers) != known:
            return False
        log(method, name, (timing[4] - timing[1]) / 1e6, size_bytes)
        if (recorder := find((method, name))) is None or timing[5]:
            good(method, name, status, size_bytes, timing)
        else:
            recording.completed += 1
            recorder.response(timing[0], timing[2], timing[3], timing[4], status, size_bytes)
        return True

    WATCH.record = record
    WATCH.unheard = event


def close_lane() -> None:
    """Fire the event of every request."""
    WATCH.unheard = None
