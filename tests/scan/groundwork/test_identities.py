"""Who a scan acts as, and whether they are still who they were."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.small_api import (
    EVERYBODY,
    PATHS,
    Notes,
    a_check,
    answer,
    finds_everything,
    identity,
    nothing,
    scanned,
    states,
)
from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential, LoginRecipe
from withstand.errors import IdentityBroken
from withstand.scan.check import PASSED, Outcome, Per, Steps
from withstand.scan.policy import Policy
from withstand.scan.records.record import CoverageState
from withstand.scan.subject import Subject


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


def test_without_a_second_user_the_notes_say_that_cross_user_access_was_not_tested() -> None:
    record, _ = scanned(a_check(nothing), identities=(identity("alice"),))

    assert any("cross-user access was not tested" in note for note in record.notes)


def test_without_identities_the_notes_say_that_only_anonymous_access_was_tested() -> None:
    record, _ = scanned(a_check(nothing), identities=())

    assert any("anonymous" in note for note in record.notes)


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


def test_what_names_whoever_asks_is_the_canary_before_a_shorter_path() -> None:
    names: dict[str, str] = {f"Bearer {who.name}-token": who.name for who in EVERYBODY}

    def shop(request: Request) -> Response:
        who = names.get(request.header("authorization") or "")
        if who is None:
            return answer(401, {"error": "log in"})
        if request.path == "/home/dashboard":
            return answer(200, {"email": f"{who}@example.com"})
        return answer(200, {"products": [], "credit": 10})

    get: dict[str, Any] = {"get": {"security": [{"bearer": []}], "responses": {}}}
    seen: list[str] = []

    def looks(subject: Subject) -> Steps[Outcome]:
        yield from ()
        assert subject.canary is not None
        seen.append(subject.canary.operation.key)
        return PASSED

    scanned(a_check(looks), paths={"/shop": get, "/home/dashboard": get}, server=shop)
    assert set(seen) == {"GET /home/dashboard"}
