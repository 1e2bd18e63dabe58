"""The sequential test of a quantile: its error rates, its cost, and its golden sizes."""

from collections import Counter
from collections.abc import Callable
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.stats.e_value import fewest_to_meet
from withstand.stats.sequential import Decision, QuantileSample, QuantileTest

LIMIT = 200.0


def _simulated(share: float, *, runs: int, seed: int) -> tuple[Counter[Decision], float]:
    """The decisions on p95 < 200 when this share exceeds it, and the mean number of values."""
    random = Random(seed)
    decisions: Counter[Decision] = Counter()
    total = 0
    for _ in range(runs):
        test = QuantileTest(limit=LIMIT, q=0.95, most=2000)
        while test.decision is None:
            test.add(300.0 if random.random() < share else 50.0 + random.random())
            total += 1
        decisions[test.decision] += 1
    return decisions, total / runs


# The planning figures are over 2,000 runs; fewer need room for three standard errors.
def test_at_the_boundary_neither_error_is_frequent() -> None:
    decisions, _ = _simulated(0.05, runs=300, seed=1)

    assert decisions[Decision.BREACHED] <= 4
    assert decisions[Decision.MET] <= 26


def test_well_below_the_limit_the_objective_is_met_and_never_breached() -> None:
    decisions, mean = _simulated(0.025, runs=1000, seed=2)

    assert decisions[Decision.BREACHED] <= 1
    assert decisions[Decision.MET] >= 0.97 * 1000
    assert mean <= 560


@pytest.mark.parametrize(("share", "most"), [(0.0, 110), (0.01, 190)])
def test_far_below_the_limit_few_values_are_enough(share: float, most: int) -> None:
    decisions, mean = _simulated(share, runs=300, seed=3)

    assert decisions[Decision.MET] >= 298
    assert mean <= most


@pytest.mark.parametrize(("share", "least", "most"), [(0.10, 0.975, 640), (0.20, 0.99, 145)])
def test_above_the_limit_a_breach_is_found(share: float, least: float, most: int) -> None:
    decisions, mean = _simulated(share, runs=200, seed=4)

    assert decisions[Decision.BREACHED] >= least * 200
    assert decisions[Decision.MET] == 0
    assert mean <= most


@pytest.mark.parametrize(
    ("q", "sizes"),
    [
        (0.50, [7, 12, 15, 18]),
        (0.90, [42, 72, 90, 107]),
        (0.95, [85, 147, 183, 218]),
        (0.99, [429, 744, 926, 1102]),
    ],
)
def test_the_smallest_samples_that_meet_a_limit_have_the_golden_sizes(
    q: float, sizes: list[int]
) -> None:
    assert [fewest_to_meet(q, exceeding=k) for k in range(4)] == sizes


def test_a_run_of_slow_values_weighs_less_than_the_same_number_spread_out() -> None:
    def decided_after(exceeds: Callable[[int], bool]) -> int:
        sample = QuantileSample(limit=LIMIT, q=0.95, most=2000)
        while sample.add(300.0 if exceeds(sample.count) else 50.0) is None:
            pass
        return sample.count

    # One in five exceeds both times: alternating, and in bursts of ten.
    assert decided_after(lambda n: n % 5 == 0) < decided_after(lambda n: n % 50 >= 40)


def test_a_breach_that_the_second_sample_does_not_show_is_inconclusive() -> None:
    test = QuantileTest(limit=LIMIT, q=0.95, most=2000)
    while not test.at_pause:
        assert test.add(inf if len(test.samples) == 1 else 0.0) is None
    while test.decision is None:
        test.add(50.0)

    assert test.decision is Decision.INCONCLUSIVE
    assert test.add(inf) is Decision.INCONCLUSIVE


@pytest.mark.parametrize(("calls", "said"), [(5, Decision.INCONCLUSIVE), (8, Decision.BREACHED)])
def test_when_no_more_values_come_the_halves_of_a_short_sample_have_to_agree(
    calls: int, said: Decision
) -> None:
    test = QuantileTest(limit=LIMIT, q=0.95, most=2000)
    for _ in range(calls):
        test.add(300.0)

    assert test.close() is said


def test_a_burst_in_a_sample_that_ends_early_is_no_breach() -> None:
    test = QuantileTest(limit=LIMIT, q=0.95, most=2000)
    for index in range(30):
        test.add(300.0 if index < 10 else 50.0)

    assert test.close() is Decision.INCONCLUSIVE


def test_a_second_sample_that_ends_early_decides_if_it_can() -> None:
    test = QuantileTest(limit=LIMIT, q=0.95, most=2000)
    for _ in range(45):
        test.add(300.0)

    assert test.decision is None
    assert test.close() is Decision.BREACHED
    assert [sample.count for sample in test.samples] == [40, 5]


def test_a_failure_exceeds_every_limit() -> None:
    sample = QuantileSample(limit=1e300, q=0.5, most=1000)
    while (said := sample.add(inf)) is None:
        pass

    assert said is Decision.BREACHED
    assert sample.exceeding == sample.count == 40


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(min_value=0, max_value=400), max_size=300))
def test_the_sample_never_runs_past_its_most(values: list[float]) -> None:
    sample = QuantileSample(limit=LIMIT, q=0.95, most=250)
    said = None
    for value in values:
        said = sample.add(value)
        if said is not None:
            break

    assert sample.count <= 250
    assert (said is not None) or sample.count < 250


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(min_value=0, max_value=400), min_size=1, max_size=100))
def test_the_quantile_is_the_value_at_its_rank(values: list[float]) -> None:
    sample = QuantileSample(limit=LIMIT, q=0.95, most=10_000)
    for value in values:
        sample.add(value)

    assert sample.quantile(1.0) == max(values)
    assert sum(value <= sample.quantile(0.5) for value in values) >= len(values) / 2
