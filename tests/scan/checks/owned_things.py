"""A tiny API of things that belong to users, in several styles and with flaws one by one."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from withstand.client.exchange import Request, Response
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    not_found,
    operation,
    sent,
)

ITEM = (("path", "id"),)


def paths(*methods: str, name: str = "letters", listed: bool = False) -> dict[str, Any]:
    """The document: POST on the collection, GET and `methods` on the item, perhaps a list."""
    thing = body(text={"type": "string"})
    found: dict[str, Any] = {
        "/me": {"get": operation()},
        f"/{name}": {"post": operation(requestBody=thing)},
        f"/{name}/{{id}}": {"get": operation(parameters=ITEM)},
    }
    if listed:
        found[f"/{name}"]["get"] = operation()
    for method in methods:
        more: Any = {"requestBody": thing} if method in {"put", "patch"} else {}
        found[f"/{name}/{{id}}"][method] = operation(parameters=ITEM, **more)
    return found


@dataclass(slots=True)
class Things:
    """The server. `open_to_all` are the methods that do not ask whose a thing is.

    `identify` makes the ids, `dress` what a success looks like, `refuse` a refusal. `shared`
    lists everybody's things to everybody, `published` shows them without a credential.
    """

    open_to_all: frozenset[str] = frozenset()
    identify: Callable[[int], object] = str
    dress: Callable[[Any], Any] = lambda document: document
    refuse: Callable[[], Response] = not_found
    shared: bool = False
    published: bool = False
    names_owner: bool = False
    in_location: bool = False
    pretends: frozenset[str] = frozenset()  # methods that answer strangers 2xx and do nothing
    soft_delete: bool = False
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __call__(self, request: Request) -> Response:
        name = caller(request)
        parts = request.operation_path.strip("/").split("/")
        if name is None and not (self.published and request.method == "GET" and parts != ["me"]):
            return UNAUTHENTICATED
        if parts == ["me"]:
            return answer(200, {"name": name})
        if len(parts) == 1 and request.method == "POST":
            return self._create(name or "", sent(request))
        if len(parts) == 1 and request.method == "GET" and parts[0]:
            own = [self._view(t) for t in self.kept.values() if self.shared or t["owner"] == name]
            return answer(200, self.dress(own))
        thing = self.kept.get(parts[-1]) if len(parts) == 2 else None
        if thing is None or (thing["gone"] and request.method != "GET"):
            return not_found()
        may = thing["owner"] == name or request.method in self.open_to_all
        if not may and request.method in self.pretends:
            return Response(status=204)
        if not may and request.method == "GET" and (self.published or self.shared):
            may = True
        return self._serve(request, thing) if may else self.refuse()

    def _create(self, owner: str, fields: dict[str, Any]) -> Response:
        identifier = self.identify(next(self.numbers))
        thing = {"id": identifier, "text": fields.get("text"), "owner": owner, "gone": False}
        self.kept[str(identifier)] = thing
        if self.in_location:
            return Response(status=201, headers=(("Location", f"/letters/{identifier}"),))
        return answer(201, self.dress({"id": identifier}))

    def _serve(self, request: Request, thing: dict[str, Any]) -> Response:
        if request.method == "DELETE":
            if self.soft_delete:
                thing["gone"] = True
            else:
                del self.kept[str(thing["id"])]
            return Response(status=204)
        if request.method in {"PUT", "PATCH"}:
            thing["text"] = sent(request).get("text")
        return answer(200, self.dress(self._view(thing)))

    def _view(self, thing: dict[str, Any]) -> dict[str, Any]:
        view = {"id": thing["id"], "text": thing["text"]}
        if self.names_owner:
            view["owner"] = thing["owner"]
        return view | ({"deleted": thing["gone"]} if self.soft_delete else {})
