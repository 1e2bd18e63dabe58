"""Sessions after their logout, and the sessions that a scan must leave alone."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, body, operation, page, sent
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.tokens import is_signed_with, signed
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, scanned, state

LOGOUT = "token-accepted-after-logout"
PERSON = body(email={"type": "string", "format": "email"}, password={"type": "string"})
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)
KEY = b"the key of these tests"


def paths(logout: str = "/logout", method: str = "post", **more: Any) -> dict[str, Any]:
    return {
        "/login": {"post": operation(secured=False, requestBody=PERSON)},
        logout: {method: operation(**more)},
        "/me": {"get": operation()},
    }


SIGN_UP = {"/users": {"post": operation(secured=False, requestBody=PERSON)}}


class Sessions:
    """A server with sessions. `ends`: what a logout ends, this session, all of the user's, none.

    `single`: a login ends the sessions before it. `per_user`: each user has one token for ever,
    until a logout takes it away.
    """

    def __init__(
        self,
        *,
        ends: str = "this",
        single: bool = False,
        per_user: bool = False,
        logged_out: Response | None = None,
        logout: str = "/logout",
    ) -> None:
        self.passwords = {f"{name}@example.com": f"{name}-password-1" for name in ("alice", "bob")}
        self.sessions = {f"{name}-token": f"{name}@example.com" for name in ("alice", "bob")}
        self.logouts: list[str] = []
        self._ends, self._single, self._per_user = ends, single, per_user
        self._logged_out = logged_out or answer(200, {"message": "bye"})
        self._logout = logout
        self._numbers = itertools.count(1)

    def __call__(self, request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        user = self.sessions.get(token)
        if request.path == "/users":
            self.passwords[sent(request)["email"]] = sent(request)["password"]
            return answer(201, {"email": sent(request)["email"]})
        if request.path == "/login":
            return self._log_in(str(sent(request).get("email")), sent(request).get("password"))
        if user is None:
            return UNAUTHENTICATED
        if request.path == self._logout:
            self.logouts.append(user)
            self._end(user, token)
            return self._logged_out
        return answer(200, {"email": user, "at": next(self._numbers)})

    def _log_in(self, email: str, password: object) -> Response:
        if self.passwords.get(email) != password:
            return UNAUTHENTICATED
        if self._single:
            self._forget(email)
        present = [token for token, user in self.sessions.items() if user == email]
        number = next(self._numbers)
        token = present[0] if self._per_user and present else f"session-{number}-of-somebody"
        self.sessions[token] = email
        return answer(200, {"token": token})

    def _end(self, user: str, token: str) -> None:
        if self._ends == "this":
            self.sessions.pop(token, None)
        if self._ends == "all":
            self._forget(user)

    def _forget(self, user: str) -> None:
        self.sessions = {token: who for token, who in self.sessions.items() if who != user}


def run(server: Server, document: dict[str, Any], **more: Any) -> tuple[CoverageState, str]:
    return state(LOGOUT, server, document, login=LOGIN, people=identities(("alice", "bob")), **more)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/logout", "post"),
        ("/logout", "get"),
        ("/auth/sign-out", "post"),
        ("/api/v1/users/logout", "post"),
        ("/session", "delete"),
        ("/auth/token", "delete"),
        ("/sessions/current", "delete"),
        ("/oauth/revoke", "post"),
    ],
)
def test_a_session_that_outlives_its_logout_is_found(path: str, method: str) -> None:
    server = Sessions(ends="nothing", logout=path)
    people = identities(("alice", "bob"))
    found = findings(LOGOUT, server, paths(path, method), login=LOGIN, people=people)
    assert [finding.operations for finding in found] == [(f"{method.upper()} {path}",)]
    assert found[0].confidence is Confidence.CERTAIN
    assert found[0].severity is Severity.MEDIUM
    assert "of-somebody" not in repr(found)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/users/me", "delete"), ("/auth/me", "delete"), ("/users/current", "delete"),
     ("/cache/invalidate", "post"), ("/tokens", "delete"), ("/checkout", "post")],
)  # fmt: skip
def test_nothing_but_a_logout_is_taken_for_one(path: str, method: str) -> None:
    server = Sessions(logout=path)
    assert run(server, paths(path, method))[0] is CoverageState.NOT_APPLICABLE


@pytest.mark.parametrize("ends", ["this", "all"])
@pytest.mark.parametrize("signs_up", [False, True])
def test_a_server_that_ends_sessions_passes_and_everybody_stays_logged_in(
    ends: str, signs_up: bool
) -> None:
    server = Sessions(ends=ends)
    document = paths() | (SIGN_UP if signs_up else {})
    record, _ = scanned(
        server, document, checks=(check_named(LOGOUT),), login=LOGIN,
        people=identities(("alice", "bob")),
    )  # fmt: skip
    (row,) = record.coverage
    assert row.state is CoverageState.PASSED
    assert record.void is None
    assert server.logouts
    assert all(user.startswith(("alice", "bob")) is not signs_up for user in server.logouts)


def test_what_ends_the_first_session_by_a_second_login_is_let_alone_and_repaired() -> None:
    server = Sessions(single=True, ends="nothing")
    record, _ = scanned(
        server, paths(), checks=(check_named(LOGOUT),), login=LOGIN,
        people=identities(("alice", "bob")),
    )  # fmt: skip
    assert record.void is None
    assert record.coverage[0].state is CoverageState.SKIPPED
    assert server.logouts == []


def test_a_throw_away_user_is_logged_out_even_where_each_user_has_one_session_or_token() -> None:
    for server in (
        Sessions(single=True, ends="nothing"),
        Sessions(per_user=True, ends="nothing"),
    ):
        people = identities(("alice", "bob"))
        found = findings(LOGOUT, server, paths() | SIGN_UP, login=LOGIN, people=people)
        assert len(found) == 1
        assert not {"alice@example.com", "bob@example.com"} & set(server.logouts)


def test_the_one_token_of_a_real_user_is_never_spent() -> None:
    server = Sessions(per_user=True)
    what, reason = run(server, paths())
    assert what is CoverageState.SKIPPED
    assert "same credential" in reason
    assert server.logouts == []
    assert run(Sessions(per_user=True), paths() | SIGN_UP)[0] is CoverageState.PASSED


@pytest.mark.parametrize(
    "refusal",
    [
        answer(400, {"error": "send your refresh token"}),
        answer(403, {"detail": "CSRF"}),
        answer(200, {"success": False, "message": "not today"}),
        answer(200, {"status": "error", "message": "not today"}),
        Response(status=302, headers=(("Location", "/login"),)),
    ],
)
def test_a_logout_that_was_refused_proves_nothing(refusal: Response) -> None:
    server = Sessions(ends="nothing", logged_out=refusal)
    assert run(server, paths())[0] is CoverageState.INCONCLUSIVE


@pytest.mark.parametrize(
    "done",
    [
        Response(status=204),
        page(200, "<h1>Good bye</h1>"),
        Response(
            status=303, headers=(("Location", "/"), ("Set-Cookie", "session=; Max-Age=0; Path=/"))
        ),
    ],
)
def test_every_way_to_say_good_bye_is_understood(done: Response) -> None:
    kept = Sessions(ends="nothing", logged_out=done)
    assert run(kept, paths())[0] is CoverageState.FAILED
    assert run(Sessions(logged_out=done), paths())[0] is CoverageState.PASSED


def test_a_session_that_reads_a_soft_error_afterwards_has_ended() -> None:
    inner = Sessions()

    def soft(request: Request) -> Response:
        response = inner(request)
        if response.status == 401:
            return answer(200, {"ok": False, "error": "log in first"})
        return response

    assert run(soft, paths())[0] is CoverageState.PASSED


WANTS_REFRESH = paths(requestBody=body(refreshToken={"type": "string"}))


class Refreshed:
    """Sessions whose logout wants the refresh token that the login gave."""

    def __init__(self, *, ends: str, lives_s: int = 3600) -> None:
        self.inner = Sessions(ends=ends)
        self._lives_s = lives_s

    def __call__(self, request: Request) -> Response:
        if request.path == "/logout":
            token = (request.header("authorization") or "").removeprefix("Bearer ")
            if sent(request).get("refreshToken") != f"refreshes-{token}":
                return answer(400, {"error": "send your refresh token"})
        response = self.inner(request)
        if request.path != "/login" or not response.succeeded:
            return response
        token = response.json()["token"]
        tokens = {"token": token, "refresh_token": f"refreshes-{token}"}
        return answer(200, tokens | {"expires_in": self._lives_s})


def test_a_logout_that_wants_a_refresh_token_is_given_the_one_of_its_session() -> None:
    server = Refreshed(ends="nothing")
    people = identities(("alice", "bob"))
    (finding,) = findings(LOGOUT, server, WANTS_REFRESH, login=LOGIN, people=people)
    assert finding.operations == ("POST /logout",)
    assert server.inner.logouts
    assert "refreshes-" not in repr(finding)
    assert run(Refreshed(ends="this"), WANTS_REFRESH)[0] is CoverageState.PASSED


def test_a_short_lived_token_is_let_live_where_the_refresh_token_is_what_a_logout_ends() -> None:
    what, reason = run(Refreshed(ends="nothing", lives_s=300), WANTS_REFRESH)
    assert what is CoverageState.INCONCLUSIVE
    assert "ends by itself" in reason


def test_a_logout_that_wants_a_refresh_token_which_nobody_gave_is_not_tried() -> None:
    what, reason = run(Sessions(ends="nothing"), WANTS_REFRESH)
    assert what is CoverageState.INCONCLUSIVE
    assert "the login gave none" in reason


def test_a_logout_listed_under_never_is_not_called() -> None:
    server = Sessions(ends="nothing")
    policy = {"never": ("POST /logout",)}
    assert run(server, paths(), policy=policy)[0] is CoverageState.NOT_APPLICABLE
    assert server.logouts == []


def test_without_a_login_there_is_no_session_to_spare() -> None:
    what, reason = state(LOGOUT, Sessions(), paths(), people=identities(("alice",)))
    assert what is CoverageState.SKIPPED
    assert "[login]" in reason


def test_who_has_a_token_of_the_configuration_and_no_password_is_passed_over() -> None:
    service, bob = identities(("alice", "bob"))
    people = (replace(service, fields={}), bob)
    server = Sessions(ends="nothing")
    assert len(findings(LOGOUT, server, paths(), login=LOGIN, people=people)) == 1
    assert set(server.logouts) == {"bob@example.com"}


@pytest.mark.parametrize(("lives_s", "severity"), [(600, Severity.LOW), (3600, Severity.MEDIUM)])
def test_a_token_that_ends_by_itself_within_minutes_is_worth_less(
    lives_s: int, severity: Severity
) -> None:
    numbers = itertools.count(1_750_000_000)

    def stateless(request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if request.path == "/login":
            issued = next(numbers)
            claims = {"sub": sent(request)["email"], "iat": issued, "exp": issued + lives_s}
            return answer(200, {"token": signed(claims, KEY)})
        if not is_signed_with(token, KEY) and not token.endswith("-token"):
            return UNAUTHENTICATED
        return answer(200, {"ok": True, "a": 1})

    people = identities(("alice", "bob"))
    (finding,) = findings(LOGOUT, stateless, paths(), login=LOGIN, people=people)
    assert finding.severity is severity
