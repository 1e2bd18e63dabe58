"""Where in the repository a finding is shown: a file and a line of it. Pure."""

from typing import Final

from withstand.scan.finding import Finding
from withstand.scan.records.record import Described, ScanRecord

# Code scanning and merge requests show no place outside of the repository.
_NOWHERE: Final = Described(file="withstand.toml", lines={})


def described_by(scan: ScanRecord | None) -> Described:
    """The OpenAPI document, where it is a file of the repository; else withstand.toml."""
    return (scan.described if scan is not None else None) or _NOWHERE


def line_of(finding: Finding, described: Described) -> int:
    """The line of the first of its operations that has one; else the first line."""
    return next((described.lines[key] for key in finding.operations if key in described.lines), 1)
