"""Whether a short series grows: Theil-Sen slope, Mann-Kendall test, Sen's bounds. Pure.

The slope is the median of the slopes between all pairs of points (Theil, 1950; Sen, J. Am. Stat.
Assoc. 63, 1968), which a third of outliers cannot turn. The Mann-Kendall statistic S counts the
pairs that rise less those that fall (Mann, Econometrica 13, 1945; Kendall, Rank Correlation
Methods, 1975, with the correction for ties); neighbours that resemble each other make its variance
larger, by the factor of Hamed and Rao (Journal of Hydrology 204, 1998, 182-196). Sen's bounds of
the slope follow from that variance.

All pairs are looked at, so a series is meant to be short: window minima or medians, not samples.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CERTAINTY: Final = 0.99  # of each bound, one-sided
_LEAST_POINTS: Final = 4  # below that no order of the points is rarer than 1 in 20
# Autocorrelations this rare by chance (two-sided) are taken for real.
_SIGNIFICANCE: Final = 0.05
# Residuals of points on a straight line differ by rounding only: those are ties.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How a series moves per unit of its times.

    `low` and `high` bound the slope, each with CERTAINTY; None where the points are too few or
    too dependent to bound it. `p_rising` is the probability of so many rising pairs in a series
    without trend.
    """

    slope: float
    low: float | None
    high: float | None
    p_rising: float
    p_falling: float


def trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """The trend of values at ascending times. Raises ValueError for fewer than four points."""
    if len(values) < _LEAST_POINTS or len(times) != len(values):
        raise ValueError(f"no trend in {len(values)} values at {len(times)} times")
    slopes = sorted(_slopes(times, values))
    slope = _middle(slopes)
    score = _score(values)
    variance = _score_variance(values) * _variance_factor(times, values, slope)
    low, high = _sen_bounds(slopes, variance)
    return Trend(
        slope=slope,
        low=low,
        high=high,
        p_rising=_tail(score, variance),
        p_falling=_tail(-score, variance),
    )


def slope_of(times: Sequence[float], values: Sequence[float]) -> float:
    """The Theil-Sen slope alone. Raises ValueError for fewer than two points."""
    if len(values) < 2 or len(times) != len(values):
        raise ValueError(f"no slope in {len(values)} values at {len(times)} times")
    return _middle(sorted(_slopes(times, values)))


def _slopes(times: Sequence[float], values: Sequence[float]) -> list[float]:
    count = len(values)
    return [
        (values[j] - values[i]) / (times[j] - times[i])
        for i in range(count)
        for j in range(i + 1, count)
    ]


def _score(values: Sequence[float]) -> int:
    """Mann-Kendall's S: rising pairs less falling ones."""
    return sum(
        (later > earlier) - (later < earlier)
        for index, earlier in enumerate(values)
        for later in values[index + 1 :]
    )


def _score_variance(values: Sequence[float]) -> float:
    """Of S without trend and without dependence; ties take away from it."""
    count = len(values)
    tied = sum(k * (k - 1) * (2 * k + 5) for k in Counter(values).values())
    return (count * (count - 1) * (2 * count + 5) - tied) / 18


def _variance_factor(times: Sequence[float], values: Sequence[float], slope: float) -> float:
    """How many times larger dependence makes the variance of S: Hamed and Rao, eq. 10.

    From the ranks of what the trend leaves over, and only from lags up to a third of the series
    whose autocorrelation is significant. Never below 1: series that swing to and fro would
    otherwise be taken for surer than independent ones.
    """
    count = len(values)
    unit = _ROUNDING * (max(values) - min(values))
    if unit == 0:
        return 1.0
    rest = [round((value - slope * time) / unit) for time, value in zip(times, values, strict=True)]
    ranks = _ranks(rest)
    mean = math.fsum(ranks) / count
    centred = [rank - mean for rank in ranks]
    square = math.fsum(value * value for value in centred)
    if square == 0:
        return 1.0
    significant = NormalDist().inv_cdf(1 - _SIGNIFICANCE / 2) / math.sqrt(count)
    total = 0.0
    for lag in range(1, count // 3 + 1):
        product = math.fsum(a * b for a, b in zip(centred, centred[lag:], strict=False))
        if abs(product / square) > significant:
            total += (count - lag) * (count - lag - 1) * (count - lag - 2) * product / square
    return max(1 + 2 * total / (count * (count - 1) * (count - 2)), 1.0)


def _ranks(values: Sequence[int]) -> list[float]:
    """Ranks from 1; equal values share the middle of theirs."""
    first: dict[int, int] = {}
    ordered = sorted(values)
    for rank, value in enumerate(ordered, start=1):
        first.setdefault(value, rank)
    times = Counter(values)
    return [first[value] + (times[value] - 1) / 2 for value in values]


def _sen_bounds(slopes: Sequence[float], variance: float) -> tuple[float | None, float | None]:
    """The slopes whose ranks are off the middle by half of z times the deviation of S."""
    count = len(slopes)
    spread = NormalDist().inv_cdf(CERTAINTY) * math.sqrt(variance)
    if spread >= count:
        return None, None
    low = max(math.floor((count - spread) / 2) - 1, 0)
    high = min(math.ceil((count + spread) / 2), count - 1)
    return slopes[low], slopes[high]


def _tail(score: int, variance: float) -> float:
    """P(S >= score) by the normal distribution with continuity correction; 1 for none."""
    if score <= 0 or variance <= 0:
        return 1.0
    return 1 - NormalDist().cdf((score - 1) / math.sqrt(variance))


def _middle(ordered: Sequence[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
