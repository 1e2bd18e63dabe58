"""Plain HTTP: what must be found, what passes, and what never goes over it."""

from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation, page
from withstand.scan.finding import Confidence
from withstand.scan.record import CoverageState

from .tiny_api import findings, scanned, state

PLAIN = "plain-http-accepted"
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
