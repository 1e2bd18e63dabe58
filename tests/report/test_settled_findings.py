"""What a team said about findings is in every report that people read."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.report.settled_sample import settled
from tests.report.test_terminal import rendered
from withstand.report.headline import headline
from withstand.report.html import render_html
from withstand.report.markdown import render_markdown
from withstand.results import Results
from withstand.scan.records.record import CoverageState

REPORTS = pytest.mark.parametrize("report", [rendered, render_html, render_markdown])


def words(report: Callable[[Results], str]) -> str:
    """The report without markup and line breaks."""
    text = re.sub(r"<[^>]+>|\\", "", report(settled()))
    return " ".join(text.split())


@REPORTS
def test_accepted_findings_are_shown_with_reason_and_last_day(
    report: Callable[[Results], str],
) -> None:
    assert "behind the proxy (until 2027-06-30)" in words(report)


@REPORTS
def test_known_findings_are_shown_with_their_fingerprints(
    report: Callable[[Results], str],
) -> None:
    results = settled()
    assert results.scan is not None
    (known,) = results.scan.known
    assert "in withstand-baseline.json" in words(report)
    assert known.fingerprint in words(report)


@REPORTS
def test_what_needs_looking_after_is_said(report: Callable[[Results], str]) -> None:
    text = words(report)
    for sentence in (
        "sql-injection on every operation (legacy) held until 2026-01-31: 1 finding of it counts "
        "again.",
        "bola-write on GET /users (shared data) covers nothing: remove it.",
        "bola-wirte on GET /users (typo) names no check: correct it.",
        "mass-assignment on PATCH /users/{id} (0123456789abcdef) is in withstand-baseline.json "
        "and is gone: write it anew with --update-baseline.",
    ):
        assert sentence in text


def test_the_headline_counts_what_is_set_aside() -> None:
    results = settled()
    assert results.scan is not None
    quiet = replace(
        results,
        scan=replace(
            results.scan,
            findings=(),
            coverage=tuple(
                cell
                for cell in results.scan.coverage
                if cell.state is not CoverageState.INCONCLUSIVE
            ),
        ),
    )
    said = "1 known finding is still there and 1 finding is accepted."
    assert headline(quiet).endswith(said)
