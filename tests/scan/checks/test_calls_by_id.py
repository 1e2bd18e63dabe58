"""APIs whose paths are calls: the id stands in the query or the body, and no path says whose."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import all_checks
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    not_found,
    operation,
    query,
    sent,
)
from withstand.scan.finding import Confidence
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned

PARAMETER = "object-of-other-user-by-parameter"
LIST = "list-shows-other-users-objects"
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
ME = {"get": operation()}


@dataclass(kw_only=True)
class Style:
    """How an API spells what is done to a ticket: a document, and requests told apart."""

    paths: dict[str, Any]
    deed: Callable[[Request], str]
    inputs: Callable[[Request], dict[str, Any]]
    soft: bool = False  # refuses with a 200
    numbered: bool = True  # a creation says the id of what it made
    framed: bool = False  # answers as JSON-RPC does, with the id of the request


@dataclass
class Tickets:
    """The tickets of a server. `guards` are the deeds that look whose a ticket is."""

    style: Style
    guards: frozenset[str]
    kept: dict[str, tuple[str, str]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(41))

    def __call__(self, request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"email": f"{name}@example.com"})
        response = self._done(name, self.style.deed(request), self.style.inputs(request))
        if not self.style.framed:
            return response
        what = "result" if response.status == 200 else "error"
        return answer(200, {"jsonrpc": "2.0", "id": 1, what: response.json()})

    def _done(self, name: str, deed: str, inputs: dict[str, Any]) -> Response:
        if deed == "create":
            number = str(next(self.numbers))
            self.kept[number] = (name, str(inputs.get("text")))
            return answer(200, {"ok": True} | ({"id": number} if self.style.numbered else {}))
        if deed == "list":
            everybody = "list" not in self.guards
            own = [n for n, (who, _) in self.kept.items() if everybody or who == name]
            return answer(200, {"tickets": [self._shown(n) for n in own]})
        if deed not in {"read", "change", "remove"}:
            return not_found()
        number = str(inputs.get("id"))
        owner, _ = self.kept.get(number, ("", ""))
        if not owner or (owner != name and deed in self.guards):
            return answer(200 if self.style.soft else 404, {"error": "no such ticket"})
        if deed == "change":
            self.kept[number] = (owner, str(inputs.get("text")))
        if deed == "remove":
            del self.kept[number]
            return answer(200, {"ok": True})
        return answer(200, self._shown(number))

    def _shown(self, number: str) -> dict[str, str]:
        return {"id": number, "text": self.kept[number][1]}


def by_last_word(request: Request) -> str:
    last = request.operation_path.rsplit("/", 1)[-1].lower()
    deeds = {"list": "list", "create": "create", "view": "read", "get": "read"}
    deeds |= {"edit": "change", "update": "change", "delete": "remove"}
    return next((deed for word, deed in deeds.items() if word in last), "")


def form(request: Request) -> dict[str, Any]:
    asked = parse_qs(request.path.partition("?")[2])
    return {k: v[0] for k, v in (asked | parse_qs(request.body.decode())).items()}


def form_body(**properties: dict[str, Any]) -> dict[str, Any]:
    found = body(**properties)
    found["content"] = {"application/x-www-form-urlencoded": found["content"]["application/json"]}
    return found


def by_id(place: str = "query", **more: Any) -> dict[str, Any]:
    return operation(parameters=((place, "id"),), **more)


PHP = Style(
    paths={
        "/me": ME,
        "/ticket_list.php": {"get": operation()},
        "/ticket_create.php": {"post": operation(requestBody=form_body(text=TEXT))},
        "/ticket_view.php": {"get": by_id()},
        "/ticket_edit.php": {"post": operation(requestBody=form_body(id=TEXT, text=TEXT))},
        "/ticket_delete.php": {"post": operation(requestBody=form_body(id=TEXT))},
    },
    deed=by_last_word,
    inputs=form,
    soft=True,
    numbered=False,
)
RPC = Style(
    paths={
        "/me": ME,
        "/rpc/listTickets": {"post": operation()},
        "/rpc/createTicket": {"post": operation(requestBody=body(text=TEXT))},
        "/rpc/getTicket": {"post": operation(requestBody=body(id=TEXT))},
        "/rpc/updateTicket": {"post": operation(requestBody=body(id=TEXT, text=TEXT))},
        "/rpc/deleteTicket": {"post": operation(requestBody=body(id=TEXT))},
    },
    deed=by_last_word,
    inputs=sent,
)
ACTIONS = Style(
    paths={
        "/me": ME,
        "/api.php?action=list": {"get": operation(tags=["tickets"])},
        "/api.php?action=create": {
            "post": operation(tags=["tickets"], requestBody=body(text=TEXT))
        },
        "/api.php?action=view": {"get": by_id(tags=["tickets"])},
        "/api.php?action=edit": {
            "post": operation(tags=["tickets"], requestBody=body(id=TEXT, text=TEXT))
        },
        "/api.php?action=delete": {"get": by_id(tags=["tickets"])},
    },
    deed=lambda request: {"view": "read", "edit": "change", "delete": "remove"}.get(
        query(request, "action"), query(request, "action")
    ),
    inputs=lambda request: form(request) | sent(request) if not request.body else sent(request),
    soft=True,
)
METHODS = Style(
    paths={
        "/me": ME,
        "/tickets": {
            "get": by_id(),
            "post": operation(requestBody=body(text=TEXT)),
            "put": by_id(requestBody=body(text=TEXT)),
            "delete": by_id(),
        },
    },
    deed=lambda request: {"POST": "create", "PUT": "change", "DELETE": "remove"}.get(
        request.method, "read" if "id=" in request.path else "list"
    ),
    inputs=lambda request: {"id": query(request, "id")} | sent(request),
)
DEEDS = ["listTickets", "createTicket", "getTicket", "updateTicket", "deleteTicket"]


def by_field(name: str) -> Callable[[Request], str]:
    """Told by a property of the body; of an operation's path by what it says of that."""
    return lambda request: by_last_word(
        Request(method="POST", path=str(sent(request).get(name, request.path)))
    )


ONE_DOOR = Style(
    paths={
        "/me": ME,
        "/api": {
            "post": operation(
                requestBody={
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"action": {"enum": DEEDS}, "id": TEXT, "text": TEXT},
                                "required": ["action"],
                            },
                            "example": {"action": "getTicket", "id": "7"},
                        }
                    }
                }
            )
        },
    },
    deed=by_field("action"),
    inputs=sent,
)


def rpc_call(method: str, **params: Any) -> Any:
    inner = {"type": "object", "properties": params, "required": list(params)}
    call = {"jsonrpc": {"const": "2.0"}, "method": {"const": method}, "params": inner, "id": NUMBER}
    return {"type": "object", "properties": call, "required": list(call)}


JSON_RPC = Style(
    paths={
        "/me": ME,
        "/jsonrpc": {
            "post": operation(
                requestBody={
                    "content": {
                        "application/json": {
                            "schema": {
                                "oneOf": [
                                    rpc_call("ticket.list"),
                                    rpc_call("ticket.create", text=TEXT),
                                    rpc_call("ticket.get", id=TEXT),
                                    rpc_call("ticket.update", id=TEXT, text=TEXT),
                                    rpc_call("ticket.delete", id=TEXT),
                                ]
                            }
                        }
                    }
                }
            )
        },
    },
    deed=by_field("method"),
    inputs=lambda request: sent(request).get("params") or {},
    framed=True,
)
STYLES = {
    "php": PHP, "rpc": RPC, "actions": ACTIONS, "methods": METHODS, "one door": ONE_DOOR,
    "json-rpc": JSON_RPC,
}  # fmt: skip
ALL = frozenset({"list", "read", "change", "remove"})


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("flaw", ["read", "change", "remove"])
def test_a_call_that_does_not_look_whose_the_object_is_is_found(style: Style, flaw: str) -> None:
    server = Tickets(style, ALL - {flaw})
    (finding,) = findings(PARAMETER, server, style.paths)
    method, path = finding.operations[0].split(" ", 1)
    assert (
        style.deed(Request(method=method, path=f"{path}{'&' if '?' in path else '?'}id=1")) == flaw
    )
    assert str(finding.parameter).endswith((" id", " params.id"))
    assert finding.confidence is Confidence.FIRM


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_calls_that_look_whose_the_object_is_are_silent_and_judged(style: Style) -> None:
    family = tuple(each for each in all_checks() if each.family == "authorisation")
    record, _ = scanned(Tickets(style, ALL), style.paths, checks=family)
    assert record.findings == ()
    judged = {r.operation: r.state for r in record.coverage if r.check == PARAMETER}
    by_an_id = [s for s in judged.values() if s is not CoverageState.NOT_APPLICABLE]
    assert {*by_an_id} == {CoverageState.PASSED}
    assert len(by_an_id) >= 3


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_list_that_shows_what_is_refused_by_itself_is_found(style: Style) -> None:
    (finding,) = findings(LIST, Tickets(style, ALL - {"list"}), style.paths)
    assert "refused" in finding.detail


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_a_board_that_everybody_lists_and_works_on_is_nobodys_alone(style: Style) -> None:
    board = Tickets(style, frozenset())
    assert findings(PARAMETER, board, style.paths) == ()
    assert findings(LIST, board, style.paths) == ()


@pytest.mark.parametrize("guarded", [True, False])
def test_things_that_nobody_can_create_are_known_by_lists_that_have_nothing_in_common(
    guarded: bool,
) -> None:
    owners = {"71": "alice", "72": "alice", "81": "bob", "82": "bob"}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"email": f"{name}@example.com"})
        if request.operation_path == "/listPolls":
            return answer(200, [{"id": n, "topic": n} for n, who in owners.items() if who == name])
        number = query(request, "id")
        if request.operation_path != "/getPoll" or owners.get(number) not in (
            {name} if guarded else {*owners.values()}
        ):
            return not_found()
        return answer(200, {"id": number, "topic": number, "votes": 314, "by": owners[number]})

    paths: dict[str, Any] = {
        "/me": ME,
        "/listPolls": {"get": operation()},
        "/getPoll": {"get": by_id()},
    }
    found = findings(PARAMETER, server, paths)
    assert [f.confidence for f in found] == ([] if guarded else [Confidence.FIRM])


def test_what_a_call_made_is_deleted_by_a_call() -> None:
    for style in (RPC, ACTIONS, METHODS, ONE_DOOR, JSON_RPC):
        tickets = Tickets(style, ALL)
        findings(PARAMETER, tickets, style.paths)
        assert tickets.kept == {}


@pytest.mark.parametrize("guarded", [True, False])
def test_an_account_in_the_body_of_a_call_is_tried_on_users_who_signed_up(guarded: bool) -> None:
    users: dict[str, dict[str, Any]] = {}
    for name in ("alice", "bob", "root"):
        users[f"{name}@example.com"] = {"id": len(users) + 1, "nickname": name}

    def server(request: Request) -> Response:
        fields = sent(request)
        email = str(fields.get("email"))
        if request.path == "/register":
            users[email] = {"id": len(users) + 1, "nickname": "", **fields}
            return answer(201, {"id": users[email]["id"]})
        if request.path == "/login":
            known = users.get(email, {}).get("password") == fields.get("password")
            return answer(200, {"token": email}) if known else answer(401, {"error": "no"})
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        me = users.get(f"{caller(request)}@example.com") or users.get(token)
        if me is None:
            return UNAUTHENTICATED
        if request.path == "/updateUser":
            wanted = next((u for u in users.values() if u["id"] == fields.get("id")), None)
            if wanted is None or (guarded and wanted is not me):
                return not_found()
            wanted["nickname"] = fields.get("nickname")
            return answer(200, {"ok": True})
        mail = next(each for each, user in users.items() if user is me)
        return answer(200, {"id": me["id"], "email": mail, "nickname": me["nickname"]})

    credentials = body(email={"type": "string", "format": "email"}, password=TEXT)
    open_post = operation(secured=False, requestBody=credentials)
    paths: dict[str, Any] = {
        "/whoami": {"get": operation()},
        "/register": {"post": open_post},
        "/login": {"post": open_post},
        "/updateUser": {"post": operation(requestBody=body(id={"type": "integer"}, nickname=TEXT))},
    }
    login = LoginRecipe(
        method="POST",
        path="/login",
        payload={"email": "{email}", "password": "{password}"},
        token_path="$.token",
    )
    found = findings(PARAMETER, server, paths, login=login)
    assert [f.operations for f in found] == ([] if guarded else [("POST /updateUser",)])
    assert [users[f"{name}@example.com"]["nickname"] for name in ("alice", "bob")] == [
        "alice",
        "bob",
    ]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_form_that_shows_what_may_be_edited_is_read_although_it_says_edit(guarded: bool) -> None:
    style = Style(
        paths={
            "/me": ME,
            "/note_list.php": {"get": operation()},
            "/note_create.php": {"post": operation(requestBody=form_body(text=TEXT))},
            "/note_edit.php": {"get": by_id()},
        },
        deed=lambda request: by_last_word(request).replace("change", "read"),
        inputs=form,
        soft=True,
    )
    server = Tickets(style, ALL if guarded else ALL - {"read"})
    found = findings(PARAMETER, server, style.paths)
    assert [f.operations for f in found] == ([] if guarded else [("GET /note_edit.php",)])
