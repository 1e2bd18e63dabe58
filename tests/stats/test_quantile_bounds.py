"""Shares, means and quantiles whose values resemble their neighbours: coverage in simulation."""

import math
import random
from collections.abc import Callable

import pytest

from withstand.stats.quantile_bounds import (
    degrees_of_freedom,
    estimate_ratio,
    estimate_share,
    quantile_ranks,
    weight_to_decide,
)

Windows = list[int]


def independent(draw: random.Random, share: float) -> Windows:
    return [sum(draw.random() < share for _ in range(100)) for _ in range(30)]


def bursts(draw: random.Random, share: float) -> Windows:
    """Exceedances come in bursts of a window's worth: 1 in 10 windows has ten times the share."""
    return [
        sum(draw.random() < (share * 10 if burst else 0) for _ in range(100))
        for burst in (draw.random() < 0.1 for _ in range(60))
    ]


def decided(exceeding: Windows, allowed: float) -> str:
    estimate = estimate_share(exceeding, [100] * len(exceeding), allowed=allowed)
    if estimate.surely_below(allowed):
        return "below"
    return "above" if estimate.surely_above(allowed) else "unsure"


@pytest.mark.parametrize(
    ("world", "most_wrong"), [(independent, 0.03), (bursts, 0.06)], ids=["independent", "bursts"]
)
def test_a_share_at_the_limit_itself_is_rarely_called_either_way(
    world: Callable[[random.Random, float], Windows], most_wrong: float
) -> None:
    draw = random.Random(1)
    calls = [decided(world(draw, 0.05), 0.05) for _ in range(400)]
    assert calls.count("below") / 400 <= most_wrong
    assert calls.count("above") / 400 <= most_wrong


def test_a_share_well_off_the_limit_is_called_rightly() -> None:
    draw = random.Random(2)
    assert all(decided(independent(draw, 0.02), 0.05) == "below" for _ in range(50))
    assert all(decided(independent(draw, 0.10), 0.05) == "above" for _ in range(50))


def test_bursts_widen_the_margin_and_show_in_the_design_effect() -> None:
    even = estimate_share([5] * 20, [100] * 20, allowed=0.05)
    lumped = estimate_share([50, 0, 0, 0, 0, 0, 0, 0, 0, 0] * 2, [100] * 20, allowed=0.05)
    assert even.design_effect == 1
    assert lumped.design_effect > 10
    assert even.margin is not None
    assert lumped.margin is not None
    assert lumped.margin > 3 * even.margin


def test_slow_waves_are_seen_by_joining_windows() -> None:
    wave = [9, 9, 9, 9, 1, 1, 1, 1] * 4
    alternating = [9, 1] * 16
    slow = estimate_share(wave, [100] * 32, allowed=0.05)
    fast = estimate_share(alternating, [100] * 32, allowed=0.05)
    assert slow.margin is not None
    assert fast.margin is not None
    assert slow.margin > 1.5 * fast.margin


def test_without_exceedances_the_margin_is_that_of_independent_values_at_the_limit() -> None:
    estimate = estimate_share([0] * 10, [100] * 10, allowed=0.05)
    # t(.98) with 4 degrees of freedom is 2.9985.
    assert estimate.margin == pytest.approx(2.9985 * math.sqrt(0.05 * 0.95 / 1000), rel=1e-4)


def test_one_window_says_nothing_of_the_margin() -> None:
    estimate = estimate_share([3], [100], allowed=0.05)
    assert (estimate.value, estimate.margin) == (0.03, None)
    assert not estimate.surely_below(0.99)
    assert weight_to_decide(estimate, 0.05) is None


def test_however_values_depend_a_share_fifty_times_the_limit_is_above_it() -> None:
    assert estimate_share([51], [100], allowed=0.01).surely_above(0.01)
    assert not estimate_share([50], [100], allowed=0.01).surely_above(0.0101)


def test_windows_without_values_count_for_nothing() -> None:
    sparse = estimate_share([1, 0, 2, 0], [10, 0, 10, 0], allowed=0.05)
    assert sparse == estimate_share([1, 2], [10, 10], allowed=0.05)
    nothing = estimate_share([0], [0], allowed=0.05)
    assert (nothing.weight, nothing.margin) == (0, None)


def test_a_mean_is_a_ratio_of_sums() -> None:
    estimate = estimate_ratio([100.0, 300.0, 200.0], [10, 10, 20], floor=0.0)
    assert estimate.value == 15
    assert estimate.margin is not None
    assert estimate.margin > 0


def test_the_number_that_decides_is_where_the_margin_meets_the_distance() -> None:
    estimate = estimate_share([0] * 10, [10] * 10, allowed=0.05)
    assert not estimate.surely_below(0.05)
    needed = weight_to_decide(estimate, 0.05)
    assert needed is not None
    size = math.ceil(needed / 10) + 1
    assert estimate_share([0] * 10, [size] * 10, allowed=0.05).surely_below(0.05)


def test_degrees_of_freedom_follow_the_coarsest_grouping_in_use() -> None:
    assert [degrees_of_freedom(m) for m in (1, 2, 3, 9, 10, 16, 20, 60)] == [
        0,
        1,
        2,
        2,
        4,
        7,
        4,
        14,
    ]


# Of 15 values, P(at most 3 below the median) = 576 / 2^15 = 1.8 %, at most 4: 1,941 / 2^15 = 5.9 %.
def test_the_ranks_around_a_median_are_those_of_the_binomial_table() -> None:
    assert quantile_ranks(0.5, 15, confidence=0.95) == (4, 12)


def test_ranks_cover_the_quantile_as_often_as_they_say() -> None:
    draw = random.Random(3)
    covered = 0
    for _ in range(500):
        ordered = sorted(draw.expovariate(1) for _ in range(400))
        low, high = quantile_ranks(0.95, 400, confidence=0.95)
        assert low is not None
        assert high is not None
        covered += ordered[low - 1] <= -math.log(0.05) <= ordered[high - 1]
    assert covered / 500 >= 0.93


def test_a_far_quantile_of_few_values_has_no_upper_bound() -> None:
    low, high = quantile_ranks(0.999, 100, confidence=0.95)
    assert low is not None
    assert high is None
    assert quantile_ranks(0.5, 3, confidence=0.95) == (None, None)


def test_a_design_effect_spreads_the_ranks() -> None:
    plain_low, plain_high = quantile_ranks(0.9, 1000, confidence=0.95)
    low, high = quantile_ranks(0.9, 1000, confidence=0.95, design_effect=4)
    assert plain_low is not None
    assert plain_high is not None
    assert low is not None
    assert high is not None
    assert high - low > 1.7 * (plain_high - plain_low)
