"""What responses give away, and what only looks like it."""

from dataclasses import replace
from typing import Any

import pytest

from withstand.client.exchange import Exchange, Request, Response, Timing, json_request
from withstand.client.target import parse_target
from withstand.openapi.operation import Api
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan.catalogue import check_named
from withstand.scan.check import FailedMany, Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.policy import Policy
from withstand.scan.subject import Subject

from .tiny_api import findings, identities

HASH = "password-hash-in-response"
SECRET = "secret-in-response"
ME: dict[str, Any] = {"/me": {"get": operation()}}


def showing(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(status, document, headers)

    return server


@pytest.mark.parametrize(
    "value",
    [
        "$2b$12$" + "a" * 53,
        "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG",
        "pbkdf2_sha256$600000$salt$" + "A" * 43 + "=",
        "pbkdf2:sha256:600000$salt$" + "a1" * 32,
        "scrypt:32768:8:1$salt$" + "0f" * 64,
        "$6$rounds=5000$saltsalt$" + "a" * 86,
        "{SSHA}" + "a" * 32,
    ],
)
def test_password_hashes_are_known_by_their_form_under_any_name(value: str) -> None:
    (finding,) = findings(HASH, showing({"users": [{"x": value}]}), ME)
    assert finding.operations == ("GET /me",)


@pytest.mark.parametrize("key", ["password", "passwordHash", "hashed_password", "password_digest"])
def test_a_bare_digest_under_the_name_of_a_password_is_one(key: str) -> None:
    assert len(findings(HASH, showing({key: "5f" * 32}), ME)) == 1


@pytest.mark.parametrize(
    "document",
    [
        {"hash": "5f" * 32},
        {"etag": "5f" * 16, "commit": "5f" * 20},
        {"password": "set", "password_changed_at": "2026-01-01T00:00:00Z"},
        {"price": "$2b or not $2b", "passwordless": True},
        {"text": "bcrypt hashes begin with $2b$12$ and Argon2's with $argon2id$"},
    ],
)
def test_digests_of_other_things_are_no_password_hashes(document: object) -> None:
    assert findings(HASH, showing(document), ME) == ()


def test_a_hash_that_the_request_sent_itself_is_an_echo() -> None:
    def server(request: Request) -> Response:
        return answer(200, sent(request)) if caller(request) else UNAUTHENTICATED

    schema = {"type": "string", "enum": ["$2b$12$" + "a" * 53]}
    paths = {"/echo": {"post": operation(requestBody=body(text=schema))}}
    assert findings(HASH, server, paths) == ()


@pytest.mark.parametrize(
    ("document", "confidence"),
    [
        ({"me": {"password": "hunter2!"}}, Confidence.FIRM),
        ({"labels": {"password": "Enter your password"}}, Confidence.TENTATIVE),
        ({"clientSecret": "k9Qv-72xNfP0"}, Confidence.FIRM),
        ({"api_key": "k9Qv72xNfP0"}, Confidence.TENTATIVE),
        ({"secret": "5f" * 32}, Confidence.TENTATIVE),
        ({"pin": "4711"}, Confidence.TENTATIVE),
    ],
)
def test_secrets_are_known_by_name_or_form(document: object, confidence: Confidence) -> None:
    (finding,) = findings(SECRET, showing(document), ME)
    assert finding.confidence is confidence


@pytest.mark.parametrize(
    "document",
    [
        {"password": None, "secret": "", "pin": False},
        {"password": "********", "api_key": "sk-****1234"},
        {"has_password": True, "password_age_days": 12, "secret_santa": "Ada"},
        {"key": "value", "token_type": "bearer", "pinned": "yes", "spinning": "4711"},
        {"password": "[REDACTED]"},
    ],
)
def test_masked_or_absent_secrets_are_not_reported(document: object) -> None:
    assert findings(SECRET, showing(document), ME) == ()


def test_the_password_of_a_user_in_any_response_is_found_and_masked() -> None:
    (finding,) = findings(SECRET, showing({"hint": "bob-password-1"}), ME)
    assert finding.severity is Severity.HIGH
    assert finding.confidence is Confidence.CERTAIN
    response = finding.evidence[0].exchange.response
    assert response is not None
    assert "bob-password-1" not in response.text


def test_a_sign_up_that_repeats_the_password_is_found() -> None:
    def server(request: Request) -> Response:
        return answer(201, {"id": 1, **sent(request)})

    string = {"type": "string"}
    schema = body(email=string, password={**string, "minLength": 12})
    paths = {"/users": {"post": operation(secured=False, requestBody=schema)}}
    (finding,) = findings(SECRET, server, paths)
    assert finding.severity is Severity.HIGH
    assert finding.operations == ("POST /users",)


def test_a_refusal_that_repeats_the_password_it_was_sent_is_of_low_severity() -> None:
    request = json_request("POST", "/login", {"password": "bob-password-1"})
    refusal = answer(422, {"input": {"password": "bob-password-1"}})
    now = Timing(intended_ns=0, sent_ns=0, first_byte_ns=0, end_ns=0)
    subject = Subject(
        api=Api(title="", version="", source="", operations=()),
        target=parse_target("http://127.0.0.1:9"),
        policy=Policy(),
        identities=identities(),
        builder=RequestBuilder(Api(title="", version="", source="", operations=()), nonce=str),
        pools={},
        nonce=str,
        observed=(Exchange(request=request, outcome=refusal, timing=now),),
    )
    steps = check_named(SECRET).run(subject)
    with pytest.raises(StopIteration) as end:
        next(steps)
    outcome = end.value.value
    assert isinstance(outcome, FailedMany)
    assert [failure.severity for failure in outcome.failures] == [Severity.LOW]


def test_an_operation_that_creates_a_key_may_show_it_once() -> None:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(201, {"client_secret": "k9Qv-72xNfP0-aL3e"})

    assert findings(SECRET, server, {"/api-keys": {"post": operation()}}) == ()
    hook = showing({"id": 7, "secret": "5f" * 32}, 201)
    assert findings(SECRET, hook, {"/webhooks": {"post": operation()}}) == ()


def test_an_api_key_that_answers_show_is_found_and_one_that_is_handed_out_is_not() -> None:
    (finding,) = findings(SECRET, showing({"name": "Ada", "api_key": "alice-token"}), ME)
    assert finding.severity is Severity.MEDIUM
    assert "API key of alice" in finding.detail
    links = {"next": "/me?page=2&api_key=alice-token"}
    assert findings(SECRET, showing({"name": "Ada", "links": links}), ME) == ()
    paths = {"/keys": {"post": operation()}}
    assert findings(SECRET, showing({"value": "alice-token"}, 201), paths) == ()


def test_other_secrets_of_a_user_count_as_much_as_the_password() -> None:
    alice, *others = identities()
    keyed = replace(alice, fields={**alice.fields, "api_key": "k9Qv72xNfP0aL3e", "team": "blue-77"})
    shown = showing({"teams": ["blue-77"], "used": "k9Qv72xNfP0aL3e"})
    (finding,) = findings(SECRET, shown, ME, people=(keyed, *others))
    assert finding.parameter == "the api_key of alice"
    assert "k9Qv72xNfP0aL3e" not in str(finding.evidence)


def test_a_code_that_should_come_by_mail_is_found_in_an_answer_below_auth() -> None:
    paths = {"/auth/forgot": {"post": operation(secured=False)}}
    (finding,) = findings(SECRET, lambda _request: answer(200, {"otp": "482913"}), paths)
    assert finding.confidence is Confidence.FIRM
