"""What browsers are told: sniffing and session cookies, and what is fine as it is."""

from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, page
from withstand.scan.finding import Severity
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, state

SNIFFING = "content-sniffing-possible"
COOKIE = "session-cookie-unprotected"
ME: dict[str, Any] = {"/me": {"get": operation()}}
NOSNIFF = ("X-Content-Type-Options", "nosniff")


def sending(sent: bytes, *headers: tuple[str, str], status: int = 200) -> Server:
    response = Response(status=status, headers=headers, body=sent)
    return lambda request: response if caller(request) else UNAUTHENTICATED


@pytest.mark.parametrize(
    "server",
    [
        sending(b"{}", ("Content-Type", "application/json")),
        sending(b"a page", ("Content-Type", "text/html")),
        sending(b"[1]", ("Content-Type", "application/json"), ("X-Content-Type-Options", "no")),
        sending(b'{"a": 1}', ("Content-Type", "text/html; charset=utf-8"), NOSNIFF),
        sending(b'{"a": 1}', NOSNIFF),
    ],
)
def test_sniffable_and_mistyped_answers_are_one_low_finding(server: Server) -> None:
    (finding,) = findings(SNIFFING, server, {**ME, "/you": {"get": operation()}})
    assert finding.severity is Severity.LOW
    assert finding.operations == ("GET /me", "GET /you")


def test_json_that_the_document_declares_but_that_is_sent_as_text_is_mistyped() -> None:
    server = sending(b'{"a": 1}', ("Content-Type", "text/plain"), NOSNIFF)
    shown = {"200": {"description": "", "content": {"application/json": {"schema": {}}}}}
    assert len(findings(SNIFFING, server, {"/me": {"get": operation(responses=shown)}})) == 1
    assert findings(SNIFFING, server, ME) == ()


@pytest.mark.parametrize(
    "server",
    [
        sending(b'{"a": 1}', ("Content-Type", "application/vnd.shop.v2+json"), NOSNIFF),
        sending(b"", ("Content-Type", "application/json"), status=204),
        sending(b"<p>12</p>", ("Content-Type", "text/html"), ("x-content-type-options", "NoSniff")),
        sending(b"12", ("Content-Type", "text/plain"), NOSNIFF),
        sending(b"\x89PNG", ("Content-Type", "image/png"), NOSNIFF),
    ],
)
def test_answers_that_say_what_they_are_pass(server: Server) -> None:
    assert findings(SNIFFING, server, ME) == ()


def test_errors_of_a_gateway_and_unknown_paths_are_not_looked_at() -> None:
    def server(request: Request) -> Response:
        if request.path == "/me" and caller(request):
            return answer(200, {"a": 1})
        return Response(status=404, headers=(("Content-Type", "text/html"),), body=b"nothing here")

    assert findings(SNIFFING, server, ME) == ()


@pytest.mark.parametrize("status", [302, 303, 200, 204, 205])
def test_a_redirect_is_not_looked_at_nor_is_an_answer_without_a_body(status: int) -> None:
    """As Flask has it: only what is rendered is sent with the header."""

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            text = b"<p>You should be redirected." if status >= 300 else b"\n"
            headers = (("Location", "/notes"), ("Content-Type", "text/html"))
            return Response(status=status, headers=headers, body=text)
        return page(200, "<h1>Notes</h1>")

    write = operation(requestBody=body(text={"type": "string"}))
    paths = {"/notes": {"get": operation(), "post": write}}
    assert findings(SNIFFING, server, paths) == ()
    assert len(findings(SNIFFING, sending(b"<h1>Notes</h1>"), paths)) == 1


def session(*lines: str, named: str = "sid") -> Server:
    def server(request: Request) -> Response:
        key = (request.header("cookie") or "").partition(f"{named}=")[2].partition(";")[0]
        if not key.endswith("-token"):
            return UNAUTHENTICATED
        response = page(200, key, "text/plain")
        more = tuple(("Set-Cookie", line.replace("KEY", key)) for line in lines)
        return Response(status=200, headers=(*response.headers, *more), body=response.body)

    return server


def cookie_findings(server: Server, **more: Any) -> tuple[Any, ...]:
    return findings(COOKIE, server, ME, people=identities(cookie="sid"), **more)


@pytest.mark.parametrize(
    ("line", "lacks", "severity"),
    [
        ("sid=KEY", ("HttpOnly", "SameSite"), Severity.MEDIUM),
        ("sid=KEY; Path=/; HttpOnly", ("SameSite",), Severity.LOW),
        ('sid="KEY"; path=/; samesite=lax', ("HttpOnly",), Severity.MEDIUM),
        ("sid=renewed-KEY; SameSite=None; Secure", ("HttpOnly",), Severity.MEDIUM),
    ],
)
def test_a_session_cookie_without_its_attributes_is_found(
    line: str, lacks: tuple[str, ...], severity: Severity
) -> None:
    (finding,) = cookie_findings(session(line))
    assert finding.severity is severity
    assert all(f"sid lacks {attribute}" in finding.detail for attribute in lacks)
    assert finding.detail.count("lacks") == len(lacks)


def test_over_https_it_must_be_secure_too() -> None:
    server = session("sid=KEY; HttpOnly; SameSite=Lax")
    assert cookie_findings(server) == ()
    (finding,) = cookie_findings(server, base_url="https://127.0.0.1:9")
    assert "sid lacks Secure" in finding.detail


@pytest.mark.parametrize(
    "lines",
    [
        ("sid=KEY; HTTPONLY; SAMESITE=Strict", "csrftoken=abc", "lang=en; Path=/"),
        ("sid=KEY; HttpOnly; SameSite=Lax", "sid=; Max-Age=0", "sid=gone; Max-Age=0"),
        (
            "sid=KEY; HttpOnly; SameSite=Lax",
            "sid=old; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/old",
        ),
    ],
)
def test_other_cookies_and_deleted_ones_are_not_judged(lines: tuple[str, ...]) -> None:
    assert cookie_findings(session(*lines)) == ()


def test_a_cookie_that_is_called_a_token_is_judged_though_requests_carry_a_header() -> None:
    def server(request: Request) -> Response:
        return answer(200, {}, {"Set-Cookie": "refresh_token=abcdefgh; Path=/login"})

    (finding,) = findings(COOKIE, server, ME)
    assert "refresh_token lacks HttpOnly" in finding.detail


def test_a_cookie_that_no_answer_sets_is_inconclusive_and_tokens_in_headers_have_none() -> None:
    people = identities(cookie="sid")
    assert state(COOKIE, session(), ME, people=people)[0] is CoverageState.INCONCLUSIVE
    anything = sending(b"{}", NOSNIFF)
    assert state(COOKIE, anything, ME)[0] is CoverageState.NOT_APPLICABLE
