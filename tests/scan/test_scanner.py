"""The scan from end to end, over a scripted transport."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.small_api import (
    PATHS,
    Notes,
    a_check,
    answer,
    finds_everything,
    finds_everything_in_the_api,
    nothing,
    planned,
    scanned,
    states,
)
from withstand.client.exchange import Request, Response
from withstand.client.scripted import Scripted
from withstand.scan.catalogue import check_named
from withstand.scan.check import (
    PASSED,
    Failed,
    FailedMany,
    Outcome,
    Pause,
    Per,
    Safety,
    Steps,
    send,
    shown,
)
from withstand.scan.groundwork.preparation import prepared_requests
from withstand.scan.records.record import CoverageState
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Budget


def test_every_operation_and_check_has_one_cell_in_the_coverage() -> None:
    record, _ = scanned(a_check(nothing), a_check(nothing, name="other", per=Per.API))

    assert set(states(record)) == set(record.operations)
    assert set(record.operations) == {
        "GET /me",
        "GET /notes",
        "POST /notes",
        "GET /notes/{id}",
        "DELETE /notes/{id}",
    }
    assert states(record, "other") == {None: CoverageState.PASSED}
    assert all(state is CoverageState.PASSED for state in states(record).values())


def test_a_failure_that_repeats_becomes_one_finding_per_operation() -> None:
    record, _ = scanned(a_check(finds_everything))

    assert {finding.operations for finding in record.findings} == {
        (key,) for key in record.operations
    }


def test_a_failure_that_does_not_repeat_is_no_finding() -> None:
    runs = itertools.count()

    def finds_once(subject: Subject) -> Steps[Outcome]:
        outcome = yield from finds_everything(subject)
        return outcome if next(runs) == 0 else PASSED

    record, _ = scanned(a_check(finds_once), paths={"/me": PATHS["/me"]})

    assert record.findings == ()
    assert states(record) == {"GET /me": CoverageState.INCONCLUSIVE}


def test_a_failure_that_meets_a_limit_when_it_is_repeated_is_repeated_after_it() -> None:
    asked: list[Request] = []
    notes = Notes()

    def server(request: Request) -> Response:
        if "limited" not in request.path:
            return notes(request)
        asked.append(request)
        busy = Response(status=429, headers=(("Retry-After", "300"),))
        return busy if len(asked) == 2 else Response(status=200)

    def run(subject: Subject) -> Steps[Outcome]:
        exchange = yield from send(Request(method="GET", path="/limited"))
        return Failed(detail="It is open.", evidence=(shown("open", exchange),))

    record, _ = scanned(a_check(run, per=Per.API), server=server)
    assert len(record.findings) == 1
    assert len(asked) == 3


def test_only_the_parameters_that_fail_twice_are_found() -> None:
    runs = itertools.count()

    def finds_one_steadily(subject: Subject) -> Steps[Outcome]:
        exchange = yield from send(Request(method="GET", path="/me"))
        flickering = "b" if next(runs) % 2 == 0 else "c"
        return FailedMany(
            failures=tuple(
                Failed(detail="bad", evidence=(shown("x", exchange),), parameter=name)
                for name in ("a", flickering)
            )
        )

    record, _ = scanned(a_check(finds_one_steadily, per=Per.API))
    assert [finding.parameter for finding in record.findings] == ["a"]


def test_failures_that_are_the_whole_apis_are_one_finding_of_all_their_operations() -> None:
    record, _ = scanned(a_check(finds_everything_in_the_api))

    (finding,) = record.findings
    assert set(finding.operations) == set(record.operations)


def test_noise_is_tried_once_more_and_then_leaves_the_check_inconclusive() -> None:
    api = Notes()

    def asks_a_busy_server(_subject: Subject) -> Steps[Outcome]:
        api.down["/busy"] = 2
        yield from send(Request(method="GET", path="/busy"))
        return PASSED

    record, exchanges = scanned(a_check(asks_a_busy_server, per=Per.API), server=api)

    (row,) = record.coverage
    assert row.state is CoverageState.INCONCLUSIVE
    assert "503" in row.reason
    assert sum(each.request.path == "/busy" for each in exchanges) == 2


def test_a_busy_moment_is_survived() -> None:
    api = Notes()

    def asks_a_busy_server(_subject: Subject) -> Steps[Outcome]:
        api.down["/me"] = 1
        exchange = yield from send(Request(method="GET", path="/me"))
        return PASSED if exchange.status == 401 else Failed(detail="noise", evidence=())

    record, _ = scanned(a_check(asks_a_busy_server, per=Per.API), server=api)
    assert record.coverage[0].state is CoverageState.PASSED


def test_who_says_when_to_come_again_is_asked_again_until_it_serves() -> None:
    refusals = itertools.repeat(Response(status=429, headers=(("Retry-After", "1"),)), 4)

    def limited(request: Request) -> Response:
        return next(refusals, answer(200, {})) if request.path == "/busy" else Notes()(request)

    def asks(_subject: Subject) -> Steps[Outcome]:
        exchange = yield from send(Request(method="GET", path="/busy"))
        return PASSED if exchange.succeeded else Failed(detail="noise", evidence=())

    record, _ = scanned(a_check(asks, per=Per.API), server=limited)
    assert record.coverage[0].state is CoverageState.PASSED


def test_what_the_scan_created_is_deleted_by_who_created_it() -> None:
    api = Notes()

    record, _ = scanned(a_check(nothing), server=api)

    assert states(record)["DELETE /notes/{id}"] is CoverageState.PASSED
    assert api.notes == {}


def test_what_was_to_be_deleted_and_was_not_is_used_again() -> None:
    names = ("missing-credential-accepted", "garbage-credential-accepted")

    def made(*chosen: str) -> int:
        paths = {path: PATHS[path] for path in ("/notes", "/notes/{id}")}
        record, exchanges = scanned(*map(check_named, chosen), server=Notes(), paths=paths)
        rows = [row for row in record.coverage if row.operation == "DELETE /notes/{id}"]
        assert [row.state for row in rows] == [CoverageState.PASSED] * len(chosen)
        return sum(each.request.method == "POST" and each.status == 201 for each in exchanges)

    one, both = made(names[0]), made(*names)
    assert one == both


def test_an_operation_without_a_valid_baseline_is_inconclusive_and_says_why() -> None:
    def refuses_notes(request: Request) -> Response:
        if request.operation_path == "/notes" and request.method == "POST":
            return answer(422, {"error": "not like this"})
        return served(request)

    served = Notes()
    record, _ = scanned(a_check(nothing), server=refuses_notes)

    row = next(row for row in record.coverage if row.operation == "POST /notes")
    assert row.state is CoverageState.INCONCLUSIVE
    assert "422" in row.reason
    assert any("POST /notes" in note for note in record.notes)


def test_a_check_that_only_reads_and_waits_holds_up_no_other() -> None:
    order: list[str] = []

    def waits(name: str, seconds: float) -> Callable[[Subject], Steps[Outcome]]:
        def run(_subject: Subject) -> Steps[Outcome]:
            order.append(f"{name} begins")
            yield Pause(seconds=seconds)
            exchange = yield from send(Request(method="GET", path="/me"))
            order.append(f"{name} ends")
            return Failed(detail=name, evidence=(shown(name, exchange),))

        return run

    record, _ = scanned(
        a_check(waits("long", 30.0), name="long", per=Per.API),
        a_check(waits("short", 20.0), name="short", per=Per.API),
        a_check(waits("writer", 5.0), name="writer", per=Per.API, safety=Safety.MUTATING),
    )

    begin = ["long begins", "short begins", "writer begins", "writer ends"]
    assert order[:4] == begin
    assert {finding.check for finding in record.findings} == {"long", "short", "writer"}
    # The writer twice; then the rest of the short pause, and each once more to confirm.
    assert record.duration_s == pytest.approx(10 + 10 + 20 + 30)


def test_checks_that_flood_come_last() -> None:
    order: list[str] = []

    def notes(name: str) -> Callable[[Subject], Steps[Outcome]]:
        def run(_subject: Subject) -> Steps[Outcome]:
            order.append(name)
            yield from ()
            return PASSED

        return run

    scanned(
        a_check(notes("floods"), name="floods", per=Per.API, safety=Safety.ABUSIVE),
        a_check(notes("reads"), name="reads", per=Per.API),
    )

    assert order == ["reads", "floods"]


def test_a_spent_budget_ends_the_scan_and_keeps_what_it_learned() -> None:
    record, exchanges = scanned(a_check(finds_everything), budget=Budget(requests=30))

    assert len(exchanges) <= 30 + 20  # cleaning up is not cut short
    assert record.findings
    assert any("30 requests" in note for note in record.notes)
    assert CoverageState.SKIPPED in states(record).values()
    assert len(states(record)) == len(record.operations)


def test_a_scan_that_is_stopped_keeps_what_it_learned_and_cleans_up() -> None:
    api = Notes()
    asked = itertools.count()

    record, _ = scanned(a_check(finds_everything), server=api, stop=lambda: next(asked) > 40)

    assert record.findings
    assert any("interrupted" in note for note in record.notes)
    assert api.notes == {}


def test_secrets_are_masked_in_findings_and_their_curl_lines() -> None:
    def shows_bobs_request(subject: Subject) -> Steps[Outcome]:
        request = subject.identity("bob").authorize(Request(method="GET", path="/me"))
        exchange = yield from send(request)
        return Failed(detail="saw bob-token", evidence=(shown("bob", exchange),))

    record, _ = scanned(a_check(shows_bobs_request, per=Per.API))

    assert "bob-token" not in repr(record)
    assert "$WITHSTAND_TOKEN_BOB" in record.findings[0].evidence[0].curl


def test_an_api_below_a_path_is_scanned_there_and_cleaned_up_there() -> None:
    api, asked = Notes(), []

    def below_a_path(request: Request) -> Response:
        asked.append(request.path)
        return api(replace(request, path=request.path.removeprefix("/api/v1")))

    record, _ = scanned(a_check(nothing), server=below_a_path, base_url="http://127.0.0.1:9/api/v1")

    assert all(path.startswith("/api/v1/") for path in asked)
    assert set(states(record).values()) == {CoverageState.PASSED}
    assert api.notes == {}


def test_prepared_requests_carry_the_whole_path() -> None:
    api = Notes()
    plan = planned(base_url="http://127.0.0.1:9/api/v1")
    transport = Scripted(
        lambda request: api(replace(request, path=request.path.removeprefix("/api/v1")))
    )

    prepared = asyncio.run(prepared_requests(plan, transport, now_s=0.0))

    (request,) = prepared.requests["GET /me"]
    assert request.path == "/api/v1/me"


def test_a_finding_for_the_whole_api_keeps_its_fingerprint_when_an_operation_comes() -> None:
    check = a_check(finds_everything_in_the_api)

    one, _ = scanned(check, paths={"/me": PATHS["/me"]})
    all_of_them, _ = scanned(check)

    assert one.findings[0].fingerprint == all_of_them.findings[0].fingerprint


def test_a_document_without_security_is_said_to_leave_missing_credentials_unjudged() -> None:
    open_paths: dict[str, Any] = {"/me": {"get": {"responses": {}}}}

    silent, _ = scanned(a_check(nothing), paths=open_paths)
    declared, _ = scanned(a_check(nothing), paths={"/me": PATHS["/me"]})

    assert any("does not say which operations need a credential" in n for n in silent.notes)
    assert not any("does not say which" in note for note in declared.notes)


def test_what_is_deleted_by_a_post_is_deleted_by_it_after_the_scan() -> None:
    paths = {path: dict(methods) for path, methods in PATHS.items()}
    paths["/notes/{id}/delete"] = {"post": paths["/notes/{id}"].pop("delete")}
    api = Notes()

    def server(request: Request) -> Response:
        if request.method == "POST" and request.path.endswith("/delete"):
            path = request.path.removesuffix("/delete")
            found = api(replace(request, method="DELETE", path=path))
            return (
                Response(status=303, headers=(("Location", "/notes"),))
                if (found.succeeded)
                else found
            )
        return api(request)

    record, _ = scanned(a_check(nothing), server=server, paths=paths)
    assert not api.notes
    assert not [note for note in record.notes if "could not be deleted" in note]
