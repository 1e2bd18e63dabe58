"""Outcomes of checks → findings and coverage: one root cause, one finding (V7). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from withstand.client.curl import curl_line
from withstand.client.masking import Mask
from withstand.client.target import Target
from withstand.scan.check import (
    Check,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    Skipped,
)
from withstand.scan.finding import Evidence, Finding
from withstand.scan.records.record import Coverage, CoverageState

_EVIDENCE_SHOWN = 6  # exchanges of one finding: enough for any proof, readable by a person


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Collects what the checks returned, in order."""

    findings: list[Finding] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)

    def enter(
        self, check: Check, operation: str | None, outcome: Outcome, mask: Mask, target: Target
    ) -> None:
        """One outcome. Findings of a check that speaks for the whole API are folded into one."""
        state, reason = _state(outcome)
        self.coverage.append(
            Coverage(check=check.name, operation=operation, state=state, reason=mask.text(reason))
        )
        for failure in _failures(outcome):
            finding = _finding(check, operation, failure, mask, target)
            earlier = self._same_cause(check, finding)
            if earlier is None:
                self.findings.append(finding)
            else:
                self.findings[earlier] = _folded(self.findings[earlier], finding)

    def withdraw_since(self, entries: int, reason: str) -> None:
        """Everything after the first `entries` coverage rows becomes inconclusive (V0)."""
        doubtful = self.coverage[entries:]
        self.coverage[entries:] = [
            row
            if row.state in {CoverageState.SKIPPED, CoverageState.NOT_APPLICABLE}
            else replace(row, state=CoverageState.INCONCLUSIVE, reason=reason)
            for row in doubtful
        ]
        gone = {(row.check, row.operation) for row in doubtful}
        self.findings = [
            finding
            for finding in self.findings
            if not any((finding.check, place) in gone for place in (*finding.operations, None))
        ]

    def ordered(self) -> tuple[Finding, ...]:
        """The worst first, then by check and operation."""
        return tuple(sorted(self.findings, key=lambda f: (-f.severity.rank, f.check, f.operations)))

    def _same_cause(self, check: Check, finding: Finding) -> int | None:
        if not finding.whole_api:
            return None
        for index, earlier in enumerate(self.findings):
            same = earlier.check == check.name and earlier.parameter == finding.parameter
            if same and earlier.whole_api:
                return index
        return None


def texts_of(outcome: Outcome) -> Iterator[str]:
    """Whatever of an outcome is shown and may hold a secret, as it came."""
    yield _state(outcome)[1]
    for failure in _failures(outcome):
        yield failure.detail
        for item in failure.evidence[:_EVIDENCE_SHOWN]:
            exchange = item.exchange
            yield f"{item.caption} {item.highlight or ''} {exchange.request.path}"
            yield from (value for _, value in exchange.request.headers)
            yield exchange.request.body.decode("utf-8", "replace")
            if exchange.response is not None:
                yield from (value for _, value in exchange.response.headers)
                yield exchange.response.text


def _state(outcome: Outcome) -> tuple[CoverageState, str]:
    match outcome:
        case Passed():
            return CoverageState.PASSED, outcome.note
        case Failed():
            return CoverageState.FAILED, outcome.detail
        case FailedMany():
            return CoverageState.FAILED, "; ".join(f.detail for f in outcome.failures)
        case Inconclusive():
            return CoverageState.INCONCLUSIVE, outcome.reason
        case Skipped():
            if not outcome.applicable:
                return CoverageState.NOT_APPLICABLE, outcome.reason
            return CoverageState.SKIPPED, outcome.reason


def _failures(outcome: Outcome) -> tuple[Failed, ...]:
    if isinstance(outcome, Failed):
        return (outcome,)
    return outcome.failures if isinstance(outcome, FailedMany) else ()


def _finding(
    check: Check, operation: str | None, failure: Failed, mask: Mask, target: Target
) -> Finding:
    return Finding(
        check=check.name,
        title=check.title,
        severity=failure.severity or check.severity,
        confidence=failure.confidence or check.confidence,
        operations=(operation,) if operation is not None else failure.operations,
        detail=mask.text(failure.detail),
        remedy=check.remedy,
        evidence=tuple(_shown(item, mask, target) for item in failure.evidence[:_EVIDENCE_SHOWN]),
        parameter=failure.parameter,
        whole_api=failure.whole_api or check.per is Per.API,
        references=check.references.lines(),
    )


def _shown(evidence: Evidence, mask: Mask, target: Target) -> Evidence:
    exchange = mask.exchange(evidence.exchange)
    response = exchange.response
    return replace(
        evidence,
        caption=mask.text(evidence.caption),
        exchange=exchange,
        highlight=mask.text(evidence.highlight) if evidence.highlight else None,
        curl=curl_line(
            exchange.request, target, follows=response is not None and response.accepted is not None
        ),
    )


def _folded(one: Finding, other: Finding) -> Finding:
    severity = max(one.severity, other.severity, key=lambda severity: severity.rank)
    return replace(
        one,
        severity=severity,
        operations=tuple(dict.fromkeys((*one.operations, *other.operations))),
        evidence=(*one.evidence, *other.evidence)[:_EVIDENCE_SHOWN],
    )
