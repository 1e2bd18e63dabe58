"""Where a quantile surely lies, at whatever point its sample ends. Pure.

The limits that neither of the two tests of `withstand.stats.sequential` rejects: an anytime-valid
confidence interval, as a test that holds at every stopping time is inverted (Howard & Ramdas,
Bernoulli 28(3), 2022, arXiv:1906.09712). A verdict and its interval come from the same numbers:
what the tests call met has the limit above the interval, what they call breached below it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from withstand.stats.sequential import ALPHA, BETA, surely_above, surely_below

_HALVINGS: Final = 24  # of the range of shares: far below what any sample can tell apart


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
    n: int, k: int, *, design_effect: float = 1.0, alpha: float = ALPHA, beta: float = BETA
) -> tuple[float, float]:
    """The share of which `k` of `n` values are a sample, with the errors of `quantile_interval`.

    For each alternative of the mixture with odds m times those of p0, the e-value is
    m^k (1 + (m - 1) p0)^-n: it falls in p0 where m > 1 and rises where m < 1, so each test rejects
    everything beyond one point, which halving finds.
    """
    if not n:
        return 0.0, 1.0
    count, exceeding = n / design_effect, k / design_effect
    low = _turning(lambda share: surely_above(count, exceeding, share, alpha=alpha))
    high = 1 - _turning(lambda rest: surely_below(count, exceeding, 1 - rest, beta=beta))
    return (low if k else 0.0), (high if k < n else 1.0)


def _turning(holds: Callable[[float], bool]) -> float:
    """Up to where it holds, of what holds from 0 up to some point below 1; 0 where it never does.

    From below, so that an interval is rather too wide than too narrow.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


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
