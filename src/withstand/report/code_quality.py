"""The findings of a scan as a Code Quality report, which GitLab shows in merge requests. Pure.

GitLab Docs, "Code Quality", "Code Quality report format": a list of objects, each with
description, check_name, fingerprint, severity and a place within the repository.
"""

import json
from typing import Any, Final

from withstand.report.finding_text import place
from withstand.report.source_line import described_by, line_of
from withstand.report.wording import printable
from withstand.results import Results
from withstand.scan.finding import Finding, Severity
from withstand.scan.records.record import Described

_SEVERITY: Final = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render_code_quality(results: Results) -> str:
    """The findings that stand and those that are known; accepted ones are nobody's work."""
    scan = results.scan
    if scan is None:
        return "[]\n"
    described = described_by(scan)
    entries = [_entry(each, described) for each in (*results.findings(), *scan.known)]
    return json.dumps(entries, indent=1) + "\n"


def _entry(finding: Finding, described: Described) -> dict[str, Any]:
    return {
        "description": printable(f"{finding.title}: {place(finding)}: {finding.detail}")[:1_000],
        "check_name": finding.check,
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITY[finding.severity],
        "location": {"path": described.file, "lines": {"begin": line_of(finding, described)}},
    }
