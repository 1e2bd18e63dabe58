"""Who is configured stays who they are: read before all else, kept out of sign-ups, never meant."""

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.small_api import a_check, answer, nothing, planned
from withstand.client.credential import request_cookies
from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.scripted import Scripted
from withstand.scan.catalogue import check_named
from withstand.scan.check import PASSED, Burst, Check, Outcome, Per, Send, Steps
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.scanner import scan
from withstand.scan.subject import Subject

TEXT = {"type": "string"}
MAIL = {"type": "string", "format": "email"}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
PEOPLE = tuple(
    Identity(name=n, role=r, fields={"email": f"{n}@example.com", "password": f"{n}-password-1"})
    for n, r in (("alice", "user"), ("bob", "user"), ("root", "admin"))
)
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="cookies",
    send_as=None,
)


def takes(secured: bool = True, **properties: object) -> dict[str, Any]:
    """An operation with a JSON body of these properties, all required."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "security": [{"bearer": []}] if secured else [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "fine"}},
    }


def reads(**more: Any) -> dict[str, Any]:
    """An operation without a body."""
    return {"security": [{"bearer": []}], "responses": {"200": {"description": "fine"}}, **more}


class Club:
    """Members with cookie sessions. `touched` are the real ones to whom something was done.

    `signs_up` says who may sign somebody up: `anybody`, or `members` only. Who signs up goes on in
    the session in which they did so. `tells` makes the answer to a sign-up.
    """

    def __init__(self, *, signs_up: str = "anybody", tells: Any = None) -> None:
        self.signs_up, self.tells = signs_up, tells or (lambda user: user)
        self.users: dict[int, dict[str, Any]] = {}
        self.passwords: dict[str, str] = {}
        self.sessions: dict[str, int] = {}
        self.numbers, self.keys = itertools.count(1), itertools.count(1)
        for person in PEOPLE:
            self.join(person.fields["email"], person.fields["password"], person.role)
        self.touched: set[int] = set()
        self.joined_as: list[int | None] = []
        self.paths: dict[str, Any] = {
            "/login": {"post": takes(False, email=TEXT, password=TEXT)},
            "/join": {"post": takes(False, email=MAIL, password=TEXT)},
            "/me": {"get": reads()},
            "/users/{id}": {
                "get": reads(parameters=[ID]),
                "put": {**takes(name=TEXT), "parameters": [ID]},
                "delete": reads(parameters=[ID]),
            },
        }

    def join(self, email: str, password: str, role: str = "user") -> int:
        number = next(self.numbers)
        self.users[number] = {"id": number, "email": email, "role": role}
        self.passwords[email] = password
        return number

    def __call__(self, request: Request) -> Response:
        key = dict(request_cookies(request)).get("club_session", "")
        me = self.users.get(self.sessions.get(key, 0))
        body = json.loads(request.body) if request.body else {}
        path = request.operation_path
        if path == "/login":
            return self.login(body)
        if path == "/join":
            return self.sign_up(key, me, body)
        if me is None:
            return answer(401, {"error": "who are you?"})
        if path == "/me":
            return answer(200, me)
        if path == "/me/password":
            return self.change_password(me, body)
        number = int(path.rsplit("/", 1)[-1]) if path[-1:].isdecimal() else 0
        if number not in self.users:
            return answer(404, {"error": "nobody"})
        if request.method == "GET":
            return answer(200, self.users[number])
        if number <= len(PEOPLE):
            self.touched.add(number)
        if me["role"] != "admin" and me["id"] != number:
            return answer(403, {"error": "not yours"})
        if request.method == "DELETE":
            del self.users[number]
            return Response(status=204)
        self.users[number] |= {"name": body.get("name")}
        return answer(200, self.users[number])

    def login(self, body: dict[str, Any]) -> Response:
        email = body.get("email", "")
        found = [u for u in self.users.values() if u["email"] == email]
        if not found or self.passwords[email] != body.get("password"):
            return answer(401, {"error": "no"})
        return self.opened(f"session-{next(self.keys):08}", found[0]["id"], {"ok": True})

    def sign_up(self, key: str, me: dict[str, Any] | None, body: dict[str, Any]) -> Response:
        if self.signs_up == "members" and me is None:
            return answer(403, {"error": "members only"})
        if "@" not in body.get("email", "") or not body.get("password"):
            return answer(422, {"error": "incomplete"})
        self.joined_as.append(me["id"] if me is not None else None)
        user = self.users[self.join(body["email"], body["password"])]
        return self.opened(key or f"session-{next(self.keys):08}", user["id"], self.tells(user))

    def change_password(self, me: dict[str, Any], body: dict[str, Any]) -> Response:
        if body.get("current_password") != self.passwords[me["email"]]:
            return answer(403, {"error": "that is not your password"})
        if me["id"] <= len(PEOPLE):
            self.touched.add(me["id"])
        self.passwords[me["email"]] = body["new_password"]
        return answer(200, {"changed": True})

    def opened(self, key: str, number: int, document: object) -> Response:
        self.sessions[key] = number
        cookie = ("Set-Cookie", f"club_session={key}; HttpOnly; SameSite=Lax")
        response = answer(200, document)
        return replace(response, headers=(*response.headers, cookie))


def scanned(club: Club, *checks: Check, **more: Any) -> tuple[ScanRecord, list[Exchange]]:
    transport = Scripted(club)
    plan = planned(*checks, identities=PEOPLE, login=LOGIN, paths=club.paths)
    record = asyncio.run(scan(replace(plan, **more), transport))
    return record, transport.exchanges


def test_what_a_baseline_did_to_an_identity_makes_the_run_void() -> None:
    class Vain(Club):
        def __call__(self, request: Request) -> Response:
            if request.path == "/notes":
                self.users[1]["email"] = "other@example.com"
                return answer(201, {"id": 900})
            return super().__call__(request)

    club = Vain()
    club.paths["/notes"] = {"post": takes(text=TEXT)}
    record, exchanges = scanned(club, a_check(nothing))

    assert [e.request.path for e in exchanges if e.request.path != "/login"][:2] == ["/", "/me"]
    assert record.void is not None
    assert "alice (GET /me shows another $.email)" in record.void
    assert {row.state for row in record.coverage} == {CoverageState.SKIPPED}


def test_a_profile_is_compared_at_the_end_though_the_canary_is_another_read() -> None:
    class Planned(Club):
        def __call__(self, request: Request) -> Response:
            if request.path != "/plans":
                return super().__call__(request)
            me = super().__call__(replace(request, path="/me"))
            return answer(200, {"plans": 3}) if me.succeeded else me

    def promotes(_subject: Subject) -> Steps[Outcome]:
        club.users[1]["role"] = "admin"
        yield Send(request=Request(method="GET", path="/"))
        return PASSED

    club = Planned()
    club.paths["/plans"] = {"get": reads()}
    record, _ = scanned(club, a_check(promotes, per=Per.API), canary="GET /plans")
    assert record.void is not None
    assert "alice is not what it was: GET /me shows another $.role" in record.void


@pytest.mark.parametrize("named", [True, False])
def test_a_post_that_only_says_who_calls_it_is_a_canary(named: bool) -> None:
    club = Club()

    def server(request: Request) -> Response:
        who = request.path == "/rpc/whoAmI" and request.method == "POST"
        return club(replace(request, path="/me", body=b"") if who else request)

    paths = {"/rpc/whoAmI": {"post": takes()}, "/login": club.paths["/login"]}
    plan = planned(a_check(nothing), identities=PEOPLE, login=LOGIN, paths=paths)
    transport = Scripted(server)
    plan = replace(plan, canary="POST /rpc/whoAmI" if named else None)
    record = asyncio.run(scan(plan, transport))

    assert record.void is None
    assert any("with the profile of before" in fact for fact in record.facts)
    asked = [e for e in transport.exchanges if e.request.path == "/rpc/whoAmI" and e.succeeded]
    assert len(asked) > 2 * len(PEOPLE)  # before the scan, and around what it did


def test_nobodys_session_becomes_that_of_whom_they_signed_up() -> None:
    club = Club(signs_up="members")
    record, _ = scanned(club, a_check(nothing))
    assert record.void is None
    assert club.joined_as == [1]  # it has a baseline
    assert any("with the profile of before" in fact for fact in record.facts)

    club = Club()
    record, _ = scanned(club, a_check(nothing))
    assert record.void is None
    assert set(club.joined_as) == {None}


@pytest.mark.parametrize(
    "tells",
    [lambda user: {"id": user["id"]}, lambda _: {"id": 1}, lambda _: {"ok": True}],
    ids=["the user's id", "somebody else's id", "no id"],
)
def test_whose_id_a_sign_up_gives_is_made_out_by_reading_as_the_new_user(tells: Any) -> None:
    club = Club(tells=tells)
    check = check_named("object-deletable-by-other-user")
    record, exchanges = scanned(club, check)

    assert club.touched == set()
    assert record.void is None
    deleted = {e.request.path for e in exchanges if e.request.method == "DELETE" and e.succeeded}
    assert deleted  # users of the scan's own
    missing = [row.reason for row in record.coverage if "no valid baseline" in row.reason]
    assert missing == []


def test_a_user_of_the_scans_own_changes_its_password_and_can_still_log_in() -> None:
    club = Club()
    club.paths["/me/password"] = {"post": takes(current_password=TEXT, new_password=TEXT)}
    before = dict(club.passwords)
    record, exchanges = scanned(club, check_named("missing-credential-accepted"))

    row = next(row for row in record.coverage if row.operation == "POST /me/password")
    assert row.state is CoverageState.PASSED, row.reason
    assert [e.status for e in exchanges if e.request.path == "/me/password"].count(200) >= 1
    assert club.touched == set()
    assert before.items() <= club.passwords.items()
    sent = [json.loads(e.request.body) for e in exchanges if e.request.path == "/join"]
    assert {each["password"] for each in sent} >= {*club.passwords.values()} - {*before.values()}


def test_the_word_me_is_nobodys_id() -> None:
    class Terse(Club):
        def __call__(self, request: Request) -> Response:
            if request.path != "/users/me":
                return super().__call__(request)
            me = super().__call__(replace(request, method="GET", path="/me")).json()
            if request.method != "GET":
                self.touched.add(me.get("id", 0))
            return answer(200, {"email": me["email"]}) if "email" in me else answer(401, me)

    club = Terse(tells=lambda _: {"id": 1})
    club.paths["/users/me"] = club.paths.pop("/me")
    record, exchanges = scanned(club, check_named("object-deletable-by-other-user"))
    assert record.void is None
    assert club.touched == set()
    assert [e.request.path for e in exchanges if e.request.method == "DELETE"] == []


@pytest.mark.parametrize("at_once", [True, False])
def test_a_check_that_would_write_to_a_configured_user_is_inconclusive_and_says_whom_it_spared(
    at_once: bool,
) -> None:
    def spoils(subject: Subject) -> Steps[Outcome]:
        request = subject.identities[2].authorize(Request(method="DELETE", path="/users/1"))
        yield Burst(requests=(request,)) if at_once else Send(request=request)
        return PASSED

    club = Club()
    record, _ = scanned(club, a_check(spoils, per=Per.API))
    assert club.touched == set()
    (row,) = record.coverage
    assert row.state is CoverageState.INCONCLUSIVE
    assert row.reason == (
        "DELETE /users/1 was not sent: it names alice, to whom the scan does nothing"
    )
