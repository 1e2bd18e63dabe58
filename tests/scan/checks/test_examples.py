"""Every check finds the flaw in its own example, and nothing else does; the safe one is silent."""

import pytest

from withstand.scan.catalogue import all_checks
from withstand.scan.check import Check
from withstand.scan.finding import Confidence, Finding, Severity
from withstand.scan.records.record import CoverageState, ScanRecord

from .tiny_api import identities, scanned

CHECKS = pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)


def scan_of_example(check: Check, *, vulnerable: bool) -> ScanRecord:
    example = check.example
    server = (example.vulnerable if vulnerable else example.safe)()
    tokens = None if vulnerable else example.safe_tokens
    plain = example.plain_vulnerable if vulnerable else example.plain_safe
    record, _ = scanned(
        server,
        example.paths,
        policy=example.policy,
        people=identities(tokens=tokens or example.tokens, cookie=example.cookie),
        login=example.login,
        plain=plain() if plain is not None else None,
        plain_url=example.plain_url,
        base_url=example.base_url or "http://127.0.0.1:9",
    )
    return record


def fails_a_build(finding: Finding, check: Check) -> bool:
    """Whether it is as bad as the check says: a check that is never worse than low fails none."""
    return (
        finding.severity.rank >= min(Severity.MEDIUM.rank, check.severity.rank)
        and finding.confidence is not Confidence.TENTATIVE
    )


@CHECKS
def test_the_flaw_of_the_vulnerable_example_is_found_by_its_check_and_by_no_other(
    check: Check,
) -> None:
    record = scan_of_example(check, vulnerable=True)
    assert record.void is None
    assert {finding.check for finding in record.findings} == {check.name}
    assert any(fails_a_build(finding, check) for finding in record.findings)
    assert all(finding.confidence is not Confidence.TENTATIVE for finding in record.findings)
    assert all(finding.evidence for finding in record.findings)


@CHECKS
def test_the_safe_example_passes_its_check_and_no_check_finds_anything_in_it(check: Check) -> None:
    record = scan_of_example(check, vulnerable=False)
    assert record.void is None
    assert [(f.check, f.detail) for f in record.findings] == []
    own = [row for row in record.coverage if row.check == check.name]
    assert CoverageState.PASSED in {row.state for row in own}, own


@CHECKS
def test_a_check_explains_itself(check: Check) -> None:
    assert check.name == check.name.lower().replace("_", "-").replace(" ", "-")
    assert 2 <= check.explanation.count(". ") + 1 <= 6
    assert 1 <= check.remedy.count(". ") + 1 <= 6
    assert check.references.cwe
    assert len(check.title) < 80
