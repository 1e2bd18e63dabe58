"""Habits of a bank's API in a style of its own, each of which has misled a check."""

import itertools
from typing import Any

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
    late,
    not_found,
    operation,
    query,
    sent,
)
from withstand.scan.race import Race
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
ITEM = (("path", "id"),)
CHANGING = tuple(check for check in all_checks() if check.family == "authorisation")
CREDENTIALS = operation(secured=False, requestBody=body(email=TEXT, password=TEXT))
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)


def cards(flawed: bool) -> Server:
    """Cards with a flag that another operation sets, whoever asks where `flawed`."""
    kept: dict[str, dict[str, Any]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = f"{len(kept) + 1:024x}"
            kept[number] = {"_id": number, "label": sent(request).get("label"), "frozen": False}
            kept[number]["owner"] = name
            return answer(200, {"success": True, "data": kept[number]})
        card = kept.get(request.path.split("/")[2], {})
        if card.get("owner") != name and not (flawed and request.method == "PATCH"):
            return answer(200, {"success": False, "error": {"message": "no such card"}})
        if request.method == "PATCH":
            card["frozen"] = sent(request)["frozen"]
        return answer(200, {"success": True, "data": card})

    return server


def test_a_flag_is_set_to_what_the_object_has_not() -> None:
    paths = {
        "/me": {"get": operation()},
        "/cards": {"post": operation(requestBody=body(label=TEXT))},
        "/cards/{id}": {"get": operation(parameters=ITEM)},
        "/cards/{id}/freeze": {
            "patch": operation(parameters=ITEM, requestBody=body(frozen=FLAG)),
        },
    }
    (finding,) = findings("object-changeable-by-other-user", cards(flawed=True), paths)
    assert finding.operations == ("PATCH /cards/{id}/freeze",)
    assert findings("object-changeable-by-other-user", cards(flawed=False), paths) == ()


def accounts(flawed: bool) -> Server:
    """Thirty accounts before the first of the scan's, and pages of twenty, the oldest first."""
    kept = [{"number": str(n), "label": "old", "owner": "someone"} for n in range(9_000, 9_030)]
    numbers = itertools.count(9_100)

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            label = str(sent(request).get("label"))
            kept.append({"number": str(next(numbers)), "label": label, "owner": name})
            return answer(201, kept[-1])
        mine = [each for each in kept if each["owner"] == name]
        if request.operation_path != "/accounts":
            found = [each for each in mine if each["number"] == last_segment(request)]
            return answer(200, found[0]) if found else not_found()
        size = int(query(request, "pageSize") or 20)
        return answer(200, {"items": (kept if flawed else mine)[:size]} if size <= 100 else {})

    return server


def test_what_only_a_long_page_shows_is_looked_for_there() -> None:
    paths = {
        "/me": {"get": operation()},
        "/accounts": {
            "get": operation(parameters=(("query", "pageSize"),)),
            "post": operation(requestBody=body(label=TEXT)),
        },
        "/accounts/{number}": {"get": operation(parameters=(("path", "number"),))},
    }
    (finding,) = findings("list-shows-other-users-objects", accounts(flawed=True), paths)
    assert finding.operations == ("GET /accounts",)
    assert findings("list-shows-other-users-objects", accounts(flawed=False), paths) == ()


def test_inputs_that_may_be_null_are_tried_like_others() -> None:
    nullable = {
        "account_id": {"type": ["integer", "null"]},
        "code": {"type": ["string", "null"]},
        "active": {"type": ["boolean", "null"]},
    }
    paths = {
        "/me": {"get": operation()},
        "/verify": {"post": operation(requestBody=body(**nullable))},
    }

    def server(request: Request) -> Response:
        return UNAUTHENTICATED if caller(request) is None else answer(200, {"name": "x"})

    record, _ = scanned(server, paths, checks=CHANGING)
    assert record.void is None


class Vouchers:
    """A voucher that is named in the body works once; where not `careful`, always."""

    def __init__(self, *, careful: bool) -> None:
        self.careful = careful
        self.open: dict[str, bool] = {}

    def __call__(self, request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.path == "/vouchers":
            code = f"V-{len(self.open) + 1}"
            self.open[code] = True
            return answer(200, {"success": True, "data": {"code": code}})
        code = str(sent(request).get("code"))
        if not self.open.get(code):
            return answer(200, {"success": False, "error": "this voucher does not work"})
        self.open[code] = not self.careful
        return answer(200, {"success": True})


def test_a_race_takes_the_code_in_its_body_from_what_was_prepared() -> None:
    paths = {
        "/vouchers": {"post": operation(requestBody=body(amount={"type": "integer"}))},
        "/vouchers/redeem": {"post": operation(requestBody=body(code=TEXT))},
    }
    race = Race(at_most=1, prepare="POST /vouchers")
    policy = {"races": {"POST /vouchers/redeem": race}}
    (finding,) = findings("race-condition", Vouchers(careful=False), paths, policy=policy)
    assert "10 succeeded, and 1 may" in finding.detail
    assert findings("race-condition", Vouchers(careful=True), paths, policy=policy) == ()


class Customers:
    """Who signs up has a profile; `takes` are the properties that it takes from any body. Nobody
    gets in whose status is not `active`.
    """

    def __init__(self, *takes: str) -> None:
        self.takes = takes
        self.users: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Response:
        fields, token = sent(request), request.header("authorization") or ""
        email = str(fields.get("email"))
        if request.path == "/register":
            self.users[email] = {"email": email, "status": "active", "credits": 5}
            return answer(201, self.users[email])
        if request.path == "/login":
            return answer(200, {"token": email})
        user = self.users.get(token.removeprefix("Bearer "))
        if user is None and caller(request) is not None:
            user = {"email": caller(request), "status": "active", "credits": 5}
        if user is None or user["status"] != "active":
            return answer(401, {"error": "the token is invalid or has expired"})
        if request.method == "PATCH":
            user |= {name: fields[name] for name in self.takes if name in fields}
        if request.path == "/verify":
            user["status"] = "blocked"
            return answer(401, {"error": "the code is wrong"})
        return answer(200, user)


CUSTOMERS: dict[str, Any] = {
    "/me": {"get": operation(), "patch": operation(requestBody=body(nickname=TEXT))},
    "/login": {"post": CREDENTIALS},
    "/register": {"post": CREDENTIALS},
}


def test_a_property_that_locks_the_user_out_hides_no_other() -> None:
    server = Customers("status", "credits")
    (finding,) = findings("privileged-property-accepted-on-update", server, CUSTOMERS, login=LOGIN)
    assert "credits" in finding.detail
    assert all(user["status"] == "active" for user in server.users.values())


def test_codes_of_a_user_who_is_let_in_no_longer_were_not_looked_at() -> None:
    paths = {**CUSTOMERS, "/verify": {"post": operation(requestBody=body(code=TEXT))}}
    what, reason = state("code-guessing-not-limited", Customers(), paths, login=LOGIN)
    assert what is CoverageState.INCONCLUSIVE
    assert "logged in no longer" in reason


def test_an_expression_for_addresses_is_as_busy_with_letters_alone() -> None:
    def server(request: Request) -> Response:
        address = str(sent(request).get("email"))
        if "@" in address[:2] or address.startswith("!"):
            return answer(400, {"error": "no address"})
        if "@" in address:
            return late(answer(201, {"email": address}), 0.4)  # it hashes a password
        letters = len(address) if address.isalpha() else address.find("!")
        return late(answer(400, {"error": "no address"}), 40e-9 * (1 << min(letters, 30)))

    email = {"type": "string", "format": "email"}
    paths = {"/letters": {"post": operation(secured=False, requestBody=body(email=email))}}
    (finding,) = findings("regular-expression-blow-up", server, paths)
    assert finding.parameter == "body email"


def test_what_nobody_creates_and_anybody_reads_may_be_added_to() -> None:
    reviews: list[str] = []

    def server(request: Request) -> Response:
        if request.method == "POST":
            if caller(request) is None:
                return UNAUTHENTICATED
            if "/products/" not in request.path:
                reviews.append("of a real one")
            return answer(201, {"id": 1, "text": sent(request).get("text")})
        if request.path == "/products":
            return answer(200, [{"id": "tea-pot"}])
        return answer(200, {"id": "tea-pot"}) if "tea-pot" in request.path else not_found()

    review = operation(parameters=ITEM, requestBody=body(text=TEXT))
    public = operation(secured=False)
    paths = {
        "/products": {"get": public},
        "/products/{id}": {"get": operation(secured=False, parameters=ITEM)},
        "/products/{id}/reviews": {"post": review},
        "/products/{id}/archive": {"post": review},
    }
    _, exchanges = scanned(server, paths, checks=())
    sent_to = {e.request.path for e in exchanges if e.request.method == "POST"}
    assert sent_to == {"/products/tea-pot/reviews"}


def test_the_status_of_a_user_is_only_changed_for_one_who_signed_up() -> None:
    changed: set[str] = set()
    numbers = itertools.count(100)

    def server(request: Request) -> Response:
        if request.path == "/register":
            return answer(201, {"id": next(numbers), "email": sent(request).get("email")})
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "PATCH":
            changed.add(request.path.split("/")[2])
            return answer(200, {"ok": True})
        return answer(200, [{"id": 1, "email": "alice@example.com"}])

    status = body(status={"type": "string", "enum": ["active", "blocked"]})
    paths = {
        "/register": {"post": CREDENTIALS},
        "/users": {"get": operation()},
        "/users/{id}/status": {"patch": operation(parameters=ITEM, requestBody=status)},
    }
    record, _ = scanned(server, paths, checks=CHANGING)
    assert record.void is None
    assert not {"1", "7"} & changed  # what the list shows, or what may be made up
    assert any(each.startswith("10") for each in changed)


def test_a_read_that_needs_a_text_gets_the_one_that_an_answer_gave_under_that_name() -> None:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.operation_path == "/statements":
            return answer(200, {"data": {"file": "march.pdf", "id": 7}})
        good = query(request, "file") == "march.pdf"
        return answer(200, {"size": 9}) if good else answer(200, {"success": False, "error": "no"})

    download = operation(parameters=(("query", "file"),))
    download["parameters"][0]["required"] = True
    paths = {
        "/statements": {"post": operation(requestBody=body(month=TEXT))},
        "/statements/download": {"get": download},
    }
    record, _ = scanned(server, paths, checks=())
    assert record.void is None
    _, exchanges = scanned(server, paths, checks=())
    asked = [e for e in exchanges if e.request.operation_path.endswith("download")]
    assert query(asked[0].request, "file") == "march.pdf"


def test_a_whole_number_below_cards_is_that_of_a_card() -> None:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"data": [{"number": "4012888888881881", "expires": "11/30"}]})

    listed = {"get": operation()}
    assert len(findings("card-number-in-response", server, {"/cards": listed})) == 1
    for path in ("/orders", "/gift-cards"):
        assert findings("card-number-in-response", server, {path: listed}) == ()


def test_pages_at_the_root_of_the_host_are_looked_for_where_the_api_stands_below_a_path() -> None:
    def server(request: Request) -> Response:
        if request.path == "/.env":
            text = "DB_PASSWORD=s3cr3t-Pg\nSECRET_KEY=0123456789\nDEBUG=1\n"
            return Response(
                status=200, headers=(("Content-Type", "text/plain"),), body=text.encode()
            )
        if request.path == "/api/health":
            return answer(200, {"up": True})
        if request.path == "/debug":
            return answer(200, {"env": {"PATH": "/usr/bin", "HOME": "/srv", "LANG": "C"}})
        return not_found()

    paths = {"/health": {"get": operation(secured=False)}}
    where = {"base_url": "http://127.0.0.1:9/api"}
    (finding,) = findings("undocumented-operation", server, paths, **where)
    assert set(finding.operations) == {"GET /.env", "GET /debug"}
    assert not any("/api/" in each.curl for each in finding.evidence)
    never = {"never": ("GET /.env", "GET /debug")}
    assert findings("undocumented-operation", server, paths, policy=never, **where) == ()


class Bank:
    """Accounts with 100 in each, and transfers; where `flawed`, from anybody's account."""

    def __init__(self, *, flawed: bool) -> None:
        self.flawed = flawed
        self.accounts: dict[str, dict[str, Any]] = {
            number: {"accountNumber": number, "ownerId": f"{name}-id", "balance": 500}
            for number, name in (("9001", "alice"), ("9002", "alice"), ("9003", "bob"))
        }

    def __call__(self, request: Request) -> Response:
        name, fields = caller(request), sent(request)
        if name is None:
            return UNAUTHENTICATED
        owner = f"{name}-id"
        if request.path == "/me":
            return answer(200, {"id": owner, "name": name})
        if request.path == "/transfers":
            giver = self.accounts.get(str(fields.get("fromAccount")))
            taker = self.accounts.get(str(fields.get("toAccount")))
            if giver is None or taker is None or (giver["ownerId"] != owner and not self.flawed):
                return answer(404, {"error": "there is no such account"})
            amount = fields.get("amount")
            if giver is taker or not isinstance(amount, int) or not 0 < amount <= giver["balance"]:
                return answer(422, {"error": "this cannot be transferred"})
            giver["balance"] -= amount
            taker["balance"] += amount
            return answer(201, {"transferId": f"t-{amount}", "status": "done"})
        if request.method == "POST":
            number = str(len(self.accounts) + 9001)
            self.accounts[number] = {"accountNumber": number, "ownerId": owner, "balance": 100}
            return answer(201, self.accounts[number])
        mine = [each for each in self.accounts.values() if each["ownerId"] == owner]
        if request.path == "/accounts":
            return answer(200, mine)
        found = [each for each in mine if each["accountNumber"] == last_segment(request)]
        return answer(200, found[0]) if found else not_found()


def test_money_goes_between_accounts_of_the_scans_own_and_comes_from_nobody_elses() -> None:
    transfer = body(
        fromAccount=TEXT, toAccount=TEXT, amount={"type": "integer", "minimum": 1, "maximum": 9}
    )
    paths = {
        "/transfers": {"post": operation(requestBody=transfer)},
        "/me": {"get": operation()},
        "/accounts": {"get": operation(), "post": operation(requestBody=body(label=TEXT))},
        "/accounts/{accountNumber}": {
            "get": operation(parameters=(("path", "accountNumber"),)),
        },
    }
    for flawed in (False, True):
        bank = Bank(flawed=flawed)
        found = findings("object-of-other-user-by-parameter", bank, paths)
        assert [each.operations for each in found] == [("POST /transfers",)] * flawed
        real = [bank.accounts[number]["balance"] for number in ("9001", "9002", "9003")]
        assert real == [500, 500, 500]
        assert any(each["balance"] not in {100, 500} for each in bank.accounts.values())


def test_a_run_that_says_nothing_names_the_path_below_which_the_api_stands() -> None:
    paths = {"/me": {"get": operation()}}
    for base_path, told in (("", True), ("/api", False)):
        record, _ = scanned(
            lambda _request: not_found(),
            {**paths, "/orders": {"post": operation(requestBody=body(text=TEXT))}},
            checks=CHANGING,
            servers=("https://bank.example.com/v2/",),
            base_url=f"http://127.0.0.1:9{base_path}",
        )
        assert record.void is not None
        assert ("the document says that the API stands below /v2)" in record.void) is told
