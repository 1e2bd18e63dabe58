"""Where several things have members, an id is asked for in what it was seen in."""

import asyncio
import json
from collections import Counter
from typing import Any

from tests.scan.served_example import served
from tests.scan.small_api import a_check, answer, identity, nothing, planned
from withstand.client.exchange import Request, Response
from withstand.client.target import parse_target
from withstand.client.wire import Wire
from withstand.scan.groundwork.examination import Examination
from withstand.scan.scanner import examine

ROOTS, KINDS, INNER = ("projects", "teams"), ("members", "items"), "badges"


def operation(*, writes: bool = False) -> dict[str, Any]:
    body = {
        "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]
    }  # fmt: skip
    sent = {"requestBody": {"content": {"application/json": {"schema": body}}}} if writes else {}
    return {"security": [{"bearer": []}], "responses": {"200": {"description": "fine"}}, **sent}


def collection(path: str, *names: str) -> dict[str, Any]:
    """A collection and its items; the last name is that of an item's id."""
    declared = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
        for name in names
    ]
    return {
        path: {"parameters": declared[:-1], "get": operation(), "post": operation(writes=True)},
        f"{path}/{{{names[-1]}}}": {
            "parameters": declared,
            "get": operation(),
            "put": operation(writes=True),
            "delete": operation(),
        },
    }


PATHS: dict[str, Any] = {"/me": {"get": operation()}}
for root in ROOTS:
    PATHS |= collection(f"/{root}", "id")
    for kind in KINDS:
        own = f"{kind[:-1]}Id"
        PATHS |= collection(f"/{root}/{{id}}/{kind}", "id", own)
        PATHS |= collection(f"/{root}/{{id}}/{kind}/{{{own}}}/{INNER}", "id", own, "badgeId")


class Nested:
    """Things in things, all of one user. Each kind is counted for itself in what it is in, from 1:
    the same ids again and again.
    """

    def __init__(self) -> None:
        self.things: dict[tuple[str, ...], str] = {}
        self.made: Counter[tuple[str, ...]] = Counter()

    def __call__(self, request: Request) -> Response:
        place = tuple(part for part in request.operation_path.split("/") if part)
        if request.header("authorization") != "Bearer alice-token":
            return answer(401, {"error": "who are you?"})
        if place == ("me",):
            return answer(200, {"username": "alice"})
        above = place[:-1] if len(place) % 2 else place
        if any(above[:end] not in self.things for end in range(2, len(above) + 1, 2)):
            return answer(404, {"error": "nothing there"})
        if len(place) % 2:
            return self._collection(request, place)
        if request.method == "DELETE":
            del self.things[place]
            return Response(status=204)
        return answer(200, {"id": int(place[-1]), "title": self.things[place]})

    def _collection(self, request: Request, place: tuple[str, ...]) -> Response:
        if request.method == "GET":
            listed = {at: title for at, title in self.things.items() if at[:-1] == place}
            return answer(200, [{"id": int(at[-1]), "title": t} for at, t in listed.items()])
        first = 10 * (1 + ROOTS.index(place[0])) if len(place) == 1 else 1 + len(place[0])
        number = first + self.made[place]
        self.made[place] += 1
        self.things[*place, str(number)] = json.loads(request.body)["title"]
        return answer(201, {"id": number})


def test_every_operation_works_where_many_things_have_members_of_one_name() -> None:
    async def journey(url: str) -> Examination:
        plan = planned(a_check(nothing), identities=(identity("alice"),), paths=PATHS, base_url=url)
        async with Wire(parse_target(url)) as wire:
            return await examine(plan, wire)

    with served(Nested()) as api:
        found = asyncio.run(journey(api.url))
    assert [each.key for each in found.operations if not each.works] == []
    assert len(found.operations) == 51
