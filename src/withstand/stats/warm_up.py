"""Where the warm-up of a series of durations ends, and whether it ends at all. Pure.

A server that was just started compiles, fills caches and opens pools: its first answers say nothing
about the rest. Three rules, in the order in which they are used:

- `least_dropped`: how many requests to leave out whatever they look like. A verdict whose error
  bound must hold uses this fixed cut, because one that looks at the values chooses among them.
- `warm_up`: MSER-5 (White, Cobb and Spratt, Winter Simulation Conference 2000; White, Simulation
  69, 1997): of all truncations of the batch means of five, the one whose remaining mean has the
  smallest standard error. Of the logarithms: on the values themselves a heavy tail makes it cut up
  to 30 % of clean data.
- `steadiness`: whether what is left still moves, by Mann-Kendall with the factor of Hamed and Rao
  over twelve batch medians. Barrett et al. (OOPSLA 2017, doi 10.1145/3133876) found that only about
  half of the benchmarks on virtual machines warm up as one would think: that they do is not assumed
  here, it is looked at.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from withstand.stats.trend import trend

BATCHES: Final = 12  # of the steadiness
LEAST_DROPPED: Final = 10
_BATCH: Final = 5
# Of clean data the best of fewer batches lies at the cap too often: 9 % of 12, 1.5 % of 20.
_LEAST_BATCHES: Final = 20
_MOST_DROPPED: Final = 0.5
_P_TWO_SIDED: Final = 0.01
_HARMLESS: Final = math.log1p(0.10)  # a trend below 10 % is left alone, however sure it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """Whether a series stays where it is. `change` is its trend from the first batch to the last,
    as a share: -0.3 for one that ended 30 % lower."""

    steady: bool
    change: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """`dropped` values at the start belong to the warm-up. Not `steady` is a series that still
    moves after them, or whose best cut lies at the cap of one half; `change` is None where what is
    left is too short to tell, which counts as steady."""

    dropped: int
    steady: bool
    change: float | None


def least_dropped(connections: int) -> int:
    """How many requests to leave out at the start, whatever they look like: ten, or one for each
    connection, since its first request may pay for TLS and for the server's pools."""
    return max(LEAST_DROPPED, connections)


def warm_up(durations: Sequence[float], *, connections: int = 0) -> WarmUp:
    """The warm-up of durations in the order in which they began.

    Durations of 0 count as the smallest that is not. At most half is dropped; of fewer than a
    hundred only what `least_dropped` says. Raises ValueError for negative ones.
    """
    if any(value < 0 for value in durations):
        raise ValueError("a duration is never negative")
    least = min((value for value in durations if value > 0), default=1.0)
    logs = [math.log(max(value, least)) for value in durations]
    cut, capped = _mser(logs)
    most = int(len(logs) * _MOST_DROPPED)
    dropped = min(max(cut, least_dropped(connections)), most)
    kept = logs[dropped:]
    if len(kept) < BATCHES:
        return WarmUp(dropped=dropped, steady=not capped, change=None)
    size = len(kept) // BATCHES
    found = steadiness([median(kept[i * size : (i + 1) * size]) for i in range(BATCHES)])
    return WarmUp(dropped=dropped, steady=found.steady and not capped, change=found.change)


def steadiness(log_levels: Sequence[float]) -> Steadiness:
    """Of the logarithms of the medians (or another level) of BATCHES equal parts of a series.

    Not steady is a trend of more than 10 % that a series without trend shows once in a hundred.
    For a series that is only there as histograms. Raises ValueError for fewer than four parts.
    """
    found = trend(range(len(log_levels)), log_levels)
    moved = found.slope * (len(log_levels) - 1)
    sure = 2 * min(found.p_rising, found.p_falling) < _P_TWO_SIDED
    return Steadiness(steady=not (sure and abs(moved) > _HARMLESS), change=math.expm1(moved))


def _mser(values: Sequence[float]) -> tuple[int, bool]:
    """How many values the best cut drops, and whether it lies at the cap."""
    count = len(values) // _BATCH
    cap = int(count * _MOST_DROPPED)
    if count < _LEAST_BATCHES:
        return 0, False
    means = [fmean(values[i * _BATCH : (i + 1) * _BATCH]) for i in range(count)]
    # From the end, with Welford's update: the sum of squares of what a cut leaves.
    best, best_cut = math.inf, 0
    mean = square = 0.0
    for kept, cut in enumerate(range(count - 1, -1, -1), start=1):
        distance = means[cut] - mean
        mean += distance / kept
        square += distance * (means[cut] - mean)
        if cut <= cap and square / kept**2 <= best:  # of equal ones the earliest cut
            best, best_cut = square / kept**2, cut
    return best_cut * _BATCH, best_cut >= cap
