"""Annotations are few, stand at lines of the repository, and cannot be steered by an answer."""

import re
from dataclasses import replace

import pytest

from tests.report import sample
from tests.report.settled_sample import LINES, settled
from withstand.report.annotations import (
    MOST_ANNOTATIONS,
    Annotator,
    harmless,
    render_annotations,
)
from withstand.results import Results
from withstand.sharding import Shard
from withstand.sharding.member import ShardBy
from withstand.sharding.plan import ShardMode
from withstand.sharding.suite import Finished, Outcome, SuitePart, SuiteRecord

EVERY = pytest.mark.parametrize("annotator", Annotator)
_GITHUB = re.compile(r"::(error|warning|notice) (?:[a-z]+=[^,:]*)(?:,[a-z]+=[^,:]*)*::[^\r\n]+")
_AZURE = re.compile(r"##vso\[task\.logissue (?:[a-z]+=[^;\]]*)(?:;[a-z]+=[^;\]]*)*\][^\r\n]+")
_FORM = {Annotator.GITHUB: _GITHUB, Annotator.AZURE: _AZURE}


def many(number: int) -> Results:
    results = sample.scan_only()
    assert results.scan is not None
    findings = tuple(
        replace(results.scan.findings[0], parameter=f"field{at}") for at in range(number)
    )
    return replace(results, scan=replace(results.scan, findings=findings))


@EVERY
@pytest.mark.parametrize("results", [sample.sample(), settled(), sample.void(), many(30)])
def test_every_line_is_one_command_of_the_system(results: Results, annotator: Annotator) -> None:
    lines = render_annotations(results, annotator).splitlines()
    assert lines
    assert [line for line in lines if not _FORM[annotator].fullmatch(line)] == []


@EVERY
def test_ten_are_shown_at_most_and_of_more_the_last_counts_the_rest(annotator: Annotator) -> None:
    whole = render_annotations(many(MOST_ANNOTATIONS), annotator).splitlines()
    assert len(whole) == MOST_ANNOTATIONS
    *shown, last = render_annotations(many(MOST_ANNOTATIONS + 7), annotator).splitlines()
    assert shown == whole[:-1]
    assert last.endswith("8 problems more: see the report of the run")


def test_a_run_that_held_is_annotated_with_nothing() -> None:
    assert render_annotations(sample.clean(), Annotator.GITHUB) == ""


def test_what_fails_comes_before_what_does_not() -> None:
    levels = re.findall(r"^::(\w+)", render_annotations(settled(), Annotator.GITHUB), re.M)
    assert {"error", "warning"} <= set(levels)
    assert levels == sorted(levels)


def test_a_finding_stands_at_the_line_of_its_operation() -> None:
    results = settled()
    text = render_annotations(results, Annotator.GITHUB)
    for finding in results.findings():
        if line := LINES.get(next(iter(finding.operations), "")):
            assert f" file=api/open api.json,line={line},title={finding.title}" in text


def test_a_breached_objective_is_an_error_with_what_was_observed() -> None:
    (verdict, *_) = sample.sample().breached()
    lines = render_annotations(sample.sample(), Annotator.AZURE).splitlines()
    (line,) = (each for each in lines if f"{verdict.objective.text} is breached" in each)
    assert line.startswith("##vso[task.logissue type=error]")
    assert verdict.reason.replace("%", "%AZP25") in line


def test_a_test_that_failed_is_an_error_in_its_file() -> None:
    part = SuitePart(
        shard=Shard(number=1, total=1),
        by=ShardBy.CLASS,
        mode=ShardMode.STABLE,
        digest="d",
        machine="m",
        commit=None,
        kept=("tests/test_a.py::test[a,b]", "tests/test_a.py::test_c"),
        finished=(
            Finished(
                nodeid="tests/test_a.py::test[a,b]",
                outcome=Outcome.FAILED,
                ms=1,
                message="assert 1 == 2\n::error::x",
            ),
            Finished(nodeid="tests/test_a.py::test_c", outcome=Outcome.PASSED, ms=1),
        ),
        exit_code=1,
    )
    suite = SuiteRecord(collected=(), parts=(part,))
    (line,) = render_annotations(
        replace(sample.clean(), suite=suite), Annotator.GITHUB
    ).splitlines()
    assert line == (
        "::error file=tests/test_a.py,line=1,title=tests/test_a.py%3A%3Atest[a%2Cb] failed::"
        "assert 1 == 2%0A::error::x"
    )


@EVERY
@pytest.mark.parametrize(
    "evil",
    [
        "x\n::error::y",
        "x\r::add-path::/tmp",
        "%0A::set-output name=a::b",
        "::stop-commands::pause",
        "##vso[task.setvariable variable=PATH]/tmp",
        "\n##[add-mask]x",
        "]y;type=error%",
    ],
)
def test_an_answer_cannot_issue_a_command(annotator: Annotator, evil: str) -> None:
    results = sample.with_detail(evil)
    finding = replace(results.findings()[0], title=evil, detail=evil)
    assert results.scan is not None
    results = replace(results, scan=replace(results.scan, findings=(finding,)))
    text = render_annotations(results, annotator)
    for line in text.splitlines():
        assert _FORM[annotator].fullmatch(line), line
        # GitHub reads the rest of its command as text; Azure looks for commands in it.
        assert annotator is Annotator.GITHUB or not re.search(r"##(\[|vso\[)", line[2:])
    assert text.count("\n") == len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("::add-path::/tmp\n", r"^\s*::"),
        ("  ::error::x\n\t::warning::y\n", r"^\s*::"),
        ("proof: ##[add-mask]x", r"##\["),
        ("proof: ##vso[task.setvariable variable=a]b", r"##vso\["),
        (":::: x", r"^\s*::"),
    ],
)
def test_a_report_holds_no_command_once_it_is_harmless(text: str, command: str) -> None:
    assert re.search(command, text, re.M)
    assert not re.search(command, harmless(text), re.M)
    assert harmless(text).replace(" ", "") == text.replace(" ", "")


def test_other_text_is_left_as_it_is() -> None:
    text = "GET /users::p95 ## heading [x] #[y] a::b\nstd::vector\n"
    assert harmless(text) == text


@pytest.mark.parametrize("title", ["100 %0A done", "a, b: c", "%253A;]", "plain"])
def test_what_the_system_reads_is_what_was_written(title: str) -> None:
    # Both undo their escapes, the percent sign last.
    results = sample.with_detail("x")
    assert results.scan is not None
    finding = replace(results.findings()[0], title=title)
    results = replace(results, scan=replace(results.scan, findings=(finding,)))
    command = render_annotations(results, Annotator.GITHUB)
    match = re.match(r"::error .*title=([^,]*?)::", command)
    assert match is not None
    read = match[1]
    for escape, char in (("%3A", ":"), ("%2C", ","), ("%25", "%")):
        read = read.replace(escape, char)
    assert read.startswith(f"{title}: ")
    message = render_annotations(results, Annotator.AZURE).partition("]")[2]
    assert message.replace("%0A", "\n").replace("%AZP25", "%").startswith(f"{title}: ")
