"""Whether a level, a share or a count moves from the beginning of a long run to its end. Pure.

All three look at windows that follow the warm-up, WINDOWS of them where there is enough to fill
them. `python -m benchmarks.statistics.trend` shows the error rates that the constants come from.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from withstand.stats.distributions import student_t_quantile
from withstand.stats.trend import CERTAINTY, trend

T = TypeVar("T")

WINDOWS: Final = 24
LEAST_WINDOWS: Final = 10
WARM_UP_SHARE: Final = 1 / 3  # of the run, left out

# A share that rises by less is nobody's concern, however sure it is.
_LEAST_RATIO: Final = 1.5
_LEAST_RISE: Final = 0.001

# Counts are whole numbers and rise with demand: a pool that fills up to its greatest concurrency
# looks like a leak, which is why a rise has to be sure, of some size, and to go on.
_COUNT_P: Final = 0.001
_COUNT_RISE: Final = 5
_COUNT_LATE_RISE: Final = 2
_COUNT_SUSTAINED: Final = 0.5  # of the rise from the first third to the second


class Movement(StrEnum):
    """What is said of a level, a share or a count over a run."""

    GROWS = "grows"  # surely, and by more than is tolerated
    STEADY = "steady"  # surely grows by less than that, if at all
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far something moved from the first window to the last: a level in the unit that was
    given, a share as a difference of shares. `low` and `high` bound it with 99 % each; None where
    they do not.
    """

    movement: Movement
    change: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountGrowth:
    """How far the least count of each third of the windows rose, from the first to the last."""

    movement: Movement
    rise: float


def level_drift(levels: Sequence[float], *, tolerance: float) -> Drift:
    """Of levels of windows of equal length, such as the logarithm of a quantile.

    Grows: surely above zero, and by more than the tolerance as far as can be told. Where
    neighbours depend on each other (autocorrelation 0.5), levels without growth that vary by half
    of the tolerance are said to grow in 4 % of runs instead of 1 %: the factor of Hamed and Rao
    makes up for most of the dependence, not for all. Raises ValueError for fewer than four.
    """
    last = len(levels) - 1
    found = trend(range(len(levels)), levels)
    change = found.slope * last
    low = None if found.low is None else found.low * last
    high = None if found.high is None else found.high * last
    if low is not None and low > 0 and change > tolerance:
        movement = Movement.GROWS
    elif high is not None and high < tolerance:
        movement = Movement.STEADY
    else:
        movement = Movement.UNDECIDED
    return Drift(movement=movement, change=change, low=low, high=high)


def share_drift(events: Sequence[float], sizes: Sequence[float]) -> Drift:
    """Of the share of events among as many values as `sizes` says, window by window.

    The last third is held against the first by a t test whose variance is that of the binomial
    distribution times the dispersion that the windows show (quasi-binomial: McCullagh and Nelder,
    Generalized Linear Models, 2nd ed., 4.5), never below 1. Grows: surely, by half and by at least
    0.1 percentage points. Steady: surely less than that. Raises ValueError for fewer than six
    windows.
    """
    third = len(sizes) // 3
    if third < 2 or len(events) != len(sizes):
        raise ValueError(f"no thirds of {len(events)} counts of {len(sizes)} windows")
    early = list(zip(events, sizes, strict=True))[:third]
    late = list(zip(events, sizes, strict=True))[-third:]
    early_size, late_size = (math.fsum(size for _, size in part) for part in (early, late))
    if not early_size or not late_size:
        return Drift(movement=Movement.UNDECIDED, change=0.0, low=None, high=None)
    before = math.fsum(count for count, _ in early) / early_size
    after = math.fsum(count for count, _ in late) / late_size
    pooled = (before * early_size + after * late_size) / (early_size + late_size)
    unit = pooled * (1 - pooled)
    freedom = 2 * third - 2
    square = math.fsum(
        (count - size * share) ** 2 / (size * unit)
        for part, share in ((early, before), (late, after))
        for count, size in part
        if size and unit
    )
    dispersion = max(square / freedom, 1.0)
    error = math.sqrt(unit * (1 / early_size + 1 / late_size) * dispersion)
    margin = student_t_quantile(CERTAINTY, freedom) * error
    change = after - before
    harmless = max(_LEAST_RISE, (_LEAST_RATIO - 1) * before)
    if change > margin and change >= harmless:
        movement = Movement.GROWS
    elif change + margin < harmless:
        movement = Movement.STEADY
    else:
        movement = Movement.UNDECIDED
    return Drift(movement=movement, change=change, low=change - margin, high=change + margin)


def count_growth(minima: Sequence[float]) -> CountGrowth:
    """Of a count of things in use, from the minima of at least six windows.

    Grows: sure (p < 0.001), by five or more, and in the last third still by two and by half of
    what it did in the second. Steady: by less than five. Raises ValueError for fewer windows.
    """
    if len(minima) < 6:
        raise ValueError(f"no thirds of {len(minima)} windows")
    first, second, last = (min(part) for part in parts(minima, 3))
    rise = last - first
    if rise < _COUNT_RISE:
        return CountGrowth(movement=Movement.STEADY, rise=rise)
    sure = trend(range(len(minima)), minima).p_rising < _COUNT_P
    sustained = last - second >= max(_COUNT_LATE_RISE, _COUNT_SUSTAINED * (second - first))
    movement = Movement.GROWS if sure and sustained else Movement.UNDECIDED
    return CountGrowth(movement=movement, rise=rise)


def parts(values: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    """As many parts in a row as asked for, of equal size give or take one."""
    for index in range(count):
        yield values[index * len(values) // count : (index + 1) * len(values) // count]
