"""Findings that were there before: what a baseline file remembers, and what follows. Pure.

A team that meets the scan with old findings writes them down once, and from then on only what is
new fails. A finding that became worse than it was is new.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from withstand.errors import UsageError
from withstand.scan.finding import Finding, KnownFinding, Severity, operation_shape
from withstand.scan.records.record import CoverageState, ScanRecord

_FORMAT: Final = "withstand-baseline"
_VERSION: Final = 1
_WHOLE_API: Final = "*"
_KEYS: Final = {"check", "operation", "parameter", "severity", "fingerprint"}


def with_known(record: ScanRecord, known: Iterable[KnownFinding], *, file: str) -> ScanRecord:
    """The record with known findings set apart, and those said that are gone.

    Gone is only what was tested for: where a check could not tell, what it found before may still
    be there.
    """
    entries = {entry.fingerprint: entry for entry in known}
    found = (*record.findings, *record.known)
    seen = {finding.fingerprint for finding in found}
    seen |= {accepted.finding.fingerprint for accepted in record.suppressed}
    is_old = {f.fingerprint: _covers(entries.get(f.fingerprint), f) for f in found}
    return replace(
        record,
        baseline_file=file,
        findings=tuple(f for f in found if not is_old[f.fingerprint]),
        known=tuple(f for f in found if is_old[f.fingerprint]),
        gone=tuple(
            entry
            for fingerprint, entry in entries.items()
            if fingerprint not in seen and _tested(entry, record)
        ),
    )


def without_untested(record: ScanRecord) -> ScanRecord:
    """The merged record of shards, of which each could say only of its own tests what is gone."""
    return replace(record, gone=tuple(entry for entry in record.gone if _tested(entry, record)))


def updated(record: ScanRecord, known: Iterable[KnownFinding]) -> tuple[KnownFinding, ...]:
    """What a baseline file says after this scan: its findings, but for suppressed ones, and of
    what it said before whatever could not be tested this time.
    """
    found = {f.fingerprint: _entry(f) for f in (*record.findings, *record.known)}
    accepted = {each.finding.fingerprint for each in record.suppressed}
    kept = {
        entry.fingerprint: entry
        for entry in known
        if entry.fingerprint not in accepted and not _tested(entry, record)
    }
    return tuple((kept | found).values())


def baseline_text(known: Iterable[KnownFinding]) -> str:
    """The file: JSON, sorted, one finding on a line, so that a diff shows what came and went."""
    lines = [json.dumps(_document(entry)) for entry in sorted(known, key=_order)]
    head = f'{{\n"format": "{_FORMAT}",\n"schema_version": {_VERSION},\n"findings": ['
    return head + ("\n" + ",\n".join(lines) + "\n" if lines else "") + "]\n}\n"


def read_baseline(text: str, *, source: str) -> tuple[KnownFinding, ...]:
    """The findings of a baseline file. Raises UsageError with what is wrong with it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(source, f"it is no JSON ({error})") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise _refused(source, f'it does not say "format": "{_FORMAT}"')
    version = document.get("schema_version")
    if version != _VERSION:
        raise _refused(source, f"its schema_version is {version!r}, and {_VERSION} is read")
    entries = document.get("findings")
    if not isinstance(entries, list):
        raise _refused(source, "its findings are no list")
    return tuple(_known(entry, at, source) for at, entry in enumerate(entries))


def _covers(entry: KnownFinding | None, finding: Finding) -> bool:
    return entry is not None and finding.severity.rank <= entry.severity.rank


def _tested(entry: KnownFinding, record: ScanRecord) -> bool:
    """Whether this scan decided what the finding is about, or the operation is not there now."""
    if record.void is not None:
        return False
    ran = [cell for cell in record.coverage if cell.check == entry.check]
    decided = (CoverageState.PASSED, CoverageState.FAILED, CoverageState.NOT_APPLICABLE)
    if entry.operation == _WHOLE_API:
        return bool(ran) and all(cell.state in decided for cell in ran)
    place = operation_shape(entry.operation)
    here = [cell for cell in ran if cell.operation and operation_shape(cell.operation) == place]
    if not here:
        return place not in {operation_shape(key) for key in record.operations}
    return all(cell.state in decided for cell in here)


def _entry(finding: Finding) -> KnownFinding:
    return KnownFinding(
        fingerprint=finding.fingerprint,
        check=finding.check,
        operation=_WHOLE_API if finding.whole_api else ", ".join(sorted(finding.operations)),
        severity=finding.severity,
        parameter=finding.parameter,
    )


def _order(entry: KnownFinding) -> tuple[str, ...]:
    return (entry.check, entry.operation, entry.parameter or "", entry.fingerprint)


def _document(entry: KnownFinding) -> dict[str, str]:
    found = {"check": entry.check, "operation": entry.operation}
    if entry.parameter is not None:
        found["parameter"] = entry.parameter
    return found | {"severity": entry.severity.value, "fingerprint": entry.fingerprint}


def _known(entry: object, at: int, source: str) -> KnownFinding:
    place = f"findings[{at}]"
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise _refused(source, f"{place} is no table of texts")
    if extra := sorted(entry.keys() - _KEYS):
        raise _refused(source, f"{place} has the unknown key {extra[0]!r}")
    if missing := sorted(_KEYS - {"parameter"} - entry.keys()):
        raise _refused(source, f"{place} has no {missing[0]}")
    if entry["severity"] not in set(Severity):
        raise _refused(source, f"{place} has the severity {entry['severity']!r}")
    return KnownFinding(
        fingerprint=entry["fingerprint"],
        check=entry["check"],
        operation=entry["operation"],
        severity=Severity(entry["severity"]),
        parameter=entry.get("parameter"),
    )


def _refused(source: str, why: str) -> UsageError:
    return UsageError(
        f"{source} is no baseline file: {why}",
        hint=f"write it anew with withstand scan --baseline {source} --update-baseline",
    )
