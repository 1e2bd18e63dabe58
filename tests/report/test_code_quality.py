"""What GitLab wants of a Code Quality report."""

import json

import pytest

from tests.report import sample
from tests.report.settled_sample import LINES, settled
from withstand.report.code_quality import render_code_quality
from withstand.results import Results


@pytest.mark.parametrize("results", [sample.scan_only(), settled(), sample.load_only()])
def test_every_entry_has_what_gitlab_demands(results: Results) -> None:
    entries = json.loads(render_code_quality(results))
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not entry["location"]["path"].startswith(("/", "./"))
        assert entry["location"]["lines"]["begin"] >= 1
    fingerprints = [entry["fingerprint"] for entry in entries]
    assert len(set(fingerprints)) == len(fingerprints)


def test_known_findings_are_there_and_accepted_ones_are_not() -> None:
    results = settled()
    assert results.scan is not None
    entries = {each["fingerprint"]: each for each in json.loads(render_code_quality(results))}
    (known,), (accepted,) = results.scan.known, results.scan.suppressed
    assert entries[known.fingerprint]["location"]["lines"]["begin"] == LINES[known.operations[0]]
    assert accepted.finding.fingerprint not in entries
