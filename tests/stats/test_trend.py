"""Trend of a short series: known values, dependence, and the cases without any spread."""

import math
from random import Random
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.stats.trend import slope_of, trend


def test_the_slope_is_the_median_of_the_pairs_and_outliers_do_not_turn_it() -> None:
    times = range(10)
    values = [2.0 * time for time in times]
    values[3], values[8] = 400.0, -300.0

    assert slope_of(times, values) == 2.0


def test_the_published_example_of_mann_kendall_comes_out() -> None:
    # S = 33 - 12 = 21 of 45 pairs, without ties: variance 10 * 9 * 25 / 18 = 125.
    values = [3, 1, 4, 2, 7, 5, 6, 10, 8, 9]
    rising = sum(b > a for i, a in enumerate(values) for b in values[i + 1 :])
    score = 2 * rising - 45

    found = trend(range(10), values)

    assert found.p_rising == pytest.approx(1 - NormalDist().cdf((score - 1) / math.sqrt(125)))
    assert found.p_falling == 1.0


def test_ties_make_the_variance_smaller() -> None:
    # Groups of 3 and 2: (8 * 7 * 21 - 3 * 2 * 11 - 2 * 1 * 9) / 18 = 60.67; S = 24.
    values = [1, 1, 1, 2, 3, 3, 4, 5]

    found = trend(range(8), values)

    assert found.p_rising == pytest.approx(1 - NormalDist().cdf(23 / math.sqrt(1092 / 18)))


def test_a_constant_series_has_no_slope_and_is_sure_of_it() -> None:
    found = trend(range(24), [5.0] * 24)

    assert (found.slope, found.low, found.high) == (0.0, 0.0, 0.0)
    assert found.p_rising == found.p_falling == 1.0


def test_a_straight_line_is_bounded_by_itself() -> None:
    found = trend([index * 0.1 for index in range(24)], [7 + index * 0.3 for index in range(24)])

    assert found.slope == pytest.approx(3.0)
    assert found.low == pytest.approx(3.0)
    assert found.high == pytest.approx(3.0)


def test_four_points_bound_nothing() -> None:
    found = trend(range(4), [1.0, 3.0, 2.0, 4.0])

    assert found.low is None
    assert found.high is None


@pytest.mark.parametrize("count", [0, 3])
def test_fewer_points_than_four_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="no trend"):
        trend(range(count), [1.0] * count)


def test_a_rise_among_neighbours_that_resemble_each_other_is_less_sure() -> None:
    wave = [0.04 * index + math.sin(index / 24 * 2 * math.pi * 1.5) for index in range(24)]
    rising = sum(b > a for i, a in enumerate(wave) for b in wave[i + 1 :])
    score, variance = 2 * rising - 24 * 23 / 2, 24 * 23 * 53 / 18
    assert score > 0

    independent = 1 - NormalDist().cdf((score - 1) / math.sqrt(variance))

    assert trend(range(24), wave).p_rising > 1.3 * independent


def test_dependence_widens_the_bounds() -> None:
    # A slow wave round no trend: its neighbours resemble each other, so fewer pairs are evidence.
    wave = [math.sin(index / 24 * 2 * math.pi * 1.5) for index in range(24)]
    shuffled = wave.copy()
    Random(3).shuffle(shuffled)

    slow, mixed = trend(range(24), wave), trend(range(24), shuffled)

    assert slow.low is not None
    assert slow.high is not None
    assert mixed.low is not None
    assert mixed.high is not None
    assert slow.high - slow.low > 1.3 * (mixed.high - mixed.low)


def test_the_bounds_hold_the_slope_as_often_as_they_say() -> None:
    random = Random(7)
    missed = 0
    for _ in range(400):
        values = [0.5 * index + random.gauss(0, 4) for index in range(24)]
        found = trend(range(24), values)
        assert found.low is not None
        missed += found.low > 0.5
    assert missed <= 12  # 1 % are 4; Sen's bounds of 24 points are a little short


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=30))
def test_turning_the_values_over_turns_the_trend_over(values: list[int]) -> None:
    times = range(len(values))

    up, down = trend(times, values), trend(times, [-value for value in values])

    assert down.slope == -up.slope
    assert down.p_falling == up.p_rising
