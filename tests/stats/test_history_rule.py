"""One run proves nothing; two that agree against twenty others seldom err."""

import math
from random import Random
from statistics import fmean

import pytest

from tests.stats.simulated_history import Runs, false_alarms, found
from withstand.stats.history_rule import LEAST_CHANGE, RUNS, compare, confirmed

SEED = 20261


def test_of_commits_that_are_no_slower_fewer_than_three_in_a_thousand_alarm() -> None:
    assert false_alarms(sd=0.05, commits=6_000, seed=SEED) <= 0.3


def test_without_a_rerun_several_times_as_many_would_alarm() -> None:
    # The reason for the rerun: if this were not so, it would be a needless cost.
    assert false_alarms(sd=0.05, commits=6_000, seed=SEED, confirm="never") > 0.9


def test_a_fifth_more_is_found_where_runs_vary_by_two_percent() -> None:
    assert found(0.2, sd=0.02, runs=1_500, seed=SEED) >= 0.98


@pytest.mark.parametrize("sd", [0.02, 0.05, 0.1])
def test_the_change_that_is_said_to_be_detectable_is_found_four_times_in_five(sd: float) -> None:
    random = Random(SEED)
    seen, said = 0, []
    for _ in range(1_500):
        runs = Runs(random, sd=sd)
        before = [runs.next() for _ in range(RUNS)]
        detectable = compare(before, before[-1]).detectable
        assert detectable is not None
        said.append(math.log1p(detectable) / sd)
        seen += confirmed(before, runs.next(detectable), runs.rerun(detectable))
    assert seen / 1_500 == pytest.approx(0.8, abs=0.04)
    assert fmean(said) == pytest.approx(4.3, rel=0.05)


def test_nineteen_runs_are_no_history_and_twenty_are() -> None:
    usual = [100.0 + index % 3 for index in range(RUNS)]
    short = compare(usual[1:], 1_000.0)
    assert (short.higher, short.detectable) == (None, None)
    assert short.change == pytest.approx(1_000 / 101 - 1)
    assert compare(usual, 1_000.0).higher is True


def test_runs_that_are_all_alike_make_no_small_change_significant() -> None:
    same = [100.0] * RUNS
    assert compare(same, 100.0 * (1 + LEAST_CHANGE) * 0.999).higher is False
    assert compare(same, 100.0 * (1 + LEAST_CHANGE) * 1.001).higher is True
    assert compare(same, 100.0).change == 0.0


def test_a_few_odd_runs_in_the_history_hide_no_regression() -> None:
    usual = [100.0 + index % 5 for index in range(RUNS)]
    usual[3] = usual[11] = usual[17] = 10_000.0
    assert compare(usual, 130.0).higher is True


def test_what_is_faster_is_never_called_slower() -> None:
    usual = [100.0 + index % 5 for index in range(RUNS)]
    assert compare(usual, 10.0).higher is False
    assert compare(usual, 10.0).change == pytest.approx(-0.9, abs=0.01)


def test_a_level_that_was_accepted_becomes_the_usual_one() -> None:
    accepted = [100.0 + index % 5 for index in range(RUNS)] + [150.0] * 11
    assert compare(accepted, 150.0).higher is False


@pytest.mark.parametrize(("level", "again"), [(130.0, 101.0), (101.0, 130.0)])
def test_one_of_two_runs_confirms_nothing(level: float, again: float) -> None:
    usual = [100.0 + index % 5 for index in range(RUNS)]
    assert not confirmed(usual, level, again)
    assert confirmed(usual, 130.0, 130.0)


@pytest.mark.parametrize(("before", "level"), [([], 1.0), ([1.0, 0.0], 1.0), ([1.0], 0.0)])
def test_a_level_of_zero_or_nothing_before_it_is_refused(before: list[float], level: float) -> None:
    with pytest.raises(ValueError, match="no comparison"):
        compare(before, level)
