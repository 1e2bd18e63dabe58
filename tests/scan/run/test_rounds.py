"""What is tested first, and what is said, where the budget does not do for everything."""

from dataclasses import replace
from typing import Any

from tests.scan.small_api import a_check, answer, scanned
from withstand.client.exchange import Request, Response
from withstand.results import Conclusion, Results
from withstand.scan.check import PASSED, Check, Outcome, Per, Steps, send
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.run.rounds import rounds
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Budget

OPERATIONS = 60
PATHS: dict[str, Any] = {
    f"/pages/{number}": {"get": {"responses": {"200": {"description": "fine"}}}}
    for number in range(OPERATIONS)
}


def asks(subject: Subject) -> Steps[Outcome]:
    assert subject.baseline is not None, "every page answers"
    yield from send(subject.baseline.exchange.request)
    return PASSED


def looks(subject: Subject) -> Steps[Outcome]:
    yield from send(Request(method="GET", path="/"))
    return PASSED


GUARD = replace(a_check(asks, name="guard"), family="authorisation")
INPUT = replace(a_check(asks, name="input"), family="input handling")
WHOLE = a_check(looks, name="whole", per=Per.API)


def scan_within(requests: int) -> ScanRecord:
    def server(request: Request) -> Response:
        return answer(200, {"page": request.path})

    budget = Budget(requests=requests, duration_s=None)
    checks = (INPUT, GUARD, WHOLE)
    return scanned(*checks, server=server, paths=PATHS, budget=budget, identities=())[0]


def passed(record: ScanRecord, check: Check) -> int:
    return sum(
        row.check == check.name and row.state is CoverageState.PASSED for row in record.coverage
    )


def test_what_a_budget_does_for_goes_over_the_operations_once() -> None:
    assert rounds((INPUT, GUARD), 10, 1_000) == ((INPUT, GUARD),)


def test_where_it_does_not_who_is_let_in_comes_before_what_is_sent_in() -> None:
    assert rounds((INPUT, GUARD), 10, 100) == ((GUARD,), (INPUT,))


def test_a_budget_that_is_too_small_leaves_no_operation_without_its_guard_tested() -> None:
    record = scan_within(250)
    assert passed(record, GUARD) == OPERATIONS
    assert 0 < passed(record, INPUT) < OPERATIONS
    assert record.requests <= 250


def test_the_whole_api_is_tested_however_many_operations_there_are() -> None:
    assert passed(scan_within(250), WHOLE) == 1


def test_a_scan_that_did_not_come_to_its_end_is_undecided_and_says_what_helps() -> None:
    record = scan_within(250)
    assert record.cut_short == "the budget of 250 requests is spent"
    (note,) = (note for note in record.notes if "ended early" in note)
    assert "budget under [security]" in note
    skipped = [row for row in record.coverage if row.state is CoverageState.SKIPPED]
    assert {row.reason for row in skipped} == {record.cut_short}

    results = Results(
        base_url="http://127.0.0.1:9",
        scan=record,
        started_at=0.0,
        duration_s=1.0,
        version="1",
        command="withstand scan",
    )
    assert results.conclusion() is Conclusion.UNDECIDED
    assert replace(results, strict=True).exit_code() == 3


def test_a_scan_within_its_budget_is_not_cut_short() -> None:
    record = scan_within(20_000)
    assert record.cut_short is None
    assert passed(record, INPUT) == OPERATIONS
