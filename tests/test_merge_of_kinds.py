"""The shards of tests, scans and loads of one run: side by side, and none is missed."""

from dataclasses import replace

import pytest

from tests.load import test_shards as loads
from tests.load.test_journal import BEFORE
from tests.scan.records.test_share import CHECKS, in_shards, run_of
from tests.sharding import test_suite as suites
from tests.test_results_file import PLAIN
from withstand.errors import UsageError
from withstand.results import Conclusion, Results, merge_shards
from withstand.scan.finding import Severity
from withstand.slo import parse_objective
from withstand.slo.trial_record import TrialRecord

TARGET = "http://127.0.0.1:9"
SCANS = [run_of(record) for record in in_shards(3, *CHECKS[1:6])]
LOADS = [replace(PLAIN, base_url=TARGET, load=loads.shard(number)) for number in (1, 2, 3)]
SUITES = [replace(PLAIN, base_url="", suite=suites.shard(number)) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("shards", "lacking"),
    [
        ([SUITES[1], SCANS[1]], ["their checks have no result", "their tests have no result"]),
        ([*SUITES, SCANS[1]], ["their checks have no result"]),
        ([SUITES[0], *SCANS], ["their tests have no result"]),
        ([*SUITES, LOADS[0]], ["their parts of the load have no result"]),
        ([LOADS[0], *SCANS], ["their parts of the load have no result"]),
    ],
)
def test_one_shard_of_a_kind_beside_another_kind_is_not_the_whole(
    shards: list[Results], lacking: list[str]
) -> None:
    merged = merge_shards(shards)

    assert (merged.conclusion(), merged.exit_code()) == (Conclusion.VOID, 3)
    reasons = merged.untrusted_reasons()
    assert [reason.partition(" are missing, so ")[2] for reason in reasons] == lacking


def test_tests_checks_and_loads_are_merged_beside_each_other_in_any_grouping() -> None:
    every = [*SUITES, *SCANS, *LOADS]
    whole = merge_shards(every)

    assert (whole.exit_code(), whole.untrusted_reasons()) == (0, ())
    assert whole.base_url == TARGET
    for cut in range(1, len(every)):
        assert merge_shards([merge_shards(every[:cut]), *every[cut:]]) == whole


def test_a_load_in_one_piece_may_be_beside_shards_of_the_tests() -> None:
    alone = replace(PLAIN, base_url=TARGET, load=BEFORE)
    assert merge_shards([*SUITES, alone]).untrusted_reasons() == ()


def test_what_fails_the_checks_is_said_by_them_alone() -> None:
    bold = [replace(each, fail_on=Severity.HIGH) for each in SCANS]
    again = merge_shards([SUITES[0], *bold])
    assert merge_shards([*SUITES[1:], again]).fail_on is Severity.HIGH


def test_kinds_of_different_targets_or_objectives_are_not_put_beside_each_other() -> None:
    away = replace(LOADS[0], base_url="http://other")
    with pytest.raises(UsageError, match=r"different targets .*:9 and http://other"):
        merge_shards([*SCANS, away])
    tried = replace(PLAIN, base_url=TARGET, trials=TrialRecord(operations={}, budget_s=1.0))
    strict = replace(LOADS[0], objectives=(parse_objective("p95<1ms"),))
    with pytest.raises(UsageError, match="a check and a load with different objectives"):
        merge_shards([tried, strict])


@pytest.mark.parametrize(
    "shards", [SCANS[:2], LOADS[:2], [SCANS[0], LOADS[0]], [SCANS[0], *SUITES]]
)
def test_shards_that_tested_different_commits_are_not_merged(shards: list[Results]) -> None:
    first, *others = shards
    foreign = [replace(each, commit="def5678") for each in others]

    with pytest.raises(UsageError, match=r"different commits .*abc1234 and def5678"):
        merge_shards([replace(first, commit="abc1234"), *foreign])
    assert merge_shards([first, *foreign]).commit == "def5678"
