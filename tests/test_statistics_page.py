"""docs/statistics.md: what it shows of the acceptance figures, and that it shows all of them."""

import json
import sys
from pathlib import Path

import pytest
from benchmarks.statistics import acceptance, verdicts
from benchmarks.statistics.acceptance import Line, record
from benchmarks.statistics.acceptance_page import page


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which results and page are written, instead of the project's own."""
    monkeypatch.setattr(acceptance, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(acceptance, "PAGE", tmp_path / "statistics.md")
    return tmp_path


def _line(measured: str, *, held: bool | None) -> Line:
    return Line(scenario="bursts | of ten", must="breached ≤ 1 %", measured=measured, held=held)


def test_the_page_is_what_the_results_say() -> None:
    assert acceptance.PAGE.read_text(encoding="utf-8") == page(acceptance.recorded())


def test_the_results_hold_every_row_that_the_script_can_measure() -> None:
    rows = {*(f"A{number}" for number in range(1, 11)), "F1", "S1", "S2", "S3", "S4"}

    assert rows <= set(acceptance.recorded()["entries"])


def test_a_figure_that_does_not_hold_is_shown_as_such(elsewhere: Path) -> None:
    lines = [_line("2 %", held=False), _line("1 %", held=True), _line("9 %", held=None)]
    record("B1", command="python -m x", setup="40 runs", lines=lines)

    shown = (elsewhere / "statistics.md").read_text(encoding="utf-8")
    assert "3 lines: 1 held, 1 not, 1 not decided" in shown
    assert "| B1 | bursts / of ten | breached ≤ 1 % | 2 % | **no** |" in shown
    assert "### Comparison of two versions" in shown


def test_recording_replaces_a_row_and_keeps_the_others_in_order(elsewhere: Path) -> None:
    for id, measured in (("A10", "7 µs"), ("B1", "1 %"), ("A2", "0 %"), ("A10", "3 µs")):
        record(id, command="x", setup="y", lines=[_line(measured, held=True)])

    entries = json.loads((elsewhere / "results.json").read_text(encoding="utf-8"))["entries"]
    assert list(entries) == ["A2", "A10", "B1"]
    assert [line["measured"] for line in entries["A10"]["lines"]] == ["3 µs"]


def test_a_quick_look_is_printed_and_not_recorded(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for runs, recorded in (("3", False), ("2000", True)):
        monkeypatch.setattr(sys, "argv", ["verdicts", "--runs", runs, "--only", "A8"])
        verdicts.main()

        assert "p95, least requests" in capsys.readouterr().out
        assert (elsewhere / "results.json").exists() is recorded
