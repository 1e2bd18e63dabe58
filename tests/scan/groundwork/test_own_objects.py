"""What is deleted for a baseline was made for it, and so is what it is in."""

import itertools
import json
from typing import Any

from tests.scan.small_api import answer, scanned
from withstand.client.exchange import Request, Response

ID = {"type": "integer", "minimum": 1}
LINE = {"type": "object", "properties": {"quantity": ID}, "required": ["quantity"]}


def operation(*names: str, line: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "parameters": [
            {"in": "path", "name": name, "required": True, "schema": ID} for name in names
        ],
        "responses": {"200": {"description": "done"}},
    }
    if line:
        found["requestBody"] = {"content": {"application/json": {"schema": LINE}}}
    return found


PATHS = {
    "/orders": {"post": operation()},
    "/orders/{id}/checkout": {"post": operation("id")},
    "/orders/{id}/lines": {"post": operation("id", line=True)},
    "/orders/{id}/lines/{line_id}": {"delete": operation("id", "line_id")},
}


class Orders:
    """A paid order takes no line any more; a new line is answered with its order."""

    def __init__(self) -> None:
        self.lines: dict[int, list[int]] = {}
        self.paid: set[int] = set()
        self.deleted: list[int] = []
        self.numbers = itertools.count(1)

    def __call__(self, request: Request) -> Response:
        order, line = ([int(p) for p in request.path.split("/") if p.isdecimal()] + [0, 0])[:2]
        if request.path == "/orders":
            order = next(self.numbers)
            self.lines[order] = []
            self.paid.add(order) if order == 1 else None
            return answer(201, {"id": order, "lines": []})
        if order not in self.lines:
            return answer(404, {"error": "none"})
        if request.path.endswith("/lines"):
            if order in self.paid or not json.loads(request.body):
                return answer(409, {"error": "closed"})
            self.lines[order].append(next(self.numbers) + 100)
        elif request.method == "DELETE":
            if line not in self.lines[order]:
                return answer(404, {"error": "none"})
            self.lines[order].remove(line)
            self.deleted.append(line)
        return answer(200, {"id": order, "lines": [{"id": each} for each in self.lines[order]]})


def test_where_an_order_takes_no_line_another_is_made_for_it() -> None:
    orders = Orders()
    record, _ = scanned(server=orders, paths=PATHS, identities=())
    assert not [note for note in record.notes if "/lines/" in note and "not tested" in note]
    assert orders.deleted
