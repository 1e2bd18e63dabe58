"""Reports of a worker that may not have reached its master go again with the next one.

A window is sent as a whole, so one that comes twice is counted once.
"""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Final

from locust.exception import RPCError

_UNDER_WAY_NS: Final = 30_000_000_000  # so long may what was sent not have arrived


def resend_what_is_lost(runner: Any, tell_again: Callable[[int], None]) -> None:
    """From now on, call `tell_again` with a clock's reading (of `time.perf_counter_ns`) when a
    worker's report could not be sent, or when its connection is given up with reports in it:
    whatever began since then has to be told again.
    """
    send, reset = runner._send_stats, runner.reset_connection
    last_ns = perf_counter_ns()

    def send_or_note() -> None:
        nonlocal last_ns
        try:
            send()
        except RPCError:
            tell_again(last_ns - _UNDER_WAY_NS)
            raise
        last_ns = perf_counter_ns()

    def reset_and_note() -> None:
        reset()
        tell_again(last_ns - _UNDER_WAY_NS)

    runner._send_stats, runner.reset_connection = send_or_note, reset_and_note
