"""Identities stay who they are through a scan, or the run is void and says which check ran last."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.logins.kinds import KINDS
from tests.logins.notebook import PASSWORDS, Notebook
from tests.logins.scanning import scanned, scanned_app
from tests.scan.small_api import Notes, a_check, answer, identity, nothing, planned
from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.scripted import Scripted
from withstand.errors import IdentityBroken
from withstand.scan.catalogue import check_named
from withstand.scan.check import PASSED, Outcome, Pause, Per, Safety, Send, SignUp, Steps
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.scanner import scan
from withstand.scan.subject import Subject

KIND = {kind.name: kind for kind in KINDS}
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)


class Sessions:
    """Notes with a login: its tokens die when `die` says so of their number and the path."""

    def __init__(self) -> None:
        self.notes = Notes()
        self.notes.tokens = {}
        self.passwords = {"alice@example.com": "alice-pass-1"}
        self.profile: dict[str, object] = {"name": "alice"}
        self.logins = 0
        self.lifetime_s: int | None = None

    def __call__(self, request: Request) -> Response:
        if request.path == "/login":
            body = json.loads(request.body)
            if self.passwords.get(body["email"]) != body["password"]:
                return answer(401, {"error": "no"})
            self.logins += 1
            token = f"token-{self.logins}"
            self.notes.tokens = {f"Bearer {token}": "alice"}
            more = {} if self.lifetime_s is None else {"expires_in": self.lifetime_s}
            return answer(200, {"token": token, **more})
        response = self.notes(request)
        if request.path == "/me" and response.succeeded:
            return answer(200, self.profile)
        return response


ALICE = Identity(
    name="alice",
    role="user",
    fields={"email": "alice@example.com", "password": "alice-pass-1"},
)


def record_of(server: Sessions, *checks: object) -> tuple[ScanRecord, Scripted]:
    transport = Scripted(server)
    plan = planned(*checks, identities=(ALICE,), login=LOGIN)  # type: ignore[arg-type] # a_check's
    return asyncio.run(scan(plan, transport)), transport


def test_who_falls_out_of_a_session_logs_in_again_and_is_judged_again() -> None:
    server = Sessions()
    runs = []

    def spoils_once(subject: Subject) -> Steps[Outcome]:
        runs.append(subject.operation)
        if len(runs) == 1:
            server.notes.tokens = {}
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    record, _ = record_of(server, a_check(spoils_once))

    assert record.void is None
    assert server.logins == 3  # at first, after the loss, and at the end
    assert runs[0] == runs[1]
    assert {row.state for row in record.coverage} == {CoverageState.PASSED}
    assert len(record.coverage) == 5


def test_what_ends_every_session_leaves_its_own_verdict_inconclusive_and_nothing_else() -> None:
    server = Sessions()

    def spoils_notes(subject: Subject) -> Steps[Outcome]:
        if subject.operation is not None and subject.operation.key == "POST /notes":
            server.notes.tokens = {}
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    record, _ = record_of(server, a_check(spoils_notes))

    assert record.void is None
    states = {row.operation: row.state for row in record.coverage}
    assert states.pop("POST /notes") is CoverageState.INCONCLUSIVE
    assert set(states.values()) == {CoverageState.PASSED}


def test_who_cannot_log_in_again_makes_the_run_void_and_names_the_check() -> None:
    server = Sessions()

    def changes_the_password(_subject: Subject) -> Steps[Outcome]:
        server.notes.tokens, server.passwords = {}, {}
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    record, _ = record_of(server, a_check(changes_the_password, name="password-spoiler"))

    assert record.void is not None
    assert "alice" in record.void
    assert "cannot log in again: POST /login answered 401" in record.void
    assert "the check that ran last was password-spoiler on " in record.void
    assert CoverageState.PASSED not in {row.state for row in record.coverage}


def test_a_password_that_no_longer_works_is_noticed_though_the_session_still_does() -> None:
    server = Sessions()

    def changes_the_password(_subject: Subject) -> Steps[Outcome]:
        server.passwords = {}
        yield from ()
        return PASSED

    record, _ = record_of(server, a_check(changes_the_password, per=Per.API))

    assert record.void is not None
    assert "after the scan alice no longer logs in: POST /login answered 401" in record.void
    assert "some-flaw" in record.void


def test_a_profile_that_is_not_what_it_was_makes_the_run_void() -> None:
    server = Sessions()

    def promotes(_subject: Subject) -> Steps[Outcome]:
        server.profile = {"name": "mallory"}
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    record, _ = record_of(server, a_check(promotes, per=Per.API, safety=Safety.MUTATING))

    assert record.void is not None
    assert "GET /me shows another $.name" in record.void


def test_counters_in_a_profile_may_change() -> None:
    server = Sessions()

    def orders(_subject: Subject) -> Steps[Outcome]:
        server.profile = {"name": "alice", "orders": 4, "balance": 17, "last_login": "today"}
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    record, _ = record_of(server, a_check(orders, per=Per.API))
    assert record.void is None


def test_a_token_that_only_its_login_calls_short_lived_is_renewed_in_time() -> None:
    server = Sessions()
    server.lifetime_s = 100

    def waits(_subject: Subject) -> Steps[Outcome]:
        yield Pause(seconds=80.0)
        return PASSED

    record, _ = record_of(server, a_check(waits))
    assert record.void is None
    assert server.logins >= 5


def test_the_configured_canary_is_asked_and_has_to_serve_everybody(tmp_path: Path) -> None:
    kind = KIND["express-like"]
    check = check_named("missing-credential-accepted")
    config = '[login]\ncanary = "GET /api/notes"\n' + kind.config
    record, exchanges = scanned(kind, Notebook(), tmp_path, checks=(check,), config=config)
    assert record.void is None
    asked = [each for each in exchanges if each.request.path == "/api/notes"]
    assert len(asked) > len([each for each in exchanges if each.request.path == "/api/me"])

    config = '[login]\ncanary = "GET /api/nowhere"\n' + kind.config
    with pytest.raises(IdentityBroken, match="alice is logged in, but GET /api/nowhere"):
        scanned(kind, Notebook(), tmp_path, checks=(check,), config=config)


def test_a_canary_that_answers_anybody_is_none(tmp_path: Path) -> None:
    app, document, _ = KIND["express-like"].make(Notebook())

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "up"}

    config = '[login]\ncanary = "GET /health"\n' + KIND["express-like"].config
    check = check_named("missing-credential-accepted")
    record, _ = scanned_app(app, document, config, tmp_path, checks=(check,))
    assert any("as a canary it does not tell" in note for note in record.notes)


def test_identities_that_share_no_read_have_a_canary_each() -> None:
    def server(request: Request) -> Response:
        who = (request.header("authorization") or "").removeprefix("Bearer ").partition("-")[0]
        seen = {"/reports": "root", "/cart": "alice"}
        if request.path not in seen:
            return Response(status=404)
        if not who:
            return answer(401, {})
        return answer(200, {"of": who}) if who == seen[request.path] else answer(403, {})

    asked = []

    def looks(subject: Subject) -> Steps[Outcome]:
        asked.append(subject.canary)
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    operation: dict[str, object] = {"get": {"security": [{"bearer": []}], "responses": {}}}
    plan = planned(
        a_check(looks, per=Per.API),
        identities=(identity("alice"), identity("root", "admin")),
        paths={"/reports": operation, "/cart": operation},
    )
    transport = Scripted(server)
    record = asyncio.run(scan(plan, transport))
    assert record.void is None
    last = [(e.request.path, e.identity or e.status) for e in transport.exchanges[-2:]]
    assert [path for path, _ in last] == ["/cart", "/reports"] or [p for p, _ in last] == [
        "/reports",
        "/cart",
    ]


def test_a_check_gets_a_new_user_for_each_of_its_runs(tmp_path: Path) -> None:
    got: list[Identity | str] = []

    def wants_users(_subject: Subject) -> Steps[Outcome]:
        user = yield SignUp()
        got.append(user)
        return PASSED

    check = a_check(wants_users, per=Per.API)
    (tmp_path / "hooks_of_this_test.py").write_text(
        "made = iter(['alice@example.com', 'bob@example.com'])\n"
        "gone = []\n"
        f"passwords = {PASSWORDS!r}\n"
        "def make():\n"
        "    email = next(made)\n"
        "    return {'email': email, 'password': passwords[email]}\n"
        "def remove(user):\n"
        "    gone.append(user['email'])\n"
    )
    hooks = (
        '[login]\nprovision = "hooks_of_this_test:make"\n'
        'deprovision = "hooks_of_this_test:remove"\n'
    )
    config = hooks + KIND["express-like"].config
    record, _ = scanned(KIND["express-like"], Notebook(), tmp_path, checks=(check,), config=config)

    (user,) = got
    assert isinstance(user, Identity)
    assert user.throwaway
    assert user.credential is not None
    assert user.name == "throwaway2"
    assert not any("No throw-away user" in note for note in record.notes)
    import hooks_of_this_test  # type: ignore[import-not-found] # written above

    assert hooks_of_this_test.gone == ["alice@example.com", "bob@example.com"]


def test_without_a_way_to_make_users_the_reason_is_told() -> None:
    got: list[object] = []

    def wants_users(_subject: Subject) -> Steps[Outcome]:
        user = yield SignUp()
        got.append(user)
        return PASSED

    plan = planned(a_check(wants_users, per=Per.API))
    record = asyncio.run(scan(plan, Scripted(Notes())))
    assert got == [
        "the document has no public sign-up operation; set provision under [login] to a command "
        "that makes a user"
    ]
    assert any(note.startswith("No throw-away user (the document has no") for note in record.notes)


def test_a_check_that_looks_at_nothing_costs_no_canary() -> None:
    transport = Scripted(Notes())
    asyncio.run(scan(planned(), transport))
    before = len(transport.exchanges)
    transport = Scripted(Notes())
    asyncio.run(scan(planned(*(a_check(nothing, per=Per.API),) * 5), transport))
    assert len(transport.exchanges) == before
