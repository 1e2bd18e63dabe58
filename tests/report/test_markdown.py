"""A job summary: bounded, complete in what matters first, and no markup but its own."""

import re
from dataclasses import replace

import pytest

from tests.report import sample, scan_sample
from tests.report.settled_sample import settled
from tests.scan.test_finding import a_finding
from withstand.report.markdown import LONGEST_BYTES, render_markdown
from withstand.results import Results


def test_the_verdict_is_the_first_line_and_every_finding_has_its_curl_line_and_replay() -> None:
    results = sample.scan_only()
    text = render_markdown(results)
    assert text.startswith("## ✗ Failed: Corner Shop\n")
    for finding in results.findings():
        assert f"withstand replay {finding.fingerprint}" in text
        assert finding.proof is None or finding.proof.curl in text


def test_what_the_team_said_is_shown() -> None:
    text = render_markdown(settled())
    assert "### Known, in withstand-baseline.json" in text
    assert "### Accepted" in text
    assert "### To look after" in text
    for said in ("held until 2026-01-31", "covers nothing: remove it", "names no check", "is gone"):
        assert said in text


def test_objectives_and_gaps_are_part_of_it() -> None:
    text = render_markdown(sample.sample())
    assert "### Objectives" in text
    assert "### Not tested" in text
    assert "503 Service Unavailable" in text


@pytest.mark.parametrize("limit", [20_000, 4_000, 900])
def test_it_stays_within_its_limit_and_says_what_gave_way(limit: int) -> None:
    assert LONGEST_BYTES < 1024**2  # over which GitHub shows nothing
    results = sample.scan_only()
    assert results.scan is not None
    many = tuple(a_finding(f"GET /a{n}", detail="y" * 3_000) for n in range(30))
    text = render_markdown(
        replace(results, scan=replace(results.scan, findings=many)), longest_bytes=limit
    )
    assert len(text.encode()) <= limit
    assert "more did not fit" in text
    assert text.startswith("## ✗ Failed")


@pytest.mark.parametrize(
    "results", [sample.with_detail(scan_sample.HOSTILE_BODY), sample.scan_only()]
)
def test_what_a_server_sent_is_no_markup(results: Results) -> None:
    text = render_markdown(results)
    outside = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    outside = re.sub(r"</?(?:details|summary)>", "", outside)
    assert re.findall(r"(?<!\\)<[a-z!/]", outside) == []
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_run_without_a_scan_is_a_summary_too() -> None:
    assert render_markdown(sample.load_only()).startswith("## ")
