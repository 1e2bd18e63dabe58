"""Warm-up: what is cut of it, what is left alone, and what never ends."""

from collections.abc import Sequence
from statistics import fmean, median

import pytest

from tests.stats.simulated_durations import COUNT, dependent, simulated, steady_quantile
from withstand.stats.warm_up import least_dropped, steadiness, warm_up


def _at(q: float, values: Sequence[float]) -> float:
    return sorted(values)[int(q * len(values))]


# The acceptance figures are over 400 runs; the full set is benchmarks/statistics/warm_up.py.
def test_of_a_steady_series_little_is_cut_and_it_is_seldom_called_unsteady() -> None:
    found = [each.found for each in simulated("steady", runs=150, seed=11)]

    assert _at(0.9, [each.dropped for each in found]) <= 0.05 * COUNT
    assert sum(not each.steady for each in found) <= 3


def test_neighbours_that_resemble_each_other_are_no_trend() -> None:
    found = [each.found for each in dependent(runs=150, seed=12)]

    assert sum(not each.steady for each in found) <= 6


@pytest.mark.parametrize(
    ("shape", "length"), [("step x2 until 200", 200), ("two steps until 300", 300)]
)
def test_steps_are_cut_where_they_end_and_leave_the_quantiles_unbiased(
    shape: str, length: int
) -> None:
    runs = list(simulated(shape, runs=60, seed=13))

    assert median(run.found.dropped for run in runs) == pytest.approx(length, rel=0.1)
    for q in (0.5, 0.95):
        kept = fmean(_at(q, run.durations[run.found.dropped :]) for run in runs)
        assert kept == pytest.approx(steady_quantile(q, seed=1), rel=0.02)


def test_a_series_that_drifts_all_along_is_not_steady() -> None:
    found = [each.found for each in simulated("never steady, x3 to x1", runs=60, seed=14)]

    assert sum(not each.steady for each in found) >= 0.95 * 60
    assert all(each.change is not None and each.change < -0.1 for each in found)


def test_the_first_requests_are_dropped_whatever_they_look_like() -> None:
    series = [20.0, 21.0] * 500

    assert warm_up(series).dropped == 10
    assert warm_up(series, connections=64).dropped == 64
    assert least_dropped(3) == 10


def test_at_most_half_of_a_short_series_is_dropped() -> None:
    assert warm_up([5.0] * 8, connections=100).dropped == 4
    assert warm_up([]).dropped == 0


def test_a_series_too_short_to_tell_counts_as_steady() -> None:
    found = warm_up([100.0, 1.0, 1.0, 1.0])

    assert found.steady
    assert found.change is None


def test_a_constant_series_and_one_of_zeros_are_steady() -> None:
    for value in (0.0, 3.0):
        found = warm_up([value] * COUNT)
        assert (found.dropped, found.steady, found.change) == (10, True, 0.0)


def test_a_small_trend_is_steady_however_sure_it_is() -> None:
    assert steadiness([i * 0.008 for i in range(12)]).steady  # 9 % in all
    assert not steadiness([i * 0.010 for i in range(12)]).steady  # 12 %


def test_negative_durations_are_refused() -> None:
    with pytest.raises(ValueError, match="never negative"):
        warm_up([1.0, -1.0])
