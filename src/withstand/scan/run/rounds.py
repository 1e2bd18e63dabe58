"""In how many rounds the checks go over the operations: one, unless that is too much. Pure."""

from collections.abc import Iterable
from typing import Final

from withstand.scan.check import Check

FOR_THE_API: Final = 0.1
"""The share of a scan's budget that is kept for the checks of the whole API: they come last."""
_REQUESTS_PER_OPERATION: Final = 50  # of all checks together, on a usual document
_FIRST: Final = frozenset({"authentication", "authorisation"})


def rounds(
    checks: Iterable[Check], operations: int, requests_left: float
) -> tuple[tuple[Check, ...], ...]:
    """The checks of each round over all operations: those that go first, the rest in their order.

    Where the requests that are left may not do for everything, who is let in comes before what is
    sent in: that every operation is asked for its guard tells more than all about a few.
    """
    every = tuple(sorted(checks, key=lambda check: not check.goes_first))
    if operations * _REQUESTS_PER_OPERATION <= requests_left:
        return (every,)
    first = tuple(check for check in every if check.family in _FIRST)
    return first, tuple(check for check in every if check not in first)
