"""How sure a quantile, a share or a mean is when requests depend on their neighbours. Pure.

Two questions, both without assuming a shape of the distribution:

- Does the share of values above a limit lie below (or above) the allowed share? "The q-quantile
  is below L" says the same as "less than 1 - q of the values exceed L", so the counts of windows
  of equal length in time carry everything. Neighbours in time resemble each other (bursts, stalls,
  collector pauses), which makes n requests worth fewer than n independent ones: the standard error
  comes from batch means over windows joined by 1, 2 and 4, the largest of the three, and never
  below that of independent values (batch means: Law, Simulation Modeling and Analysis, 5th ed.,
  chapter 9; ratio estimator: Cochran, Sampling Techniques, 3rd ed., chapter 6; design effect:
  Kish, Survey Sampling, 1965).
- Between which values does a quantile lie? Order statistics: the number of values below the
  q-quantile is binomial (David and Nagaraja, Order Statistics, 3rd ed., 7.1), here with the number
  of values divided by the design effect.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from withstand.stats.distributions import binomial_cdf, student_t_quantile

GROUPINGS: Final = (1, 2, 4)
_LEAST_BATCHES: Final = 5
LEAST_WINDOWS: Final = 2 * _LEAST_BATCHES  # to see how neighbours depend on each other
CERTAINTY: Final = 0.98  # one-sided, of each verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioEstimate:
    """A share or mean over windows, and how sure it is.

    `margin` is the one-sided distance that `certainty` allows: t quantile times standard error;
    None when there are too few windows to say. `design_effect` is the variance over that of
    independent values, at least 1. `certainty` is that of each one-sided statement.
    """

    value: float
    weight: float
    margin: float | None
    design_effect: float
    certainty: float = CERTAINTY

    def surely_below(self, limit: float) -> bool:
        """Whether the true value lies below a limit."""
        return self.margin is not None and self.value + self.margin < limit

    @property
    def least(self) -> float:
        """What the true value surely is at least.

        Where the margin says little or nothing (one window, one long outage), Markov's inequality
        still holds, however values depend on each other: a quantity of mean m that is never
        negative comes out above m / (1 - c) with a chance of at most 1 - c.
        """
        markov = self.value * (1 - self.certainty)
        return markov if self.margin is None else max(self.value - self.margin, markov)

    def surely_above(self, limit: float) -> bool:
        """Whether the true value lies above a limit."""
        return self.least > limit


def estimate_share(
    exceeding: Sequence[float],
    sizes: Sequence[float],
    *,
    allowed: float,
    certainty: float = CERTAINTY,
) -> RatioEstimate:
    """The share of exceeding values, from their count and the number of values per window.

    The floor of the standard error is that of n independent values at the `allowed` share.
    """
    count = sum(sizes)
    floor = math.sqrt(allowed * (1 - allowed) / count) if count else math.inf
    return estimate_ratio(exceeding, sizes, floor=floor, certainty=certainty)


def estimate_ratio(
    totals: Sequence[float],
    sizes: Sequence[float],
    *,
    floor: float,
    certainty: float = CERTAINTY,
) -> RatioEstimate:
    """Sum of totals over sum of sizes, with the batch-means standard error of the ratio.

    `floor` is the standard error if all values were independent. Windows without values count
    for nothing.
    """
    windows = [(total, size) for total, size in zip(totals, sizes, strict=True) if size > 0]
    weight = math.fsum(size for _, size in windows)
    value = math.fsum(total for total, _ in windows) / weight if windows else 0.0
    freedom = degrees_of_freedom(len(windows))
    if freedom < 1:
        return RatioEstimate(
            value=value, weight=weight, margin=None, design_effect=1.0, certainty=certainty
        )
    residuals = [total - value * size for total, size in windows]
    error = max(_batch_error(residuals, weight, group) for group in GROUPINGS)
    design_effect = max((error / floor) ** 2, 1.0) if floor > 0 else 1.0
    # The floor has the t quantile, too: with an exact binomial bound in its place, 10 to 30 % of
    # bursty runs of 5 to 10 windows that are at the limit would pass.
    margin = student_t_quantile(certainty, freedom) * max(error, floor)
    return RatioEstimate(
        value=value,
        weight=weight,
        margin=margin,
        design_effect=design_effect,
        certainty=certainty,
    )


def degrees_of_freedom(windows: int) -> int:
    """Of the t quantile: those of the coarsest grouping that has batches enough to be used.

    Below ten windows no grouping has, and bursts easily fall between: 2 at most, to be careful.
    """
    used = max(
        (group for group in GROUPINGS[1:] if windows // group >= _LEAST_BATCHES), default=None
    )
    return min(windows - 1, 2) if used is None else windows // used - 1


def weight_to_decide(estimate: RatioEstimate, limit: float) -> float | None:
    """About how many values in all would decide, if the value and its spread stayed as they are.

    The margin shrinks with the square root of the number of values. None where the value is the
    limit itself, or where nothing is known of the spread.
    """
    distance = abs(limit - estimate.value)
    if estimate.margin is None or distance == 0:
        return None
    return estimate.weight * (estimate.margin / distance) ** 2


def quantile_ranks(
    q: float, count: int, *, confidence: float, design_effect: float = 1.0
) -> tuple[int | None, int | None]:
    """Ranks (1-based, ascending) between which the q-quantile lies with a confidence.

    An end is None where even the extreme value cannot bound the quantile: p99.9 has no upper
    bound among 100 values.
    """
    effective = count / design_effect
    if effective < 1:
        return None, None
    tail = (1 - confidence) / 2
    low = _greatest(lambda j: binomial_cdf(j - 1, effective, q) <= tail, int(effective))
    high = _greatest(
        lambda j: binomial_cdf(effective - j, effective, q) >= 1 - tail, int(effective)
    )
    return (
        max(math.floor(low * design_effect), 1) if low else None,
        min(count - math.floor(high * design_effect) + 1, count) if high else None,
    )


def _batch_error(residuals: Sequence[float], weight: float, group: int) -> float:
    """The ratio's standard error from batches of `group` windows, 0 when they are too few."""
    batches = len(residuals) // group
    if batches < (_LEAST_BATCHES if group > 1 else 2):
        return 0.0
    sums = [math.fsum(residuals[i * group : (i + 1) * group]) for i in range(batches)]
    # The windows left over by the grouping still count in the weight: scale up to all of them.
    scale = len(residuals) / (batches * group)
    square = math.fsum(value * value for value in sums) * scale
    return math.sqrt(square * batches / (batches - 1)) / weight


def _greatest(holds: Callable[[int], bool], most: int) -> int:
    """The greatest number up to `most` for which a falling predicate holds; 0 always does."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
