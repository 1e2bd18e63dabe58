"""What a scan leaves behind: findings and, as part of the verdict, what was and was not tested."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from withstand.scan.access_matrix import AccessRow
from withstand.scan.finding import Finding, KnownFinding
from withstand.sharding import Shard


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
    expires: str | None = None  # the last day on which that holds, 2027-06-30


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionUse:
    """A suppression of the configuration, and what it did in this scan.

    `what` names what it covers, `expires` its last day. `missed` says that all it could cover was
    tested and nothing was found there; None where there is nothing that it could cover. `misnamed`
    says that there is no such check.
    """

    what: str
    reason: str
    expires: str | None = None
    expired: bool = False
    covers: int = 0  # findings, also when it has expired
    missed: bool | None = None
    misnamed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """Where the operations are described: a file, from the repository's root on, with slashes.

    `lines` maps the keys of the operations to their lines there, from 1; it is empty where the
    file only says which document is scanned.
    """

    file: str
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """Everything one scan learned.

    `operations` are all of the document's; `notes` are sentences that the reader must not miss
    ("no second user is configured, so cross-user access was not tested"); `facts` are sentences
    that reassure ("after the scan alice still logs in as configured"); `void` says why the run
    cannot be trusted, None when it can; `cut_short` why not everything was tested, None where it
    was, or where somebody interrupted the scan. `shards` names the parts of a divided scan that are
    in it, `whole` is the digest of all of that scan's tests, None of a part that tested nothing; a
    scan that was not divided has neither.
    """

    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    operations: tuple[str, ...]
    identities: tuple[tuple[str, str], ...]  # name and role
    requests: int
    duration_s: float
    notes: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    void: str | None = None
    interrupted: bool = False
    cut_short: str | None = None
    suppressed: tuple[SuppressedFinding, ...] = ()
    access: tuple[AccessRow, ...] = ()  # who was served by which operation, where it was asked
    suppressions: tuple[SuppressionUse, ...] = ()
    baseline_file: str | None = None  # what says which findings are known; None without one
    known: tuple[Finding, ...] = ()  # findings that were there before: shown, they fail nothing
    gone: tuple[KnownFinding, ...] = ()  # known ones that were tested for and are not there
    described: Described | None = None
    shards: tuple[Shard, ...] = ()
    whole: str | None = None
