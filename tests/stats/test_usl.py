"""The universal scalability law, and when it is honest: coverage and restraint in simulation."""

import math
import random
from collections.abc import Callable, Sequence
from functools import cache

import pytest

from withstand.stats.usl import Scalability, Throughput, scalability

SIGMA, KAPPA, ONE = 0.05, 0.001, 50.0
PEAK = math.sqrt((1 - SIGMA) / KAPPA)  # 30.8
DOUBLING = (1, 2, 4, 8, 16, 32, 64)


def law(users: int) -> float:
    return ONE * users / (1 + SIGMA * (users - 1) + KAPPA * users * (users - 1))


@cache
def plain_queue(
    users: int, *, workers: int = 8, service_s: float = 0.02, think_s: float = 0.1
) -> float:
    """Throughput of a closed M/M/c queue with think times, which has no peak (birth and death)."""
    weights = [1.0]
    for busy in range(1, users + 1):
        arrivals = (users - busy + 1) / think_s
        weights.append(weights[-1] * arrivals / (min(busy, workers) / service_s))
    total = math.fsum(weights)
    return math.fsum(
        weight / total * min(busy, workers) / service_s for busy, weight in enumerate(weights)
    )


def swept(
    draw: random.Random,
    model: Callable[[int], float],
    levels: Sequence[int],
    *,
    noise: float,
    times: int = 3,
) -> Scalability:
    """The law of a sweep whose points, the means of so many runs, have this noise."""
    points = [
        Throughput(
            users=users,
            per_s=tuple(
                model(users) * math.exp(noise * math.sqrt(times) * draw.gauss(0, 1))
                for _ in range(times)
            ),
        )
        for users in levels
    ]
    fitted = scalability(points)
    assert fitted is not None
    return fitted


def test_without_noise_the_law_comes_back_exactly() -> None:
    fitted = swept(random.Random(1), law, DOUBLING, noise=0.0)
    assert fitted.one_per_s == pytest.approx(ONE)
    assert fitted.sigma.value == pytest.approx(SIGMA)
    assert fitted.kappa.value == pytest.approx(KAPPA)
    assert fitted.peak_users == pytest.approx(PEAK)
    assert fitted.throughput_per_s(16) == pytest.approx(law(16))


def test_the_intervals_cover_and_the_peak_is_near() -> None:
    draw = random.Random(2)
    fits = [swept(draw, law, DOUBLING, noise=0.02) for _ in range(200)]
    for name, truth in (("sigma", SIGMA), ("kappa", KAPPA)):
        estimates = [getattr(each, name) for each in fits]
        covered = sum(each.low <= truth <= each.high for each in estimates) / len(fits)
        assert 0.90 <= covered <= 0.99
    peaks = sorted(math.sqrt((1 - each.sigma.value) / each.kappa.value) for each in fits)
    assert PEAK * 0.85 <= peaks[20] <= peaks[180] <= PEAK * 1.15
    assert sum(each.peak_users is not None for each in fits) / len(fits) >= 0.9


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        (law, DOUBLING[:5]),
        (law, DOUBLING[:6]),
        (plain_queue, DOUBLING[:6]),
        (plain_queue, DOUBLING),
        (plain_queue, (*DOUBLING, 128)),
    ],
    ids=["half the peak", "the peak", "queue to 32", "queue to 64", "queue to 128"],
)
def test_no_peak_is_told_where_throughput_was_not_seen_to_fall(
    model: Callable[[int], float], levels: Sequence[int]
) -> None:
    draw = random.Random(3)
    fits = [swept(draw, model, levels, noise=0.02) for _ in range(100)]
    assert sum(each.peak_users is None for each in fits) / len(fits) >= 0.97
    told = [each.withheld for each in fits if each.withheld is not None]
    assert any(f"up to {levels[-1]} users" in each for each in told)


def test_without_repetitions_a_fall_is_not_told_from_noise() -> None:
    fitted = swept(random.Random(4), law, DOUBLING, noise=0.0, times=1)
    assert fitted.peak_users is None
    assert fitted.noise is None


def test_fewer_than_four_points_have_no_law() -> None:
    points = [Throughput(users=users, per_s=(law(users),)) for users in (1, 2, 4)]
    assert scalability(points) is None
    assert scalability([*points, Throughput(users=8, per_s=(0.0,))]) is None


def test_perfect_scaling_has_neither_contention_nor_a_peak() -> None:
    fitted = swept(random.Random(5), lambda users: ONE * users, DOUBLING, noise=0.0)
    assert fitted.sigma.value == pytest.approx(0.0, abs=1e-9)
    assert fitted.peak_users is None
