"""Whether a share of exceedances lies surely above or below a tail: mixture e-processes. Pure.

Two of them test p <= p0 and p >= p0. By Ville's inequality (1939) one of them ever reaches 1/alpha
with probability at most alpha, so they may be looked at after every value (Howard, Ramdas,
McAuliffe & Sekhon 2021; the mixture is a betting martingale in the sense of Waudby-Smith & Ramdas
2024).
"""

from functools import lru_cache
from math import exp, inf, log
from typing import Final

ALPHA: Final = 0.02  # a breach where there is none, in one sample
BETA: Final = 0.05  # no breach where there is one
ANYTIME: Final = 0.8  # share of both that the e-processes spend; the look at the end has the rest
# (odds of the alternative over the odds of p0, weight)
ABOVE: Final = ((1.4, 2), (2.0, 4), (4.0, 2), (16.0, 1))
BELOW: Final = ((0.0, 2), (0.2, 2), (0.5, 4), (0.75, 2))

Mixture = tuple[tuple[float, float, float], ...]


def surely_above(n: float, k: float, tail: float, *, alpha: float = ALPHA) -> bool:
    """Whether `k` exceedances of `n` show that more than the share `tail` of all values exceed."""
    return log_e_value(mixture_of(ABOVE, tail), n, k) >= log(1 / (ANYTIME * alpha))


def surely_below(n: float, k: float, tail: float, *, beta: float = BETA) -> bool:
    """Whether `k` exceedances of `n` show that less than the share `tail` of all values exceed."""
    return log_e_value(mixture_of(BELOW, tail), n, k) >= log(1 / (ANYTIME * beta))


def fewest_to_meet(q: float, *, exceeding: int = 0, beta: float = BETA) -> int:
    """The size of the smallest sample that meets a limit with so many exceedances in it."""
    # Every bet of the mixture grows with each value that does not exceed: there is one border.
    too_few, enough = exceeding, exceeding + 1
    while not surely_below(enough, exceeding, 1 - q, beta=beta):
        too_few, enough = enough, 2 * enough
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if surely_below(middle, exceeding, 1 - q, beta=beta):
            enough = middle
        else:
            too_few = middle
    return enough


@lru_cache(maxsize=256)
def mixture_of(alternatives: tuple[tuple[float, int], ...], p0: float) -> Mixture:
    """For each alternative the log of its weight, and of its bet on an exceedance and on none."""
    total = sum(weight for _, weight in alternatives)
    bets = []
    for odds_ratio, weight in alternatives:
        odds = odds_ratio * p0 / (1 - p0)
        p = odds / (1 + odds)
        bets.append((log(weight / total), log(p / p0) if p > 0 else -inf, log((1 - p) / (1 - p0))))
    return tuple(bets)


def log_e_value(mixture: Mixture, n: float, k: float) -> float:
    """The log of the e-value after `n` values of which `k` exceed."""
    terms = [
        weight + (k * exceeding if k else 0.0) + (n - k) * below
        for weight, exceeding, below in mixture
    ]
    greatest = max(terms)
    if greatest == -inf:
        return greatest
    return greatest + log(sum(exp(term - greatest) for term in terms))
