"""When a version is said to be slower, in simulations with fixed seeds.

The full set is benchmarks/statistics/regression.py.
"""

import math
from collections import Counter
from random import Random

import pytest

from tests.stats.simulated_restarts import Design, comparisons
from withstand.stats.histogram import Histogram
from withstand.stats.regression import (
    ALPHA,
    MARGIN,
    RUN_SD,
    Change,
    alpha_of,
    judgeable,
    log_ratio,
    more_errors,
    quantile,
    slowdown,
    stored_change,
)


def states(effect: float, q: float, runs: int, seed: int, design: Design) -> Counter[Change]:
    return Counter(each.state for each in comparisons(effect, q, design, runs=runs, seed=seed))


def test_an_unchanged_version_is_not_called_slower() -> None:
    found = states(0.0, 0.5, 120, 1, Design())
    assert found[Change.WORSE] == 0
    assert found[Change.NO_WORSE] >= 60  # the others are undecided


def test_a_version_slower_by_a_tenth_is_found_by_its_median() -> None:
    assert states(0.10, 0.5, 60, 2, Design())[Change.WORSE] >= 53


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_a_version_slower_by_a_fifth_is_found(q: float) -> None:
    assert states(0.20, q, 40, 3, Design())[Change.WORSE] >= 39


def normal_units(mean: float, sd: float, count: int, random: Random) -> list[float]:
    return [random.gauss(mean, sd) for _ in range(count)]


def test_a_change_of_just_the_margin_is_called_slower_once_in_a_hundred_times() -> None:
    random = Random(4)
    alarms = sum(
        slowdown(normal_units(math.log1p(MARGIN), 0.03, 10, random), margin=MARGIN).state
        is Change.WORSE
        for _ in range(5_000)
    )
    assert 0.006 * 5_000 <= alarms <= 0.0145 * 5_000


def test_forty_operations_together_give_no_more_false_alarms_than_one() -> None:
    """At the margin itself, where alarms are likeliest; without the correction a third would."""
    random, limit = Random(5), math.log1p(MARGIN)

    def alarm(alpha: float) -> bool:
        return any(
            slowdown(normal_units(limit, 0.03, 10, random), margin=MARGIN, alpha=alpha).state
            is Change.WORSE
            for _ in range(40)
        )

    assert sum(alarm(alpha_of(40)) for _ in range(200)) <= 7
    assert sum(alarm(ALPHA) for _ in range(40)) >= 8


@pytest.mark.parametrize(("units", "tests"), [(10, 1), (10, 12), (5, 1)])
def test_the_smallest_regression_that_could_be_seen_is_seen_in_80_of_100_cases(
    units: int, tests: int
) -> None:
    random, sd = Random(6), 0.03
    # What a comparison of this spread says it could have seen, its spread being just `sd`.
    scale = sd * math.sqrt((units - 1) / units)
    even = [scale * (1 if i % 2 else -1) for i in range(units - units % 2)] + [0.0] * (units % 2)
    scale = sd / math.sqrt(sum(each * each for each in even) / (units - 1))
    alpha = alpha_of(tests)
    said = slowdown([scale * each for each in even], margin=MARGIN, alpha=alpha).detectable
    seen = sum(
        slowdown(
            normal_units(math.log1p(said), sd, units, random), margin=MARGIN, alpha=alpha
        ).state
        is Change.WORSE
        for _ in range(2_000)
    )
    assert 0.75 <= seen / 2_000 <= 0.86


def test_the_change_is_given_between_its_bounds_as_shares() -> None:
    found = slowdown([math.log(1.10), math.log(1.12), math.log(1.14)], margin=MARGIN)
    # t(.99, 2) = 6.9646; the standard error of the three logarithms is .010312.
    assert found.change == pytest.approx(0.1199, abs=1e-4)
    assert found.low == pytest.approx(1.1199 * math.exp(-6.9646 * 0.010312) - 1, abs=2e-4)
    assert found.high == pytest.approx(1.1199 * math.exp(6.9646 * 0.010312) - 1, abs=2e-4)
    assert (found.state, found.units) == (Change.WORSE, 3)


def test_a_faster_version_is_not_slower_and_equal_units_are_decided() -> None:
    faster = slowdown([-0.2, -0.21, -0.19, -0.2], margin=MARGIN)
    assert faster.state is Change.NO_WORSE
    assert faster.change < 0
    assert slowdown([0.03] * 3, margin=MARGIN).state is Change.WORSE
    assert slowdown([0.0] * 3, margin=MARGIN).state is Change.NO_WORSE
    with pytest.raises(ValueError, match="cannot be compared"):
        slowdown([0.1], margin=MARGIN)


def test_a_larger_margin_tolerates_more_and_moves_what_not_slower_rules_out() -> None:
    units = [0.07, 0.072, 0.068, 0.07]
    assert slowdown(units, margin=MARGIN).state is Change.WORSE
    assert slowdown(units, margin=0.10).state is Change.NO_WORSE


@pytest.mark.parametrize(
    ("q", "count", "enough"),
    [(0.5, 10, True), (0.5, 9, False), (0.95, 100, True), (0.95, 99, False), (0.99, 499, False),
     (0.99, 500, True)],
)  # fmt: skip
def test_a_quantile_needs_five_requests_beyond_it_in_each_block(
    q: float, count: int, enough: bool
) -> None:
    assert judgeable(q, count) is enough


def test_a_quantile_lies_between_its_neighbours() -> None:
    assert quantile([4, 1, 2, 3], 0.5) == 2.5
    assert quantile([7], 0.95) == 7
    assert log_ratio([1, 2, 3], [2, 4, 6], 0.5) == pytest.approx(math.log(2))


def test_more_errors_are_found_and_the_absence_of_errors_shows_only_what_its_number_can() -> None:
    def judged(shares: list[float], requests: int, errors: int) -> Change:
        return more_errors(shares, requests_b=requests, errors_b=errors).state

    assert judged([0.05, 0.06, 0.04, 0.05, 0.07], 2_000, 108) is Change.WORSE
    assert judged([0.0, 0.0, 0.0, 0.0, 0.0025], 2_000, 1) is Change.NO_WORSE
    assert judged([0.0] * 5, 2_000, 0) is Change.NO_WORSE
    assert judged([0.0] * 5, 50, 0) is Change.UNDECIDED


def test_two_stored_runs_have_a_change_and_no_verdict_whatever_they_hold() -> None:
    random = Random(7)
    for factor in (0.5, 1.0, 1.2, 100.0):
        a, b = (
            Histogram(round(20e6 * by * math.exp(random.gauss(0, 0.4))) for _ in range(1_000))
            for by in (1.0, factor)
        )
        found = stored_change(a, b, 0.5)
        assert found is not None
        assert not hasattr(found, "state")
        assert found.change == pytest.approx(factor - 1, rel=0.06, abs=0.06)
        # Never less than what runs of one version differ by, however many requests they have.
        assert found.detectable > math.expm1(3.168 * RUN_SD * math.sqrt(2))
    assert stored_change(Histogram(), Histogram([1]), 0.5) is None


def test_a_stored_run_with_fewer_requests_could_have_seen_less() -> None:
    random = Random(8)

    def detectable(count: int) -> float:
        a, b = (
            Histogram(round(20e6 * math.exp(random.gauss(0, 0.4))) for _ in range(count))
            for _ in "AB"
        )
        found = stored_change(a, b, 0.95)
        assert found is not None
        return found.detectable

    assert detectable(50) > detectable(500) > detectable(20_000)


def test_two_restarts_that_differ_wildly_are_told_as_a_thousand_times_at_most() -> None:
    found = slowdown([0.0, 0.6], margin=0.02, alpha=alpha_of(80))
    assert found.state is Change.UNDECIDED
    assert (found.high, found.detectable) == pytest.approx((999, 999))
