"""Values that an API gave out, kept to be sent back: the ids of what was made or listed. Pure."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from withstand.client.exchange import Request, Response
from withstand.client.page import page_of
from withstand.openapi.identifiers import identifier_in, own_link, without_frame
from withstand.openapi.naming import (
    ID_WORDS,
    KEY_WORDS,
    canonical,
    is_plural,
    noun,
    singular,
    words,
)
from withstand.openapi.operation import Operation, Schema
from withstand.openapi.page_ids import ids_in
from withstand.openapi.path_template import (
    parameters_in,
    resource_before,
    segments,
    values_in,
)
from withstand.openapi.schema_fit import has_type
from withstand.openapi.schema_merge import types_of
from withstand.openapi.spoken import only_reads, thing_in, thing_of

_IDS = ("id", "uuid", "guid", "pk", "identifier", "uid")
_PER_NAME = 32
_NAMES = 4000
_NODES = 2000
_ITEMS = 20
_LONGEST = 200
_WRAPPERS = frozenset(
    {"data", "result", "item", "record", "content", "payload", "attribute", "value", "response"}
    | {"object", "row", "entry", "hit", "document", "node", "edge", "embedded", "element", "list"}
    | {"collection", "hydra_member", "resource", "page", "body", "model", "dto", "output", "info"}
    | {"entity", "detail", "resp", "res", "return", "doc", "member_list"}
)


class ValuePool:
    """What one identity learned from the responses to its own requests. Mutable, bounded."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], deque[object]] = {}
        self._order: dict[tuple[str, str], int] = {}
        self._count = 0
        self._made: set[tuple[str, str]] = set()

    def harvest(self, operation: Operation, request: Request, response: Response) -> None:
        """Keeps the ids and named values of a successful response. Never raises.

        What lists show comes behind what the identity made or read by itself. After a DELETE the
        deleted thing's id is forgotten.
        """
        if not response.succeeded:
            return
        resource = thing_of(operation)
        in_path = values_in(operation.path, request.path)
        if operation.removes:
            for name, text in list(in_path.items())[-1:]:
                self._forget(resource_before(operation.path, name), name, text)
            return
        for name, text in in_path.items():
            self._keep(resource_before(operation.path, name), name, text)
        if operation.method in {"POST", "PUT", "PATCH"}:
            self._harvest_tree(without_frame(_json(request.body)), resource)
        self._harvest_tree(without_frame(response.json()), resource)
        page = page_of(response)
        if page is not None:
            for shown in ids_in(page, resource):
                self._keep(resource, "id", shown, last=True)
        location = response.made_at
        if operation.method == "POST" and not only_reads(operation):
            named = frozenset({resource})  # beside `ownerId`, `accountNumber` is an account's
            document, name = response.json(), f"{resource}_id"
            both = {identifier_in(document, name), identifier_in(document, name, about=named)}
            if both == {None} and location:
                both = {unquote(segments(location.split("?", 1)[0])[-1:][0])}
            known = {"None", *in_path.values(), *_picked(request)}
            self._made |= {(resource, str(each)) for each in both if str(each) not in known}
        made = response.status in {201, 202} or response.accepted is not None
        if operation.method in {"POST", "PUT"} and made and location:
            last = segments(location.split("?", 1)[0])[-1:]
            if last and identifier_in(response.json(), "id") is None:
                self._keep(resource, "id", unquote(last[0]))

    def add(self, resource: str, name: str, value: object) -> None:
        """Keeps one value: `add("orders", "id", 42)`."""
        self._keep(noun(resource) if resource else "", name, value)

    def find(
        self,
        name: str,
        *,
        path: str,
        schema: Schema | None = None,
        own: bool = True,
        any_id: bool = False,
        about: str = "",
    ) -> object | None:
        """The latest value for a parameter or property of that name in an operation on `path`;
        of ids the latest of something that was made.

        None when nothing fitting is known; a value that the schema's type excludes does not fit,
        but a number and its digits are taken for each other. `own=False` leaves out the values of
        what the operation itself is about: the `sku` in `POST /products` must be a new one.
        `any_id` takes the id of what a path parameter picks also where its name does not say that
        it is one: `GET /books/{bid}`. `about` is the thing that an input outside the path picks one
        of: the `id` in `GET /getInvoice`.
        """
        without = None if own else thing_in(path)
        for key in self._keys(name, path, about, any_id):
            if key[0] == without:
                continue
            values = self._values.get(key, ())
            for value in sorted(values, key=lambda each: not self.made(key[0], each)):
                fitting = as_type(value, types_of(schema or {}))
                if fitting is not None:
                    return fitting
        return None

    def made(self, resource: str, value: object) -> bool:
        """Whether a creation's answer named a thing of that kind by this id: it is no list's."""
        return (resource, str(value)) in self._made

    def made_of(self, thing: str) -> Iterator[object]:
        """The ids, or numbers, of the things of that kind that were made, the latest first."""
        yield from (each for each in self.ids_of(thing) if self.made(thing, each))

    def ids_of(self, thing: str) -> Iterator[object]:
        """The ids, or numbers, of the things of that kind that were made or seen."""
        for key in (*((thing, word) for word in _IDS), *self._only_key(thing)):
            yield from self._values.get(key, ())

    def holds(self, thing: str, value: str) -> bool:
        """Whether a thing of that kind was seen that this value picks, or another that points to
        it.
        """
        return any(
            value in map(str, values)
            for (about, name), values in self._values.items()
            if name == thing
            or (words(name)[-1] in KEY_WORDS and (about == thing or name.startswith(f"{thing}_")))
        )

    def knows(self, name: str) -> bool:
        """Whether a thing that the name points to was seen: an order for `order_id`."""
        *prefix, last = words(name)
        if not prefix:
            return False
        about = noun("_".join(prefix))
        return any((about, each) in self._values for each in (last, f"{about}_{last}"))

    def _keys(self, name: str, path: str, about: str, any_id: bool) -> Iterator[tuple[str, str]]:
        """Where to look, the most telling place first."""
        full, (*prefix, last) = canonical(name), words(name)
        in_path = full in {canonical(each) for each in parameters_in(path)}
        picked = about or (resource_before(path, name) if in_path else "")
        if picked:
            yield picked, full
            if last in ID_WORDS or full in {picked, f"{picked}_{last}"}:
                words_of_ids = (last, *_IDS, *(f"{picked}_{word}" for word in _IDS))
                yield from ((picked, word) for word in dict.fromkeys(words_of_ids))
                yield from self._only_key(picked)
        if prefix:
            named = noun("_".join(prefix))
            yield named, "id" if last in {"id", "ids"} else last
            yield named, f"{named}_{singular(last)}"
            if last in ID_WORDS:  # `to_account_id` and `parent_comment_id` are ids of the same
                yield from ((noun("_".join(prefix[at:])), last) for at in range(1, len(prefix)))
        if any_id and (above := resource_before(path, name)):
            yield from ((above, word) for word in _IDS)
            yield from self._only_key(above)
        if full not in ID_WORDS:  # last, as `{i}` may stand for anything elsewhere
            known = [key for key in self._values if key[1] == full]
            yield from sorted(known, key=lambda key: -self._order[key])

    def _only_key(self, resource: str) -> Iterator[tuple[str, str]]:
        """Where the things have no id, what else picks one of them: `number`, `slug`, `sku`."""
        if not any((resource, word) in self._values for word in _IDS):
            yield from (
                key for key in self._values if key[0] == resource and _is_key(resource, key[1])
            )

    def _harvest_tree(self, tree: Any, resource: str) -> None:
        """Values nearest to the root win, and among the items of a list the first."""
        pending: deque[tuple[Any, str, bool]] = deque([(tree, resource, False)])
        budget = _NODES
        while pending and budget > 0:
            node, about, listed = pending.popleft()
            budget -= 1
            if isinstance(node, list):
                pending.extend((item, about, True) for item in node[:_ITEMS])
            elif isinstance(node, Mapping):
                self._harvest_link(node, about, listed=listed)
                for key, part in node.items():
                    if key == "@id":  # JSON-LD's is an address
                        continue
                    if isinstance(part, list | Mapping):
                        inner = noun(key)
                        # {"class": ["order"], "properties": {"id": 7}}, as Siren has it
                        wraps = key == "properties" and isinstance(part, Mapping)
                        same = wraps or inner in _WRAPPERS
                        pending.append((part, about if same else inner, listed))
                    else:
                        budget -= 1
                        self._keep(about, key, part, last=listed)

    def _harvest_link(self, node: Mapping[str, Any], about: str, *, listed: bool) -> None:
        """The id in an object's own address, where the object says none itself."""
        if any(words(key)[-1] in ID_WORDS for key in node if key != "@id"):
            return
        link = own_link(node)
        parts = segments(link.split("?", 1)[0]) if link else ()
        if len(parts) > 1 and noun(parts[-2]) == about:
            self._keep(about, "id", unquote(parts[-1]), last=listed)

    def _keep(self, resource: str, name: str, value: object, *, last: bool = False) -> None:
        if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
            return
        if isinstance(value, str) and len(value) > _LONGEST:
            return
        *prefix, suffix = words(name)
        self._store((resource, canonical(name)), value, last=last)
        if prefix and suffix == "id":
            about = noun("_".join(prefix))
            self._store((about, "id"), value, last=last or about != resource)  # seen from afar

    def _store(self, key: tuple[str, str], value: object, *, last: bool) -> None:
        if key not in self._values and len(self._values) >= _NAMES:
            return
        values = self._values.setdefault(key, deque(maxlen=_PER_NAME))
        self._count += 1
        self._order[key] = self._count
        if last:
            if value not in values and len(values) < _PER_NAME:
                values.append(value)
            return
        if value in values:
            values.remove(value)
        values.appendleft(value)

    def _forget(self, resource: str, name: str, text: str) -> None:
        names = {canonical(name), "id", "uuid", *([words(name)[-1]])}
        for (about, known), values in self._values.items():
            points_to = known == f"{resource}_id" or (about == resource and known in names)
            for value in [each for each in values if points_to and str(each) == text]:
                values.remove(value)


def _is_key(resource: str, name: str) -> bool:
    """Whether a property may pick one of the things that have it; `order_id` of an item picks an
    order.
    """
    *prefix, last = words(name)
    elsewhere = prefix and last in ID_WORDS and noun("_".join(prefix)) != resource
    return last in KEY_WORDS and not elsewhere


def _picked(request: Request) -> Iterator[str]:
    """The ids by which a call names what is there: the answer to `POST /payOrder` repeats them.

    Not those in the body for a collection, `POST /orders`: whoever makes a thing may name it.
    """
    last = "".join(segments(request.operation_path)[-1:])
    sent = _json(request.body)
    if isinstance(sent, Mapping) and not is_plural(last):
        yield from (str(value) for name, value in sent.items() if words(name)[-1] in ID_WORDS)
    query = parse_qsl(request.path.partition("?")[2])
    yield from (value for name, value in query if words(name)[-1] in ID_WORDS)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body[:1] in {b"{", b"["} else None
    except (ValueError, RecursionError):
        return None


def as_type(value: object, types: tuple[str, ...]) -> object | None:
    """The value as one of the types, None when it is none; digits and numbers are exchangeable."""
    if not types or any(has_type(value, name) for name in types):
        return value
    if "string" in types:
        return str(value)
    if "integer" in types and isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    return None
