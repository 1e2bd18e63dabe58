"""What docs/sharding-performance.md says of Withstand's own plans, in small."""

import pytest
from benchmarks.sharding.figures import Case, balance, loss
from benchmarks.sharding.splitters import withstand
from benchmarks.sharding.suites import SUITES

from withstand.sharding.plan import ShardMode


@pytest.mark.parametrize("suite", SUITES)
def test_a_test_that_one_shard_alone_collects_costs_no_other_test_its_place(suite: str) -> None:
    stable, collected = (loss(withstand(mode), suite, runs=3) for mode in ShardMode)
    assert (stable.lost, stable.doubled) == (0, 0)
    # Why `withstand merge` refuses shards that were cut by different plans.
    assert collected.lost > 0
    assert collected.doubled > 0


@pytest.mark.parametrize("suite", SUITES)
def test_recorded_suites_are_cut_evenly(suite: str) -> None:
    figure = balance(withstand(ShardMode.STABLE), suite, Case(noise=0.2), runs=3)
    assert figure.crashed == 0
    assert figure.ratio is not None
    assert 1 <= figure.ratio < 1.2
