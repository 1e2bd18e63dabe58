"""Properties that callers must not set: found where they take effect, silent where they do not."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    query,
    sent,
)
from withstand.scan.finding import Severity
from withstand.scan.probes.tokens import signed
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, state

CREATE = "privileged-property-accepted-on-create"
UPDATE = "privileged-property-accepted-on-update"
TEXT = {"type": "string"}
ITEM = (("path", "id"),)
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)


def claims(
    *,
    keeps: tuple[str, ...] = (),
    strict: bool = False,
    at_once: bool = True,
    anything: bool = False,
) -> Server:
    """Claims. `keeps` are the properties taken from any body; `strict` refuses unknown ones;
    not `at_once` refuses a body with more than one of those.
    """
    kept: dict[str, dict[str, Any]] = {}
    numbers = itertools.count(1)

    def taken(fields: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in fields.items() if k in {"text", *keeps}}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        fields = sent(request)
        unknown = fields.keys() - {"text"}
        if (strict and unknown - {*keeps}) or (not at_once and len(unknown) > 1):
            return answer(422, {"error": f"unknown: {sorted(unknown)}"})
        if request.method == "POST":
            number = str(next(numbers))
            kept[number] = {"id": number, "status": "new", "balance": 0, **taken(fields)}
            return answer(201, {**kept[number], **fields})
        claim = kept.get(last_segment(request))
        if claim is None:
            return not_found()
        if request.method == "PATCH":
            claim |= taken(fields)
        return answer(200, {"data": claim})

    return server


CLAIMS: dict[str, Any] = {
    "/me": {"get": operation()},
    "/claims": {"post": operation(requestBody=body(text=TEXT))},
    "/claims/{id}": {
        "get": operation(parameters=ITEM),
        "patch": operation(parameters=ITEM, requestBody=body(text=TEXT)),
    },
}


@pytest.mark.parametrize("check", [CREATE, UPDATE])
def test_a_property_that_takes_effect_is_found_and_named(check: str) -> None:
    (finding,) = findings(check, claims(keeps=("balance",)), CLAIMS)
    assert "balance = 4711" in finding.detail
    assert finding.severity is Severity.HIGH
    (finding,) = findings(check, claims(keeps=("status",)), CLAIMS)
    assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize("check", [CREATE, UPDATE])
@pytest.mark.parametrize("how", [{"at_once": False}, {"strict": True}], ids=["one", "no unknown"])
def test_what_is_refused_together_is_tried_one_by_one(check: str, how: dict[str, bool]) -> None:
    server = claims(keeps=("balance",), **how)
    assert len(findings(check, server, CLAIMS)) == 1


@pytest.mark.parametrize("check", [CREATE, UPDATE])
def test_an_echo_a_refusal_and_what_the_document_lets_callers_send_are_no_flaw(check: str) -> None:
    assert findings(check, claims(), CLAIMS) == ()
    assert findings(check, claims(strict=True), CLAIMS) == ()
    declared = {**CLAIMS}
    both = body(text=TEXT, status=TEXT, balance={"type": "integer"})
    declared["/claims"] = {"post": operation(requestBody=both)}
    declared["/claims/{id}"] = {
        "get": operation(parameters=ITEM),
        "patch": operation(parameters=ITEM, requestBody=both),
    }
    assert findings(check, claims(keeps=("status", "balance")), declared) == ()


def test_a_status_that_every_change_brings_about_is_not_the_callers() -> None:
    inner = claims()
    changed: set[str] = set()

    def server(request: Request) -> Response:
        response = inner(request)
        if request.method == "PATCH":
            changed.add(last_segment(request))
        if request.method == "GET" and last_segment(request) in changed:
            return answer(200, {"data": {**response.json()["data"], "status": "approved"}})
        return response

    assert findings(UPDATE, server, CLAIMS) == ()


class Users:
    """Sign-ups whose `role` or `is_admin` counts, visibly, in the token only, or not at all."""

    def __init__(self, *, takes: str = "", shows: bool = True, in_token: bool = False) -> None:
        self.takes, self.shows, self.in_token = takes, shows, in_token
        self.users: dict[str, dict[str, Any]] = {
            f"{n}@example.com": {"password": f"{n}-password-1", "role": "user", "is_admin": False}
            for n in ("alice", "bob")
        }
        self.users["root@example.com"] = {"password": "x", "role": "admin", "is_admin": True}

    def token(self, email: str) -> str:
        if not self.in_token:
            return f"token of {email}"
        return signed({"sub": email, "role": self.users[email]["role"]}, b"the key")

    def __call__(self, request: Request) -> Response:
        fields = sent(request)
        if request.path == "/users":
            email = str(fields.get("email"))
            user = {"role": "user", "is_admin": False, "password": fields.get("password")}
            self.users[email] = user
            if self.takes in fields:
                user[self.takes] = fields[self.takes]
            return answer(201, {"email": email})
        if request.path == "/login":
            email = str(fields.get("email"))
            if self.users.get(email, {}).get("password") != fields.get("password"):
                return answer(401, {"error": "no"})
            return answer(200, {"token": self.token(email)})
        tokens = {f"Bearer {self.token(each)}": each for each in self.users}
        me = tokens.get(request.header("authorization") or "")
        if me is None:
            return UNAUTHENTICATED
        user = self.users[me]
        rights = {"role": user["role"], "is_admin": user["is_admin"]} if self.shows else {}
        if request.path == "/me":
            if request.method == "PATCH" and self.takes in fields:
                user[self.takes] = fields[self.takes]
            return answer(200, {"email": me, **rights})
        if request.path == "/reports":
            admin = user["role"] == "admin" or user["is_admin"] is True
            return answer(200, {"income": 271828}) if admin else answer(403, {"error": "no"})
        return not_found()

    def people(self) -> Any:
        tokens = {n: self.token(f"{n}@example.com") for n in ("alice", "bob", "root")}
        return identities(tokens=tokens)


_SIGN_UP = body(email={"type": "string", "format": "email"}, password=TEXT)
USERS: dict[str, Any] = {
    "/me": {"get": operation(), "patch": operation(requestBody=body(nickname=TEXT))},
    "/users": {"post": operation(secured=False, requestBody=_SIGN_UP)},
    "/login": {"post": operation(secured=False, requestBody=_SIGN_UP)},
    "/reports": {"get": operation()},
}


@pytest.mark.parametrize(
    "how",
    [
        {"takes": "role"},
        {"takes": "is_admin"},
        {"takes": "role", "shows": False},
        {"takes": "is_admin", "shows": False},
        {"takes": "role", "in_token": True},
    ],
)
def test_a_sign_up_that_takes_a_role_is_found_by_what_the_user_is_then(how: dict[str, Any]) -> None:
    server = Users(**how)
    before = {**server.users}
    (finding,) = findings(CREATE, server, USERS, login=LOGIN, people=server.people())
    assert finding.operations == ("POST /users",)
    assert finding.severity is Severity.CRITICAL
    assert {email: server.users[email] for email in before} == before


@pytest.mark.parametrize("check", [CREATE, UPDATE])
def test_what_makes_an_administrator_is_tried_also_where_the_document_lets_it_be_sent(
    check: str,
) -> None:
    flag = {"type": "boolean"}
    sign_up = body(email={"type": "string", "format": "email"}, password=TEXT, is_admin=flag)
    document = {
        **USERS,
        "/me": {"get": operation(), "patch": operation(requestBody=body(is_admin=flag))},
        "/users": {"post": operation(secured=False, requestBody=sign_up)},
    }
    for takes, number in (("is_admin", 1), ("", 0)):
        server = Users(takes=takes)
        found = findings(check, server, document, login=LOGIN, people=server.people())
        assert len(found) == number


@pytest.mark.parametrize("field", ["token", "refreshToken", None])
def test_the_session_that_a_sign_up_opens_is_in_no_evidence(field: str | None) -> None:
    server = Users(takes="role")
    given: list[str] = []

    def opening(request: Request) -> Response:
        response = server(request)
        if request.path != "/users":
            return response
        given.append(f"{len(given):x}opens-the-account".zfill(24))
        if field is None:
            return replace(response, headers=(("Set-Cookie", f"Garden={given[-1]}; HttpOnly"),))
        return answer(201, {**response.json(), field: given[-1]})

    (finding,) = findings(CREATE, opening, USERS, login=LOGIN, people=server.people())
    assert "_NEW" in repr(finding)
    assert "opens-the-account" not in repr(finding)


@pytest.mark.parametrize("in_token", [False, True])
def test_a_sign_up_that_looks_at_no_role_passes(in_token: bool) -> None:
    server = Users(in_token=in_token)
    assert findings(CREATE, server, USERS, login=LOGIN, people=server.people()) == ()
    assert findings(UPDATE, server, USERS, login=LOGIN, people=server.people()) == ()


def test_a_profile_that_takes_a_role_is_tried_on_a_user_of_the_scans_own_and_set_back() -> None:
    server = Users(takes="role")
    (finding,) = findings(UPDATE, server, USERS, login=LOGIN, people=server.people())
    assert finding.operations == ("PATCH /me",)
    assert [u["role"] for u in server.users.values()].count("admin") == 1


class Members(Users):
    """Users who change their account by POST: at `/me`, `/profile`, in its settings, or by id."""

    def __call__(self, request: Request) -> Response:
        place = request.path.rsplit("/", 1)[0] if "@" in last_segment(request) else request.path
        own = {"/me", "/profile", "/account/settings", "/rpc/updateMe", "/updateProfile"}
        if place not in own | {"/users"} or request.path == "/users":
            return super().__call__(request)
        me = (request.header("authorization") or "").removeprefix("Bearer token of ")
        if me not in self.users or (place == "/users" and last_segment(request) != me):
            return UNAUTHENTICATED
        fields = sent(request)
        user = self.users[me]
        if request.method == "POST":
            user["nickname"] = fields.get("nickname")
            if self.takes in fields:
                user[self.takes] = fields[self.takes]
        if place not in {"/me", "/profile", "/users"}:
            return answer(200, {"nickname": user.get("nickname"), **fields})
        shown = {"email": me, "role": user["role"], "is_admin": user["is_admin"]}
        return answer(200, {**shown, "nickname": user.get("nickname")})


_NICKNAME = operation(requestBody=body(nickname=TEXT))
_BY_NAME = (("path", "email"),)
BY_POST: dict[str, dict[str, Any]] = {
    "/me": {"/me": {"get": operation(), "post": _NICKNAME}},
    "/profile": {"/profile": {"get": operation(), "post": _NICKNAME}},
    "/account/settings": {"/account/settings": {"post": _NICKNAME}},
    "/rpc/updateMe": {"/rpc/updateMe": {"post": _NICKNAME}},
    "/updateProfile": {"/updateProfile": {"post": _NICKNAME}},
    "/users/{email}": {
        "/users/{email}": {
            "get": operation(parameters=_BY_NAME),
            "post": operation(parameters=_BY_NAME, requestBody=body(nickname=TEXT)),
        }
    },
}


@pytest.mark.parametrize("path", BY_POST)
def test_an_account_that_is_changed_by_post_is_tried_like_one_that_is_patched(path: str) -> None:
    document = {**USERS, "/me": {"get": operation()}, **BY_POST[path]}
    for taken in ("role", "nothing"):
        server = Members(takes=taken)
        before = {**server.users}
        found = findings(UPDATE, server, document, login=LOGIN, people=server.people())
        assert [f.operations for f in found] == ([(f"POST {path}",)] if taken == "role" else [])
        assert {email: server.users[email] for email in before} == before
        assert [u["role"] for u in server.users.values()].count("admin") == 1


@pytest.mark.parametrize("change", ["/claims/{id}", "/updateClaim"])
def test_an_object_that_is_changed_by_post_is_tried_and_a_collection_is_not(change: str) -> None:
    def server_of(*keeps: str) -> Server:
        inner = claims(keeps=keeps)

        def server(request: Request) -> Response:
            number = sent(request).get("id") or last_segment(request)
            if request.method == "POST" and request.path != "/claims":
                rest = {k: v for k, v in sent(request).items() if k != "id"}
                text = json.dumps(rest).encode()
                path = f"/claims/{number}"
                request = replace(request, method="PATCH", path=path, body=text)
            elif request.operation_path == "/viewClaim":
                request = replace(request, path=f"/claims/{query(request, 'id')}")
            return inner(request)

        return server

    by_id: dict[str, Any] = {
        "/claims/{id}": {
            "get": operation(parameters=ITEM),
            "post": operation(parameters=ITEM, requestBody=body(text=TEXT)),
        }
    }
    by_call: dict[str, Any] = {
        "/viewClaim": {"get": operation(parameters=(("query", "id"),))},
        "/updateClaim": {"post": operation(requestBody=body(id=TEXT, text=TEXT))},
    }
    document = {k: v for k, v in CLAIMS.items() if k != "/claims/{id}"}
    document |= by_id if change == "/claims/{id}" else by_call
    (finding,) = findings(UPDATE, server_of("balance"), document)
    assert finding.operations == (f"POST {change}",)
    assert findings(UPDATE, server_of(), document) == ()
    assert len(findings(CREATE, server_of("balance"), document)) == 1
    became, _ = state(UPDATE, server_of("balance"), document, "POST /claims")
    assert became is CoverageState.NOT_APPLICABLE


def _sendable(**fields: dict[str, Any]) -> dict[str, Any]:
    """The claims, of whose properties callers may send some more."""
    both, shown = body(text=TEXT, **fields), {"type": "string", "enum": ["new", "paid", "gone"]}
    schema = {"type": "object", "properties": {"status": shown}}
    seen = {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}
    return {
        "/me": {"get": operation()},
        "/claims": {"post": operation(requestBody=both)},
        "/claims/{id}": {
            "get": operation(parameters=ITEM, responses=seen),
            "patch": operation(parameters=ITEM, requestBody=both, responses=seen),
        },
    }


@pytest.mark.parametrize("check", [CREATE, UPDATE])
def test_a_value_that_is_shown_and_not_offered_is_not_the_callers_to_send(check: str) -> None:
    offered: Any = {"type": "string", "enum": ["new", "gone"]}
    taking = claims(keeps=("status",))

    def choosy(request: Request) -> Response:
        if request.method != "GET" and sent(request).get("status", "new") not in offered["enum"]:
            return answer(422, {"error": "new or gone"})
        return taking(request)

    (finding,) = findings(check, taking, _sendable(status=offered))
    assert 'status = "paid"' in finding.detail
    assert findings(check, choosy, _sendable(status=offered)) == ()
    everything = {**offered, "enum": ["new", "paid", "gone"]}
    assert findings(check, taking, _sendable(status=everything)) == ()


@pytest.mark.parametrize("check", [CREATE, UPDATE])
@pytest.mark.parametrize("by", ["others", "callers"])
def test_what_only_others_may_bring_about_is_not_the_callers_to_send(check: str, by: str) -> None:
    approve = "/admin/claims/{id}/approve" if by == "others" else "/claims/{id}/approve"
    document = {**_sendable(status=TEXT), approve: {"post": operation(parameters=ITEM)}}
    policy = {"access": {"* /admin/*": ("admin",)}}
    found = findings(check, claims(keeps=("status",)), document, policy=policy)
    assert ['status = "approved"' in each.detail for each in found] == [True] * (by == "others")
    assert findings(check, claims(), document, policy=policy) == ()


class Profiles(Users):
    """Users whose account also says who is verified, and what they do at the moment."""

    def __call__(self, request: Request) -> Response:
        response = super().__call__(request)
        if request.path != "/me" or response.status != 200:
            return response
        me = response.json()["email"]
        own = {"email_verified": False, "status": "here", **self.users[me]}
        if request.method == "PATCH":
            own |= {k: v for k, v in sent(request).items() if k in {"status", self.takes}}
            self.users[me].update(own)
        return answer(200, {**response.json(), **{k: own[k] for k in ("email_verified", "status")}})


@pytest.mark.parametrize("takes", ["role", "email_verified", "nothing"])
def test_who_sends_their_profile_back_is_not_verified_nor_promoted_by_it(takes: str) -> None:
    sendable = body(nickname=TEXT, status=TEXT, role=TEXT, email_verified={"type": "boolean"})
    document = {**USERS, "/me": {"get": operation(), "patch": operation(requestBody=sendable)}}
    server = Profiles(takes=takes)
    found = findings(UPDATE, server, document, login=LOGIN, people=server.people())
    assert [takes in each.detail for each in found] == [True] * (takes != "nothing")
    assert [u["role"] for u in server.users.values()].count("admin") == 1
