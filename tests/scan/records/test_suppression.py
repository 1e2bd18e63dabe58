"""Accepted findings: by check, operation or fingerprint, until a day, and never unseen."""

from dataclasses import replace
from datetime import date

import pytest

from tests.scan.test_finding import a_finding
from withstand.scan.records.record import Coverage, CoverageState, ScanRecord, SuppressionUse
from withstand.scan.records.suppression import Suppression, without_suppressed

TODAY = date(2027, 3, 1)
FINDING = a_finding("GET /orders/{id}")


def a_record(*findings: object, cells: tuple[Coverage, ...] = ()) -> ScanRecord:
    return ScanRecord(
        findings=findings,  # type: ignore[arg-type]  # findings, which the tests make
        coverage=cells,
        operations=("GET /orders/{id}", "GET /users"),
        identities=(),
        requests=1,
        duration_s=1.0,
    )


def cell(
    state: CoverageState, check: str = "a-flaw", operation: str | None = "GET /users"
) -> Coverage:
    return Coverage(check=check, operation=operation, state=state)


def use(
    suppression: Suppression, record: ScanRecord, checks: frozenset[str] | None = None
) -> SuppressionUse:
    (found,) = without_suppressed(record, (suppression,), TODAY, checks=checks).suppressions
    return found


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({"fingerprint": FINDING.fingerprint}, True),
        ({"fingerprint": "0123456789abcdef"}, False),
        ({"fingerprint": FINDING.fingerprint, "check": "other"}, False),
        ({"check": "a-flaw", "operation": "GET /orders/{id}"}, True),
        ({"check": "a-flaw", "operation": "GET /orders/{orderId}"}, True),
        ({"check": "a-flaw", "operation": "GET /orders/*"}, True),
        ({"check": "a-flaw", "operation": "GET /orders"}, False),
    ],
)
def test_all_that_is_given_must_fit(given: dict[str, str], covered: bool) -> None:
    suppression = Suppression(
        reason="r",
        check=given.get("check"),
        operation=given.get("operation"),
        fingerprint=given.get("fingerprint"),
    )
    assert suppression.covers(FINDING) is covered


def test_an_accepted_finding_is_kept_with_its_reason_and_last_day() -> None:
    until = date(2027, 3, 1)
    accepted = Suppression(reason="behind the proxy", check="a-flaw", expires=until)
    record = without_suppressed(a_record(FINDING), (accepted,), TODAY)
    assert record.findings == ()
    (suppressed,) = record.suppressed
    assert (suppressed.reason, suppressed.expires) == ("behind the proxy", "2027-03-01")


def test_an_expired_one_no_longer_holds_and_says_what_it_covered() -> None:
    expired = Suppression(reason="r", check="a-flaw", expires=date(2027, 2, 28))
    record = without_suppressed(a_record(FINDING), (expired,), TODAY)
    assert (record.findings, record.suppressed) == ((FINDING,), ())
    (used,) = record.suppressions
    assert (used.expired, used.covers, used.missed) == (True, 1, False)


def test_one_that_expired_gives_way_to_one_that_holds() -> None:
    expired = Suppression(reason="old", check="a-flaw", expires=date(2027, 2, 28))
    holds = Suppression(reason="new", check="a-flaw")
    record = without_suppressed(a_record(FINDING), (expired, holds), TODAY)
    assert [each.reason for each in record.suppressed] == ["new"]


@pytest.mark.parametrize(
    ("states", "missed"),
    [
        ((CoverageState.PASSED,), True),
        ((CoverageState.PASSED, CoverageState.NOT_APPLICABLE), True),
        ((CoverageState.PASSED, CoverageState.INCONCLUSIVE), False),
        ((CoverageState.SKIPPED,), False),
        ((), None),  # nothing that it could cover is here: it may be in another shard
    ],
)
def test_one_covers_nothing_only_where_all_it_could_cover_was_tested(
    states: tuple[CoverageState, ...], missed: bool | None
) -> None:
    record = a_record(cells=tuple(cell(state) for state in states))
    assert use(Suppression(reason="r", check="a-flaw"), record).missed is missed


def test_a_void_scan_says_of_no_suppression_that_it_covers_nothing() -> None:
    record = replace(a_record(cells=(cell(CoverageState.PASSED),)), void="alice broke")
    assert not use(Suppression(reason="r", check="a-flaw"), record).missed


def test_a_name_that_no_check_has_is_found() -> None:
    checks = frozenset({"a-flaw"})
    assert use(Suppression(reason="r", check="a-flow"), a_record(), checks).misnamed
    assert not use(Suppression(reason="r", check="a-flaw"), a_record(), checks).misnamed
