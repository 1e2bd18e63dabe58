"""What a configured user has is not spent, and they are not changed, by a call that names nobody.

A throw-away user tries such calls; what they name is then the scan's own.
"""

import itertools
from contextlib import suppress
from typing import Any

import pytest

from tests.scan.checks.tiny_api import ROLES, scanned
from tests.scan.small_api import a_check
from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.access_matrix import Access
from withstand.scan.answers.shape import leaves
from withstand.scan.catalogue import all_checks
from withstand.scan.check import PASSED, Outcome, Per, Send, Steps
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.race import Race
from withstand.scan.records.record import ScanRecord
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Withheld

TEXT, ID = {"type": "string"}, {"type": "integer", "minimum": 1}
MAIL = {"type": "string", "format": "email"}
CHECKS = tuple(check for check in all_checks() if check.family == "authorisation")
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)


class Bank:
    """Everybody has an order, an account and a plot of their own, from the day they sign up; with
    `gives` off, only who is there from the beginning.

    `calls` are what the document has besides; `does` is told who calls one of them, with what is
    theirs, and may answer otherwise. `spent` are the orders and accounts that a call named, each
    with its owner.
    """

    def __init__(
        self,
        calls: dict[str, Any],
        does: Any = None,
        *,
        signs_up: bool = True,
        makes: bool = False,
        gives: bool = True,
    ) -> None:
        self.gives = True
        self.numbers = itertools.count(1)
        self.people: dict[str, dict[str, Any]] = {}
        self.owners: dict[int, str] = {}
        for name in ROLES:
            self.join(name)
        self.gives = gives
        self.real = {name: dict(person) for name, person in self.people.items()}
        self.passwords: dict[str, str] = {}
        self.spent: set[tuple[str, int]] = set()
        self.does = does or (lambda person, fields: None)
        self.calls = calls
        credentials = operation(secured=False, requestBody=body(email=MAIL, password=TEXT))
        self.paths = {
            "/me": {"get": operation()},
            "/orders": {"get": operation()},
            "/orders/{id}": {"get": operation(parameters=(("path", "id"),))},
            "/accounts": {"get": operation()},
            "/plots": {"get": operation()},
            "/seeds": {"get": operation()},
            "/products": {"get": operation(secured=False)},
            "/login": {"post": credentials},
            **calls,
        }
        if signs_up:
            self.paths["/register"] = {"post": credentials}
        if makes:
            self.paths["/orders"]["post"] = operation(requestBody=body(note=TEXT))

    def join(self, name: str) -> dict[str, Any]:
        number = next(self.numbers)
        if self.gives:
            self.owners[number] = name
        self.people[name] = {"id": 900 + number, "email": name, "name": name, "state": "home"}
        return self.people[name]

    def __call__(self, request: Request) -> Response:
        fields, path = sent(request), request.operation_path
        email = str(fields.get("email"))
        if path == "/register":
            self.passwords[email] = str(fields.get("password"))
            return answer(201, self.join(email))
        if path == "/login":
            known = self.passwords.get(email) == fields.get("password")
            return answer(200, {"token": email}) if known else answer(401, {"error": "no"})
        if path == "/products":
            return answer(200, [{"id": 71, "name": "Pen"}])
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        name = caller(request) or (token if token in self.passwords else None)
        if name is None:
            return UNAUTHENTICATED
        if path == "/me":
            return answer(200, self.people[name])
        own = [number for number, owner in self.owners.items() if owner == name]
        if path == "/orders" and request.method == "POST":
            number = next(self.numbers)
            self.owners[number] = name
            return answer(201, {"id": number, "note": fields.get("note")})
        if path == "/seeds":
            return answer(200, [{"id": 3, "name": "Rye"}])
        if path in {"/orders", "/accounts", "/plots"}:
            return answer(200, [{"id": each, "note": "real"} for each in own])
        number = next((int(p) for p in path.split("/") if p.isdecimal()), 0)
        if path.endswith("/harvest"):
            return answer(404, {"error": "not ripe"})
        if path.startswith("/orders/"):
            return answer(200, {"id": number}) if number in own else answer(404, {"error": "none"})
        if path not in self.calls:
            return answer(404, {"error": "none"})
        for _, each in leaves(fields):
            if type(each) is int and each in self.owners:
                self.spent.add((self.owners[each], each))
        said = self.does(self.people[name], fields)
        return said or answer(201, {"id": next(self.numbers) + 500})

    def harmed(self) -> set[str]:
        """Which configured users lost something, or are no longer who they were."""
        spent = {owner for owner, number in self.spent if number <= len(ROLES)}
        changed = {name for name in ROLES if self.people[name] != self.real[name]}
        return spent & {*ROLES} | changed


def scan_of(bank: Bank) -> ScanRecord:
    record, _ = scanned(bank, bank.paths, login=LOGIN, checks=CHECKS)
    assert record.void is None
    return record


def is_tested(record: ScanRecord, key: str) -> bool:
    """Whether the operation had a request that works: its row of the access matrix tells."""
    (row,) = [row for row in record.access if row.operation == key]
    return any(cell.observed is Access.GRANTED for cell in row.cells)


def holds(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


SPENDING = [
    ("/payments", {"order_id": ID, "note": TEXT}),
    ("/shipments", {"order_ids": {"type": "array", "items": ID, "minItems": 1}}),
    ("/transfers", {"fromAccount": ID, "note": TEXT}),
    ("/refunds", {"order": ID, "note": TEXT}),
    ("/rpc/addItem", {"orderId": ID, "note": TEXT}),
    ("/harvests", {"to_plot_id": ID, "note": TEXT}),  # of which no word says that it is somebody's
    ("/sales", {"lines": {"type": "array", "minItems": 1, "items": holds(plot_id=ID)}}),
]
DEEP = ("/sales", {"lines": {"type": "array", "items": holds(plot=holds(id=ID)), "minItems": 1}})


@pytest.mark.parametrize(("path", "inputs"), SPENDING)
@pytest.mark.parametrize("makes", [True, False])
def test_what_a_creation_uses_up_is_the_scans_own(
    path: str, inputs: dict[str, Any], makes: bool
) -> None:
    bank = Bank({path: {"post": operation(requestBody=body(**inputs))}}, makes=makes)
    record = scan_of(bank)
    assert bank.harmed() == set()
    assert bank.spent  # it was tried with something that exists
    assert is_tested(record, f"POST {path}")


@pytest.mark.parametrize(("path", "inputs"), [*SPENDING, DEEP])
def test_without_a_user_of_its_own_the_scan_spends_nothing_and_says_what_would_help(
    path: str, inputs: dict[str, Any]
) -> None:
    bank = Bank({path: {"post": operation(requestBody=body(**inputs))}}, signs_up=False)
    record = scan_of(bank)
    assert bank.spent == set()
    (note,) = [note for note in record.notes if note.startswith(f"POST {path} was not tested")]
    assert "may be somebody's real one" in note
    assert "provision under [login]" in note


def test_who_gets_a_transfer_is_another_user_of_the_scans_own() -> None:
    def pays(person: dict[str, Any], fields: dict[str, Any]) -> Response | None:
        known = fields.get("to_email") in {*bank.passwords} - {person["email"]}
        return None if known else answer(404, {"error": "nobody"})

    call = {"/transfer": {"post": operation(requestBody=body(to_email=MAIL, note=TEXT))}}
    bank = Bank(call, pays)
    assert not [note for note in scan_of(bank).notes if "POST /transfer was not tested" in note]
    assert bank.harmed() == set()


@pytest.mark.parametrize("name", ["plot_id", "order_id"])
def test_no_number_is_made_up_for_what_a_new_user_has_none_of(name: str) -> None:
    bank = Bank({"/sales": {"post": operation(requestBody=body(**{name: ID}))}}, gives=False)
    record = scan_of(bank)
    assert bank.spent == set()
    assert any("may be somebody's real one" in note for note in record.notes)


def test_no_number_is_made_up_for_what_no_list_shows_and_a_word_calls_somebodys() -> None:
    bank = Bank({"/sales": {"post": operation(requestBody=body(order_id=ID))}}, gives=False)
    del bank.paths["/orders"], bank.paths["/orders/{id}"]
    scan_of(bank)
    assert bank.spent == set()


@pytest.mark.parametrize("told", [False, True])
def test_no_check_names_what_is_a_configured_users_unless_the_user_said_so(told: bool) -> None:
    def spends(subject: Subject) -> Steps[Outcome]:
        sale = next(each for each in subject.api.operations if each.path == "/sales")
        slot = next(each for each in subject.builder.slots(sale) if each.name == "plot_id")
        for number in range(1, len(ROLES) + 1):
            built = subject.build(sale, replace={slot: number})
            with suppress(Withheld):
                yield Send(request=subject.identities[0].authorize(built.request))
        return PASSED

    bank = Bank({"/sales": {"post": operation(requestBody=body(plot_id=ID, note=TEXT))}})
    races = {"POST /sales": Race(values={"plot_id": 1})} if told else {}
    check = a_check(spends, per=Per.API)
    scanned(bank, bank.paths, login=LOGIN, checks=(check,), policy={"races": races})
    assert bool(bank.harmed()) == told
    assert bank.spent  # with what is the scan's own


@pytest.mark.parametrize("name", ["product_id", "seed_id"])
def test_what_anybody_is_shown_is_named_by_everybody(name: str) -> None:
    bank = Bank(
        {"/reviews": {"post": operation(requestBody=body(**{name: ID}, note=TEXT))}},
        signs_up=False,
    )
    assert is_tested(scan_of(bank), "POST /reviews")


def named(person: dict[str, Any], fields: dict[str, Any]) -> None:
    person["name"] = fields.get("name", person["name"])


def moved(person: dict[str, Any], fields: dict[str, Any]) -> None:
    person["state"] = fields.get("state", person["state"])


def told(person: dict[str, Any], fields: dict[str, Any]) -> Response:
    person["language_of_forms"] = fields.get("tongue")  # which /me shows, under another name
    return answer(200, person)


def counted(person: dict[str, Any], fields: dict[str, Any]) -> None:
    person["coins"] = 50  # a value that nobody sent


def gone(person: dict[str, Any], fields: dict[str, Any]) -> Response:
    person["email"] = "erased"
    return answer(200, {"ok": True})


@pytest.mark.parametrize(
    ("path", "inputs", "does"),
    [
        ("/change-name", {"name": TEXT}, named),
        ("/home", {"state": {"type": "string", "enum": ["away", "home"]}}, moved),
        ("/onboarding", {"tongue": TEXT}, told),
        ("/goodbye", {}, gone),
        ("/swap-points", {}, counted),
    ],
)
@pytest.mark.parametrize("secured", [True, False])
def test_what_turns_out_to_change_the_caller_is_called_by_nobody_who_is_configured(
    path: str, inputs: dict[str, Any], does: Any, secured: bool
) -> None:
    item = operation(secured=secured, requestBody=body(**inputs))
    bank = Bank({path: {"post": item}}, does)
    record = scan_of(bank)
    assert bank.harmed() == set()
    assert any(row.operation == f"POST {path}" for row in record.access)
    changed = [p for name, p in bank.people.items() if name not in ROLES and p["email"] != name]
    assert bool(changed) == (does is gone)  # it was tried


@pytest.mark.parametrize(
    "refusal",
    [
        answer(409, {"error": "your basket is empty"}),
        answer(200, {"error": "your basket is empty"}),  # which may as well say: not for you
        answer(404, {"error": "no basket"}),
        answer(500, {"error": "oops"}),
    ],
    ids=["409", "soft", "404", "500"],
)
def test_what_a_new_user_may_lack_is_not_tried_with_what_a_configured_one_has(
    refusal: Response,
) -> None:
    def ships(person: dict[str, Any], fields: dict[str, Any]) -> Response | None:
        if person["email"] not in ROLES:
            return refusal
        person["name"] = "has paid"
        return None

    bank = Bank({"/buy": {"post": operation(requestBody=body(note=TEXT))}}, ships)
    scan_of(bank)
    assert bank.harmed() == set()


@pytest.mark.parametrize("status", [403, 200])
def test_what_a_new_user_may_not_is_still_tried_by_the_others(status: int) -> None:
    def tidies(person: dict[str, Any], fields: dict[str, Any]) -> Response | None:
        return None if person["email"] == "root" else answer(status, {"error": "forbidden"})

    bank = Bank({"/tidy": {"post": operation(requestBody=body(note=TEXT))}}, tidies)
    assert is_tested(scan_of(bank), "POST /tidy")


def test_a_read_below_an_id_is_only_sent_with_what_the_scan_made_where_that_exists() -> None:
    place = {"in": "path", "name": "id", "required": True, "schema": ID}
    bank = Bank({"/orders/{id}/harvest": {"get": {**operation(), "parameters": [place]}}})
    bank.paths["/orders"]["post"] = operation(requestBody=body(note=TEXT))
    _, exchanges = scanned(bank, bank.paths, login=LOGIN, checks=CHECKS)
    below = {e.request.path for e in exchanges if e.request.path.endswith("/harvest")}
    assert below
    assert below & {f"/orders/{number}/harvest" for number in range(1, len(ROLES) + 1)} == set()
