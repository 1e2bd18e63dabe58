"""The interval beside a sequential verdict holds the quantile, and agrees with the verdict."""

import random

import pytest

from withstand.stats.quantile_interval import quantile_interval, share_interval
from withstand.stats.sequential import Decision, QuantileSample


def test_nothing_is_known_without_values_and_one_end_with_a_few() -> None:
    assert quantile_interval([], 0.95) == (None, None)
    low, high = quantile_interval(sorted(float(n) for n in range(40)), 0.95)
    assert (low, high) == (32.0, None)


@pytest.mark.parametrize(("q", "size"), [(0.5, 60), (0.95, 300), (0.99, 1_000)])
def test_it_holds_the_quantile_as_often_as_it_promises(q: float, size: int) -> None:
    """Values are uniform, so the q-quantile is q. Each end may fail in 1.6 % and 4 % of cases."""
    rng = random.Random(5)
    too_high = too_low = 0
    for _ in range(500):
        low, high = quantile_interval(sorted(rng.random() for _ in range(size)), q)
        too_high += low is not None and low > q
        too_low += high is not None and high < q
    assert too_high <= 500 * 0.016
    assert too_low <= 500 * 0.04


def test_dependent_values_make_it_wider() -> None:
    values = sorted(float(n) for n in range(1_000))
    narrow, wide = quantile_interval(values, 0.95), quantile_interval(values, 0.95, design_effect=3)
    assert wide[0] is not None
    assert narrow[0] is not None
    assert wide[0] < narrow[0]
    assert wide[1] is not None
    assert narrow[1] is not None
    assert wide[1] > narrow[1]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.2])
def test_it_lies_on_the_side_of_the_limit_that_the_verdict_names(share: float) -> None:
    rng = random.Random(3)
    for _ in range(30):
        sample = QuantileSample(limit=0.5, q=0.95, most=2_000)
        decision = None
        while decision is None:
            slow = rng.random() < share
            decision = sample.add(0.5 + rng.random() / 2 if slow else rng.random() / 2)
        low, high = quantile_interval(sample.values, 0.95, design_effect=sample.design_effect)
        if decision is Decision.MET and sample.count < sample.most:
            assert high is not None
            assert high <= 0.5
        if decision is Decision.BREACHED and sample.count < sample.most:
            assert low is not None
            assert low > 0.5


@pytest.mark.parametrize(("share", "size"), [(0.01, 300), (0.25, 100), (0.9, 60)])
def test_a_share_is_held_as_often_as_it_promises(share: float, size: int) -> None:
    rng = random.Random(11)
    too_high = too_low = 0
    for _ in range(400):
        low, high = share_interval(size, sum(rng.random() < share for _ in range(size)))
        too_high += low > share
        too_low += high < share
    assert too_high <= 400 * 0.016
    assert too_low <= 400 * 0.04


def test_a_share_has_its_ends_where_the_tests_turn() -> None:
    assert share_interval(0, 0) == (0, 1)
    low, high = share_interval(84, 0)
    assert (low, high > 0.05) == (0, True)  # 85 are the fewest that meet 5 %
    assert share_interval(85, 0)[1] <= 0.05
    assert share_interval(40, 40)[1] == 1
    low, high = share_interval(1_000, 100)
    wide_low, wide_high = share_interval(1_000, 100, design_effect=3)
    assert wide_low < low < 0.1 < high < wide_high


def test_how_many_values_would_decide() -> None:
    sample = QuantileSample(limit=0.5, q=0.95, most=100_000)
    for number in range(100):
        sample.add(1.0 if number % 12 == 0 else 0.0)  # 9 %, where 5 % may
    needed = sample.size_to_decide()
    assert needed is not None
    assert 200 < needed < 1_000
    close = QuantileSample(limit=0.5, q=0.95, most=100_000)
    for number in range(1_000):
        close.add(1.0 if number % 20 == 0 else 0.0)  # 5 %
    assert close.size_to_decide() is None
