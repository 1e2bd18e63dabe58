"""Credentials: what must be found, and what must not be taken for a flaw."""

import itertools
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe, jwt_claims
from withstand.client.scripted import Scripted
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    page,
    sent,
)
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.tokens import (
    NONE_SPELLINGS,
    flipped,
    is_jwt,
    is_signed_with,
    signed,
    signed_with_unknown_key,
    unsigned,
    with_algorithm_none,
)
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, state

THINGS: dict[str, Any] = {"/things": {"get": operation()}}
NOTES: dict[str, Any] = {
    "/notes": {"post": operation(requestBody=body(text={"type": "string"}))},
    "/notes/{id}": {
        "get": operation(parameters=(("path", "id"),)),
        "delete": operation(parameters=(("path", "id"),)),
    },
}
MISSING = "missing-credential-accepted"
GARBAGE = "garbage-credential-accepted"
EXPIRED = "expired-token-accepted"
SIGNATURE = "jwt-signature-not-verified"


def test_a_stranger_who_is_given_everybodys_rows_is_given_ones_own() -> None:
    rows = {"alice": "1,the plans of alice", "bob": "2,the plans of bob"}

    def export(request: Request) -> Response:
        if request.path == "/me":
            return answer(200, {"name": caller(request)}) if caller(request) else UNAUTHENTICATED
        if request.path != "/things":
            return not_found()
        own = [rows.get(str(caller(request)), "")] if caller(request) else rows.values()
        return page(200, "\n".join(["id,title", *own]), "text/csv")

    (finding,) = findings(MISSING, export, {**THINGS, "/me": {"get": operation()}})
    assert finding.operations == ("GET /things",)


def test_an_operation_that_shows_anonymous_callers_something_else_is_no_flaw() -> None:
    def optional(request: Request) -> Response:
        return answer(200, {"hello": caller(request) or "stranger"})

    assert findings(MISSING, optional, THINGS) == ()


@pytest.mark.parametrize(
    ("path", "document", "severity"),
    [
        ("/ping", {"status": "ok"}, Severity.LOW),
        ("/api/healthz", {"status": "ok", "database": "up"}, Severity.LOW),
        ("/stats", {"customers": 4711}, Severity.HIGH),
        ("/status", {"queue": ["of what everybody ordered"] * 20}, Severity.HIGH),
    ],
)
def test_a_sign_of_life_that_is_declared_as_secured_is_hardly_a_flaw(
    path: str, document: dict[str, Any], severity: Severity
) -> None:
    def server(request: Request) -> Response:
        return answer(200, document) if request.path == path else not_found()

    (finding,) = findings(MISSING, server, {path: {"get": operation()}})
    assert finding.severity is severity


def test_an_error_in_a_200_is_a_refusal() -> None:
    def soft(request: Request) -> Response:
        if caller(request) is None:
            return answer(200, {"ok": False, "error": "log in first"})
        return answer(200, {"ok": True, "things": ["a"]})

    assert findings(MISSING, soft, THINGS) == ()
    assert findings(GARBAGE, soft, THINGS) == ()


def test_a_server_that_answers_everything_with_the_same_page_proves_nothing() -> None:
    def catch_all(_request: Request) -> Response:
        return answer(200, {"app": "shell"})

    what, reason = state(MISSING, catch_all, THINGS)
    assert what is CoverageState.INCONCLUSIVE
    assert "does not exist" in reason


@pytest.mark.parametrize("status", [302, 401, 403, 404, 400, 422])
def test_every_refusal_passes(status: int) -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if caller(request) else answer(status, {"error": "no"})

    assert state(MISSING, server, THINGS)[0] is CoverageState.PASSED
    assert state(GARBAGE, server, THINGS)[0] is CoverageState.PASSED


def test_a_server_error_instead_of_a_refusal_is_inconclusive() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if caller(request) else answer(500, {"error": "no"})

    assert state(MISSING, server, THINGS)[0] is CoverageState.INCONCLUSIVE


def test_what_changes_by_itself_does_not_hide_a_missing_guard() -> None:
    ticks = itertools.count(1)

    def server(_request: Request) -> Response:
        if _request.path != "/things":
            return not_found()
        return answer(200, {"served": next(ticks), "things": [{"name": "a"}]})

    (finding,) = findings(MISSING, server, THINGS)
    assert finding.confidence is Confidence.FIRM


@pytest.mark.parametrize("empty", [[], {"items": [], "limit": 20, "total": 0}])
def test_an_empty_list_served_to_anybody_is_only_worth_a_look(empty: object) -> None:
    def server(_request: Request) -> Response:
        return answer(200, empty) if _request.path == "/things" else not_found()

    (finding,) = findings(MISSING, server, THINGS)
    assert finding.confidence is Confidence.TENTATIVE


def test_an_operation_that_the_user_calls_public_is_not_its_business() -> None:
    def server(_request: Request) -> Response:
        return answer(200, {"a": 1})

    policy = {"public": ("GET /things",)}
    assert state(MISSING, server, THINGS, policy=policy)[0] is CoverageState.NOT_APPLICABLE


def notes(*, guarded: frozenset[str], silent: frozenset[str] = frozenset()) -> Server:
    """Notes. `silent` methods answer 204 to strangers and do nothing."""
    kept: dict[str, str] = {}
    numbers = itertools.count(1)

    def server(request: Request) -> Response:
        if caller(request) is None:
            if request.method in silent:
                return Response(status=204)
            if request.method in guarded:
                return UNAUTHENTICATED
        if request.method == "POST" and request.path == "/notes":
            number = str(next(numbers))
            kept[number] = sent(request)["text"]
            return answer(201, {"id": number})
        if last_segment(request) not in kept:
            return not_found()
        if request.method == "DELETE":
            del kept[last_segment(request)]
            return Response(status=204)
        return answer(200, {"text": kept[last_segment(request)]})

    return server


def test_a_deletion_without_a_credential_is_proved_by_what_is_gone() -> None:
    found = findings(MISSING, notes(guarded=frozenset({"GET", "POST"})), NOTES)
    assert [finding.operations for finding in found] == [("DELETE /notes/{id}",)]
    assert "gone" in found[0].detail


def test_a_creation_without_a_credential_is_found() -> None:
    found = findings(MISSING, notes(guarded=frozenset({"GET", "DELETE"})), NOTES)
    assert [finding.operations for finding in found] == [("POST /notes",)]


def test_a_deletion_that_answers_204_and_deletes_nothing_is_no_flaw() -> None:
    server = notes(guarded=frozenset({"GET", "POST"}), silent=frozenset({"DELETE"}))
    assert findings(MISSING, server, NOTES) == ()


def test_a_missing_guard_is_reported_once_and_not_as_garbage_too() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if request.path == "/things" else not_found()

    what, reason = state(GARBAGE, server, THINGS)
    assert what is CoverageState.INCONCLUSIVE
    assert MISSING in reason


def test_any_credential_taken_for_good_is_found_where_the_document_declares_no_security() -> None:
    def server(request: Request) -> Response:
        if request.path not in {"/things", "/open"}:
            return not_found()
        if request.path == "/things" and request.header("authorization") is None:
            return UNAUTHENTICATED
        return answer(200, {"number": 4711})

    paths = {path: {"get": operation(secured=False)} for path in ("/things", "/open")}
    (finding,) = findings(GARBAGE, server, paths)
    assert finding.operations == ("GET /things",)


def test_any_credential_taken_for_good_by_most_operations_is_one_finding() -> None:
    paths = {f"/{name}": {"get": operation()} for name in "abcd"}

    def server(request: Request) -> Response:
        strict = request.path == "/d" and caller(request) is None
        if strict or request.header("authorization") is None or request.path not in paths:
            return UNAUTHENTICATED
        return answer(200, {"number": ord(request.path[1])})

    (finding,) = findings(GARBAGE, server, paths)
    assert finding.whole_api
    assert sorted(finding.operations) == ["GET /a", "GET /b", "GET /c"]


@pytest.mark.parametrize("check", [MISSING, GARBAGE])
def test_operations_that_tell_others_something_else_have_no_part_in_the_flaw_of_one(
    check: str,
) -> None:
    paths = {f"/{name}": {"get": operation()} for name in "abc"}

    def server(request: Request) -> Response:
        if check == GARBAGE and request.header("authorization") is None:
            return UNAUTHENTICATED
        if request.path == "/a" or caller(request) is not None:
            return answer(200, {"invoice": 4711, "customer": f"Ada of {request.path}"})
        return answer(200, {"hint": "There is more for who is logged in."})

    (finding,) = findings(check, server, paths)
    assert finding.operations == ("GET /a",)
    assert not finding.whole_api


def test_another_scheme_than_bearer_taken_for_a_login_is_found() -> None:
    def server(request: Request) -> Response:
        basic = (request.header("authorization") or "").startswith("Basic ")
        return answer(200, {"a": 1}) if caller(request) or basic else UNAUTHENTICATED

    (finding,) = findings(GARBAGE, server, THINGS)
    assert "another scheme" in finding.detail


# --- expired tokens ---------------------------------------------------------------------------

KEY = b"the key of these tests"
LOGIN = LoginRecipe(
    method="POST", path="/login", payload={"email": "{email}"}, token_path="$.token"
)


def test_without_a_way_to_an_expired_token_the_line_of_configuration_is_named() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    what, reason = state(EXPIRED, server, THINGS)
    assert what is CoverageState.SKIPPED
    assert "short_lived" in reason
    assert "expired_token" in reason


def expired_server(*, believes_expired: bool, believes_everything: bool = False) -> Server:
    def server(request: Request) -> Response:
        old = request.header("authorization") == "Bearer from-last-year"
        anything = request.header("authorization") is not None
        if caller(request) or (old and believes_expired) or (anything and believes_everything):
            return answer(200, {"a": 1})
        return UNAUTHENTICATED

    return server


def test_an_expired_token_of_the_users_own_is_tried() -> None:
    (finding,) = findings(
        EXPIRED, expired_server(believes_expired=True), THINGS, expired_token="from-last-year"
    )
    assert finding.operations == ("GET /things",)
    safe = expired_server(believes_expired=False)
    assert findings(EXPIRED, safe, THINGS, expired_token="from-last-year") == ()


def test_where_made_up_tokens_are_accepted_expiry_is_not_reported_besides() -> None:
    server = expired_server(believes_expired=True, believes_everything=True)
    what, reason = state(EXPIRED, server, THINGS, expired_token="from-last-year")
    assert what is CoverageState.INCONCLUSIVE
    assert GARBAGE in reason


def test_a_token_refused_while_it_is_still_valid_proves_nothing() -> None:
    def server(request: Request) -> Response:
        if request.operation_path == "/login":
            return answer(200, {"token": signed({"iat": 5, "exp": 6}, KEY)})
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    recipe = LoginRecipe(
        method="POST",
        path="/login",
        payload={},
        token_path="$.token",
        short_lived={"expires_in": 1},
    )
    what, reason = state(EXPIRED, server, THINGS, login=recipe)
    assert what is CoverageState.INCONCLUSIVE
    assert "refused at once" in reason


@pytest.mark.parametrize("looks", [True, False])
@pytest.mark.parametrize("told", ["by the token", "beside the token"])
def test_a_token_that_lives_a_minute_is_waited_for_without_being_asked_for(
    told: str, looks: bool
) -> None:
    given: dict[str, float] = {}
    transport = Scripted(lambda request: server(request))

    def server(request: Request) -> Response:
        now_s = transport.unix_time_s()
        if request.operation_path == "/login":
            claims = {"n": len(given)}
            if told == "by the token":
                claims |= {"iat": int(now_s), "exp": int(now_s) + 60}
            token = signed(claims, b"no word that anybody would guess")
            given[f"Bearer {token}"] = now_s + 60
            return answer(200, {"token": token, "expires_in": 60})
        ends_s = given.get(request.header("authorization") or "")
        if ends_s is None or (looks and now_s > ends_s):
            return UNAUTHENTICATED
        return answer(200, {"a": 1})

    people = tuple(replace(each, credential=None) for each in identities(("alice",)))
    found = findings(EXPIRED, server, THINGS, login=LOGIN, people=people, transport=transport)
    assert len(found) == (not looks)


@pytest.mark.parametrize("looks", [True, False])
def test_where_the_key_is_guessed_an_expired_token_is_written_with_it(looks: bool) -> None:
    transport = Scripted(lambda request: server(request))

    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        ends_s = (jwt_claims(token) or {}).get("exp", 0)
        if not is_signed_with(token, b"secret") or (looks and transport.unix_time_s() > ends_s):
            return UNAUTHENTICATED
        return answer(200, {"a": 1})

    weak = {n: signed({"sub": n, "exp": 4_000_000_000}, b"secret") for n in ("alice", "bob")}
    people = identities(("alice", "bob"), tokens=weak)
    found = findings(EXPIRED, server, THINGS, people=people, transport=transport)
    assert len(found) == (not looks)
    assert looks or "eyJ" not in repr(found)


# --- signatures -------------------------------------------------------------------------------

TOKENS = {name: signed({"sub": name, "exp": 4_000_000_000}, KEY) for name in ("alice", "bob")}


def believing(*also: str) -> Server:
    """A server that verifies signatures but believes these tokens as well."""

    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if is_signed_with(token, KEY) or token in also:
            return answer(200, {"a": 1})
        return UNAUTHENTICATED

    return server


@pytest.mark.parametrize(
    ("forged", "named"),
    [
        (flipped(TOKENS["alice"]), "one bit"),
        (unsigned(TOKENS["alice"]), "no signature"),
        (unsigned(TOKENS["alice"]).rstrip("."), "nor its dot"),
        *((with_algorithm_none(TOKENS["alice"], word), repr(word)) for word in NONE_SPELLINGS),
    ],
)
def test_each_forgery_is_found_alone_and_named(forged: str, named: str) -> None:
    people = identities(("alice", "bob"), TOKENS)
    (finding,) = findings(SIGNATURE, believing(forged), THINGS, people=people)
    assert named in finding.detail
    assert finding.detail.count("with") == 1


def test_a_key_that_nobody_checks_is_found() -> None:
    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        full = is_jwt(token) and len(token.rpartition(".")[2]) == 43
        return answer(200, {"a": 1}) if full else UNAUTHENTICATED

    people = identities(("alice", "bob"), TOKENS)
    (finding,) = findings(SIGNATURE, server, THINGS, people=people)
    assert "unknown key" in finding.detail


def test_a_route_that_verifies_on_its_own_and_badly_is_named() -> None:
    def server(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        good = is_jwt(token) if request.path == "/others" else is_signed_with(token, KEY)
        return answer(200, {"a": request.path}) if good else UNAUTHENTICATED

    paths = {**THINGS, "/others": {"get": operation()}}
    (finding,) = findings(SIGNATURE, server, paths, people=identities(("alice",), TOKENS))
    assert finding.operations == ("GET /others",)


def test_opaque_tokens_have_no_signature_to_forge() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    what, reason = state(SIGNATURE, server, THINGS)
    assert what is CoverageState.NOT_APPLICABLE
    assert "JSON Web Token" in reason


def test_a_server_that_believes_any_token_has_another_flaw_than_signatures() -> None:
    def server(request: Request) -> Response:
        return answer(200, {"a": 1}) if request.header("authorization") else UNAUTHENTICATED

    people = identities(("alice",), TOKENS)
    assert findings(SIGNATURE, server, THINGS, people=people) == ()


def test_a_flipped_signature_is_never_the_same_signature() -> None:
    for number in range(50):
        token = signed({"sub": str(number)}, KEY)
        assert not is_signed_with(flipped(token), KEY)
        assert not is_signed_with(signed_with_unknown_key(token, b"another"), KEY)


# --- an API that is open all over ---------------------------------------------------------------

MANY: dict[str, Any] = {
    **{f"/{name}": {"get": operation()} for name in ("things", "notes", "me", "stats")},
    "/orders": {"post": operation(requestBody=body(text={"type": "string"}))},
}


def open_at(*paths: str) -> Server:
    """A server that asks for a credential but on these paths."""

    def server(request: Request) -> Response:
        if request.path not in MANY:
            return not_found()
        if caller(request) is None and request.path not in paths:
            return UNAUTHENTICATED
        if request.method == "POST":
            return answer(201, {"id": 4711, "text": sent(request).get("text")})
        return answer(200, {"of": request.path})

    return server


def test_an_api_that_answers_anybody_all_over_has_one_finding() -> None:
    (finding,) = findings(MISSING, open_at(*MANY), MANY)
    assert set(finding.operations) == {
        "GET /things",
        "GET /notes",
        "GET /me",
        "GET /stats",
        "POST /orders",
    }
    assert finding.severity is Severity.HIGH  # for what it writes
    assert finding.whole_api
    assert "optional" in finding.detail


def test_reads_declared_as_secured_that_anybody_may_read_are_one_finding_of_medium() -> None:
    (finding,) = findings(MISSING, open_at("/things", "/notes", "/stats"), MANY)
    assert finding.operations == ("GET /things", "GET /notes", "GET /stats")
    assert finding.severity is Severity.MEDIUM


def test_what_the_user_calls_public_is_left_out_of_it() -> None:
    policy = {"public": ("GET /*", "POST /orders")}
    assert findings(MISSING, open_at(*MANY), MANY, policy=policy) == ()


def test_one_open_operation_among_guarded_ones_is_a_finding_of_its_own() -> None:
    found = findings(MISSING, open_at("/notes", "/stats"), MANY)
    assert [finding.operations for finding in found] == [("GET /notes",), ("GET /stats",)]
    assert {finding.severity for finding in found} == {Severity.HIGH}


# --- credentials in the address -----------------------------------------------------------------

IN_URL = "credential-accepted-in-url"


def from_query(*names: str, strict: bool = False, anything: bool = False) -> Server:
    """A server that looks for a token under these names in the query as well."""

    def server(request: Request) -> Response:
        asked = parse_qs(urlsplit(request.path).query)
        if strict and any(name not in names for name in asked):
            return answer(422, {"error": "unknown parameter"})
        token = next((asked[name][0] for name in names if name in asked), None)
        bearer = request.with_header("Authorization", f"Bearer {token}")
        known = caller(request) or (caller(bearer) if token else None) or (anything and token)
        return answer(200, {"a": 1}) if known else UNAUTHENTICATED

    return server


@pytest.mark.parametrize("name", ["access_token", "token", "api_key", "jwt", "session"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_token_taken_from_the_query_is_found(name: str, strict: bool) -> None:
    (finding,) = findings(IN_URL, from_query(name, strict=strict), THINGS)
    assert f"?{name}=" in finding.detail
    assert "alice-token" not in repr(finding)


@pytest.mark.parametrize("strict", [False, True])
def test_a_token_in_the_query_that_nobody_looks_at_passes(strict: bool) -> None:
    assert state(IN_URL, from_query(strict=strict), THINGS)[0] is CoverageState.PASSED


def test_an_api_that_takes_anything_in_the_query_has_another_flaw() -> None:
    assert findings(IN_URL, from_query("token", anything=True), THINGS) == ()


def test_a_parameter_that_the_operation_declares_is_its_own() -> None:
    paths = {"/things": {"get": operation(parameters=(("query", "token"),))}}
    assert findings(IN_URL, from_query("token"), paths) == ()


def test_a_credential_of_another_header_is_tried_under_its_name() -> None:
    def server(request: Request) -> Response:
        asked = parse_qs(urlsplit(request.path).query).get("X-Api-Key", [""])[0]
        good = "k-4711" in (request.header("x-api-key"), asked)
        return answer(200, {"a": 1}) if good else UNAUTHENTICATED

    credential = Credential(headers=(("X-Api-Key", "k-4711"),), token="k-4711")
    people = (Identity(name="alice", role="user", credential=credential),)
    (finding,) = findings(IN_URL, server, THINGS, people=people)
    assert "?X-Api-Key=" in finding.detail


# --- made-up credentials of other kinds ---------------------------------------------------------


def keyed(*good: str, empty: bool = False) -> Server:
    """A server with an API key in a header; `empty`: one that says nothing is taken, too."""

    def server(request: Request) -> Response:
        key = request.header("x-api-key")
        return answer(200, {"a": 1}) if key in good or (empty and key == "") else UNAUTHENTICATED

    return server


@pytest.mark.parametrize("token", [None, "k-4711"])
def test_an_empty_api_key_that_is_taken_for_a_good_one_is_found(token: str | None) -> None:
    credential = Credential(headers=(("X-Api-Key", "k-4711"),), token=token)
    people = (Identity(name="alice", role="user", credential=credential),)
    (finding,) = findings(GARBAGE, keyed("k-4711", empty=True), THINGS, people=people)
    assert "empty" in finding.detail
    assert findings(GARBAGE, keyed("k-4711"), THINGS, people=people) == ()


# --- errors in a 200 that are never twice the same ----------------------------------------------


def test_a_soft_error_with_an_id_of_its_own_is_a_refusal() -> None:
    numbers = itertools.count(1)

    def soft(request: Request) -> Response:
        if caller(request) is None:
            error = {"success": False, "error": {"code": 7}, "request": f"Qx_{next(numbers)}-z"}
            return answer(200, error)
        return answer(200, {"success": True, "result": ["a"], "request": f"Qx_{next(numbers)}-z"})

    assert state(MISSING, soft, THINGS)[0] is CoverageState.PASSED
    assert state(GARBAGE, soft, THINGS)[0] is CoverageState.PASSED
