"""One finding again: which test it came from, and what running that test once more says. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from withstand.errors import UsageError
from withstand.openapi.operation import Api, Operation
from withstand.scan.check import Check, Per
from withstand.scan.finding import Finding, KnownFinding, fingerprint_of, operation_shape
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord

_SHORTEST_PREFIX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A fingerprint and the test that has it: a check, on an operation or on the whole API."""

    fingerprint: str
    check: str
    operation: str | None


class Answer(StrEnum):
    """What became of a finding."""

    STILL_THERE = "still there"
    GONE = "gone"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """The answer with its reason, and the finding when it is still there."""

    answer: Answer
    reason: str
    finding: Finding | None = None


def places_of_record(record: ScanRecord) -> Iterator[Place]:
    """The findings of an earlier scan, known and accepted ones too."""
    accepted = (each.finding for each in record.suppressed)
    for finding in (*record.findings, *record.known, *accepted):
        whole = finding.whole_api or not finding.operations
        yield Place(
            fingerprint=finding.fingerprint,
            check=finding.check,
            operation=None if whole else finding.operations[0],
        )


def places_of_baseline(known: Iterable[KnownFinding]) -> Iterator[Place]:
    """The findings that a baseline file names."""
    for entry in known:
        operation = None if entry.operation == "*" else entry.operation
        yield Place(fingerprint=entry.fingerprint, check=entry.check, operation=operation)


def places_of_tests(checks: Iterable[Check], api: Api) -> Iterator[Place]:
    """Every fingerprint that a finding without a parameter of its own could have."""
    for check in checks:
        if check.per is Per.API:
            yield Place(
                fingerprint=fingerprint_of(check.name, ()), check=check.name, operation=None
            )
            continue
        for operation in api.operations:
            yield Place(
                fingerprint=fingerprint_of(check.name, (operation.key,)),
                check=check.name,
                operation=operation.key,
            )


def place_named(prefix: str, places: Iterable[Place], *, searched: str) -> Place:
    """The one place whose fingerprint begins like this.

    `searched` says where it was looked for. Raises UsageError when there is none, or several.
    """
    if len(prefix) < _SHORTEST_PREFIX:
        raise UsageError(
            f"{prefix!r} is too short for a fingerprint",
            hint=f"give at least {_SHORTEST_PREFIX} of its 16 hex digits",
        )
    found = {
        each.fingerprint: each for each in places if each.fingerprint.startswith(prefix.lower())
    }
    if not found:
        raise UsageError(
            f"no finding {prefix} is in {searched}",
            hint="give the results file of the run that found it",
        )
    if len(found) > 1:
        raise UsageError(
            f"{prefix} is the beginning of {len(found)} fingerprints: {', '.join(sorted(found))}",
            hint="give more of it",
        )
    return next(iter(found.values()))


def operation_of(place: Place, api: Api) -> Operation | None:
    """The operation of the document, also when its path's parameters have other names by now."""
    if place.operation is None:
        return None
    wanted = operation_shape(place.operation)
    return next((each for each in api.operations if operation_shape(each.key) == wanted), None)


def same_tests(place: Place, check: Check, api: Api) -> frozenset[tuple[str, str | None]]:
    """The tests that could find it again; none where its operation is not there any more."""
    if check.per is Per.API:
        return frozenset({(check.name, None)})
    if place.operation is None:
        return frozenset((check.name, operation.key) for operation in api.operations)
    operation = operation_of(place, api)
    return frozenset() if operation is None else frozenset({(check.name, operation.key)})


def answered(place: Place, record: ScanRecord) -> Replayed:
    """What a scan of just these tests says about the finding."""
    found = {finding.fingerprint: finding for finding in record.findings}
    if finding := found.get(place.fingerprint):
        return Replayed(answer=Answer.STILL_THERE, reason=finding.detail, finding=finding)
    if record.void is not None:
        return Replayed(answer=Answer.UNKNOWN, reason=record.void)
    cells = [cell for cell in record.coverage if cell.check == place.check]
    doubtful = [cell for cell in cells if _is_doubtful(cell)]
    if doubtful or not cells:
        reason = doubtful[0].reason if doubtful else "nothing was tested"
        return Replayed(answer=Answer.UNKNOWN, reason=reason)
    if others := ", ".join(
        sorted(f.fingerprint for f in record.findings if f.check == place.check)
    ):
        return Replayed(
            answer=Answer.GONE, reason=f"the check found something else there ({others})"
        )
    said = next((cell.reason for cell in cells if cell.reason), "")
    return Replayed(answer=Answer.GONE, reason=said or "the check passed, and its controls held")


def _is_doubtful(cell: Coverage) -> bool:
    return cell.state in {CoverageState.INCONCLUSIVE, CoverageState.SKIPPED}
