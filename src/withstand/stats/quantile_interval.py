"""Where a quantile, or a share, surely lies, at whatever point its sample ends. Pure.

The limits that neither of the two tests of `withstand.stats.sequential` rejects: an anytime-valid
confidence interval, as a test that holds at every stopping time is inverted (Howard & Ramdas,
Bernoulli 28(3), 2022, arXiv:1906.09712). A verdict and its interval come from the same numbers:
what the tests call met has the limit above the interval, what they call breached below it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from withstand.stats.e_value import ALPHA, BETA, surely_above, surely_below

_HALVINGS: Final = 40  # of the shares from 0 to 1: exact to twelve digits


def quantile_interval(
    values: Sequence[float],
    q: float,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> tuple[float | None, float | None]:
    """The q-quantile of what `values` (sorted, infinite for failures) are a sample of.

    The lower end is above the quantile with probability at most `alpha`, the upper end below it
    with at most `beta`. None is an end that the sample cannot tell. `design_effect` says how many
    dependent values are worth one independent one.
    """
    n, tail = len(values), 1 - q
    if not n:
        return None, None

    def too_many(exceeding: int) -> bool:
        return surely_above(n / design_effect, exceeding / design_effect, tail, alpha=alpha)

    def few_enough(exceeding: int) -> bool:
        return surely_below(n / design_effect, exceeding / design_effect, tail, beta=beta)

    # A limit with k values above it lies from the (n - k)-th value up to the next.
    most = _last(n, lambda k: not too_many(k))
    least = _first(n, lambda k: not few_enough(k))
    low = values[n - most - 1] if most < n else None
    high = values[n - least] if least > 0 else None
    return low, high


def share_interval(
    n: int,
    k: int,
    *,
    design_effect: float = 1.0,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> tuple[float, float]:
    """The share, 0 to 1, of which `k` of `n` are a sample. Ends and errors as above.

    Every bet of the two tests pays the less the nearer the share that it is held against comes to
    what was seen, so the shares that are not rejected have no gap.
    """
    if not n:
        return 0.0, 1.0
    count, exceeding = n / design_effect, k / design_effect
    low = _border(lambda share: not surely_above(count, exceeding, share, alpha=alpha)) if k else 0
    high = _border(lambda share: surely_below(count, exceeding, share, beta=beta)) if k < n else 1
    return float(low), float(high)


def _border(holds: Callable[[float], bool]) -> float:
    """The least share for which it holds, as it does from some point on."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _last(n: int, holds: Callable[[int], bool]) -> int:
    """The last of 0 to n for which it holds, as it does for 0 and up to some point."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def _first(n: int, holds: Callable[[int], bool]) -> int:
    """The first of 0 to n for which it holds, as it does from some point on."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
