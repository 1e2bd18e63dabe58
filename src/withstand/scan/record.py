"""What a scan leaves behind: findings and, as part of the verdict, what was and was not tested."""

from dataclasses import dataclass
from enum import StrEnum

from withstand.scan.access_matrix import AccessRow
from withstand.scan.finding import Finding


class CoverageState(StrEnum):
    """What became of one check on one operation."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    SKIPPED = "skipped"
    NOT_APPLICABLE = "not-applicable"  # nothing to look at, so nothing is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One cell of the coverage table. `operation` is None for a check of the whole API."""

    check: str
    operation: str | None
    state: CoverageState
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedFinding:
    """A finding that the team accepted, and why: shown, but it fails nothing."""

    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """Everything one scan learned.

    `operations` are all of the document's; `notes` are sentences that the reader must not miss
    ("no second user is configured, so cross-user access was not tested"); `void` says why the run
    cannot be trusted, None when it can.
    """

    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    operations: tuple[str, ...]
    identities: tuple[tuple[str, str], ...]  # name and role
    requests: int
    duration_s: float
    notes: tuple[str, ...] = ()
    void: str | None = None
    interrupted: bool = False
    suppressed: tuple[SuppressedFinding, ...] = ()
    access: tuple[AccessRow, ...] = ()  # who was served by which operation, where it was asked
