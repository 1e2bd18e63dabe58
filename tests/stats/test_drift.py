"""Levels, shares and counts that move over a run, in simulations with fixed seeds.

The full set is benchmarks/statistics/trend.py.
"""

from collections import Counter

import pytest

from tests.stats.simulated_drift import (
    TOLERANCE,
    filling_pools,
    leaked_counts,
    level_movements,
    share_movements,
)
from withstand.stats.drift import Movement, count_growth, level_drift, parts, share_drift


def test_a_level_that_only_swings_is_seldom_said_to_grow() -> None:
    found = Counter(level_movements(0, noise=0.05, phi=0, runs=300, seed=1))

    assert found[Movement.GROWS] <= 3


@pytest.mark.parametrize(("noise", "least"), [(0.02, 98), (0.05, 90)])
def test_a_level_that_grows_by_a_fifth_is_found(noise: float, least: int) -> None:
    found = Counter(level_movements(0.2, noise=noise, phi=0, runs=100, seed=2))

    assert found[Movement.GROWS] >= least


def test_a_level_that_falls_or_stays_is_steady() -> None:
    assert level_drift([-0.1 * i for i in range(24)], tolerance=TOLERANCE).movement is (
        Movement.STEADY
    )
    assert level_drift([3.0] * 24, tolerance=TOLERANCE).movement is Movement.STEADY


@pytest.mark.parametrize("dispersion", [0.0, 0.5])
def test_errors_that_come_in_bursts_are_no_rise(dispersion: float) -> None:
    found = Counter(share_movements(0.01, 0.01, size=2000, dispersion=dispersion, runs=150, seed=3))

    assert found[Movement.GROWS] <= 4


def test_errors_that_begin_during_the_run_are_found() -> None:
    found = Counter(share_movements(0, 0.005, size=2000, dispersion=0, runs=60, seed=4))

    assert found[Movement.GROWS] >= 58


def test_no_errors_are_steady_and_a_rise_too_small_to_matter_is_too() -> None:
    assert share_drift([0] * 24, [500] * 24).movement is Movement.STEADY
    tiny = share_drift([10] * 12 + [12] * 12, [1_000_000] * 24)
    assert (tiny.movement, tiny.change > 0) == (Movement.STEADY, True)


def test_all_requests_failing_at_the_end_is_a_rise() -> None:
    found = share_drift([0] * 16 + [100] * 8, [100] * 24)

    assert (found.movement, found.change) == (Movement.GROWS, 1.0)


def test_windows_without_requests_leave_it_undecided() -> None:
    assert share_drift([0] * 24, [0] * 24).movement is Movement.UNDECIDED
    with pytest.raises(ValueError, match="no thirds"):
        share_drift([0] * 5, [1] * 5)


def test_descriptors_that_leak_are_found_and_steady_ones_left_alone() -> None:
    leaking = Counter(leaked_counts(24, runs=100, seed=5))
    steady = Counter(leaked_counts(0, runs=100, seed=5))

    assert leaking[Movement.GROWS] >= 80
    assert steady[Movement.STEADY] == 100


def test_a_pool_that_fills_up_is_seldom_taken_for_a_leak() -> None:
    assert Counter(filling_pools(runs=200, seed=6))[Movement.GROWS] <= 28


def test_one_jump_is_no_leak_of_descriptors() -> None:
    assert count_growth([20] * 8 + [60] * 16).movement is Movement.UNDECIDED


def test_a_count_that_never_moves_is_steady_and_few_windows_are_refused() -> None:
    assert count_growth([7] * 24).rise == 0
    with pytest.raises(ValueError, match="no thirds"):
        count_growth([7] * 5)


def test_parts_hold_every_value_once() -> None:
    assert [list(part) for part in parts(range(7), 3)] == [[0, 1], [2, 3], [4, 5, 6]]
