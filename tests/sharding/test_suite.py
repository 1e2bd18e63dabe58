"""The shards of a suite: merged exactly, and whatever is not the whole suite is said."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.sharding import Shard
from withstand.sharding.member import Member, ShardBy
from withstand.sharding.plan import ShardMode
from withstand.sharding.suite import (
    Finished,
    Outcome,
    SuitePart,
    SuiteRecord,
    merge_suites,
)

TESTS = tuple(Member(nodeid=f"tests/test_x.py::test_{n}") for n in range(12))


def ended(member: Member, outcome: Outcome = Outcome.PASSED) -> Finished:
    return Finished(nodeid=member.nodeid, outcome=outcome, ms=10)


def shard(number: int, total: int = 3, *, tests: tuple[Member, ...] = TESTS) -> SuiteRecord:
    """A shard that ran its tests, every `total`-th of them."""
    kept = tests[number - 1 :: total]
    part = SuitePart(
        shard=Shard(number=number, total=total),
        by=ShardBy.CLASS,
        mode=ShardMode.STABLE,
        digest="d",
        machine=f"machine {number}",
        commit="abc1234",
        kept=tuple(each.nodeid for each in kept),
        finished=tuple(map(ended, kept)),
        exit_code=0,
    )
    return SuiteRecord(collected=tests, parts=(part,))


def changed(record: SuiteRecord, **changes: object) -> SuiteRecord:
    return replace(record, parts=(replace(record.parts[0], **changes),))  # type: ignore[arg-type]


def whole(*records: SuiteRecord) -> SuiteRecord:
    return reduce(merge_suites, records)


@settings(max_examples=50, deadline=None)
@given(order=st.permutations((1, 2, 3, 4)), split=st.integers(1, 3))
def test_shards_merged_in_any_order_and_grouping_are_one_whole(
    order: list[int], split: int
) -> None:
    records = [shard(number, 4) for number in order]
    merged = merge_suites(whole(*records[:split]), whole(*records[split:]))

    assert merged == whole(*(shard(number, 4) for number in (1, 2, 3, 4)))
    assert merged.troubles() == ()
    assert sorted(each.nodeid for each in merged.finished()) == sorted(t.nodeid for t in TESTS)


def test_a_shard_that_is_missing_is_named() -> None:
    merged = whole(shard(1), shard(3))

    assert merged.troubles() == ("shard 2/3 is missing",)
    assert merged.without_result() == tuple(each.nodeid for each in TESTS[1::3])
    assert whole(shard(1, 4), shard(4, 4)).troubles() == ("shards 2/4, 3/4 are missing",)


def test_a_shard_alone_is_no_trouble() -> None:
    assert shard(2).troubles() == ()
    assert shard(2).without_result() == ()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (shard(1), "shard 1/3 of the suite is there twice"),
        (shard(2, 4), "shard 2/4 cannot be merged with shard 1/3: they are parts of 4 and of 3"),
        (changed(shard(2), commit="def5678"), "shard 2/3 tested commit def5678, and shard 1/3"),
        (changed(shard(2), by=ShardBy.TEST), "shard 2/3 was cut with --shard-by=test"),
        (
            changed(shard(2), digest="e"),
            "shard 2/3 was cut by another plan than shard 1/3.*\n.*the same durations file",
        ),
    ],
)
def test_a_shard_of_another_run_is_refused_by_its_name(other: SuiteRecord, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        merge_suites(shard(1), other)


def test_shards_of_which_one_does_not_know_its_commit_are_merged() -> None:
    assert merge_suites(shard(1), changed(shard(2), commit=None)).missing == (
        Shard(number=3, total=3),
    )


def test_a_test_that_no_shard_ran_is_named() -> None:
    more = (*TESTS, Member(nodeid="tests/test_y.py::test_more"))
    merged = whole(replace(shard(1), collected=more), shard(2), shard(3))

    assert merged.troubles() == (
        "1 collected test was run by no shard (tests/test_y.py::test_more)",
    )
    assert merged.without_result() == ("tests/test_y.py::test_more",)


def test_a_test_that_two_shards_ran_is_named() -> None:
    twice = changed(shard(1), finished=tuple(map(ended, TESTS[:2])), kept=())
    merged = whole(twice, shard(2), shard(3))

    assert any(
        "1 test ran in more than one shard (tests/test_x.py::test_1)" in each
        for each in merged.troubles()
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"exit_code": None, "finished": (ended(TESTS[1]),)},
            "shard 2/3 was cut off: 3 of its 4 tests have no result (",
        ),
        ({"exit_code": 2}, "shard 2/3 ended with pytest's exit code 2"),
        ({"exit_code": 5}, "shard 2/3 ended with pytest's exit code 5"),
        ({"exit_code": 1}, "shard 2/3 ended with exit code 1, though no test of it failed"),
        (
            {"exit_code": 1, "finished": (ended(TESTS[1], Outcome.FAILED),)},
            "shard 2/3 stopped early: 3 of its 4 tests have no result (",
        ),
    ],
)
def test_a_shard_that_did_not_end_well_says_how(changes: dict[str, object], words: str) -> None:
    (trouble,) = whole(shard(1), changed(shard(2), **changes), shard(3)).troubles()

    assert trouble.startswith(words)


def test_a_long_list_of_tests_is_cut() -> None:
    (trouble,) = changed(shard(1, 1), exit_code=None, finished=()).troubles()

    assert trouble.endswith("tests/test_x.py::test_4 and 7 more)")


def test_durations_are_those_of_tests_that_passed_machine_by_machine() -> None:
    failing = changed(
        shard(2), finished=(ended(TESTS[1], Outcome.FAILED), ended(TESTS[4]), ended(TESTS[7]))
    )
    durations = dict(whole(shard(1), failing, shard(3)).passed_ms())

    assert durations["machine 1"] == dict.fromkeys(TESTS[0::3], 10)
    assert durations["machine 2"] == {TESTS[4]: 10, TESTS[7]: 10}
