"""Windows of a long run whose latency, errors or descriptors move, or do not."""

from collections.abc import Iterator
from itertools import accumulate
from math import exp, log1p
from random import Random

from withstand.stats.drift import WINDOWS, Movement, count_growth, level_drift, share_drift

TOLERANCE = log1p(0.10)


def level_movements(
    drift: float, *, noise: float, phi: float, runs: int, seed: int
) -> Iterator[Movement]:
    """Of the logarithm of a quantile that drifts by a share, its windows being AR(1)."""
    random = Random(seed)
    for _ in range(runs):
        deviation, levels = random.gauss(0, noise), []
        for index in range(WINDOWS):
            levels.append(deviation + log1p(drift) * index / (WINDOWS - 1))
            deviation = phi * deviation + random.gauss(0, noise * (1 - phi**2) ** 0.5)
        yield level_drift(levels, tolerance=TOLERANCE).movement


def share_movements(
    before: float, after: float, *, size: int, dispersion: float, runs: int, seed: int
) -> Iterator[Movement]:
    """Of a share of errors; `dispersion` is the variance of its gamma factor per window."""
    random = Random(seed)
    for _ in range(runs):
        events = []
        for index in range(WINDOWS):
            share = before + (after - before) * index / (WINDOWS - 1)
            if dispersion:
                share *= random.gammavariate(1 / dispersion, dispersion)
            events.append(_binomial(size, min(share, 1.0), random))
        yield share_drift(events, [size] * WINDOWS).movement


def leaked_counts(leaked: float, *, runs: int, seed: int) -> Iterator[Movement]:
    """Of a pool of 20 descriptors with some more in use, which loses some for good."""
    random = Random(seed)
    for _ in range(runs):
        lost = accumulate(_poisson(leaked / WINDOWS, random) for _ in range(WINDOWS))
        minima = [20 + gone + min(_poisson(5, random) for _ in range(20)) for gone in lost]
        yield count_growth(minima).movement


def filling_pools(*, runs: int, seed: int) -> Iterator[Movement]:
    """Of a pool that keeps what it needed at most so far: a process of records, no leak."""
    random = Random(seed)
    for _ in range(runs):
        yield count_growth(
            list(accumulate((40 + _poisson(8, random) for _ in range(WINDOWS)), max))
        ).movement


def _poisson(mean: float, random: Random) -> int:
    """By multiplication of uniform numbers (Knuth, The Art of Computer Programming 2, 3.4.1)."""
    limit, product, count = exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def _binomial(size: int, share: float, random: Random) -> int:
    """Of the small shares that errors are: by their Poisson limit."""
    return min(_poisson(size * share, random), size)
