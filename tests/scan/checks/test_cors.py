"""Which origins may read: what must be found, and what is fine."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, state

CORS = "cross-origin-reads-allowed"
LOOK_ALIKE = "look-alike-origin-allowed"
PREFLIGHT = "foreign-preflight-approved"
REFUSED = "allowed-origin-refused"
ME: dict[str, Any] = {"/me": {"get": operation()}}
OWN = "https://app.example.com"
POLICY = {"cors_origins": (OWN,)}


def letting_in(
    rule: Callable[[str], bool], *, credentials: bool = True, only_with_cookie: bool = False
) -> Server:
    def server(request: Request) -> Response:
        origin = request.header("origin") or ""
        headers = {"Vary": "Origin"}
        if rule(origin) and (request.header("cookie") is not None or not only_with_cookie):
            headers["Access-Control-Allow-Origin"] = origin
            if credentials:
                headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            return answer(200, {}, headers)
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"name": caller(request)}, headers)

    return server


@pytest.mark.parametrize(
    "rule",
    [lambda origin: True, lambda origin: origin in {"null", OWN}],
    ids=["any", "null"],
)
def test_a_rule_that_lets_strangers_in_is_found_and_by_no_other_check(
    rule: Callable[[str], bool],
) -> None:
    (finding,) = findings(CORS, letting_in(rule), ME, policy=POLICY)
    assert finding.severity is Severity.HIGH
    for other in (LOOK_ALIKE, PREFLIGHT, REFUSED):
        assert findings(other, letting_in(rule), ME, policy=POLICY) == ()


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (lambda origin: origin.startswith(OWN), "begin like"),
        (lambda origin: origin.endswith("app.example.com"), "end like"),
        (lambda origin: origin.endswith("example.com"), "end like"),
        (lambda origin: origin in {OWN, OWN.replace("https", "http")}, "plain HTTP"),
        (lambda origin: origin in {OWN, "https://appxexample.com"}, "for a dot"),
        (lambda origin: re.match("https://app.example.com", origin) is not None, "begin like"),
    ],
    ids=["prefix", "suffix", "domain suffix", "plain", "dot", "unanchored pattern"],
)
def test_each_careless_comparison_is_found_and_by_no_other_check(
    rule: Callable[[str], bool], what: str
) -> None:
    (finding,) = findings(LOOK_ALIKE, letting_in(rule), ME, policy=POLICY)
    assert finding.severity is Severity.HIGH
    assert what in finding.detail
    for other in (CORS, PREFLIGHT, REFUSED):
        assert findings(other, letting_in(rule), ME, policy=POLICY) == ()


def test_all_hosts_of_a_domain_may_be_meant_so() -> None:
    whole = re.compile(r"https://[a-z0-9.-]+\.example\.com")
    server = letting_in(lambda origin: whole.fullmatch(origin) is not None)
    assert findings(LOOK_ALIKE, server, ME, policy=POLICY) == ()


def test_without_a_configured_origin_the_one_that_the_api_names_is_imitated() -> None:
    closed, careless = letting_in(lambda origin: False), letting_in(lambda o: o.startswith(OWN))

    def named(request: Request, server: Server) -> Response:
        response = server(request)
        if response.header("access-control-allow-origin") is not None:
            return response
        more = ("Access-Control-Allow-Origin", OWN)
        return replace(response, headers=(*response.headers, more))

    (finding,) = findings(LOOK_ALIKE, lambda request: named(request, careless), ME)
    assert "begin like" in finding.detail
    assert findings(LOOK_ALIKE, lambda request: named(request, closed), ME) == ()
    assert state(LOOK_ALIKE, closed, ME)[0] is CoverageState.NOT_APPLICABLE


def preflights(rule: Callable[[str], bool], headers: dict[str, str]) -> Server:
    actual = letting_in(lambda origin: origin == OWN)

    def server(request: Request) -> Response:
        origin = request.header("origin") or ""
        if request.method != "OPTIONS":
            return actual(request)
        if not rule(origin):
            return answer(403, {"error": "no"})
        return answer(200, {}, {"Access-Control-Allow-Origin": origin, **headers})

    return server


WRITE: dict[str, Any] = {**ME, "/me/things": {"post": operation(), "delete": operation()}}


def test_a_preflight_that_is_approved_for_anybody_is_found() -> None:
    more = {"Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "DELETE"}
    (finding,) = findings(PREFLIGHT, preflights(lambda _: True, more), WRITE, policy=POLICY)
    assert finding.severity is Severity.MEDIUM
    (finding,) = findings(PREFLIGHT, preflights(lambda _: True, {}), WRITE, policy=POLICY)
    assert finding.severity is Severity.LOW


def test_every_operation_for_which_a_preflight_is_approved_is_named() -> None:
    paths = {f"/{name}": next(iter(WRITE.values())) for name in "abcde"}
    (finding,) = findings(PREFLIGHT, preflights(lambda _: True, {}), paths, policy=POLICY)
    assert len(finding.operations) == 5


def test_preflights_that_are_approved_for_nobody_else_are_fine() -> None:
    server = preflights(lambda origin: origin == OWN, {})
    assert findings(PREFLIGHT, server, WRITE, policy=POLICY) == ()
    assert findings(REFUSED, server, WRITE, policy=POLICY) == ()
    # A gateway that answers OPTIONS for everybody, before an API that anybody may use.
    everybody = preflights(lambda _: True, {"Access-Control-Allow-Origin": "*"})
    assert findings(PREFLIGHT, everybody, WRITE) == ()


def test_a_configured_origin_whose_preflight_is_refused_is_a_fault_of_function() -> None:
    server = preflights(lambda origin: False, {})
    (finding,) = findings(REFUSED, server, WRITE, policy=POLICY)
    assert finding.severity is Severity.LOW
    assert "question is refused" in finding.detail


def test_the_origin_of_the_api_itself_needs_no_permission() -> None:
    policy = {"cors_origins": ("http://127.0.0.1:9",)}
    assert findings(REFUSED, letting_in(lambda origin: False), ME, policy=policy) == ()


def test_a_server_that_opens_only_when_a_cookie_is_sent_is_found() -> None:
    server = letting_in(lambda origin: True, only_with_cookie=True)
    (finding,) = findings(CORS, server, ME)
    assert finding.severity is Severity.HIGH
    assert "cookie is sent" in finding.detail


def test_a_list_of_whole_origins_is_fine() -> None:
    server = letting_in(lambda origin: origin == OWN)
    for check in (CORS, LOOK_ALIKE, PREFLIGHT, REFUSED):
        assert findings(check, server, ME, policy=POLICY) == ()


def test_no_header_at_all_is_fine_where_no_origin_is_configured() -> None:
    assert findings(CORS, letting_in(lambda origin: False), ME) == ()


def wildcard(request: Request) -> Response:
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"}
    return answer(200, {"a": 1}, headers) if caller(request) else UNAUTHENTICATED


def test_a_wildcard_gives_no_cookies_away() -> None:
    assert findings(CORS, wildcard, ME) == ()
    (finding,) = findings(CORS, wildcard, ME, policy=POLICY)
    assert finding.severity is Severity.LOW


def test_a_configured_origin_that_is_kept_out_is_a_fault_of_function() -> None:
    (finding,) = findings(REFUSED, letting_in(lambda origin: False), ME, policy=POLICY)
    assert finding.severity is Severity.LOW
    assert OWN in finding.detail
    assert findings(CORS, letting_in(lambda origin: False), ME, policy=POLICY) == ()


def test_a_route_with_a_rule_of_its_own_is_named() -> None:
    open_to_all = letting_in(lambda origin: True)

    def server(request: Request) -> Response:
        if request.path == "/export":
            return open_to_all(request)
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    (finding,) = findings(CORS, server, {**ME, "/export": {"get": operation()}})
    assert finding.operations == ("GET /export",)


@pytest.mark.parametrize("shown", [Response(status=204), Response(status=200)])
def test_where_there_is_nothing_to_read_nobody_reads_it(shown: Response) -> None:
    def server(request: Request) -> Response:
        letting = letting_in(lambda _: True)(request)
        return replace(shown, headers=letting.headers) if letting.status == 200 else letting

    assert findings(CORS, server, ME) == ()


def test_a_cookie_that_leads_to_the_login_page_opens_nothing() -> None:
    def server(request: Request) -> Response:
        if request.header("cookie") is None:
            return letting_in(lambda _: False)(request)
        headers = (("Location", "/login"), *letting_in(lambda _: True)(request).headers)
        return Response(status=302, headers=headers, body=b"elsewhere")

    assert findings(CORS, server, ME) == ()
