"""Minimal, plausible values from schemas, the same for the same nonce. Pure."""

from collections.abc import Callable, Iterator
from typing import Any

from withstand.openapi.free_properties import free_properties
from withstand.openapi.operation import Schema
from withstand.openapi.plausible_number import NoValueError
from withstand.openapi.plausible_text import Marks
from withstand.openapi.scalar_value import Scalar
from withstand.openapi.schema_fit import as_list, bound, fits
from withstand.openapi.schema_merge import Resolve, kept
from withstand.openapi.value_place import MOST_VALUES, Place

Known = Callable[[str, Schema, int], object | None]
"""A value for a name, schema and depth that is better than an invented one; None without one."""


class ExampleValues:
    """The values of one request, which share one nonce.

    `full` gives objects every optional property, except references that nothing is known for;
    otherwise they have required ones only. In a
    request body (`recognisable`) free text and what must be unique carry the nonce even where the
    document has an example.
    """

    def __init__(
        self,
        resolve: Resolve,
        marks: Marks,
        *,
        full: bool = True,
        recognisable: bool = True,
        known: Known = lambda _name, _schema, _depth: None,
    ) -> None:
        self._resolve = resolve
        self._marks = marks
        self._full = full
        self._recognisable = recognisable
        self._known = known
        self._made = 0

    def value(self, schema: object, *, name: str = "", hints: tuple[object, ...] = ()) -> Any:
        """A value for the schema. Raises `NoValueError`."""
        places: dict[object, Place] = kept("places", schema, self._resolve, dict)
        key = (name, *map(id, hints))  # a place keeps its hints, so no other has their id
        place = places.get(key)
        if place is None:
            place = places[key] = Place(schema, self._resolve, name=name, hints=hints)
        return self._value(place)

    def _value(self, place: Place) -> Any:
        self._made += 1
        if self._made > MOST_VALUES:
            raise NoValueError(f"{place.name!r} nests without end")
        if place.problem:
            raise NoValueError(place.problem)
        flat = place.flat
        if place.name and not place.ordinal:
            known = self._known(place.name, flat, place.depth)
            if known is not None and fits(known, flat, self._resolve):
                return known
        if "const" in flat:
            return flat["const"]
        return self._chosen(place) if place.facts.has_options else self._plain(place)

    def _chosen(self, place: Place) -> Any:
        """The first alternative for which a value is found that the whole schema allows."""
        second_best: list[Any] = []
        for value in self._alternatives(place):
            if fits(value, place.flat, self._resolve):
                return value
            second_best.append(value)
        if self._full and second_best:  # what is optional may belong to several alternatives
            self._full = False
            try:
                for value in self._alternatives(place):
                    if fits(value, place.flat, self._resolve):
                        return value
            finally:
                self._full = True
        if not second_best:
            raise NoValueError(f"no alternative of {place.name!r} has a value")
        return second_best[0]

    def _alternatives(self, place: Place) -> Iterator[Any]:
        for option in place.alternatives:
            try:
                value = self._value(option)
            except NoValueError:
                continue
            yield value

    def _plain(self, place: Place) -> Any:
        last: NoValueError | None = None
        for kind, scalar in place.kinds:
            try:
                if scalar is not None:
                    return self._scalar(scalar)
                return self._object(place) if kind == "object" else self._array(place)
            except NoValueError as error:
                last = error
        raise last or NoValueError(f"no value is allowed for {place.name!r}")

    def _scalar(self, scalar: Scalar) -> Any:
        marked = scalar.marked(self._marks) if scalar.marked and self._recognisable else None
        return scalar.plain(self._marks) if marked is None else marked

    def _object(self, place: Place) -> dict[str, Any]:
        if place.example is not None:
            return dict(place.example)
        found: dict[str, Any] = {}
        for inner in place.properties:
            if not (inner.is_required or self._is_wanted(inner)):
                continue
            try:
                found[inner.name] = self._value(inner)
            except NoValueError:
                if inner.is_required:
                    raise
        if place.facts.is_open:
            self._add_dependent(found, place)
            self._fill_up(found, place)
        return self._by_condition(found, place) if "if" in place.flat else found

    def _is_wanted(self, place: Place) -> bool:
        """Whether it is sent where it is optional: not when it would refer to an invented id."""
        if not self._full or place.facts.is_deprecated:
            return False
        return not place.is_bare_id or self._known(place.name, place.flat, place.depth) is not None

    def _add_dependent(self, found: dict[str, Any], place: Place) -> None:
        for name, other in place.dependents:
            if name in found and other.name not in found:
                found[other.name] = self._value(other)

    def _by_condition(self, found: dict[str, Any], place: Place) -> dict[str, Any]:
        """The object once more as `then` or `else` wants it, where it is not so already."""
        flat = place.flat
        key = "then" if fits(found, flat["if"], self._resolve) else "else"
        if key not in place.branches or fits(found, flat[key], self._resolve):
            return found
        return self._object(place.branches[key])

    def _fill_up(self, found: dict[str, Any], place: Place) -> None:
        """As many properties as `minProperties` wants; a pure map gets one, to be of use."""
        flat = place.flat
        least, most = bound(flat, "minProperties") or 0, bound(flat, "maxProperties")
        if self._full and place.facts.is_map:
            least = max(least, 1)
        if len(found) < least:
            self._add_properties(found, least, place)
        if most is not None and len(found) > most:
            required = as_list(flat.get("required"))
            for name in [name for name in reversed(found) if name not in required]:
                if len(found) > most:
                    del found[name]

    def _add_properties(self, found: dict[str, Any], least: int, place: Place) -> None:
        for inner in place.properties:
            if len(found) < least and inner.name not in found:
                found[inner.name] = self._value(inner)
        for key, schema in free_properties(place.flat, self._marks):
            if len(found) >= least:
                return
            if key not in found:
                found[key] = self._value(place.free(key, schema))

    def _array(self, place: Place) -> list[Any]:
        least = bound(place.flat, "minItems") or 0
        differs = place.flat.get("uniqueItems") is True
        found: list[Any] = []
        for at, item in enumerate(place.items):
            try:
                found.append(self._item(item, differs=differs))
            except NoValueError:
                if at < least:
                    raise
                break
        if differs:
            found = [value for at, value in enumerate(found) if value not in found[:at]]
        if len(found) < least:
            raise NoValueError(f"{place.name!r} wants more values that differ than there are")
        return found

    def _item(self, place: Place, *, differs: bool) -> Any:
        """The next value of an array; one that it holds already where there are no more."""
        try:
            return self._value(place)
        except NoValueError:
            if differs or not place.ordinal:
                raise
            return self._value(place.repeated)
