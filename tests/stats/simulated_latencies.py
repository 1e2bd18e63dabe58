"""Services whose share of requests slower than 200 ms is known exactly, whatever else they do.

Each model gives an endless stream of latencies in ms, which starts in the model's steady state: a
fresh stream is the service some time later. `share` is the share of requests above `LIMIT_MS` in
the long run; it is exact by construction, from the inverse of the distribution.
"""

from collections.abc import Callable, Iterator
from functools import cache
from math import atan, exp, log, pi, sin, sqrt
from random import Random
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

LIMIT_MS: Final = 200.0
_NORMAL: Final = NormalDist()
_SIGMA: Final = 0.5  # of the logarithm of a latency
_JUST_BELOW_MS: Final = LIMIT_MS * 0.999

Service = Callable[[Random, float], Iterator[float]]
"""A random source and the share of slow requests give the latencies, in order."""


def independent(random: Random, share: float) -> Iterator[float]:
    """Lognormal; with a share of 0, one that never comes near the limit."""
    if share == 0:
        while True:
            yield LIMIT_MS / 2 * random.random()
    middle = _log_median(share)
    while True:
        yield exp(middle + _SIGMA * random.gauss(0, 1))


def bimodal(random: Random, share: float) -> Iterator[float]:
    """A cache that hits in 80 % of cases, behind it a slower store."""
    while True:
        if random.random() < share:
            yield LIMIT_MS * (1 + random.expovariate(1 / 0.3))
        elif random.random() < 0.8:
            yield 20 * exp(0.2 * random.gauss(0, 1))
        else:
            yield min(150 * exp(0.1 * random.gauss(0, 1)), _JUST_BELOW_MS)


def pareto(random: Random, share: float) -> Iterator[float]:
    """Pareto with the exponent 1.5: it has a mean and no variance."""
    least_ms = LIMIT_MS * share ** (1 / 1.5)
    while True:
        yield least_ms * random.paretovariate(1.5)


def log_student(random: Random, share: float) -> Iterator[float]:
    """The logarithm is Student's t with three degrees of freedom: no moment of it exists."""
    middle = log(LIMIT_MS) - 0.3 * _student_3_upper(share)
    while True:
        chi_squared = sum(random.gauss(0, 1) ** 2 for _ in range(3))
        noise = random.gauss(0, 1) / (chi_squared / 3) ** 0.5
        yield exp(middle + 0.3 * min(noise, 2000.0))  # above it exp overflows


def collected(random: Random, share: float) -> Iterator[float]:
    """A garbage collector that stops the world every 1 / share requests, give or take 20 %."""
    due = random.randrange(int(1 / share))
    while True:
        if due > 0:
            due -= 1
            yield min(60 * exp(0.3 * random.gauss(0, 1)), _JUST_BELOW_MS)
        else:
            due = max(1, round(random.gauss(1, 0.2) / share)) - 1
            yield LIMIT_MS + 300 * random.random()


def correlated(phi: float) -> Service:
    """Lognormal, its logarithm AR(1): requests resemble the ones before."""

    def service(random: Random, share: float) -> Iterator[float]:
        middle, rest = _log_median(share), (1 - phi * phi) ** 0.5
        level = random.gauss(0, 1)
        while True:
            yield exp(middle + _SIGMA * level)
            level = phi * level + rest * random.gauss(0, 1)

    return service


def bursts(length: float, *, every: int = 1) -> Service:
    """All slow requests come in runs, of this mean length; between them none is slow.

    With `every`, what is seen of it by one operation of so many that get the requests in turn: slow
    or not is a Markov chain of two states, and so is every n-th step of one.
    """

    def service(random: Random, share: float) -> Iterator[float]:
        forgotten = 1 - (1 - 1 / length / (1 - share)) ** every
        begins, ends = share * forgotten, (1 - share) * forgotten
        slow = random.random() < share
        while True:
            if slow:
                yield LIMIT_MS * (1 + random.expovariate(1 / 0.4))
            else:
                yield min(60 * exp(0.4 * random.gauss(0, 1)), _JUST_BELOW_MS)
            slow = random.random() >= ends if slow else random.random() < begins

    return service


def half_in_bursts(length: float) -> Service:
    """Half of the slow requests are independent ones, half come in bursts."""

    def service(random: Random, share: float) -> Iterator[float]:
        alone = independent(random, share / 2)
        together = bursts(length)(random, share / 2 / (1 - share / 2))
        for slow_ms, usual_ms in zip(together, alone, strict=False):
            yield slow_ms if slow_ms > LIMIT_MS else usual_ms

    return service


def load_cycle(random: Random, share: float) -> Iterator[float]:
    """Lognormal, its median swinging by a quarter up and down over 400 requests."""
    middle, phase = _log_median_of_cycle(share), random.randrange(400)
    swing = [_CYCLE * sin(2 * pi * step / 400) for step in range(400)]
    while True:
        yield exp(middle + swing[phase] + _SIGMA * random.gauss(0, 1))
        phase = (phase + 1) % 400


INDEPENDENT: Final = "independent, lognormal"
DEPENDENT: Final = MappingProxyType[str, Service](
    {
        **{f"AR(1) {phi}": correlated(phi) for phi in (0.5, 0.7, 0.9, 0.95)},
        **{f"bursts of {length}": bursts(length) for length in (3, 5, 10, 20, 30, 60)},
        "half in bursts of 8": half_in_bursts(8),
        "load cycle": load_cycle,
    }
)
SHAPES: Final = MappingProxyType[str, Service](
    {
        "bimodal": bimodal,
        "Pareto 1.5": pareto,
        "log-t3": log_student,
        "collector, near-periodic": collected,
    }
)
IN_TURN: Final = "one of 20 in turn, bursts of 30"
SERVICES: Final = MappingProxyType[str, Service](
    {INDEPENDENT: independent, **DEPENDENT, **SHAPES, IN_TURN: bursts(30, every=20)}
)

_CYCLE: Final = 0.25


def _log_median(share: float) -> float:
    return log(LIMIT_MS) - _SIGMA * _NORMAL.inv_cdf(1 - share)


@cache
def _log_median_of_cycle(share: float) -> float:
    def exceeding(middle: float) -> float:
        gaps = (
            (log(LIMIT_MS) - middle - _CYCLE * sin(2 * pi * step / 400)) / _SIGMA
            for step in range(400)
        )
        return sum(1 - _NORMAL.cdf(gap) for gap in gaps) / 400

    return _bisected(exceeding, share, log(LIMIT_MS) - 5, log(LIMIT_MS))


@cache
def _student_3_upper(share: float) -> float:
    """The value that Student's t with three degrees of freedom exceeds with this probability."""

    def below(value: float) -> float:
        u = value / sqrt(3)
        return 0.5 + (u / (1 + u * u) + atan(u)) / pi

    return _bisected(below, 1 - share, 0.0, 1000.0)


def _bisected(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return (low + high) / 2
