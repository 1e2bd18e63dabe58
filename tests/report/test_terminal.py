"""The terminal report says the verdict first and last, and hides no gap."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from tests.report import sample, scan_sample
from tests.report.stress_sample import stress_only
from withstand.report.headline import headline
from withstand.report.terminal import render
from withstand.report.wording import drifts_by_urgency
from withstand.results import Results


def rendered(results: Results, *, width: int = 100, colour: bool = False) -> str:
    """What a terminal of that width gets."""
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    render(results, console)
    return file.getvalue()


def test_the_report_of_a_scan_reads_like_this(snapshot: SnapshotAssertion) -> None:
    assert rendered(sample.scan_only()) == snapshot


def test_the_report_of_trials_reads_like_this(snapshot: SnapshotAssertion) -> None:
    assert rendered(sample.trials()) == snapshot


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (sample.sample, "✗ FAILED"),
        (sample.scan_only, "✗ FAILED"),
        (sample.load_only, "✗ FAILED"),
        (sample.void, "⊘ VOID"),
        (sample.clean, "✓ HELD"),
        (sample.trials, "✗ FAILED"),
        (sample.soak, "✗ FAILED"),
        (stress_only, "✓ HELD"),
    ],
    ids=["sample", "scan", "load", "void", "clean", "trials", "soak", "stress"],
)
def test_the_verdict_is_the_first_and_the_last_line(make: Callable[[], Results], word: str) -> None:
    results = make()
    lines = rendered(results, width=200).splitlines()
    assert lines[0] == lines[-1] == f"{word}  {headline(results)}"


@pytest.mark.parametrize("width", [60, 100, 200])
def test_what_a_soak_test_found_is_printed_the_worst_first(width: int) -> None:
    results = sample.soak()
    text = " ".join(rendered(results, width=width).split())
    places = [text.index(drift.reason) for drift in drifts_by_urgency(results.drifts())]
    assert places == sorted(places)
    assert results.drifting()[0].quantity == "memory"
    assert results.load is not None
    assert results.load.probe_trouble is not None
    assert results.load.probe_trouble in text


def test_every_reason_for_a_gap_is_printed() -> None:
    text = " ".join(rendered(sample.scan_only(), width=300).split())
    scan = scan_sample.scan()
    reasons = {cell.reason for cell in scan.coverage if cell.reason}
    assert len(reasons) > 3
    for sentence in (*scan.notes, *reasons):
        assert sentence in text


def test_a_note_that_repeats_the_reason_of_a_gap_is_not_printed_twice() -> None:
    results = sample.scan_only()
    assert results.scan is not None
    cell = next(each for each in results.scan.coverage if each.reason and each.operation)
    note = f"{cell.operation} was not tested: {cell.reason}."
    repeating = replace(results, scan=replace(results.scan, notes=(note, "No identity.")))
    text = " ".join(rendered(repeating, width=300).split())
    assert note not in text
    assert cell.reason is not None
    assert cell.reason in text
    assert "! No identity." in text


def test_objectives_show_sign_observation_interval_and_requests() -> None:
    lines = rendered(sample.load_only(), width=200).splitlines()
    held = next(line for line in lines if "p50<100ms" in line)
    assert held.split()[:4] == ["✓", "p50<100ms", "GET", "/users"]
    assert "p50 = 42.9 ms (" in held
    assert " to " in held
    assert "2,700 requests)" in held
    assert any(line.startswith("  ✗  p95<120ms") for line in lines)


def test_what_is_breached_comes_before_what_is_met() -> None:
    lines = rendered(sample.load_only(), width=200).splitlines()
    signs = [line.strip()[0] for line in lines if line.startswith(("  ✗  ", "  ?  ", "  ✓  "))]
    assert signs == sorted(signs, key="✗?✓".index)
    assert set(signs) == set("✗?✓")


def test_load_shows_what_the_generator_did_and_both_kinds_of_latency() -> None:
    text = rendered(sample.load_only(), width=160)
    together = " ".join(text.split())
    assert "offered 5,955 · sent 5,955 · late 41 · unanswered 3 · send lag p50 " in together
    assert re.search(r"send lag p50 \S+ µs, p99 \S+ µs, max \S+ µs · generator CPU 31 %", together)
    assert "GC pauses 2, max 1.40 ms · descriptors 57 of 20,000" in together
    row = next(line for line in text.splitlines() if line.startswith("  GET /users  "))
    heads = next(line for line in text.splitlines() if line.startswith("  operation"))
    assert " ".join(heads.split()[1:]) == "requests rate errors p50 p95 p99 max service p99"
    assert row.split("  ")[-1].strip() == "94.1 ms"
    assert "POST /orders: 6 with an unexpected status (503)" in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_nothing_but_curl_lines_is_wider_than_the_terminal(width: int) -> None:
    lines = rendered(sample.sample(), width=width).splitlines()
    assert [line for line in lines if len(line) > width and "$ curl" not in line] == []


def test_no_name_of_a_check_is_broken_in_eighty_columns() -> None:
    lines = rendered(sample.scan_only(), width=80).splitlines()
    table = lines[next(at for at, line in enumerate(lines) if line.startswith("  check ")) + 1 :]
    names = {cell.check for cell in scan_sample.scan().coverage}
    assert names <= {line.split()[0] for line in table if line.strip()}


@pytest.mark.parametrize("width", [60, 80])
def test_an_objective_in_a_narrow_terminal_has_what_was_seen_below_it(width: int) -> None:
    lines = rendered(sample.load_only(), width=width).splitlines()
    at = next(at for at, line in enumerate(lines) if "p50<100ms" in line)
    assert lines[at] == "  ✓  p50<100ms  GET /users"
    assert lines[at + 1].startswith("    p50 = 42.9 ms (")


@pytest.mark.parametrize("width", [60, 80])
def test_a_narrow_terminal_still_shows_the_whole_name_of_an_operation(width: int) -> None:
    text = rendered(sample.load_only(), width=width)
    table = text[text.index("  operation") : text.index("times are response times")]
    first_column = "".join(re.split(r"\s{2,}", line.strip())[0] for line in table.splitlines())
    assert "GET/admin/reports/{year}/{month}/by-region-and-sales-channel" in first_column


def test_without_colour_there_is_no_escape_sequence() -> None:
    assert "\x1b" not in rendered(sample.sample())
    assert "\x1b[" in rendered(sample.sample(), colour=True)


def test_no_line_ends_in_blanks() -> None:
    assert [line for line in rendered(sample.sample()).splitlines() if line != line.rstrip()] == []


def test_what_a_server_sends_cannot_steer_the_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x9b31m\u202eevil\ud800[bold]"
    text = rendered(sample.with_detail(hostile), width=300)
    assert "\\x1b]0;owned\\x07\\x9b31m\\u202eevil\\ud800[bold]" in text
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\ud800"} & set(text)


def test_a_curl_line_is_one_line_however_long() -> None:
    lines = rendered(sample.scan_only(), width=60).splitlines()
    longest = max(lines, key=len)
    assert longest.strip().startswith("$ curl -sS -X GET")
    assert longest.endswith("AAA'")
