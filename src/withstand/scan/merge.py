"""How two scans of the same API become one. Pure."""

from dataclasses import replace
from typing import Final, TypeVar

from withstand.scan.access_matrix import merge_rows
from withstand.scan.finding import Confidence, Finding
from withstand.scan.record import Coverage, CoverageState, ScanRecord

T = TypeVar("T")

_TELLING: Final = {
    CoverageState.FAILED: 0,
    CoverageState.PASSED: 1,
    CoverageState.INCONCLUSIVE: 2,
    CoverageState.SKIPPED: 3,
    CoverageState.NOT_APPLICABLE: 4,
}


def merge_records(first: ScanRecord, second: ScanRecord) -> ScanRecord:
    """One record of two scans of the same API. Associative.

    Findings with the same fingerprint become one that keeps the worse one's proof and names the
    operations of both. Of two answers to one cell of the coverage the more telling one stays:
    what one shard tested was tested, whatever the other skipped.
    """
    findings: dict[str, Finding] = {}
    for finding in (*first.findings, *second.findings):
        known = findings.get(finding.fingerprint)
        findings[finding.fingerprint] = finding if known is None else _worse(known, finding)
    cells: dict[tuple[str, str | None], Coverage] = {}
    for cell in (*first.coverage, *second.coverage):
        place = (cell.check, cell.operation)
        cells[place] = min(cells.get(place, cell), cell, key=lambda each: _TELLING[each.state])
    return ScanRecord(
        findings=tuple(findings.values()),
        coverage=tuple(cells.values()),
        operations=_union(first.operations, second.operations),
        identities=_union(first.identities, second.identities),
        requests=first.requests + second.requests,
        duration_s=max(first.duration_s, second.duration_s),
        notes=_union(first.notes, second.notes),
        void=_either(first.void, second.void),
        interrupted=first.interrupted or second.interrupted,
        suppressed=_union(first.suppressed, second.suppressed),
        access=merge_rows(first.access, second.access),
    )


def badness(finding: Finding) -> tuple[int, int]:
    """A sort key that puts the worst and, among those, the surest finding first."""
    return -finding.severity.rank, list(Confidence).index(finding.confidence)


def _worse(first: Finding, second: Finding) -> Finding:
    worse = min(first, second, key=badness)
    return replace(worse, operations=_union(first.operations, second.operations))


def _union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _either(first: str | None, second: str | None) -> str | None:
    if first is None or second is None:
        return first or second
    return "; ".join(_union(tuple(first.split("; ")), tuple(second.split("; "))))
