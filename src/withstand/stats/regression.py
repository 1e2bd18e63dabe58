"""Whether one version answers later than another, from both measured side by side. Pure.

The unit of the analysis is the restart, not the request. Two starts of one and the same program
differ (memory layout, placement, what the compiler made of it: Mytkowicz et al., ASPLOS 2009), and
requests to one start tell nothing about the next one, however many they are: rules that count
requests (rank tests, the bootstrap) call 12 to 39 % of unchanged versions slower. So each restart
gives one number, the mean over its blocks of ln(q_B / q_A), where q is a quantile of the latencies
of a block in which requests to A and to B alternate: what befalls both cancels (Bulej et al., duet
benchmarking, ICPE 2020, arXiv:2001.05811). Student's t over these numbers (Kalibera and Jones, ISMM
2013, doi 10.1145/2464157.2464160) bounds the change from below and from above.

B is slower when the lower bound lies above a margin, and not slower when the upper bound lies below
5 % (or a larger margin). Without restarts the unit is the block; this cannot see how starts differ,
so the margin is 5 % by default. Two runs that were not interleaved are compared by `StoredChange`,
which proves nothing whatever they hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, stdev
from typing import Final

from withstand.stats.distributions import student_t_quantile
from withstand.stats.histogram import Histogram

ALPHA: Final = 0.01  # of "slower" and of "not slower", one-sided each
POWER: Final = 0.80
MARGIN: Final = 0.02
MARGIN_WITHOUT_RESTARTS: Final = 0.05
HARMLESS: Final = 0.05  # what "not slower" rules out, unless the margin is larger
LEAST_UNITS: Final = 2
_LEAST_BEYOND: Final = 5  # values beyond a quantile of a block that make it worth a name
_ERRORS_MARGIN: Final = 0.001  # as a share of the requests
_ERRORS_HARMLESS: Final = 0.01
# What two runs of one version on one machine differ by: an assumption, since two runs cannot tell.
RUN_SD: Final = 0.05
_Z_ALPHA_AND_POWER: Final = 2.326 + 0.842  # normal quantiles of 1 - ALPHA and of POWER


class Change(StrEnum):
    """What is known about a change for the worse."""

    WORSE = "worse"  # beyond the margin, for sure
    NO_WORSE = "no worse"  # by nothing that would matter, for sure
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A change between two versions, between its bounds; each is beyond the true change with a
    probability of at most its alpha.

    Of latencies all are shares (0.124 for 12.4 % slower, negative for faster), of errors
    differences of shares. `detectable` is the smallest worsening that this comparison would have
    found in 80 of 100 cases. `units` restarts (or blocks) were compared.
    """

    change: float
    low: float
    high: float
    detectable: float
    units: int
    state: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredChange:
    """A change between two stored runs. It has no state: one run a side cannot show that versions,
    and not runs, differ. `detectable` assumes that runs of one version differ by RUN_SD."""

    change: float
    detectable: float


def alpha_of(tests: int) -> float:
    """The alpha of "slower" of each of so many tests, so that the first false alarm among all of
    them has a probability of at most ALPHA (Bonferroni).

    Holm's procedure begins with the same comparison, so it raises an alarm exactly when this does.
    That *nothing* is slower needs no such care: it is said only when each test says so, which errs
    at most as often as one of them (intersection-union: Berger, Technometrics 24, 1982).
    """
    return ALPHA / max(tests, 1)


def judgeable(q: float, count: int) -> bool:
    """Whether blocks of so many requests each can tell about a quantile: five beyond it."""
    return round(count * (1 - q), 9) >= _LEAST_BEYOND


def log_ratio(a: Sequence[float], b: Sequence[float], q: float) -> float:
    """ln(q_B / q_A) of one block's latencies, both above zero."""
    return math.log(quantile(b, q) / quantile(a, q))


def quantile(values: Sequence[float], q: float) -> float:
    """Interpolated between neighbours (type 7 of Hyndman and Fan, American Statistician 50, 1996).

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no value has no quantile")
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def slowdown(units: Sequence[float], *, margin: float, alpha: float = ALPHA) -> Regression:
    """What the log ratios of restarts (or blocks, without restarts) say about B.

    `alpha` is that of "slower". Raises ValueError for fewer than LEAST_UNITS.
    """
    limit, harmless = math.log1p(margin), math.log1p(max(margin, HARMLESS))
    found = _bounded(units, alpha)
    return Regression(
        change=_share(found.mean),
        low=_share(found.low),
        high=_share(found.high),
        detectable=_share(limit + found.needed),
        units=len(units),
        state=_state(found.low > limit, found.high < harmless),
    )


def more_errors(
    units: Sequence[float], *, requests_b: int, errors_b: int, alpha: float = ALPHA
) -> Regression:
    """What the differences of error shares, B's minus A's, of restarts (or blocks) say about B.

    Worse is a tenth of a percentage point more, no worse less than a whole one. Raises ValueError
    for fewer than LEAST_UNITS.
    """
    found = _bounded(units, alpha)
    high = found.high
    if not errors_b:
        # Equal units have no spread, but n requests without an error only show that fewer than
        # 1 - alpha^(1/n) fail (Clopper and Pearson, Biometrika 26, 1934, of no successes).
        high = max(high, 1 - ALPHA ** (1 / max(requests_b, 1)))
    return Regression(
        change=found.mean,
        low=found.low,
        high=high,
        detectable=_ERRORS_MARGIN + max(found.needed, high - found.mean),
        units=len(units),
        state=_state(found.low > _ERRORS_MARGIN, high < _ERRORS_HARMLESS),
    )


def stored_change(a: Histogram, b: Histogram, q: float) -> StoredChange | None:
    """How a quantile differs between two stored runs; None where one of them has no value.

    The standard error within a run comes from order statistics (Woodruff, Journal of the American
    Statistical Association 47, 1952); that between runs is RUN_SD, by assumption.
    """
    value_a, value_b = a.quantile(q), b.quantile(q)
    if not value_a or not value_b:
        return None
    variance = sum(RUN_SD**2 + _log_error(each, q) ** 2 for each in (a, b))
    return StoredChange(
        change=value_b / value_a - 1,
        detectable=math.expm1(_Z_ALPHA_AND_POWER * math.sqrt(variance)),
    )


_MOST_TOLD: Final = math.log(1_000)


@dataclass(frozen=True, slots=True)
class _Bounded:
    mean: float
    low: float
    high: float
    needed: float  # beyond the margin, to be found with POWER


def _bounded(units: Sequence[float], alpha: float) -> _Bounded:
    if len(units) < LEAST_UNITS:
        raise ValueError(f"{len(units)} cannot be compared; {LEAST_UNITS} can")
    freedom = len(units) - 1
    mean, error = fmean(units), stdev(units) / math.sqrt(len(units))
    to_be_sure = student_t_quantile(1 - alpha, freedom)
    return _Bounded(
        mean,
        mean - to_be_sure * error,
        mean + student_t_quantile(1 - ALPHA, freedom) * error,
        (to_be_sure + student_t_quantile(POWER, freedom)) * error,
    )


def _share(log_ratio: float) -> float:
    """A change as a share; one of more than a thousand times is told as that."""
    return math.expm1(max(min(log_ratio, _MOST_TOLD), -_MOST_TOLD))


def _state(worse: bool, no_worse: bool) -> Change:
    return Change.WORSE if worse else Change.NO_WORSE if no_worse else Change.UNDECIDED


def _log_error(histogram: Histogram, q: float) -> float:
    """The standard error of the logarithm of a quantile, from the values one error of its rank
    below and above."""
    off = math.sqrt(q * (1 - q) / histogram.count)
    low, high = histogram.quantile(max(q - off, 0.0)), histogram.quantile(min(q + off, 1.0))
    return math.log(high / low) / 2 if low and high else 0.0
