"""Credentials: what must be found, and what must not be taken for a flaw."""

import itertools
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Confidence
from withstand.scan.record import CoverageState
from withstand.scan.tokens import (
    NONE_SPELLINGS,
    flipped,
    is_jwt,
    is_signed_with,
    signed,
    signed_with_unknown_key,
    unsigned,
    with_algorithm_none,
)

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


def test_an_operation_that_shows_anonymous_callers_something_else_is_no_flaw() -> None:
    def optional(request: Request) -> Response:
        return answer(200, {"hello": caller(request) or "stranger"})

    assert findings(MISSING, optional, THINGS) == ()


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
