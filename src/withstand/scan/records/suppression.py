"""Findings that a team has accepted, for a reason and until a day. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from withstand.scan.finding import Finding, operation_shape
from withstand.scan.policy import matches
from withstand.scan.records.record import (
    Coverage,
    CoverageState,
    ScanRecord,
    SuppressedFinding,
    SuppressionUse,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One accepted finding: by its fingerprint, or by check and operation pattern.

    At least one of `check` and `fingerprint` is given; all that is given must fit. `expires` is
    the last day on which it holds; None never ends it.
    """

    reason: str
    check: str | None = None
    operation: str | None = None
    fingerprint: str | None = None
    expires: date | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is meant, on whatever day: all its operations must be."""
        if self.check is not None and finding.check != self.check:
            return False
        if self.fingerprint is not None and finding.fingerprint != self.fingerprint:
            return False
        return all(self._concerns(key) for key in finding.operations)

    def expired_on(self, day: date) -> bool:
        """Whether it has stopped to hold before that day."""
        return self.expires is not None and day > self.expires

    @property
    def what(self) -> str:
        """What it covers, in a few words: `sql-injection on GET /users`."""
        if self.check is None:
            return f"{self.fingerprint}" + (f" on {self.operation}" if self.operation else "")
        place = self.operation or "every operation"
        return f"{self.check} on {place}" + (f" ({self.fingerprint})" if self.fingerprint else "")

    def might_cover(self, cell: Coverage) -> bool:
        """Whether a finding of this test could be meant."""
        if self.check is not None and cell.check != self.check:
            return False
        return cell.operation is None or self._concerns(cell.operation)

    def _concerns(self, key: str) -> bool:
        pattern = self.operation
        if pattern is None:
            return True
        return matches(pattern, key) or matches(operation_shape(pattern), operation_shape(key))


def without_suppressed(
    record: ScanRecord,
    suppressions: Iterable[Suppression],
    day: date,
    *,
    checks: Collection[str] | None = None,
) -> ScanRecord:
    """The record with the findings set aside that a suppression covers on that day.

    `checks` are the names that there are, where they are known. Each finding keeps the reason; what
    every suppression did, expired ones too, is part of the record.
    """
    every = tuple(suppressions)
    in_force = tuple(item for item in every if not item.expired_on(day))
    standing, suppressed = [], list(record.suppressed)
    for finding in record.findings:
        accepted = next((item for item in in_force if item.covers(finding)), None)
        if accepted is None:
            standing.append(finding)
        else:
            suppressed.append(
                SuppressedFinding(
                    finding=finding, reason=accepted.reason, expires=_text(accepted.expires)
                )
            )
    return replace(
        record,
        findings=tuple(standing),
        suppressed=tuple(suppressed),
        suppressions=tuple(
            replace(
                _use(item, record, day),
                misnamed=checks is not None and item.check is not None and item.check not in checks,
            )
            for item in every
        ),
    )


_DECIDED = frozenset({CoverageState.PASSED, CoverageState.FAILED, CoverageState.NOT_APPLICABLE})


def _use(item: Suppression, record: ScanRecord, day: date) -> SuppressionUse:
    covered = sum(item.covers(finding) for finding in record.findings)
    return SuppressionUse(
        what=item.what,
        reason=item.reason,
        expires=_text(item.expires),
        expired=item.expired_on(day),
        covers=covered,
        missed=_missed(item, record, covered),
    )


def _missed(item: Suppression, record: ScanRecord, covered: int) -> bool | None:
    """Whether everything that it could cover was tested: else it may be needed all the same."""
    states = {cell.state for cell in record.coverage if item.might_cover(cell)}
    if not states and not covered:
        return None
    return not covered and record.void is None and states <= _DECIDED


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
