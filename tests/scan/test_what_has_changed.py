"""A scan says what of a configured user's is no longer as it was, though no account shows it."""

from typing import Any

from tests.scan.checks.tiny_api import ROLES, scanned
from tests.scan.test_own_things import CHECKS, ID, LOGIN, TEXT, Bank
from withstand.client.exchange import Request, Response
from withstand.scan.examples import answer, body, caller, operation


class Garden(Bank):
    """A bank of plots: to water one needs no order, and costs coins; GET /news is for everybody."""

    def __init__(self, price: int = 0) -> None:
        self.price, self.wet, self.readers, self.watered = price, set[int](), 0, 0
        self.coins = dict.fromkeys(ROLES, 1000)
        place = {"in": "path", "name": "id", "required": True, "schema": ID}
        super().__init__({"/wallet": {"get": operation()}, "/news": {"get": operation()}})
        if price:
            self.paths["/orders"]["post"] = operation(requestBody=body(note=TEXT))
        else:
            self.paths["/plots/{id}/water"] = {"get": {**operation(), "parameters": [place]}}

    def __call__(self, request: Request) -> Response:
        name, path = caller(request), request.operation_path
        if name is None:
            return super().__call__(request)
        if path == "/wallet":
            return answer(200, {"coins": self.coins[name]})
        if path == "/news":
            self.readers += 1
            return answer(200, {"readers": self.readers, "orders": len(self.owners)})
        if path.endswith("/water"):
            number = int(path.split("/")[2])
            self.wet.add(number)
            self.watered += 1
            return answer(200, {"plot": number, "weather": "fine"})
        if path == "/plots":
            own = [each for each, owner in self.owners.items() if owner == name]
            return answer(200, [{"id": each, "wet": each in self.wet} for each in own])
        if path == "/orders" and request.method == "POST":
            self.coins[name] -= self.price
            self.coins["root"] -= self.price  # who pays for everybody's
        return super().__call__(request)


def changes_told(garden: Garden) -> list[str]:
    record, _ = scanned(garden, garden.paths, login=LOGIN, checks=CHECKS)
    assert record.void is None
    return [note for note in record.notes if "has changed" in note]


def test_what_a_call_cost_is_said_with_the_call() -> None:
    note, other = changes_told(Garden(price=5))
    said = (
        "Something of alice's has changed during the scan: GET /wallet $.coins, since POST /orders."
    )
    assert note.startswith(said)
    assert "Something of root's" in other


def test_a_read_that_acts_on_what_somebody_has_is_said_and_not_sent_again() -> None:
    garden = Garden()
    (note,) = changes_told(garden)
    assert garden.watered == 2  # the baseline and its repetition
    assert "GET /plots $[1].wet, since GET /plots/{id}/water." in note


def test_nothing_is_said_where_nothing_but_what_everybody_sees_has_changed() -> None:
    garden: Any = Garden()
    del garden.paths["/plots/{id}/water"]
    assert changes_told(garden) == []
