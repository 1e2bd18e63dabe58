"""The scan from end to end, over a scripted transport."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.small_api import (
    EVERYBODY,
    PATHS,
    Notes,
    a_check,
    answer,
    identity,
    nothing,
    planned,
    scanned,
)
from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential, LoginRecipe
from withstand.client.scripted import Scripted
from withstand.errors import IdentityBroken
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
from withstand.scan.courier import Budget
from withstand.scan.policy import Policy, Profile
from withstand.scan.preparation import prepared_requests
from withstand.scan.record import CoverageState, ScanRecord
from withstand.scan.subject import Subject


def finds_everything(subject: Subject) -> Steps[Outcome]:
    exchange = yield from send(subject.anonymous())
    return Failed(detail="open", evidence=(shown("anonymous", exchange),))


def states(record: ScanRecord, check: str = "some-flaw") -> dict[str | None, CoverageState]:
    return {row.operation: row.state for row in record.coverage if row.check == check}


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


def test_a_check_of_the_whole_api_folds_its_operations_into_one_finding() -> None:
    record, _ = scanned(a_check(finds_everything, per=Per.OPERATION_ONE_FINDING))

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


@pytest.mark.parametrize(
    "policy", [Policy(never=("POST /users",)), Policy(profile=Profile.READONLY)]
)
def test_nobody_is_signed_up_where_the_policy_forbids_it(policy: Policy) -> None:
    fields = {name: {"type": "string"} for name in ("email", "password")}
    media = {"schema": {"type": "object", "properties": fields, "required": list(fields)}}
    body = {"required": True, "content": {"application/json": media}}
    paths = {**PATHS, "/users": {"post": {"security": [], "requestBody": body, "responses": {}}}}
    login = LoginRecipe(method="POST", path="/login", payload={"email": "{email}"})
    _, exchanges = scanned(a_check(nothing), paths=paths, policy=policy, login=login)
    assert not any(each.request.path == "/users" for each in exchanges)


def test_a_list_that_has_grown_is_not_taken_for_the_look_of_a_refusal() -> None:
    """Any token is good here; a made-up one sees more than there was at the baseline."""
    entries = itertools.count()

    def credulous(request: Request) -> Response:
        if request.header("authorization") is None:
            return answer(401, {"error": "log in"})
        if request.path == "/log":
            return answer(200, {"last": next(entries) // 2})
        return answer(404, {"error": "nothing here"})

    paths: dict[str, Any] = {"/log": {"get": {"security": [{"bearer": []}], "responses": {}}}}
    record, _ = scanned(a_check(nothing), paths=paths, server=credulous)
    assert record.void is None
    assert any("could not be watched" in note for note in record.notes)


def test_an_identity_that_breaks_voids_the_run_and_what_came_after_the_last_good_canary() -> None:
    api = Notes()

    def locks_bob_out(subject: Subject) -> Steps[Outcome]:
        if subject.operation is not None and subject.operation.key == "GET /notes":
            api.tokens.pop("Bearer bob-token", None)
        return (yield from finds_everything(subject))

    record, _ = scanned(a_check(locks_bob_out), server=api)

    assert record.void is not None
    assert "bob" in record.void
    cells = states(record)
    assert cells["GET /notes"] is CoverageState.INCONCLUSIVE
    assert CoverageState.SKIPPED in cells.values()
    assert all(finding.operations != ("GET /notes",) for finding in record.findings)


def test_an_identity_that_cannot_log_in_ends_the_scan_before_the_first_verdict() -> None:
    stranger = identity("eve").__class__(name="eve", role="user")

    with pytest.raises(IdentityBroken, match="eve"):
        scanned(a_check(nothing), identities=(*EVERYBODY, stranger))


def test_what_the_scan_created_is_deleted_by_who_created_it() -> None:
    api = Notes()

    record, _ = scanned(a_check(nothing), server=api)

    assert states(record)["DELETE /notes/{id}"] is CoverageState.PASSED
    assert api.notes == {}


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


def test_operations_with_dangerous_names_and_those_under_never_are_not_called() -> None:
    paths = {
        "/me": {"get": {"security": [{"bearer": []}], "responses": {}}},
        "/reset-database": {"get": {"responses": {}}},
        "/expensive": {"get": {"responses": {}}},
    }
    record, exchanges = scanned(
        a_check(nothing), paths=paths, policy=Policy(never=("GET /expensive",))
    )

    called = {each.request.operation_path for each in exchanges}
    assert called == {"/", "/me"}
    assert states(record)["GET /reset-database"] is CoverageState.SKIPPED
    assert states(record)["GET /expensive"] is CoverageState.SKIPPED


def test_the_readonly_profile_sends_only_safe_methods() -> None:
    checks = (a_check(nothing), a_check(nothing, name="writes", safety=Safety.MUTATING))
    record, exchanges = scanned(*checks, policy=Policy(profile=Profile.READONLY))

    assert {each.request.method for each in exchanges} == {"GET"}
    assert set(states(record, "writes").values()) == {CoverageState.SKIPPED}


def test_checks_that_flood_run_on_loopback_and_elsewhere_only_when_asked_for() -> None:
    flood = a_check(nothing, per=Per.API, safety=Safety.ABUSIVE)
    elsewhere = "http://api.example.com"

    at_home, _ = scanned(flood)
    away, _ = scanned(flood, base_url=elsewhere)
    asked, _ = scanned(flood, base_url=elsewhere, policy=Policy(profile=Profile.ABUSE))

    assert at_home.coverage[0].state is CoverageState.PASSED
    assert away.coverage[0].state is CoverageState.SKIPPED
    assert asked.coverage[0].state is CoverageState.PASSED


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

    record, _ = scanned(a_check(finds_everything), server=api, stop=lambda: next(asked) > 25)

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


def test_without_a_second_user_the_notes_say_that_cross_user_access_was_not_tested() -> None:
    record, _ = scanned(a_check(nothing), identities=(identity("alice"),))

    assert any("cross-user access was not tested" in note for note in record.notes)


def test_without_identities_the_notes_say_that_only_anonymous_access_was_tested() -> None:
    record, _ = scanned(a_check(nothing), identities=())

    assert any("anonymous" in note for note in record.notes)


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


def test_an_operation_for_one_role_is_no_canary_for_the_others() -> None:
    paths: dict[str, Any] = {"/audit": {"get": {"security": [{"bearer": []}], "responses": {}}}}

    def for_root(request: Request) -> Response:
        who = request.header("authorization")
        if who is None or not who.startswith("Bearer ") or not who.endswith("-token"):
            return answer(401, {"error": "log in"})
        if who.startswith("Bearer ws-"):
            return answer(401, {"error": "log in"})
        return answer(200, ["all"]) if who == "Bearer root-token" else answer(403, {"error": "no"})

    record, _ = scanned(a_check(nothing), paths=paths, server=for_root)

    assert record.void is None
    assert states(record) == {"GET /audit": CoverageState.PASSED}


def test_a_target_that_is_busy_at_the_canary_does_not_void_the_run() -> None:
    api = Notes()

    def leaves_it_busy(_subject: Subject) -> Steps[Outcome]:
        api.down["/me"] = 6
        yield from ()
        return PASSED

    record, _ = scanned(a_check(leaves_it_busy, per=Per.API), server=api)

    assert record.void is None


def test_a_finding_for_the_whole_api_keeps_its_fingerprint_when_an_operation_comes() -> None:
    check = a_check(finds_everything, per=Per.OPERATION_ONE_FINDING)

    one, _ = scanned(check, paths={"/me": PATHS["/me"]})
    all_of_them, _ = scanned(check)

    assert one.findings[0].fingerprint == all_of_them.findings[0].fingerprint


def test_a_document_without_security_is_said_to_leave_missing_credentials_unjudged() -> None:
    open_paths: dict[str, Any] = {"/me": {"get": {"responses": {}}}}

    silent, _ = scanned(a_check(nothing), paths=open_paths)
    declared, _ = scanned(a_check(nothing), paths={"/me": PATHS["/me"]})

    assert any("does not say which operations need a credential" in n for n in silent.notes)
    assert not any("does not say which" in note for note in declared.notes)


def test_who_may_read_everything_is_tried_with_the_ids_that_others_know() -> None:
    paths: dict[str, Any] = {
        "/notes": PATHS["/notes"],
        "/audit/notes/{id}": {"get": PATHS["/notes/{id}"]["get"]},
    }
    api = Notes()

    def with_an_audit(request: Request) -> Response:
        if not request.operation_path.startswith("/audit/notes/"):
            return api(request)
        if request.header("authorization") != "Bearer root-token":
            return answer(403, {"error": "not for you"})
        number = int(request.operation_path.rsplit("/", 1)[-1])
        known = api.notes.get(number)
        return answer(200, {"id": number}) if known else answer(404, {"error": "no such note"})

    record, _ = scanned(
        a_check(nothing),
        paths=paths,
        server=with_an_audit,
        policy=Policy(access={"GET /audit/notes/{id}": ("admin",)}),
    )

    assert states(record)["GET /audit/notes/{id}"] is CoverageState.PASSED


def test_what_ends_the_callers_session_is_not_called_whatever_it_is_named() -> None:
    paths: dict[str, Any] = {**PATHS, "/sessions/current": {"delete": PATHS["/me"]["get"]}}
    record, sent = scanned(a_check(nothing), paths=paths)
    assert not [each for each in sent if each.request.path == "/sessions/current"]
    assert record.void is None


def test_who_was_logged_out_while_requests_were_tried_is_logged_in_again() -> None:
    api = Notes()
    api.tokens = {}
    logins = itertools.count(1)

    def server(request: Request) -> Response:
        if request.path == "/in":
            session = f"session-{next(logins)}"
            api.tokens[f"Bearer {session}"] = "alice"
            return answer(200, {"access_token": session})
        if request.path == "/goodbye" and request.header("authorization") in api.tokens:
            api.tokens.clear()
            return answer(200, {})
        return api(request)

    record, _ = scanned(
        a_check(nothing),
        server=server,
        paths={**PATHS, "/goodbye": {"post": PATHS["/me"]["get"]}},
        identities=(replace(identity("alice"), credential=None),),
        login=LoginRecipe(method="POST", path="/in", payload={"email": "{email}"}),
    )
    assert record.void is None
    assert not any("was not tested" in note for note in record.notes if "GET" in note)
    assert any("alice was logged out while requests were tried" in note for note in record.notes)


def test_a_key_that_other_operations_refuse_is_no_session_that_has_ended() -> None:
    api = Notes()
    key = Credential(headers=(("X-Api-Key", "job-key"),), token="job-key")

    def server(request: Request) -> Response:
        if request.path == "/in":
            return answer(200, {"access_token": "alice-token"})
        if request.path == "/figures":
            served = request.header("x-api-key") == "job-key"
            return answer(200, {"count": 3}) if served else answer(401, {"error": "no key"})
        return api(request)

    record, _ = scanned(
        a_check(nothing),
        server=server,
        paths={**PATHS, "/figures": PATHS["/me"], "/later/{id}": PATHS["/notes/{id}"]},
        identities=(
            replace(identity("alice"), credential=None),
            replace(identity("job"), credential=key, fields={}),
        ),
        login=LoginRecipe(method="POST", path="/in", payload={"email": "{email}"}),
    )
    assert record.void is None
    assert states(record)["GET /figures"] is CoverageState.PASSED


@pytest.mark.parametrize("path", ["/users/{id}/delete", "/users/delete/{id}", "/users/{id}/ban"])
def test_nobody_but_users_of_the_scans_own_is_deleted_by_a_path_that_says_so(path: str) -> None:
    by_id = {**PATHS["/notes/{id}"]["get"]}
    paths: dict[str, Any] = {
        "/users": {"get": PATHS["/me"]["get"]},
        path: {"post": by_id, "get": by_id},
    }
    harmed: list[str] = []

    def server(request: Request) -> Response:
        if request.path == "/users":
            return answer(200, [{"id": 1, "name": "alice"}, {"id": 2, "name": "bob"}])
        if request.path.startswith("/users/") and not (
            request.method == "GET" and path.endswith("ban")
        ):
            harmed.append(request.path)
        return answer(200, {})

    scanned(a_check(nothing), server=server, paths=paths)
    assert not harmed


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
