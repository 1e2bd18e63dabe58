"""Quantiles and tails of the beta, binomial and Student t distributions. Pure.

The regularised incomplete beta function is evaluated by its continued fraction (DLMF 8.17(v),
https://dlmf.nist.gov/8.17) with the modified Lentz method (Numerical Recipes, 3rd ed., 6.4);
binomial and Student t follow from it. No table and no SciPy: the values agree with published
tables to their last digit.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

_TINY: Final = 1e-300
_CLOSE: Final = 1e-15
_MAX_STEPS: Final = 100_000


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), the distribution function of a Beta(a, b) variable at x.

    Raises ValueError unless a and b are above zero and x lies between 0 and 1.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"I_x(a, b) is not defined for a={a}, b={b}, x={x}")
    if x in (0.0, 1.0):
        return x
    # The fraction converges fast below the mean; above it, the symmetric one does.
    if x > (a + 1) / (a + b + 2):
        return 1 - _below_mean(b, a, 1 - x)
    return _below_mean(a, b, x)


def binomial_cdf(k: float, n: float, p: float) -> float:
    """P(X <= k) for X the number of successes among n trials of probability p.

    n and k may be fractions, as effective sample sizes are: the beta function fills the gaps.
    """
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    return incomplete_beta(n - k, k + 1, 1 - p)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x at which I_x(a, b) reaches a probability."""
    return _bisected(lambda x: incomplete_beta(a, b, x), probability, 0.0, 1.0)


def student_t_cdf(t: float, df: float) -> float:
    """P(T <= t) for Student's t with df degrees of freedom."""
    tail = incomplete_beta(df / 2, 0.5, df / (df + t * t)) / 2
    return tail if t < 0 else 1 - tail


@lru_cache(maxsize=4_096)  # a bisection, asked for the same few values again and again
def student_t_quantile(probability: float, df: float) -> float:
    """The value that Student's t stays below with a probability above 0 and below 1.

    Raises ValueError for other probabilities and for df <= 0.
    """
    if not (0 < probability < 1 and df > 0):
        raise ValueError(f"no t quantile at {probability} with {df} degrees of freedom")
    if probability == 0.5:
        return 0.0
    # From the smaller tail, whose digits are not lost beside 1.
    tail = 2 * min(probability, 1 - probability)
    x = beta_quantile(tail, df / 2, 0.5)
    if x == 0.0:
        raise ValueError(f"the t quantile at {probability} with {df} degrees of freedom overflows")
    size = math.sqrt(df * (1 - x) / x)
    return size if probability > 0.5 else -size


def _below_mean(a: float, b: float, x: float) -> float:
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return math.exp(log_front) / (a * _continued_fraction(a, b, x))


def _continued_fraction(a: float, b: float, x: float) -> float:
    c = 1.0
    d = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MAX_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + even * d)
        c = _away_from_zero(1 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + odd * d)
        c = _away_from_zero(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) < _CLOSE:
            return 1 / value
    raise ArithmeticError(f"the incomplete beta function does not converge at {a}, {b}, {x}")


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _bisected(function: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function reaches a value, to the last digits of a float."""
    for _ in range(1100):  # enough halvings to reach the smallest float from 1
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if function(middle) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2
