"""Nobody configured pays for anything, or is credited with what a code stands for, where a user of
the scan's own can: and what the scan makes up is not taken for somebody's.
"""

from typing import Any

import pytest

from tests.scan.checks.tiny_api import ROLES, scanned
from tests.scan.test_own_things import ID, LOGIN, TEXT, Bank
from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.examples import answer, body, caller, operation, sent
from withstand.scan.race import Race
from withstand.scan.records.record import ScanRecord

AMOUNT = {"type": "integer", "minimum": 1, "maximum": 5}
NUMBER = {"type": "string", "pattern": "^[0-9]{13,19}$"}
CHECKS = (check_named("object-readable-by-other-user"),)
FORBIDDEN, NONE = answer(403, {"error": "forbidden"}), answer(404, {"error": "no such thing"})


def below(name: str, *rest: str) -> dict[str, Any]:
    """An item's parameter in a path, whatever its kind."""
    schema = ID if name == "id" else TEXT
    return {"parameters": [{"in": "path", "name": name, "required": True, "schema": schema}]}


class Purses(Bank):
    """Everybody has a purse. Cards are bought (`price` times their amount) and redeemed by their
    code; coupons are made by `makers`, and redeemed by anybody who has their code.
    """

    def __init__(
        self, *, price: int = 1, makers: str = "root", signs_up: bool = True, leaks: bool = False
    ) -> None:
        super().__init__({}, signs_up=signs_up)
        self.price, self.makers, self.leaks = price, makers, leaks
        self.purses: dict[str, int] = {}
        self.made: dict[str, tuple[str, int]] = {}  # by code: who made it, and its number
        self.notes: dict[int, Any] = {}
        self.done: list[tuple[str, str]] = []  # what was served, and to whom
        self.paths = {
            path: item for path, item in self.paths.items() if path in {"/me", "/register"}
        } | {
            "/purse": {"get": operation()},
            "/cards": {"post": operation(requestBody=body(amount=AMOUNT, note=TEXT))},
            "/cards/{id}": {"get": {**operation(), **below("id")}},
            "/cards/redeem": {"post": operation(requestBody=body(code=TEXT))},
            "/coupons": {"post": operation(requestBody=body(note=TEXT))},
            "/coupons/{code}/redeem": {"post": {**operation(), **below("code")}},
            "/accounts": {"post": operation(requestBody=body(card_number=NUMBER))},
            "/accounts/{id}": {"delete": {**operation(), **below("id")}},
        }

    def __call__(self, request: Request) -> Response:
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        name = caller(request) or (token if token in self.passwords else None)
        path = request.operation_path
        if name is None or path in {"/me", "/login", "/register"}:
            return super().__call__(request)
        self.purses.setdefault(name, 1000)
        said = self.served(name, request.method, path, request)
        if said.succeeded:
            self.done.append((f"{request.method} {path}", name))
        return said

    def served(self, name: str, method: str, path: str, request: Request) -> Response:
        fields = sent(request)
        if path == "/purse":
            return answer(200, {"coins": self.purses[name]})
        if method == "POST" and path in {"/cards", "/coupons", "/accounts"}:
            if path == "/coupons" and self.makers not in {name, "everybody"}:
                return FORBIDDEN
            number = next(self.numbers)
            self.made[f"CODE{number:08}"] = (name, number)
            self.notes[number] = fields.get("note")
            self.purses[name] -= self.price * int(fields.get("amount") or 0)
            return answer(201, {"id": number, "code": f"CODE{number:08}", **fields})
        if path.endswith("/redeem"):
            code = str(fields.get("code") or path.split("/")[2])
            self.purses[name] += 7 if code in self.made else 0
            return answer(200, {"left": 0}) if code in self.made else NONE
        own = [number for maker, number in self.made.values() if self.leaks or maker == name]
        number = int(path.rpartition("/")[2]) if path.rpartition("/")[2].isdecimal() else 0
        shown = {"id": number, "note": self.notes.get(number)}
        return answer(200, shown) if number in own else NONE

    def who(self, key: str) -> set[str]:
        """Who was served by an operation, or by one that begins and ends like it."""
        first, _, last = key.partition("*")
        return {name for said, name in self.done if said.startswith(first) and said.endswith(last)}


def scan_of(purses: Purses, **policy: Any) -> ScanRecord:
    record, _ = scanned(purses, purses.paths, login=LOGIN, checks=CHECKS, policy=policy)
    assert record.void is None
    return record


def untested(record: ScanRecord, *paths: str) -> list[str]:
    said = [f" {path} was not tested" for path in paths]
    return [note for note in record.notes if any(each in note for each in said)]


def test_what_a_user_of_the_scans_own_pays_for_is_bought_by_nobody_configured() -> None:
    purses = Purses()
    record = scan_of(purses)
    assert {purses.purses[name] for name in ROLES} == {1000}
    assert purses.who("POST /cards")
    assert not purses.who("POST /cards") & {*ROLES}
    assert not untested(record, "/cards", "/cards/{id}")


def test_that_anybody_reads_what_was_bought_is_found_by_two_users_of_the_scans_own() -> None:
    record = scan_of(Purses(leaks=True))
    (finding,) = record.findings
    assert finding.operations == ("GET /cards/{id}",)
    assert "throwaway" in finding.detail
    assert scan_of(Purses()).findings == ()


def test_what_costs_nothing_is_made_by_those_who_are_configured() -> None:
    purses = Purses(price=0)
    scan_of(purses)
    assert len([1 for done in purses.done if done == ("POST /cards", "alice")]) > 1


@pytest.mark.parametrize("makers", ["root", "everybody"])
def test_only_a_user_of_the_scans_own_redeems_what_the_scan_made(makers: str) -> None:
    purses = Purses(makers=makers)
    record = scan_of(purses)
    for key in ("POST /coupons/*/redeem", "POST /cards/redeem"):
        assert purses.who(key)
        assert not purses.who(key) & {*ROLES}
    assert not untested(record, "/cards/redeem", "/coupons/{code}/redeem")


@pytest.mark.parametrize("told", [False, True])
def test_without_one_nobody_redeems_unless_the_user_said_so(told: bool) -> None:
    purses = Purses(signs_up=False)
    races = {"POST /coupons/{code}/redeem": Race(at_most=1)} if told else {}
    scan_of(purses, races=races)
    assert bool(purses.who("POST /coupons/*/redeem")) == told


def test_a_number_that_the_scan_made_up_is_sent_again_though_its_owner_was_shown_it() -> None:
    purses = Purses()
    record = scan_of(purses)
    assert purses.who("DELETE /accounts/*")
    assert not untested(record, "/accounts", "/accounts/{id}")
