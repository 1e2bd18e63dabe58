"""The profiles hold for every check of the catalogue, on every example: all requests are seen."""

from typing import Any

import pytest

from tests.scan.checks.tiny_api import identities, scanned
from withstand.client.exchange import Exchange
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Check, Safety
from withstand.scan.policy import Profile
from withstand.scan.records.record import CoverageState, ScanRecord

CHECKS = all_checks()
FLOODS = tuple(check for check in CHECKS if check.safety is Safety.ABUSIVE)
EXAMPLES = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
SAFE = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, 9.2.1, without TRACE, which may echo secrets
ELSEWHERE = "http://api.example.com"


def scan_of(check: Check, profile: Profile, **more: Any) -> tuple[ScanRecord, tuple[Exchange, ...]]:
    """A scan of the example that has this check's flaw, with the whole catalogue by default."""
    example = check.example
    plain = example.plain_vulnerable
    return scanned(
        example.vulnerable(),
        example.paths,
        policy={**(example.policy or {}), "profile": profile},
        people=identities(tokens=example.tokens, cookie=example.cookie),
        login=example.login,
        plain=plain() if plain is not None else None,
        plain_url=example.plain_url,
        **more,
    )


@EXAMPLES
def test_readonly_sends_safe_methods_alone_but_for_the_configured_login(check: Check) -> None:
    record, exchanges = scan_of(check, Profile.READONLY)
    login = check.example.login
    sent = {
        (each.request.method, each.request.operation_path)
        for each in exchanges
        if each.request.method not in SAFE
    }
    allowed = {(login.method, login.path)} if login is not None else set()
    assert sent <= allowed
    more = {each.name for each in CHECKS if each.safety is not Safety.READ_ONLY}
    assert {cell.state for cell in record.coverage if cell.check in more} == {CoverageState.SKIPPED}


@pytest.mark.parametrize("check", FLOODS, ids=lambda check: check.name)
def test_ci_floods_nobody_elsewhere_and_abuse_does_when_it_is_asked_for(check: Check) -> None:
    floods = {each.name for each in FLOODS}
    record, _ = scan_of(check, Profile.CI, base_url=ELSEWHERE, checks=FLOODS)
    assert {cell.check for cell in record.coverage} == floods
    assert {cell.state for cell in record.coverage} == {CoverageState.SKIPPED}
    record, _ = scan_of(check, Profile.ABUSE, base_url=ELSEWHERE, checks=(check,))
    assert check.name in {finding.check for finding in record.findings}
