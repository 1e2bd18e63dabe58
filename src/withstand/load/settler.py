"""Which window is put away next, of all operations of a run. Pure."""

from collections.abc import Sequence
from typing import Final

from withstand.load.recorder import OperationRecorder

_NS_PER_S: Final = 1_000_000_000
_AFTER_NS: Final = 10 * _NS_PER_S  # by then most answers are there
_BEYOND_TIMEOUT_NS: Final = 5 * _NS_PER_S  # a sweep may be late itself


class Settler:
    """Puts windows away in which hardly anything is counted any more.

    One at a time, as packing takes a while that the schedule has not, and each operation in its
    turn. A window that a late answer opened again stays open until no more can come: a server that
    hangs would have it packed and unpacked for every answer.
    """

    def __init__(self, timeout_ns: int) -> None:
        self._reopened_after_ns = 2 * timeout_ns + _BEYOND_TIMEOUT_NS
        self._turn = 0

    def settle_one(self, recorders: Sequence[OperationRecorder], now_ns: int) -> bool:
        """Put one window away, if there is one; whether there was."""
        for turn in range(self._turn, self._turn + len(recorders)):
            recorder = recorders[turn % len(recorders)]
            if recorder.settle(
                now_ns - _AFTER_NS, reopened_before_ns=now_ns - self._reopened_after_ns
            ):
                self._turn = (turn + 1) % len(recorders)
                return True
        return False
