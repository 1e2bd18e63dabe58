"""How two scans of the same API become one. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

from withstand.scan.access_matrix import merge_rows
from withstand.scan.finding import Confidence, Finding
from withstand.scan.records.record import (
    Coverage,
    CoverageState,
    ScanRecord,
    SuppressedFinding,
    SuppressionUse,
)
from withstand.scan.records.share import joined_scans

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
    what one shard tested was tested, whatever the other skipped. Raises UsageError for shards of
    different scans, and for one that is there twice.
    """
    findings = _one_of_each((*first.findings, *second.findings))
    known = _one_of_each((*first.known, *second.known))
    found = findings.keys() | known.keys()
    cells: dict[tuple[str, str | None], Coverage] = {}
    for cell in (*first.coverage, *second.coverage):
        place = (cell.check, cell.operation)
        cells[place] = min(cells.get(place, cell), cell, key=lambda each: _TELLING[each.state])
    return ScanRecord(
        shards=joined_scans(first, second),
        whole=first.whole or second.whole,
        findings=tuple(findings.values()),
        # What stands for one shard stands.
        known=tuple(each for name, each in known.items() if name not in findings),
        gone=tuple(
            entry for entry in _union(first.gone, second.gone) if entry.fingerprint not in found
        ),
        coverage=tuple(cells.values()),
        operations=_union(first.operations, second.operations),
        identities=_union(first.identities, second.identities),
        requests=first.requests + second.requests,
        duration_s=max(first.duration_s, second.duration_s),
        notes=_union(first.notes, second.notes),
        facts=_union(first.facts, second.facts),
        void=_either(first.void, second.void),
        interrupted=first.interrupted or second.interrupted,
        cut_short=_either(first.cut_short, second.cut_short),
        access=merge_rows(first.access, second.access),
        suppressed=_accepted_once((*first.suppressed, *second.suppressed)),
        suppressions=_uses((*first.suppressions, *second.suppressions)),
        baseline_file=first.baseline_file or second.baseline_file,
        described=first.described or second.described,
    )


def badness(finding: Finding) -> tuple[int, int]:
    """A sort key that puts the worst and, among those, the surest finding first."""
    return -finding.severity.rank, list(Confidence).index(finding.confidence)


def _one_of_each(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Fingerprint → the finding, the worst of those that have it."""
    found: dict[str, Finding] = {}
    for finding in findings:
        known = found.get(finding.fingerprint)
        found[finding.fingerprint] = finding if known is None else _worse(known, finding)
    return found


def _accepted_once(suppressed: Iterable[SuppressedFinding]) -> tuple[SuppressedFinding, ...]:
    found: dict[str, SuppressedFinding] = {}
    for each in suppressed:
        known = found.setdefault(each.finding.fingerprint, each)
        found[each.finding.fingerprint] = replace(
            known, finding=_worse(known.finding, each.finding)
        )
    return tuple(found.values())


def _uses(uses: Iterable[SuppressionUse]) -> tuple[SuppressionUse, ...]:
    """What each suppression did in all: it missed only where no shard needed it."""
    found: dict[tuple[str, str], SuppressionUse] = {}
    for use in uses:
        place = (use.what, use.reason)
        known = found.get(place)
        found[place] = (
            use
            if known is None
            else replace(
                known,
                covers=known.covers + use.covers,
                expired=known.expired or use.expired,
                missed=_all_missed(known.missed, use.missed),
            )
        )
    return tuple(found.values())


def _all_missed(first: bool | None, second: bool | None) -> bool | None:
    """What several shards say of it that each may have nothing to say."""
    said = [each for each in (first, second) if each is not None]
    return all(said) if said else None


def _worse(first: Finding, second: Finding) -> Finding:
    worse = min(first, second, key=badness)
    return replace(worse, operations=_union(first.operations, second.operations))


def _union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def _either(first: str | None, second: str | None) -> str | None:
    if first is None or second is None:
        return first or second
    return "; ".join(_union(tuple(first.split("; ")), tuple(second.split("; "))))
