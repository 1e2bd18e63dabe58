"""The end of a test on several processes: nobody goes before the last reports are in.

A master of Locust gives its workers half a second for them, however long their users have to finish
what they began.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import gevent
from locust.rpc import Message

_PATIENCE_S: Final = 10.0
_POLL_S: Final = 0.05


def await_last_reports(runner: Any, are_in: Callable[[], bool]) -> None:
    """Make a master's `quit` wait for them, as long as users may take to stop and a little."""
    quit_now = runner.quit

    def quit_in_time() -> None:
        runner.stop(send_stop_to_client=False)
        for worker in runner.clients.all:
            message = Message("quit", None, worker.id)  # type: ignore[no-untyped-call]
            runner.server.send_to_client(message)
        until_s = perf_counter() + (runner.environment.stop_timeout or 0) + _PATIENCE_S
        while not are_in() and perf_counter() < until_s:
            gevent.sleep(_POLL_S)
        quit_now()

    runner.quit = quit_in_time
