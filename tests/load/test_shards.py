"""Shards become the whole exactly, and whatever is not whole is said."""

from dataclasses import replace

import pytest

from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement, OperationMeasurement, ServerSample
from withstand.load.merge import merge_measurements
from withstand.load.shards import lined_up, load_shortfall
from withstand.sharding import Shard

from .test_journal import BEFORE, window


def shard(
    number: int, total: int = 3, *, second: int = 0, started_at: float = 100.0
) -> LoadMeasurement:
    operation = OperationMeasurement.of("GET /", (window(second, number),))
    return replace(
        BEFORE,
        operations={"GET /": operation},
        started_at=started_at,
        duration_s=10.0,
        shards=(Shard(number=number, total=total),),
        server_samples=(ServerSample(at_s=1.0, rss_bytes=1),),
    )


def test_all_shards_are_the_whole_in_any_order() -> None:
    whole = merge_measurements(merge_measurements(shard(3), shard(1)), shard(2))
    assert [each.number for each in whole.shards] == [1, 2, 3]
    assert whole.missing_shards == ()
    assert load_shortfall(whole) is None
    assert whole.profile == BEFORE.profile


def test_a_shard_that_is_missing_from_a_merge_is_named_and_one_alone_misses_nothing() -> None:
    assert load_shortfall(shard(1)) is None
    some = merge_measurements(shard(1), shard(3))
    assert load_shortfall(some) == (
        "shard 2/3 is missing, so its part of the load is not in these figures"
    )
    more = merge_measurements(shard(1, 4), shard(4, 4))
    assert (load_shortfall(more) or "").startswith("shards 2/4, 3/4 are missing")


def test_a_shard_is_not_merged_twice() -> None:
    with pytest.raises(UsageError, match="shard 2/3 is there twice"):
        merge_measurements(shard(2), merge_measurements(shard(1), shard(2)))


def test_what_is_no_part_of_the_same_load_is_not_merged() -> None:
    with pytest.raises(UsageError, match="parts of 4 and of 3"):
        merge_measurements(shard(1), shard(2, 4))
    with pytest.raises(UsageError, match="different loads cannot be merged: 1/s for 99 s and 2/s"):
        merge_measurements(shard(1), replace(shard(2), profile="2/s for 99 s"))
    with pytest.raises(UsageError, match="a shard cannot be merged with a whole run"):
        merge_measurements(shard(1), BEFORE)


@pytest.mark.parametrize("late_s", [0.0, 0.004, 0.49])
def test_shards_that_began_together_need_no_moving(late_s: float) -> None:
    loads = (shard(1, started_at=100.0 + late_s), shard(2))
    assert lined_up(loads) == loads


def test_a_shard_that_began_late_is_put_where_it_belongs_and_was_missing_until_then() -> None:
    late, first = lined_up((shard(1, started_at=103.2), shard(2)))
    assert first == shard(2)
    (moved,) = late.operations["GET /"].windows
    assert moved == window(3, 1)
    assert late.operations["GET /"].response_time == shard(1).operations["GET /"].response_time
    assert late.duration_s == 13.0
    assert late.server_samples[0].at_s == 4.0
    assert late.generator.lost == "shard 1/3 began 3.20 s after the first one"
    together = merge_measurements(late, first)
    assert [each.second for each in together.operations["GET /"].windows] == [0, 3]


def test_windows_of_long_runs_move_by_their_own_width() -> None:
    def long(number: int, started_at: float) -> LoadMeasurement:
        wide = replace(window(6, number), width_s=6)
        operations = {"GET /": OperationMeasurement.of("GET /", (wide,))}
        return replace(shard(number, started_at=started_at), operations=operations)

    for late_s, second in ((2.9, 6), (3.1, 12), (8.0, 12)):
        late, _ = lined_up((long(1, 100.0 + late_s), long(2, 100.0)))
        assert [each.second for each in late.operations["GET /"].windows] == [second]
