"""Which origins may read: what must be found, and what is fine."""

from collections.abc import Callable
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity

from .tiny_api import findings

CORS = "cross-origin-reads-allowed"
ME: dict[str, Any] = {"/me": {"get": operation()}}
OWN = "https://app.example.com"
POLICY = {"cors_origins": (OWN,)}


def letting_in(
    rule: Callable[[str], bool], *, credentials: bool = True, only_with_cookie: bool = False
) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        origin = request.header("origin") or ""
        headers = {"Vary": "Origin"}
        if rule(origin) and (request.header("cookie") is not None or not only_with_cookie):
            headers["Access-Control-Allow-Origin"] = origin
            if credentials:
                headers["Access-Control-Allow-Credentials"] = "true"
        return answer(200, {"name": caller(request)}, headers)

    return server


@pytest.mark.parametrize(
    "rule",
    [
        lambda origin: True,
        lambda origin: origin in {"null", OWN},
        lambda origin: origin.startswith(OWN),
        lambda origin: origin.startswith("https://") and origin.endswith("app.example.com"),
        lambda origin: origin in {OWN, OWN.replace("https", "http")},
        lambda origin: origin in {OWN, "https://appxexample.com"},
    ],
    ids=["any", "null", "prefix", "suffix", "plain", "dot"],
)
def test_each_rule_that_lets_foreign_origins_in_is_found(rule: Callable[[str], bool]) -> None:
    (finding,) = findings(CORS, letting_in(rule), ME, policy=POLICY)
    assert finding.severity is Severity.HIGH


def test_a_server_that_opens_only_when_a_cookie_is_sent_is_found() -> None:
    server = letting_in(lambda origin: True, only_with_cookie=True)
    (finding,) = findings(CORS, server, ME)
    assert finding.severity is Severity.HIGH
    assert "cookie is sent" in finding.detail


def test_a_list_of_whole_origins_is_fine() -> None:
    assert findings(CORS, letting_in(lambda origin: origin == OWN), ME, policy=POLICY) == ()


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
    (finding,) = findings(CORS, letting_in(lambda origin: False), ME, policy=POLICY)
    assert finding.severity is Severity.LOW
    assert OWN in finding.detail


def test_a_route_with_a_rule_of_its_own_is_named() -> None:
    open_to_all = letting_in(lambda origin: True)

    def server(request: Request) -> Response:
        if request.path == "/export":
            return open_to_all(request)
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    (finding,) = findings(CORS, server, {**ME, "/export": {"get": operation()}})
    assert finding.operations == ("GET /export",)
