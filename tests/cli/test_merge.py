"""`withstand merge` of a suite's shards: journals and JUnit files in, one result out."""

import json
import shutil
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from tests.cli.conftest import Invoke
from tests.load.test_shards import shard as load_shard
from tests.sharding.test_suite import TESTS, changed, shard
from tests.test_results_file import PLAIN
from withstand.results_file import (
    JournalEntry,
    checkpoint_line,
    journal_entry,
    journal_head,
    write_results,
)
from withstand.sharding.suite import Finished, Outcome, SuiteRecord


def _write_journal(file: Path, record: SuiteRecord) -> None:
    (part,) = record.parts
    head = changed(record, finished=(), exit_code=None)
    entries = [JournalEntry(after_s=n, finished=each) for n, each in enumerate(part.finished)]
    if part.exit_code is not None:
        entries.append(JournalEntry(after_s=99.0, exit_code=part.exit_code))
    file.parent.mkdir(parents=True, exist_ok=True)
    results = replace(PLAIN, duration_s=0.0, base_url="", command="pytest", suite=head)
    file.write_text(journal_head(results) + "".join(map(journal_entry, entries)))


def _write_junit(file: Path, *names: str) -> None:
    cases = "".join(
        f'<testcase classname="tests" name={quoteattr(name)} time="1" />' for name in names
    )
    file.write_text(
        '<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" errors="0" '
        f'failures="0" skipped="0" tests="{len(names)}" time="{len(names)}" '
        f'hostname="{file.parent.name}">{cases}</testsuite></testsuites>'
    )


@pytest.fixture
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three directories as jobs leave them."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        _write_journal(tmp_path / f"shard-{number}" / f"suite-{number}-of-3.jsonl", shard(number))
        _write_junit(tmp_path / f"shard-{number}" / "junit.xml", f"test_{number}", "test_<b>")
        (tmp_path / f"shard-{number}" / "coverage.xml").write_text("<coverage />")
        (tmp_path / f"shard-{number}" / "notes.json").write_text("{}")
    return tmp_path


def test_directories_of_shards_become_one_result_with_one_junit_file(
    shards: Path, invoke: Invoke
) -> None:
    merged = invoke("merge", "shard-1", "shard-2", "shard-3", "--report-dir", "report")

    assert merged.code == 0, merged.said
    assert "12 tests of the suite passed" in merged.said
    assert "12 tests in 3 shards: 12 passed" in merged.said
    cases = [case.get("name") for case in ET.parse("report/junit.xml").iter("testcase")]
    assert sorted(map(str, cases)) == ["test_1", "test_2", "test_3", *["test_<b>"] * 3]
    assert ET.parse("report/junit.xml").getroot().get("tests") == "6"
    again = invoke("report", "report/results.json")
    assert (again.code, "12 tests in 3 shards" in again.said) == (0, True)
    assert "12 tests in 3 shards" in Path("report/report.html").read_text()


def test_a_directory_around_all_of_them_does_as_well(shards: Path, invoke: Invoke) -> None:
    assert "12 tests in 3 shards: 12 passed" in invoke("merge", ".").said


def test_a_shard_that_was_killed_half_way_is_named_with_its_tests_and_the_exit_code_is_3(
    shards: Path, invoke: Invoke
) -> None:
    file = shards / "shard-2" / "suite-2-of-3.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:3]) + lines[3][:20])

    merged = invoke("merge", "shard-1", "shard-2", "shard-3", "--markdown", "x.md", "--junit", "x")

    assert merged.code == 3
    said = " ".join(merged.said.split())
    assert "shard 2/3 was cut off: 2 of its 4 tests have no result" in said
    for member in (TESTS[7], TESTS[10]):
        assert f"? {member.nodeid}: no result" in merged.said
        assert f"`{member.nodeid}`" in Path("x.md").read_text()
    errors = [case for case in ET.parse("x").iter("testcase") if case.find("error") is not None]
    assert [case.get("name") for case in errors] == ["test_7", "test_10"]


def test_a_test_that_failed_makes_the_exit_code_1_also_beside_a_shard_that_was_killed(
    shards: Path, invoke: Invoke
) -> None:
    bad = Finished(nodeid=TESTS[1].nodeid, outcome=Outcome.FAILED, ms=5, message="1 != 2")
    broken = changed(shard(2), finished=(bad,), exit_code=None)
    _write_journal(shards / "shard-2" / "suite-2-of-3.jsonl", broken)

    merged = invoke("merge", ".", "--html", "x.html")

    assert merged.code == 1
    assert "1 of 12 tests failed" in merged.said
    assert f"✗ {bad.nodeid}: 1 != 2" in merged.said
    assert "1 != 2" in Path("x.html").read_text()


def test_a_missing_shard_is_named(shards: Path, invoke: Invoke) -> None:
    shutil.rmtree("shard-3")

    merged = invoke("merge", "shard-1", "shard-2")
    alone = invoke("merge", "shard-1")

    assert (merged.code, "shard 3/3 is missing" in merged.said) == (3, True)
    assert (alone.code, "has shard 1/3 alone, and 2/3, 3/3 are missing" in alone.said) == (2, True)


@pytest.mark.parametrize("left", [None, "", '{"format":"withstand-journal","schema_v'])
def test_a_shard_that_was_killed_before_its_first_test_is_missing_and_the_report_is_written(
    shards: Path, invoke: Invoke, left: str | None
) -> None:
    journal = shards / "shard-2" / "suite-2-of-3.jsonl"
    journal.unlink() if left is None else journal.write_text(left)

    paths = [["shard-1", "shard-2", "shard-3"], ["."]]
    if left is not None:
        paths.append(["shard-1", str(journal), "shard-3"])
    for each in paths:
        merged = invoke("merge", *each, "--html", "x.html")

        assert (merged.code, "shard 2/3 is missing" in merged.said) == (3, True)
        assert "shard 2/3 is missing" in Path("x.html").read_text()
        told = each != ["."] or left is not None  # a directory around all tells nothing of its own
        assert merged.said.count("has no results of a shard") == told
        assert merged.said.count("see why the job left none") == told


def test_a_directory_without_results_is_refused_where_nothing_else_is_missing(
    shards: Path, invoke: Invoke
) -> None:
    _write_journal(shards / "tests" / "suite.jsonl", shard(1, 1))
    (shards / "check").mkdir()
    (shards / "load").mkdir()

    for paths in (["tests", "check", "load"], ["check", "load"]):
        merged = invoke("merge", *paths, "-o", "whole.json")

        assert (merged.code, Path("whole.json").exists()) == (2, False)
        assert "check, load have no results of a shard" in merged.said


def test_suites_that_all_died_in_collection_are_missed_beside_results_of_other_kinds(
    shards: Path, invoke: Invoke
) -> None:
    for number in (1, 2, 3):
        (shards / f"shard-{number}" / f"suite-{number}-of-3.jsonl").write_text("")
        measured = replace(PLAIN, load=load_shard(number))
        write_results(shards / f"shard-{number}" / "load" / "results.json", measured)

    merged = invoke("merge", "shard-1", "shard-2", "shard-3")

    assert merged.code == 2
    assert "shard-3/suite-3-of-3.jsonl have no results of a shard" in merged.said


def test_a_command_that_no_shard_could_start_is_missed_where_it_was_expected(
    shards: Path, invoke: Invoke
) -> None:
    assert invoke("merge", ".", "--expect", "pytest").code == 0
    for number in (1, 2, 3):
        measured = replace(PLAIN, load=load_shard(number, 3))
        write_results(shards / "loads" / f"{number}.json", measured)
    assert invoke("merge", ".", "--expect", "pytest", "--expect", "load").code == 0

    lacking = {
        "shard-1 shard-2 shard-3 --expect pytest --expect check": "withstand check came",
        "shard-1 shard-2 shard-3 --expect load": "withstand load came",
        "loads --expect pytest": "pytest came",
    }
    for arguments, said in lacking.items():
        merged = invoke("merge", *arguments.split(), "-o", "whole.json")
        assert merged.code == 3
        assert f"{said} to nothing: no shard left anything of it" in merged.said
        assert invoke("report", "whole.json").code == 3


def test_a_merge_never_reads_what_it_wrote_before(shards: Path, invoke: Invoke) -> None:
    outputs = ("--report-dir", "report", "--junit", "report/checks.xml", "-o", "x.json")
    for _ in range(2):
        merged = invoke("merge", ".", *outputs[:-1], str(shards / "x.json"))

        assert merged.code == 0, merged.said
        assert "12 tests in 3 shards: 12 passed" in merged.said
        assert ET.parse("report/junit.xml").getroot().get("tests") == "6"


def test_what_an_earlier_merge_wrote_elsewhere_is_named_where_a_shard_is_there_twice(
    shards: Path, invoke: Invoke
) -> None:
    assert invoke("merge", "shard-1", "shard-2", "-o", "two.json").code == 3
    again = invoke("merge", ".")
    assert (again.code, "of the suite is there twice" in again.said) == (2, True)
    assert "two.json is of an earlier merge" in again.said
    assert invoke("merge", "two.json", "shard-3").code == 0
    twice = invoke("merge", "shard-1", "shard-1", "shard-2")
    assert (twice.code, "earlier merge" in twice.said) == (2, False)


def test_a_checkpoint_beside_the_results_of_its_run_is_not_a_shard_of_its_own(
    shards: Path, invoke: Invoke
) -> None:
    for number in (1, 2, 3):
        measured = replace(PLAIN, load=load_shard(number, 3))
        write_results(shards / "soak" / f"{number}" / "results.json", measured)
        line = checkpoint_line(measured)
        (shards / "soak" / f"{number}" / "checkpoint.jsonl").write_text(line)
    assert (merged := invoke("merge", "soak")).code == 0, merged.said

    (shards / "soak" / "2" / "results.json").unlink()
    assert (merged := invoke("merge", "soak")).code == 0, merged.said


def test_a_directory_that_is_called_like_a_file_is_none(shards: Path, invoke: Invoke) -> None:
    (shards / "shard-2" / "x.json").mkdir()
    assert invoke("merge", ".").code == 0


def test_a_file_that_is_no_result_is_refused(shards: Path, invoke: Invoke) -> None:
    merged = invoke("merge", "shard-1", "shard-2/notes.json")

    assert merged.code == 2
    assert "shard-2/notes.json is no Withstand results file" in merged.said


@pytest.mark.parametrize(
    "text", ["<testsuites><testsuite>", '<?xml version="1.0" encoding="klingon"?><testsuite />']
)
def test_a_junit_file_that_cannot_be_read_is_left_out_with_a_word(
    shards: Path, invoke: Invoke, text: str
) -> None:
    (shards / "shard-2" / "junit.xml").write_text(text)

    merged = invoke("merge", ".", "--report-dir", "report")

    assert merged.code == 0
    assert "left shard-2/junit.xml out of the JUnit file" in merged.said
    assert ET.parse("report/junit.xml").getroot().get("tests") == "4"


def test_the_junit_file_of_the_checks_never_takes_the_place_of_that_of_the_tests(
    shards: Path, invoke: Invoke
) -> None:
    refused = invoke(
        "merge", ".", "--report-dir", "report", "--junit", "report/../report/junit.xml"
    )

    assert refused.code == 2
    assert "where the JUnit files of the shards are merged to" in refused.said
    assert "report/checks.xml" in refused.said
    assert not (shards / "report").exists()
    beside = invoke("merge", ".", "--report-dir", "report", "--junit", "report/checks.xml")
    assert beside.code == 0, beside.said
    assert ET.parse("report/junit.xml").getroot().get("tests") == "6"


def test_a_report_for_which_the_disk_has_no_room_is_named(shards: Path, invoke: Invoke) -> None:
    (shards / "report").mkdir()
    for name in ("junit.xml", "report.html", "x.md"):
        (shards / "report" / name).symlink_to("/dev/full")
        merged = invoke("merge", ".", "--report-dir", "report", "--markdown", "report/x.md")
        assert merged.code == 2
        assert f"report/{name} cannot be written: No space left on device" in merged.said
        (shards / "report" / name).unlink()


def test_a_junit_file_that_is_named_twice_counts_once(shards: Path, invoke: Invoke) -> None:
    merged = invoke("merge", ".", "shard-1/junit.xml", "--report-dir", "report")

    assert merged.code == 0, merged.said
    assert ET.parse("report/junit.xml").getroot().get("tests") == "6"


def test_the_durations_of_all_shards_are_noted_for_the_next_cut(
    shards: Path, invoke: Invoke
) -> None:
    run = partial(
        invoke, "merge", ".", "--durations", "withstand.durations.json", "--html", "x.html"
    )

    assert run().code == 0
    machines = json.loads(Path("withstand.durations.json").read_text())["machines"]
    assert {name: len(tests) for name, tests in machines.items()} == {
        "machine 1": 4, "machine 2": 4, "machine 3": 4,
    }  # fmt: skip
    Path("withstand.durations.json").write_text("half")
    Path("x.html").unlink()
    refused = run()
    assert (refused.code, "is no file of durations" in refused.said) == (2, True)
    assert Path("x.html").exists()


def test_durations_are_not_noted_without_a_suite_and_that_is_said(
    tmp_path: Path, invoke: Invoke
) -> None:
    for number in (1, 2):
        load = replace(PLAIN, load=load_shard(number, 2))
        write_results(tmp_path / f"{number}.json", load)

    merged = invoke("merge", str(tmp_path), "--durations", str(tmp_path / "d.json"))

    assert (merged.code, "there are no results of a suite" in " ".join(merged.said.split())) == (
        2,
        True,
    )


def test_results_of_another_kind_are_merged_beside_the_suite(shards: Path, invoke: Invoke) -> None:
    _write_journal(Path("shard-2/suite-2-of-3.jsonl"), shard(2))
    write_results(Path("shard-1/results.json"), PLAIN)

    merged = invoke("merge", ".", "-o", "whole.json")

    assert merged.code == 0
    assert "12 tests in 3 shards: 12 passed" in merged.said
    assert json.loads(Path("whole.json").read_text())["base_url"] == PLAIN.base_url


def test_a_whole_run_of_a_suite_can_be_merged_alone(shards: Path, invoke: Invoke) -> None:
    _write_journal(shards / "alone" / "suite.jsonl", shard(1, 1))

    merged = invoke("merge", "alone", "--durations", "d.json")

    assert (merged.code, Path("d.json").exists()) == (0, True)


def test_what_an_earlier_merge_wrote_can_be_merged_further(shards: Path, invoke: Invoke) -> None:
    assert invoke("merge", "shard-1", "shard-2", "-o", "two.json").code == 3

    merged = invoke("merge", "two.json", "shard-3")

    assert (merged.code, "12 tests in 3 shards" in merged.said) == (0, True)
