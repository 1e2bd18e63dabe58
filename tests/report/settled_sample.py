"""The sample run with all that a team can say about findings: known, accepted, expired, gone."""

from dataclasses import replace

from tests.report import sample, scan_sample
from withstand.results import Results
from withstand.scan.finding import KnownFinding, Severity
from withstand.scan.records.record import Described, SuppressedFinding, SuppressionUse

LINES = {key: 10 * number for number, key in enumerate(scan_sample.OPERATIONS, start=1)}


def settled() -> Results:
    """Of six findings one is accepted and one is known."""
    results = sample.scan_only()
    assert results.scan is not None
    accepted, known, *standing = results.scan.findings
    scan = replace(
        results.scan,
        findings=tuple(standing),
        known=(known,),
        suppressed=(
            SuppressedFinding(finding=accepted, reason="behind the proxy", expires="2027-06-30"),
        ),
        suppressions=(
            SuppressionUse(
                what="bola-read on GET /orders/{id}",
                reason="behind the proxy",
                expires="2027-06-30",
                covers=1,
            ),
            SuppressionUse(
                what="sql-injection on every operation",
                reason="legacy",
                expires="2026-01-31",
                expired=True,
                covers=1,
            ),
            SuppressionUse(what="bola-write on GET /users", reason="shared data", missed=True),
            SuppressionUse(what="bola-wirte on GET /users", reason="typo", misnamed=True),
        ),
        baseline_file="withstand-baseline.json",
        gone=(
            KnownFinding(
                fingerprint="0123456789abcdef",
                check="mass-assignment",
                operation="PATCH /users/{id}",
                severity=Severity.HIGH,
            ),
        ),
        described=Described(file="api/open api.json", lines=LINES),
    )
    return replace(results, scan=scan)
