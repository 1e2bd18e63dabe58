"""Whether a level is higher than those before it: one new run against the twenty before. Pure.

The unit is the run, as repetition is needed at the level that varies most (Kalibera and Jones, ISMM
2013, doi 10.1145/2464157.2464160). Requests of one run share its machine, its memory layout and its
neighbours: where runs vary by 3 to 10 %, tests on requests alarm in 12 to 39 % of simulated
comparisons between equal versions, however many requests there are.

A new run is predicted from the median of the logarithms of the runs before and their median
absolute deviation, which a few odd runs among them do not move. Even so, runs that are not quite
normal and not quite independent exceed a bound of 0.5 % in 1.5 to 2 % of commits, which a team
soon learns to ignore. Nothing is called slower for good, therefore, before a second run has said
the same against the same twenty. `python -m benchmarks.statistics.history` shows the error rates.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from withstand.stats.distributions import student_t_quantile

RUNS: Final = 20
"""How many runs make a history. Only the latest count, so that a level that was accepted becomes
the usual one after about ten runs."""

LEAST_CHANGE: Final = 0.05
"""A smaller change is nobody's concern, however sure it is."""

_BOUND: Final = student_t_quantile(0.995, RUNS - 1)
# MAD x 1.4826 estimates the standard deviation of normal values: 1 / Phi^-1(3/4).
_MAD_TO_SD: Final = 1.4826
# The median of n values has the variance 1 / (4 n f²) with f the density at it (Laplace); of normal
# ones f² is 1 / (2 pi), so that it is pi / (2 n) times theirs. To it comes the new value's own.
_SPREAD: Final = math.sqrt(1 + math.pi / (2 * RUNS))
# Histograms round to 0.4 %: runs that are all alike do not make a hair's breadth significant.
_LEAST_SD: Final = 0.005
# Both runs have to exceed the bound, which takes Phi^-1(sqrt(0.8)) = 1.25 deviations for a power of
# 80 %; that the deviation is an estimate from twenty runs takes the rest, by simulation. In all it
# comes to about 4.3 standard deviations of the runs: 2.86 x 1.04 for the bound, and this.
_POWER: Final = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A level against those before it. `change` is a share of their median: 0.2 for a fifth more.

    `higher` is None where there are fewer than RUNS. `detectable` is the smallest change that two
    runs in a row are seen to have with 80 % power, None likewise.
    """

    change: float
    higher: bool | None = None
    detectable: float | None = None


def compare(before: Sequence[float], level: float) -> Comparison:
    """One run's level against the latest RUNS of those before it, the oldest first.

    Levels are above zero. Raises ValueError for others, and without any before.
    """
    if not before or min(*before, level) <= 0:
        raise ValueError(f"no comparison of {level} with {len(before)} levels, all above zero")
    logs = [math.log(each) for each in before[-RUNS:]]
    usual = median(logs)
    change = math.log(level) - usual
    if len(logs) < RUNS:
        return Comparison(change=math.expm1(change))
    sd = max(_MAD_TO_SD * median(abs(each - usual) for each in logs), _LEAST_SD)
    bound = max(_BOUND * sd * _SPREAD, math.log1p(LEAST_CHANGE))
    return Comparison(
        change=math.expm1(change),
        higher=change > bound,
        detectable=math.expm1(bound + _POWER * sd),
    )


def confirmed(before: Sequence[float], level: float, again: float) -> bool:
    """Whether two runs in a row are both higher than those before the two of them."""
    return all(bool(compare(before, each).higher) for each in (level, again))
