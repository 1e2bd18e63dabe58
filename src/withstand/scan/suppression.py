"""Findings that a team has accepted, for a reason and until a day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from withstand.scan.finding import Finding
from withstand.scan.policy import matches
from withstand.scan.record import ScanRecord, SuppressedFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One accepted finding: by check, and by operation pattern when one is given.

    `expires` is the last day on which it holds; None never ends it.
    """

    check: str
    reason: str
    operation: str | None = None
    expires: date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is meant, on whatever day: all its operations must be."""
        if finding.check != self.check:
            return False
        pattern = self.operation
        return pattern is None or all(matches(pattern, key) for key in finding.operations)

    def expired_on(self, day: date) -> bool:
        """Whether it has stopped to hold before that day."""
        return self.expires is not None and day > self.expires


def without_suppressed(record: ScanRecord, suppressions: Iterable[Suppression]) -> ScanRecord:
    """The record with the findings that a suppression covers set aside, each with its reason."""
    accepted = tuple(suppressions)
    standing, suppressed = [], list(record.suppressed)
    for finding in record.findings:
        reason = next((item.reason for item in accepted if item.covers(finding)), None)
        if reason is None:
            standing.append(finding)
        else:
            suppressed.append(SuppressedFinding(finding=finding, reason=reason))
    return replace(record, findings=tuple(standing), suppressed=tuple(suppressed))
