"""Durations in milliseconds of servers that warm up, or do not: lognormal with outliers."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from random import Random
from types import MappingProxyType
from typing import Final

from withstand.stats.warm_up import WarmUp, warm_up

COUNT: Final = 1000
_MEDIAN_MS: Final = 20.0
_SIGMA: Final = 0.35

Factor = Callable[[int], float]
"""How many times slower than usual the request of an index is."""

SHAPES: Final[Mapping[str, tuple[int, Factor]]] = MappingProxyType(
    {
        "steady": (0, lambda _: 1.0),
        "first request x20": (1, lambda i: 20.0 if i == 0 else 1.0),
        "first 10 x5": (10, lambda i: 5.0 if i < 10 else 1.0),
        "decay x3, 50 requests": (150, lambda i: 1 + 2 * exp(-i / 50)),
        "step x2 until 200": (200, lambda i: 2.0 if i < 200 else 1.0),
        "two steps until 300": (300, lambda i: 3.0 if i < 100 else 1.5 if i < 300 else 1.0),
        "slower x1.5 from 700": (0, lambda i: 1.5 if i >= 700 else 1.0),
        "never steady, x3 to x1": (COUNT, lambda i: 3 - 2 * i / (COUNT - 1)),
    }
)
"""The length of the true warm-up, and the shape, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One series and what is said of it."""

    durations: tuple[float, ...]
    found: WarmUp


def simulated(shape: str, *, runs: int, seed: int) -> Iterator[Simulated]:
    """Series of independent durations of a shape, judged."""
    random = Random(seed)
    _, factor = SHAPES[shape]
    for _ in range(runs):
        series = tuple(_duration(random) * factor(index) for index in range(COUNT))
        yield Simulated(durations=series, found=warm_up(series))


def dependent(*, runs: int, seed: int, phi: float = 0.8) -> Iterator[Simulated]:
    """Steady series whose neighbours resemble each other: AR(1)."""
    random = Random(seed)
    for _ in range(runs):
        level, series = random.gauss(0, 1), []
        for _ in range(COUNT):
            series.append(_MEDIAN_MS * exp(_SIGMA * level))
            level = phi * level + (1 - phi**2) ** 0.5 * random.gauss(0, 1)
        yield Simulated(durations=tuple(series), found=warm_up(series))


def steady_quantile(q: float, *, seed: int) -> float:
    """The true quantile of the steady shape, from enough values to know it."""
    random = Random(seed)
    return sorted(_duration(random) for _ in range(200_000))[int(q * 200_000)]


def _duration(random: Random) -> float:
    value = exp(log(_MEDIAN_MS) + _SIGMA * random.gauss(0, 1))
    return value * 8 if random.random() < 0.01 else value
