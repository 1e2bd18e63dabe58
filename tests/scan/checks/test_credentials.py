"""Credentials by their form, tokens of others, card numbers, and what only looks like them."""

import base64
import json
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, page, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.credential_formats import checksum
from withstand.scan.probes.tokens import signed

from .tiny_api import findings, identities

CREDENTIAL = "credential-in-response"
CARD = "card-number-in-response"
ME: dict[str, Any] = {"/me": {"get": operation()}}
EMAIL: dict[str, Any] = {"type": "string", "format": "email"}
DRAWN = "q7Rz2LkV9mXw4TbN8sYc3HdJ6fGpQ1"
DER = base64.b64encode(b"\x30\x82\x04\xa4\x02\x01\x00" + bytes(range(7, 250))).decode()
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{DER[:64]}\n{DER[64:]}\n-----END RSA PRIVATE KEY-----\n"


def showing(document: object, headers: dict[str, str] | None = None) -> Server:
    def server(request: Request) -> Response:
        return answer(200, document, headers) if caller(request) else UNAUTHENTICATED

    return server


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("RSA ", ""),
        "aws_access_key_id = AKIAQ7RZ2LKVEMXW4TBN\n",
        f"ghp_{DRAWN}{checksum(DRAWN)}",
        "xoxb-2849103746-5820394817-q7Rz2LkV9mXw4TbN8sYc3HdJ",
        "sk_live_q7Rz2LkV9mXw4TbN8sYc3HdJ",
        "glpat-q7Rz2LkV9mXw4TbN8sYc",
        "postgresql+asyncpg://shop:k9Qv72xNfP0@db.internal:5432/shop",
    ],
)
def test_credentials_of_known_forms_are_found_anywhere_and_cut_short_in_the_report(
    text: str,
) -> None:
    (finding,) = findings(CREDENTIAL, showing({"deep": [{"x": f"{text} "}]}), ME)
    assert finding.severity is Severity.HIGH
    response = finding.evidence[0].exchange.response
    assert response is not None
    assert "characters)" in response.text
    assert text[8:40] not in response.text

    def plain(request: Request) -> Response:
        return page(200, f"<pre>{text}</pre>") if caller(request) else UNAUTHENTICATED

    assert len(findings(CREDENTIAL, plain, ME)) == 1
    in_header = showing({}, {"X-Debug": text.replace("\n", " ")})
    assert len(findings(CREDENTIAL, in_header, ME)) == ("PRIVATE" not in text)


@pytest.mark.parametrize(
    "document",
    [
        {"key": "AKIAIOSFODNN7EXAMPLE"},
        {"help": "Your key begins with -----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END"},
        {"public": PEM.replace("PRIVATE", "PUBLIC")},
        {"blob": "c2tfbGl2ZV9BS0lBUTdSWjJMS1ZFTVhXNFRCTg" * 4},
        {"blob": "f/AKIAQ7RZ2LKVEMXW4TBN+a"},
        {"url": "https://b.s3.amazonaws.com/a?AWSAccessKeyId=AKIAQ7RZ2LKVEMXW4TBN&Signature=x"},
        {"etag": '"9f2c4e1b7a8d3f605c1e2b4a6d8f0c3e"', "sha": "9f2c4e1b7a8d3f605c1e2b4a6d8f"},
        {"use": "ghp_" + "x" * 36, "or": "ghp_" + "a1" * 18},
        {"dsn": "postgresql://user:password@localhost/app"},
        {"dsn": "postgresql://shop:***@db/app", "docs": "redis://:${REDIS_PASSWORD}@cache"},
        {"masked": "sk_live_************************"},
    ],
)
def test_examples_masks_hashes_and_random_text_are_no_credentials(document: object) -> None:
    assert findings(CREDENTIAL, showing(document), ME) == ()


def test_a_credential_that_a_request_of_the_scan_sent_is_an_echo_wherever_it_comes_back() -> None:
    token = f"ghp_{DRAWN}{checksum(DRAWN)}"
    notes: list[object] = []

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            notes.append(sent(request))
        return answer(200, notes)

    schema = body(text={"type": "string", "enum": [token]})
    paths = {"/notes": {"get": operation(), "post": operation(requestBody=schema)}}
    assert findings(CREDENTIAL, server, paths) == ()


def test_an_example_of_the_document_is_not_reported() -> None:
    token = f"ghp_{DRAWN}{checksum(DRAWN)}"
    schema = {"type": "object", "properties": {"token": {"type": "string", "example": token}}}
    shown = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    paths = {"/me": {"get": operation(responses=shown)}}
    assert findings(CREDENTIAL, showing({"token": token}), paths) == ()


TOKENS = {
    name: signed({"sub": f"u-{number}", "exp": 4_000_000_000}, b"key-of-the-shop")
    for number, name in enumerate(("alice", "bob", "root"))
}


def sessions(shown: str) -> Server:
    names = {f"Bearer {token}": name for name, token in TOKENS.items()}

    def server(request: Request) -> Response:
        asker = names.get(request.header("authorization") or "")
        if asker is None:
            return UNAUTHENTICATED
        token = TOKENS[asker] if shown == "own" else shown
        return answer(200, {"name": asker, "sessions": [{"token": token}]})

    return server


@pytest.mark.parametrize("kind", ["the very token", "another token of that user"])
def test_the_token_of_another_user_is_found_and_masked(kind: str) -> None:
    token = TOKENS["bob"]
    if kind != "the very token":
        token = signed({"sub": "u-1", "device": "phone"}, b"key-of-the-shop")
    (finding,) = findings(CREDENTIAL, sessions(token), ME, people=identities(tokens=TOKENS))
    assert finding.confidence is Confidence.CERTAIN
    assert token not in json.dumps([str(item) for item in finding.evidence])


@pytest.mark.parametrize(
    "shown", ["own", signed({"sub": "invitation-77", "exp": 1}, b"key-of-the-shop")]
)
def test_ones_own_token_and_those_of_no_user_are_fine(shown: str) -> None:
    assert findings(CREDENTIAL, sessions(shown), ME, people=identities(tokens=TOKENS)) == ()


@pytest.mark.parametrize("path", ["/users/authenticate", "/enter", "/connect/here"])
def test_a_login_of_any_name_may_answer_with_the_token_of_who_logs_in(path: str) -> None:
    open_to_all = {path: {"post": operation(secured=False, requestBody=body(email=EMAIL))}}

    def server(request: Request) -> Response:
        if request.path == path:
            return answer(200, {"data": {"jwt": TOKENS["alice"]}})
        return sessions("own")(request)

    people = identities(tokens=TOKENS)
    assert findings(CREDENTIAL, server, {**ME, **open_to_all}, people=people) == ()


def test_a_token_that_anybody_can_read_is_found() -> None:
    def server(request: Request) -> Response:
        if request.path == "/status":
            return answer(200, {"last": TOKENS["alice"]})
        return sessions("own")(request)

    paths = {**ME, "/status": {"get": operation(secured=False)}}
    (finding,) = findings(CREDENTIAL, server, paths, people=identities(tokens=TOKENS))
    assert finding.operations == ("GET /status",)


def test_an_operation_that_creates_a_key_may_show_it_once() -> None:
    def server(request: Request) -> Response:
        return answer(201, {"private_key": PEM}) if caller(request) else UNAUTHENTICATED

    assert findings(CREDENTIAL, server, {"/service/keys": {"post": operation()}}) == ()


@pytest.mark.parametrize(
    "document",
    [
        {"card_number": "4111 1111 1111 1111"},
        {"data": [{"payment": {"creditCard": {"cardNumber": "5500-0055-5555-5559"}}}]},
        {"pan": 378282246310005},
        {"cc_number": "6011000990139424"},
        {"cvv": "123"},
        {"method": {"CVC": 4711}},
    ],
)
def test_whole_card_numbers_and_security_codes_are_found(document: object) -> None:
    (finding,) = findings(CARD, showing(document), ME)
    assert finding.operations == ("GET /me",)
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize(
    "document",
    [
        {"card_number": "**** **** **** 1111", "cvv": None},
        {"card_number": "4111111111111112"},
        {"card_number": "1111", "cvc_check": "pass", "cvv": "***"},
        {"order_number": "4111111111111111", "tracking": "4111111111111111"},
        {"library_card_number": "4111111111111111", "sim_card_number": "4111111111111111"},
        {"card_number": "0000000000000000", "gift_card_no": "6011000990139424"},
        {"cvv_required": True, "cvv": True, "card": {"last4": "4242", "exp_month": 12}},
    ],
)
def test_masked_numbers_and_other_numbers_are_not(document: object) -> None:
    assert findings(CARD, showing(document), ME) == ()


def test_the_answer_that_repeats_a_card_to_its_sender_is_an_echo_but_a_later_one_is_not() -> None:
    cards: list[dict[str, Any]] = []

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            cards.append(sent(request))
            return answer(201, sent(request))
        return answer(200, cards)

    schema = body(card_number={"type": "string", "enum": ["4111111111111111"]})
    add = {"post": operation(requestBody=schema)}
    assert findings(CARD, server, {"/cards": add}) == ()
    (finding,) = findings(CARD, server, {"/cards": {**add, "get": operation()}})
    assert finding.operations == ("GET /cards",)
    assert "4111111111111111" not in str(finding.evidence)


@pytest.mark.parametrize(
    ("path", "number"),
    [("/payment-methods", 1), ("/me/cards", 1), ("/gift-cards", 0), ("/tickets", 0)],
)
def test_a_bare_number_is_a_cards_where_the_path_is_about_cards(path: str, number: int) -> None:
    shown = showing({"results": [{"number": "4012888888881881", "holder": "Ada"}]})
    assert len(findings(CARD, shown, {path: {"get": operation()}})) == number
