"""Plain HTTP: what must be found, what passes, and what never goes over it."""

from typing import Any

import pytest

from withstand.client.certificate import Handshake
from withstand.client.exchange import Request, Response
from withstand.client.scripted import START_UNIX_S, Scripted
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation, page
from withstand.scan.finding import Confidence, Severity
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

PLAIN = "plain-http-accepted"
WEAK = "weak-transport-security"
PATHS: dict[str, Any] = {
    "/account": {"get": operation()},
    "/health": {"get": operation(secured=False)},
}
NEAR: dict[str, Any] = {"base_url": "https://127.0.0.1:9", "plain_url": "http://127.0.0.1:8"}
FAR: dict[str, Any] = {"base_url": "https://api.example.com", "plain_url": "http://api.example.com"}


def api(request: Request) -> Response:
    if request.path == "/health":
        return answer(200, {"status": "ok"})
    return answer(200, {"balance": 12}) if caller(request) else UNAUTHENTICATED


def redirecting(location: str, status: int = 308) -> Server:
    def server(_request: Request) -> Response:
        return Response(status=status, headers=(("Location", location),))

    return server


def test_without_a_plain_address_it_is_skipped_with_the_line_that_would_test_it() -> None:
    what, reason = state(PLAIN, api, PATHS)
    assert what is CoverageState.SKIPPED
    assert "plain_url" in reason


def test_an_api_served_on_both_is_found() -> None:
    (finding,) = findings(PLAIN, api, PATHS, plain=api, **NEAR)
    assert finding.confidence is Confidence.FIRM


@pytest.mark.parametrize(
    "plain",
    [
        redirecting("https://127.0.0.1:9/account"),
        redirecting("https://127.0.0.1:9/", 301),
        lambda _request: answer(403, {"error": "HTTPS only"}),
        lambda _request: page(200, "<h1>Welcome to nginx</h1>"),
        lambda _request: answer(426, {"error": "use HTTPS"}),
        None,
    ],
    ids=["redirect", "redirect to root", "403", "another page", "426", "nobody there"],
)
def test_what_does_not_serve_the_api_passes(plain: Server | None) -> None:
    assert state(PLAIN, api, PATHS, plain=plain, **NEAR)[0] is CoverageState.PASSED


def test_a_redirect_that_stays_on_plain_http_is_no_pass() -> None:
    plain = redirecting("http://127.0.0.1:8/account/")
    assert state(PLAIN, api, PATHS, plain=plain, **NEAR)[0] is CoverageState.INCONCLUSIVE


def test_no_real_credential_leaves_this_machine_unencrypted() -> None:
    seen: list[str] = []

    def plain(request: Request) -> Response:
        seen.append(request.header("authorization") or "")
        return api(request)

    record, _ = scanned(api, PATHS, checks=(check_named(PLAIN),), plain=plain, **FAR)
    assert len(record.findings) == 1
    assert seen
    assert not [value for value in seen if "-token" in value]


def test_an_api_that_asks_for_a_credential_over_plain_http_is_worth_a_look() -> None:
    paths = {"/account": PATHS["/account"]}
    (finding,) = findings(PLAIN, api, paths, plain=api, **FAR)
    assert finding.confidence is Confidence.TENTATIVE


def sending(hsts: str | None) -> Server:
    headers = {} if hsts is None else {"Strict-Transport-Security": hsts}
    return lambda request: answer(200, {"a": 1}, headers) if caller(request) else UNAUTHENTICATED


GOOD = "max-age=31536000; includeSubDomains; preload"


@pytest.mark.parametrize("hsts", [None, "max-age=0", "max-age=86400", "includeSubDomains"])
def test_missing_and_short_hsts_is_a_low_finding(hsts: str | None) -> None:
    (finding,) = findings(WEAK, sending(hsts), PATHS, **NEAR)
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize("hsts", [GOOD, 'MAX-AGE="63072000"', "max-age=15552000"])
def test_hsts_for_half_a_year_and_more_passes(hsts: str) -> None:
    assert findings(WEAK, sending(hsts), PATHS, **NEAR) == ()


@pytest.mark.parametrize(
    ("agreed", "parameter"),
    [
        (Handshake(version="TLSv1.3", old_version="TLSv1.1"), "protocol"),
        (Handshake(version="TLSv1"), "protocol"),
        (Handshake(version="TLSv1.3", expires_at_s=START_UNIX_S - 60), "certificate"),
        (Handshake(version="TLSv1.2", problem="Hostname mismatch"), "certificate"),
    ],
)
def test_old_protocols_and_bad_certificates_are_found(agreed: Handshake, parameter: str) -> None:
    server = sending(GOOD)
    (finding,) = findings(
        WEAK, server, PATHS, transport=Scripted(server, agrees_to=agreed), base_url=FAR["base_url"]
    )
    assert finding.severity is Severity.MEDIUM
    assert finding.parameter == parameter


def test_a_handshake_that_tells_nothing_is_no_finding_and_plain_http_not_applicable() -> None:
    server = sending(GOOD)
    unknown = Scripted(server, agrees_to=None)
    assert findings(WEAK, server, PATHS, transport=unknown, base_url=NEAR["base_url"]) == ()
    assert state(WEAK, sending(None), PATHS)[0] is CoverageState.NOT_APPLICABLE
