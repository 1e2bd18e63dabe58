"""Values that an API gave out, kept to be sent back: the ids of what was made or listed. Pure."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from types import MappingProxyType

from withstand.client.exchange import Request, Response
from withstand.openapi.harvest import made_by, seen_in
from withstand.openapi.naming import (
    ID_WORDS,
    KEY_WORDS,
    PLAIN_IDS,
    canonical,
    is_key_of,
    noun,
    singular,
    words,
)
from withstand.openapi.operation import Operation, Schema
from withstand.openapi.path_template import parameters_in, resource_before, shape, values_in
from withstand.openapi.places import Place, Places, path_before
from withstand.openapi.schema_fit import has_type
from withstand.openapi.schema_merge import types_of
from withstand.openapi.spoken import thing_in

_PER_NAME = 32
_NAMES = 4000
_LONGEST = 200
_NOTHING_CHOSEN: Mapping[str, object] = MappingProxyType({})


class ValuePool:
    """What one identity learned from the responses to its own requests. Mutable, bounded."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], deque[object]] = {}
        self._order: dict[tuple[str, str], int] = {}
        self._count = 0
        self._made: dict[tuple[str, str], set[Place]] = {}
        self._places = Places()

    def harvest(self, operation: Operation, request: Request, response: Response) -> None:
        """Keeps the ids and named values of a successful response. Never raises.

        What lists show comes behind what the identity made or read by itself. After a DELETE the
        deleted thing's id is forgotten.
        """
        if not response.succeeded:
            return
        if operation.removes:
            for name, text in list(values_in(operation.path, request.path).items())[-1:]:
                self._forget(resource_before(operation.path, name), name, text)
            return
        for each in seen_in(operation, request, response):
            self._keep(each.thing, each.name, each.value, last=each.listed, place=each.place)
        for each in made_by(operation, request, response):
            made_in = self._made.setdefault((each.thing, str(each.value)), set())
            made_in.add(each.place)

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
        chosen: Mapping[str, object] = _NOTHING_CHOSEN,
    ) -> object | None:
        """The latest value for a parameter or property of that name in an operation on `path`;
        of ids the latest of something that was made.

        None when nothing fitting is known; a value that the schema's type excludes does not fit,
        but a number and its digits are taken for each other. `own=False` leaves out the values of
        what the operation itself is about: the `sku` in `POST /products` must be a new one.
        `any_id` takes the id of what a path parameter picks also where its name does not say that
        it is one: `GET /books/{bid}`. `about` is the thing that an input outside the path picks one
        of: the `id` in `GET /getInvoice`.

        What was seen in the very place comes first, `/teams/7/members`; `chosen` are the ids that
        the rest of the path has already, by name.
        """
        without = None if own else thing_in(path)
        types = types_of(schema or {})
        keys = (key for key in self._keys(name, path, about, any_id) if key[0] != without)
        known: Iterator[tuple[str, object]] = (
            (key[0], value) for key in keys for value in self._made_first(key)
        )
        if parameters_in(path_before(path, name)):
            seen = [*known]
            known = chain(self._in_place(seen, path, name, chosen), seen)
        fitting = (as_type(value, types) for _, value in known)
        return next((value for value in fitting if value is not None), None)

    def around(
        self, name: str, value: object, path: str, chosen: Mapping[str, object] = _NOTHING_CHOSEN
    ) -> Mapping[str, str]:
        """What a thing is in, by the names of a path: `{"id": "7"}` for the member that `n` picks
        in `/teams/{id}/members/{n}`. Nothing where it was not seen there.
        """
        thing = resource_before(path, name)
        return self._places.around(thing, value, path, name, chosen) or {}

    def made(self, resource: str, value: object, place: Place = ()) -> bool:
        """Whether a creation's answer named a thing of that kind by this id: it is no list's.

        Of two that were made in other things, `place` tells which: another team may have a member
        with the same number.
        """
        made_in = self._made.get((resource, str(value)))
        if made_in is None:
            return False
        return len(place) < 2 or place in made_in or all(len(each) < 2 for each in made_in)

    def made_of(self, thing: str) -> Iterator[object]:
        """The ids, or numbers, of the things of that kind that were made, the latest first."""
        yield from (each for each in self.ids_of(thing) if self.made(thing, each))

    def ids_of(self, thing: str) -> Iterator[object]:
        """The ids, or numbers, of the things of that kind that were made or seen."""
        for key in (*((thing, word) for word in PLAIN_IDS), *self._only_key(thing)):
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

    def _made_first(self, key: tuple[str, str]) -> list[object]:
        return sorted(self._values.get(key, ()), key=lambda each: not self.made(key[0], each))

    def _in_place(
        self,
        seen: Iterable[tuple[str, object]],
        path: str,
        name: str,
        chosen: Mapping[str, object],
    ) -> Iterator[tuple[str, object]]:
        """Those that were seen where a parameter of a path picks one, what was made there first."""
        before = shape(path_before(path, name))
        found: list[tuple[bool, str, object]] = []
        for thing, value in seen:
            around = self._places.around(thing, value, path, name, chosen)
            if around is not None:
                place = before, *around.values()
                found.append((not self.made(thing, value, place), thing, value))
        yield from ((thing, value) for _, thing, value in sorted(found, key=itemgetter(0)))

    def _keys(self, name: str, path: str, about: str, any_id: bool) -> Iterator[tuple[str, str]]:
        """Where to look, the most telling place first."""
        full, (*prefix, last) = canonical(name), words(name)
        in_path = full in {canonical(each) for each in parameters_in(path)}
        picked = about or (resource_before(path, name) if in_path else "")
        if picked:
            yield picked, full
            if last in ID_WORDS or full in {picked, f"{picked}_{last}"}:
                words_of_ids = (last, *PLAIN_IDS, *(f"{picked}_{word}" for word in PLAIN_IDS))
                yield from ((picked, word) for word in dict.fromkeys(words_of_ids))
                yield from self._only_key(picked)
        if prefix:
            named = noun("_".join(prefix))
            yield named, "id" if last in {"id", "ids"} else last
            yield named, f"{named}_{singular(last)}"
            if last in ID_WORDS:  # `to_account_id` and `parent_comment_id` are ids of the same
                yield from ((noun("_".join(prefix[at:])), last) for at in range(1, len(prefix)))
        if any_id and (above := resource_before(path, name)):
            yield from ((above, word) for word in PLAIN_IDS)
            yield from self._only_key(above)
        if full not in ID_WORDS:  # last, as `{i}` may stand for anything elsewhere
            known = [key for key in self._values if key[1] == full]
            yield from sorted(known, key=lambda key: -self._order[key])

    def _only_key(self, resource: str) -> Iterator[tuple[str, str]]:
        """Where the things have no id, what else picks one of them: `number`, `slug`, `sku`."""
        if not any((resource, word) in self._values for word in PLAIN_IDS):
            yield from (
                key for key in self._values if key[0] == resource and is_key_of(resource, key[1])
            )

    def _keep(
        self, resource: str, name: str, value: object, *, last: bool = False, place: Place = ()
    ) -> None:
        if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
            return
        if isinstance(value, str) and len(value) > _LONGEST:
            return
        *prefix, suffix = words(name)
        self._store((resource, canonical(name)), value, last=last)
        self._places.put(resource, value, place)
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


def as_type(value: object, types: tuple[str, ...]) -> object | None:
    """The value as one of the types, None when it is none; digits and numbers are exchangeable."""
    if not types or any(has_type(value, name) for name in types):
        return value
    if "string" in types:
        return str(value)
    if "integer" in types and isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    return None
