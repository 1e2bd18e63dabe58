"""Guessing passwords: what must be found, and what counts as a limit."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.client.identity import LoginRecipe
from withstand.client.scripted import Scripted
from withstand.client.target import Target
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

LIMIT = "login-not-rate-limited"
RETRY = "rate-limit-without-retry-after"
STRING = {"type": "string"}
PATHS: dict[str, Any] = {
    "/auth/token": {
        "post": operation(secured=False, requestBody=body(email=STRING, password=STRING))
    }
}
REFUSED = answer(401, {"error": "wrong e-mail or password"})
RECIPE = LoginRecipe(
    method="POST", path="/auth/token", payload={"email": "{email}", "password": "{password}"}
)


def login(limited: Response | None, after: int = 10, refused: Response = REFUSED) -> Server:
    failures: Counter[str] = Counter()

    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        failures[email] += 1
        return refused if limited is None or failures[email] <= after else limited

    return server


def test_thirty_wrong_passwords_in_a_row_are_a_flaw() -> None:
    record, exchanges = scanned(login(None), PATHS, checks=(check_named(LIMIT),))
    (finding,) = record.findings
    assert finding.operations == ("POST /auth/token",)
    assert "30 wrong passwords" in finding.detail
    assert len(exchanges) < 200


@pytest.mark.parametrize(
    "limited",
    [
        answer(429, {"error": "wait"}),
        answer(423, {"error": "locked"}),
        answer(403, {"error": "no"}),
        answer(503, {"error": "busy"}),
        answer(401, {"error": "too many attempts, try again later"}),
    ],
    ids=["429", "423", "other status", "503", "words"],
)
def test_every_way_to_stop_guessing_counts_as_a_limit(limited: Response) -> None:
    assert findings(LIMIT, login(limited), PATHS) == ()


class Slowing(Scripted):
    """Every answer takes longer than the one before."""

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        exchange = await super().send(request, fresh=fresh, to=to)
        late_ns = exchange.timing.end_ns + len(self.exchanges) * 100_000_000
        return replace(exchange, timing=replace(exchange.timing, end_ns=late_ns))


class Dropping(Scripted):
    """After twelve requests connections are dropped."""

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        exchange = await super().send(request, fresh=fresh, to=to)
        if len(self.exchanges) <= 12:
            return exchange
        return replace(exchange, outcome=Failure(kind=FailureKind.RESET))


@pytest.mark.parametrize("transport", [Slowing(login(None)), Dropping(login(None))])
def test_growing_delays_and_dropped_connections_count_as_limits(transport: Scripted) -> None:
    what, reason = state(LIMIT, login(None), PATHS, transport=transport)
    assert what is CoverageState.PASSED
    assert "delay that grows" in reason or "dropped" in reason


def test_a_limit_that_was_seen_and_says_when_to_come_back_is_not_looked_for_again() -> None:
    def asked(headers: dict[str, str]) -> int:
        checks = (check_named(LIMIT), check_named(RETRY))
        limit = login(answer(429, {"error": "wait"}, headers))
        record, exchanges = scanned(limit, PATHS, checks=checks)
        assert bool(record.findings) is not bool(headers)
        return sum(exchange.request.method == "POST" for exchange in exchanges)

    assert asked({"Retry-After": "60"}) < asked({}) / 2


def test_more_allowed_failures_than_a_scan_tries_are_inconclusive() -> None:
    policy = {"limits": {"POST /auth/token": 5_000}}
    assert state(LIMIT, login(None), PATHS, policy=policy)[0] is CoverageState.INCONCLUSIVE


@pytest.mark.parametrize("status", [423, 429])
def test_a_limit_that_is_already_reached_is_one(status: int) -> None:
    what, reason = state(LIMIT, login(answer(status, {}), after=0), PATHS)
    assert what is CoverageState.PASSED
    assert f"status {status} after 1 " in reason


def test_a_limit_looser_than_the_configured_one_is_a_flaw() -> None:
    server_answers = answer(429, {"error": "wait"})
    policy = {"limits": {"POST /auth/token": 10}}
    (finding,) = findings(LIMIT, login(server_answers, after=20), PATHS, policy=policy)
    assert "15 wrong passwords" in finding.detail
    assert findings(LIMIT, login(server_answers, after=10), PATHS, policy=policy) == ()


def test_nobodys_real_account_is_locked() -> None:
    checks = (check_named(LIMIT), check_named("rate-limit-without-retry-after"))
    _, exchanges = scanned(login(answer(429, {})), PATHS, login=RECIPE, checks=checks)
    guessed = {
        str(sent(exchange.request).get("email"))
        for exchange in exchanges
        if str(sent(exchange.request).get("password", "")).startswith("Wrong-")
    }
    assert guessed
    assert not {email for email in guessed if email.startswith(("alice", "bob", "root"))}


def test_a_login_that_refuses_with_200_is_watched_all_the_same() -> None:
    soft = answer(200, {"ok": False, "error": "wrong password"})
    (finding,) = findings(LIMIT, login(None, refused=soft), PATHS, login=RECIPE)
    assert "30 wrong passwords" in finding.detail


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_login_that_let_identities_in_is_watched_whatever_status_refuses(status: int) -> None:
    refused = answer(status, {"non_field_errors": ["Unable to log in."]})
    (finding,) = findings(LIMIT, login(None, refused=refused), PATHS, login=RECIPE)
    assert "30 wrong passwords" in finding.detail


@pytest.mark.parametrize("status", [404, 405, 415, 422, 500])
def test_answers_that_judge_no_password_are_inconclusive(status: int) -> None:
    server = login(None, refused=answer(status, {"error": "what is this"}))
    assert state(LIMIT, server, PATHS)[0] is CoverageState.INCONCLUSIVE


def test_elsewhere_than_on_loopback_it_runs_only_with_the_abuse_profile() -> None:
    far = {"base_url": "http://api.example.com"}
    policy = {"profile": "ci"}
    what, reason = state(LIMIT, login(None), PATHS, policy=policy, **far)
    assert what is CoverageState.SKIPPED
    assert "abuse" in reason


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "60"},
        {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"},
        {"RateLimit-Reset": "60"},
        {"X-RateLimit-Reset": "1750000000"},
    ],
)
def test_every_standard_way_to_say_when_passes(headers: dict[str, str]) -> None:
    assert findings(RETRY, login(answer(429, {}, headers)), PATHS) == ()


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": ""}])
def test_a_429_that_does_not_say_when_is_a_flaw(headers: dict[str, str]) -> None:
    (finding,) = findings(RETRY, login(answer(429, {}, headers)), PATHS)
    assert finding.operations == ("POST /auth/token",)


def test_a_configured_login_that_sends_nobodys_password_is_not_guessed_at() -> None:
    leftover = LoginRecipe(method="POST", path="/ping", payload={"client": "ci"})
    paths: dict[str, Any] = {"/ping": {"post": operation(secured=False)}}

    record, exchanges = scanned(
        lambda _request: REFUSED, paths, login=leftover, checks=(check_named(LIMIT),)
    )

    assert record.findings == ()
    assert len(exchanges) < 20


def test_where_there_is_no_limit_there_is_nothing_to_announce() -> None:
    assert state(RETRY, login(None), PATHS)[0] is CoverageState.PASSED


def test_a_limit_on_all_requests_is_not_taken_for_one_on_guesses() -> None:
    guesses = login(None)
    count = 0

    def server(request: Request) -> Response:
        nonlocal count
        count += 1
        return answer(429, {"error": "slow down"}) if count % 11 == 0 else guesses(request)

    (finding,) = findings(LIMIT, server, PATHS)
    assert "30 wrong passwords" in finding.detail
    count = 0
    assert findings(RETRY, server, PATHS) == ()
