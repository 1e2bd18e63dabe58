"""Ids in queries, bodies and nested paths, and the accounts of other users."""

import itertools
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import all_checks
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    page,
    query,
    sent,
)
from withstand.scan.finding import Confidence
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, identities, scanned, state

READ = "object-readable-by-other-user"
CHANGE = "object-changeable-by-other-user"
DELETE = "object-deletable-by-other-user"
PARAMETER = "object-of-other-user-by-parameter"
TEXT = {"type": "string"}
ME = {"get": operation()}


# --- ids in the query and the body -------------------------------------------------------------


def orders_of(*, scoped: bool, feed: bool = False) -> Server:
    """`GET /orders?user_id=`. A `feed` shows everybody's orders to everybody anyway."""
    kept: list[tuple[str, str]] = []
    ids = {"alice": 11, "bob": 12, "root": 1}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"id": ids[name], "email": f"{name}@example.com"})
        if request.method == "POST":
            kept.append((name, sent(request)["text"]))
            return answer(201, {"id": len(kept)})
        if request.operation_path != "/orders":
            number = int(last_segment(request)) if last_segment(request).isdigit() else 0
            owned = 0 < number <= len(kept) and (feed or kept[number - 1][0] == name)
            return answer(200, {"text": kept[number - 1][1]}) if owned else not_found()
        wanted = query(request, "user_id") or str(ids[name])
        if scoped and wanted != str(ids[name]):
            return answer(403, {"error": "not yours"})
        shown = [text for who, text in kept if feed or str(ids[who]) == wanted]
        return answer(200, {"orders": [{"text": text} for text in shown]})

    return server


ORDERS: dict[str, Any] = {
    "/me": ME,
    "/orders": {
        "post": operation(requestBody=body(text=TEXT)),
        "get": operation(parameters=(("query", "user_id"),)),
    },
    "/orders/{id}": {"get": operation(parameters=(("path", "id"),))},
}


def test_a_list_by_the_number_of_its_user_is_found_and_a_feed_of_everybody_is_not() -> None:
    (finding,) = findings(PARAMETER, orders_of(scoped=False), ORDERS)
    assert finding.parameter == "query user_id"
    assert finding.confidence is Confidence.FIRM
    assert findings(PARAMETER, orders_of(scoped=True), ORDERS) == ()
    assert findings(PARAMETER, orders_of(scoped=False, feed=True), ORDERS) == ()


def test_a_profile_by_name_is_only_worth_a_look() -> None:
    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"username": name})
        asked = query(request, "username")
        people = {"alice": "likes tea", "bob": "likes rain"}
        return answer(200, {"about": people[asked]}) if asked in people else not_found()

    document: dict[str, Any] = {
        "/me": ME,
        "/people": {"get": operation(parameters=(("query", "username"),))},
    }
    (finding,) = findings(PARAMETER, server, document)
    assert finding.confidence is Confidence.TENTATIVE


def payments(*, scoped: bool, name_of_input: str = "from_account") -> Server:
    """Money leaves the account that the body names; each account is its owner's to read."""
    accounts: dict[str, dict[str, Any]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.path == "/accounts":
            number = f"DE{len(accounts) + 4711}"
            accounts[number] = {"account": number, "owner": name, "cents": 10_000}
            return answer(201, accounts[number])
        if request.path == "/payments":
            account = accounts.get(str(sent(request).get(name_of_input)))
            if account is None or (scoped and account["owner"] != name):
                return answer(200, {"ok": False, "error": "no such account"})
            account["cents"] -= int(sent(request).get("cents", 1))
            return answer(200, {"ok": True})
        account = accounts.get(last_segment(request))
        return answer(200, account) if account and account["owner"] == name else not_found()

    return server


def payment_paths(name_of_input: str) -> dict[str, Any]:
    cents: dict[str, Any] = {"type": "integer", "minimum": 1}
    payment = body(**{name_of_input: {"type": "string"}, "cents": cents})
    return {
        "/me": ME,
        "/accounts": {"post": operation(requestBody=body(label=TEXT))},
        "/accounts/{account}": {"get": operation(parameters=(("path", "account"),))},
        "/payments": {"post": operation(requestBody=payment)},
    }


def test_money_taken_from_the_account_that_a_stranger_names_is_found_by_its_balance() -> None:
    document = payment_paths("account_number")
    flawed = payments(scoped=False, name_of_input="account_number")
    (finding,) = findings(PARAMETER, flawed, document)
    assert finding.operations == ("POST /payments",)
    safe = payments(scoped=True, name_of_input="account_number")
    assert findings(PARAMETER, safe, document) == ()


def test_paying_into_somebodys_account_is_what_accounts_are_for() -> None:
    server = payments(scoped=False, name_of_input="to_account")
    assert findings(PARAMETER, server, payment_paths("to_account")) == ()


# --- objects in other objects ------------------------------------------------------------------


def basket_server(*, scoped: bool, location: bool = False) -> Server:
    """Baskets are made with their items; `GET /basket/view/{id}/items/{n}` reads one."""
    baskets: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    numbers = itertools.count(1)

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        parts = request.operation_path.strip("/").split("/")
        if parts == ["me"]:
            return answer(200, {"name": name})
        if request.method == "POST":
            texts = [each["text"] for each in sent(request).get("items", [])]
            number = f"b{next(numbers)}"
            items = [{"n": 70 + at, "text": text} for at, text in enumerate(texts)]
            baskets[number] = (name, items)
            if location:
                return Response(status=201, headers=(("Location", f"/basket/{number}"),))
            return answer(201, {"data": {"basket": {"id": number, "items": items}}})
        owner, items = baskets.get(parts[2] if parts[1] == "view" else parts[1], ("", []))
        if not owner or (scoped and owner != name):
            return answer(404, {"error": "no such basket"})
        if len(parts) == 5:
            found = [item for item in items if str(item["n"]) == parts[4]]
            return answer(200, {"data": found[0]}) if found else not_found()
        return answer(200, {"data": {"id": parts[2], "items": items}})

    return server


_ITEMS = {
    "type": "array",
    "items": {"type": "object", "properties": {"text": TEXT}, "required": ["text"]},
}
BASKETS: dict[str, Any] = {
    "/me": ME,
    "/basket/create": {"post": operation(requestBody=body(items=_ITEMS))},
    "/basket/view/{id}": {"get": operation(parameters=(("path", "id"),))},
    "/basket/view/{id}/items/{n}": {"get": operation(parameters=(("path", "id"), ("path", "n")))},
}


@pytest.mark.parametrize("location", [False, True])
def test_things_that_came_with_their_parent_are_read_by_the_ids_in_its_answer(
    location: bool,
) -> None:
    found = findings(READ, basket_server(scoped=False, location=location), BASKETS)
    assert [finding.operations[0] for finding in found] == [
        "GET /basket/view/{id}",
        "GET /basket/view/{id}/items/{n}",
    ]
    assert findings(READ, basket_server(scoped=True, location=location), BASKETS) == ()


def test_a_list_inside_an_object_is_read_with_something_in_it() -> None:
    def server_for(*, scoped: bool) -> Server:
        accounts: dict[str, tuple[str, list[str]]] = {}

        def server(request: Request) -> Response:
            name = caller(request)
            if name is None:
                return UNAUTHENTICATED
            parts = request.operation_path.strip("/").split("/")
            if parts == ["me"]:
                return answer(200, {"name": name})
            if parts == ["accounts"]:
                number = f"A{len(accounts) + 100}"
                accounts[number] = (name, [])
                return answer(201, {"number": number})
            owner, entries = accounts.get(parts[1], ("", []))
            if not owner or (scoped and owner != name):
                return not_found()
            if request.method == "POST":
                entries.append(sent(request)["memo"])
                return answer(201, {"ok": True})
            return answer(200, {"items": [{"memo": memo} for memo in entries]})

        return server

    number = (("path", "number"),)
    document: dict[str, Any] = {
        "/me": ME,
        "/accounts": {"post": operation()},
        "/accounts/{number}/transactions": {
            "get": operation(parameters=number),
            "post": operation(parameters=number, requestBody=body(memo=TEXT)),
        },
    }
    (finding,) = findings(READ, server_for(scoped=False), document)
    assert finding.operations == ("GET /accounts/{number}/transactions",)
    assert len(findings(CHANGE, server_for(scoped=False), document)) == 1
    assert findings(READ, server_for(scoped=True), document) == ()
    assert findings(CHANGE, server_for(scoped=True), document) == ()


@pytest.mark.parametrize("scoped", [False, True])
def test_objects_that_nobody_creates_are_known_from_lists_that_have_nothing_in_common(
    scoped: bool,
) -> None:
    cards = {"alice": ["c-17", "c-18"], "bob": ["c-33"], "root": []}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/cards":
            return answer(200, [{"id": each} for each in cards[name]])
        card = last_segment(request)
        known = cards[name] if scoped else [each for own in cards.values() for each in own]
        return answer(200, {"id": card, "limit": 500}) if card in known else not_found()

    document: dict[str, Any] = {
        "/cards": {"get": operation()},
        "/cards/{id}": {"get": operation(parameters=(("path", "id"),))},
    }
    assert len(findings(READ, server, document)) == (not scoped)


@pytest.mark.parametrize(
    ("flaw", "first"), [("anybody's", 1), ("anybody's", 4711), ("scoped", 1), ("shared", 1)]
)
def test_objects_of_somebody_else_are_known_where_nobody_of_the_scan_has_any(
    flaw: str, first: int
) -> None:
    owners = {str(first + 1): 7, str(first + 2): 9}
    ids = {"alice": 21, "bob": 22, "root": 1}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"id": ids[name], "name": name, "team": 7})
        if request.path == "/invoices":
            return answer(200, [{"id": int(n)} for n in owners if name == "root"])
        number = last_segment(request)
        may = flaw != "scoped" or name == "root"
        if number not in owners or not may:
            return not_found()
        owner = 7 if flaw == "shared" else owners[number]
        return answer(200, {"id": int(number), "customer": {"id": owner}, "cents": 271828})

    place = {"in": "path", "name": "id", "required": True, "schema": {"type": "integer"}}
    document: dict[str, Any] = {
        "/me": ME,
        "/invoices": {"get": operation()},
        "/invoices/{id}": {"get": operation() | {"parameters": [place]}},
    }
    found = findings(READ, server, document)
    assert len(found) == (flaw == "anybody's")


def test_an_object_that_only_a_put_makes_is_made_by_it() -> None:
    def server_for(*, scoped: bool) -> Server:
        kept: dict[str, tuple[str, str]] = {}

        def server(request: Request) -> Response:
            name = caller(request)
            if name is None:
                return UNAUTHENTICATED
            if request.path == "/me":
                return answer(200, {"name": name})
            owner, text = kept.get(last_segment(request), ("", ""))
            if request.method == "PUT":
                if owner and scoped and owner != name:
                    return not_found()
                kept[last_segment(request)] = (owner or name, sent(request)["text"])
                return answer(200 if owner else 201, {"name": last_segment(request)})
            if not owner or owner != name:
                return not_found()
            return answer(200, {"name": last_segment(request), "text": text})

        return server

    item = (("path", "name"),)
    put = operation(parameters=item, requestBody=body(text=TEXT))
    put["responses"] = {"201": {"description": "made"}, "200": {"description": "changed"}}
    document = {"/me": ME, "/files/{name}": {"get": operation(parameters=item), "put": put}}
    assert len(findings(CHANGE, server_for(scoped=False), document)) == 1
    assert findings(CHANGE, server_for(scoped=True), document) == ()


# --- users -------------------------------------------------------------------------------------

LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"username": "{username}", "password": "{password}"},
    token_path="$.token",
)


class Accounts:
    """Users who sign up, log in and change themselves; `flaws` are methods that ask nobody."""

    def __init__(self, *flaws: str) -> None:
        self.flaws = flaws
        self.users: dict[str, dict[str, Any]] = {
            name: {"username": name, "password": f"{name}-password-1", "bio": "none"}
            for name in ("alice", "bob", "root")
        }

    def __call__(self, request: Request) -> Response:
        fields, parts = sent(request), request.operation_path.strip("/").split("/")
        if parts == ["users"] and request.method == "POST":
            if not fields.keys() >= {"username", "password"}:
                return answer(422, {"error": "incomplete"})
            if str(fields["username"]) in self.users:
                return answer(409, {"error": "taken"})
            self.users[fields["username"]] = {"bio": "none", **fields}
            return answer(201, {"username": fields["username"]})
        if parts == ["login"]:
            user = self.users.get(str(fields.get("username")))
            if user is None or user["password"] != fields.get("password"):
                return answer(401, {"error": "no"})
            return answer(200, {"token": f"{user['username']}-token"})
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        me = self.users.get(token.removesuffix("-token")) if token.endswith("-token") else None
        if me is None:
            return UNAUTHENTICATED
        if parts == ["me"]:
            return answer(200, {"username": me["username"], "bio": me["bio"]})
        named = fields.get("username") if parts == ["bio"] else "/".join(parts[1:2])
        user = self.users.get(str(named))
        if user is None or (user is not me and request.method not in self.flaws):
            return answer(403, {"error": "not you"})
        if request.method == "DELETE":
            del self.users[user["username"]]
            return Response(status=204)
        user |= {key: fields[key] for key in ("bio", "password") if key in fields}
        return Response(status=204)


_NAME = (("path", "username"),)
_SECURE = {"username": TEXT, "password": TEXT}
ACCOUNTS: dict[str, Any] = {
    "/me": ME,
    "/users": {"post": operation(secured=False, requestBody=body(**_SECURE))},
    "/login": {"post": operation(secured=False, requestBody=body(**_SECURE))},
    "/users/{username}": {
        "put": operation(parameters=_NAME, requestBody=body(bio=TEXT)),
        "delete": operation(parameters=_NAME),
    },
    "/users/{username}/password": {
        "put": operation(parameters=_NAME, requestBody=body(password=TEXT))
    },
    "/bio": {"post": operation(requestBody=body(username=TEXT, bio=TEXT))},
}


def configured_as_before(server: Accounts) -> bool:
    return all(
        server.users[name] == {"username": name, "password": f"{name}-password-1", "bio": "none"}
        for name in ("alice", "bob", "root")
    )


@pytest.mark.parametrize(
    ("check", "method", "found"),
    [
        (CHANGE, "PUT", ["PUT /users/{username}", "PUT /users/{username}/password"]),
        (DELETE, "DELETE", ["DELETE /users/{username}"]),
        (PARAMETER, "POST", ["POST /bio"]),
    ],
)
def test_accounts_of_others_are_tried_on_users_of_the_scans_own(
    check: str, method: str, found: list[str]
) -> None:
    server = Accounts(method)
    reported = findings(check, server, ACCOUNTS, login=LOGIN)
    assert sorted(finding.operations[0] for finding in reported) == found
    assert configured_as_before(server)
    assert findings(check, Accounts(), ACCOUNTS, login=LOGIN) == ()


def test_all_checks_of_a_flawed_api_together_leave_the_configured_users_as_they_were() -> None:
    server = Accounts("PUT", "POST", "DELETE")
    family = tuple(check for check in all_checks() if check.family == "authorisation")
    record, _ = scanned(server, ACCOUNTS, login=LOGIN, checks=family)
    assert record.void is None
    assert configured_as_before(server)


def test_without_a_second_user_each_check_says_what_was_not_tested() -> None:
    people = identities(("alice", "root"))
    what, reason = state(PARAMETER, orders_of(scoped=True), ORDERS, "GET /orders", people=people)
    assert what is CoverageState.SKIPPED
    assert "NOT tested" in reason


class Boards:
    """Boards of users and the cards on them; `?board=` is looked at, or only taken."""

    def __init__(self, *, looks: bool) -> None:
        self._looks = looks
        self._boards: dict[int, tuple[str, str]] = {}
        self._cards: list[tuple[int, str]] = []

    def __call__(self, request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        parts = request.operation_path.strip("/").split("/")
        own = {number for number, (owner, _) in self._boards.items() if owner == name}
        match request.method, parts:
            case "GET", ["me"]:
                return answer(200, {"name": name})
            case "POST", ["boards"]:
                self._boards[len(self._boards) + 70] = (name, sent(request)["title"])
                return answer(201, {"id": len(self._boards) + 69, **sent(request)})
            case "GET", ["boards", number] if int(number) in own:
                return answer(200, {"id": int(number), "title": self._boards[int(number)][1]})
            case "POST", ["cards"] if sent(request)["board"] in own:
                self._cards.append((sent(request)["board"], sent(request)["text"]))
                return answer(201, {"id": len(self._cards), **sent(request)})
            case "GET", ["cards"]:
                asked = query(request, "board")
                seen = own if self._looks or not asked else {int(asked)}
                seen = seen & {int(asked)} if asked else seen
                return answer(200, {"results": [t for b, t in self._cards if b in seen]})
        return not_found()


def test_what_a_bare_number_names_is_filled_and_looked_at_by_a_stranger() -> None:
    number, text = {"type": "integer"}, {"type": "string"}
    item = (("path", "id"),)
    document = {
        "/me/": {"get": operation()},
        "/boards/": {"post": operation(requestBody=body(title=text))},
        "/boards/{id}/": {"get": operation(parameters=item)},
        "/cards/": {
            "get": operation(parameters=(("query", "board"),)),
            "post": operation(requestBody=body(board=number, text=text)),
        },
        "/cards/{id}/": {"get": operation(parameters=item)},
    }
    document["/cards/"]["get"]["parameters"][0]["schema"] = number
    (finding,) = findings(PARAMETER, Boards(looks=False), document)
    assert finding.operations == ("GET /cards/",)
    assert finding.confidence is Confidence.FIRM
    assert findings(PARAMETER, Boards(looks=True), document) == ()


@pytest.mark.parametrize(
    ("name", "kept", "flaw"),
    [
        ("file", "stored_as", True),
        ("name", "link", True),
        ("file", "stored_as", False),
        ("name", "stored_as", False),
        ("name", "", False),
    ],
)
def test_a_file_is_picked_by_a_name_that_only_its_owner_was_told(
    name: str, kept: str, flaw: bool
) -> None:
    files = {"alice": ["may-7f3a.csv", "june-9b01.csv"], "bob": [], "root": []}

    def server(request: Request) -> Response:
        me = caller(request)
        if me is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"name": me, "avatar": f"{me}.png"})
        if request.operation_path == "/exports":
            address = "/exports/download?name=" if kept == "link" else ""
            return answer(200, [{kept: address + each} for each in files[me] if kept])
        if request.operation_path != "/exports/download":
            return answer(200, [])
        wanted = query(request, name)
        known = [each for own in files.values() for each in own] if flaw else files[me]
        if name == "name" and not flaw:
            return answer(200, {"initials": f"{wanted[:1]}.{wanted[-1:]}."})
        if wanted.endswith(".png"):
            return page(200, "a picture that all may see", "image/png")
        return page(200, f"{wanted}: 271828", "text/csv") if wanted in known else not_found()

    document: dict[str, Any] = {
        "/me": ME,
        **{f"/{each}": {"get": operation()} for each in ("accounts", "cards", "orders", "exports")},
        "/exports/download": {"get": operation(parameters=(("query", name),))},
    }
    found = findings(PARAMETER, server, document)
    assert [each.operations for each in found] == [("GET /exports/download",)] * flaw


@pytest.mark.parametrize("scoped", [True, False])
def test_what_only_a_link_in_the_answer_names_is_asked_for_by_others(scoped: bool) -> None:
    reports: list[tuple[str, str]] = []

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            reports.append((name, sent(request)["problem"]))
            return answer(200, {"see": f"http://h/report?report_id={len(reports) + 900}"})
        number = query(request, "report_id")
        at = int(number) - 901 if number and number.isdigit() else -1
        if not 0 <= at < len(reports) or (scoped and reports[at][0] != name):
            return not_found()
        return answer(200, {"problem": reports[at][1]})

    reported = operation(parameters=(("query", "report_id"),))
    paths = {
        "/me": ME,
        "/contacts": {"post": operation(requestBody=body(problem=TEXT))},
        "/report": {"get": reported},
    }
    assert len(findings(PARAMETER, server, paths)) == (not scoped)
