"""Minimal, plausible values from schemas, the same for the same nonce. Pure."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from withstand.openapi.free_properties import free_properties
from withstand.openapi.operation import Schema
from withstand.openapi.plausible_number import NoValueError
from withstand.openapi.plausible_text import Marks
from withstand.openapi.scalar_value import Scalar
from withstand.openapi.schema_fit import as_list, bound, fits
from withstand.openapi.schema_merge import Resolve, kept
from withstand.openapi.value_position import MOST_VALUES, Position

Known = Callable[[str, Schema, int], object | None]
"""A value for a name, schema and depth that is better than an invented one; None without one."""


class ExampleValues:
    """The values of one request, which share one nonce.

    `full` gives objects every optional property, except references that nothing is known for;
    otherwise they have required ones only. In a request body (`recognisable`) free text and what
    must be unique carry the nonce even where the document has an example.
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
        positions: dict[object, Position] = kept("positions", schema, self._resolve, dict)
        key = (name, *map(id, hints))  # a position keeps its hints, so no other has their id
        position = positions.get(key)
        if position is None:
            position = positions[key] = Position(schema, self._resolve, name=name, hints=hints)
        return self._value(position)

    def _value(self, position: Position) -> Any:
        self._made += 1
        if self._made > MOST_VALUES:
            raise NoValueError(f"{position.name!r} nests without end")
        if position.problem:
            raise NoValueError(position.problem)
        flat = position.flat
        if position.name and not position.ordinal:
            known = self._known(position.name, flat, position.depth)
            if known is not None and fits(known, flat, self._resolve):
                return known
        if "const" in flat:
            return flat["const"]
        return self._chosen(position) if position.facts.has_options else self._plain(position)

    def _chosen(self, position: Position) -> Any:
        """The first alternative for which a value is found that the whole schema allows."""
        second_best: list[Any] = []
        for value in self._alternatives(position):
            if fits(value, position.flat, self._resolve):
                return value
            second_best.append(value)
        if self._full and second_best:  # what is optional may belong to several alternatives
            self._full = False
            try:
                for value in self._alternatives(position):
                    if fits(value, position.flat, self._resolve):
                        return value
            finally:
                self._full = True
        if not second_best:
            raise NoValueError(f"no alternative of {position.name!r} has a value")
        return second_best[0]

    def _alternatives(self, position: Position) -> Iterator[Any]:
        for option in position.alternatives:
            try:
                value = self._value(option)
            except NoValueError:
                continue
            yield value

    def _plain(self, position: Position) -> Any:
        last: NoValueError | None = None
        for kind, scalar in position.kinds:
            try:
                if scalar is not None:
                    return self._scalar(scalar)
                return self._object(position) if kind == "object" else self._array(position)
            except NoValueError as error:
                last = error
        raise last or NoValueError(f"no value is allowed for {position.name!r}")

    def _scalar(self, scalar: Scalar) -> Any:
        marked = scalar.marked(self._marks) if scalar.marked and self._recognisable else None
        return scalar.plain(self._marks) if marked is None else marked

    def _object(self, position: Position) -> dict[str, Any]:
        if position.example is not None:
            return dict(position.example)
        found: dict[str, Any] = {}
        for inner in position.properties:
            if not (inner.is_required or self._is_wanted(inner)):
                continue
            try:
                found[inner.name] = self._value(inner)
            except NoValueError:
                if inner.is_required:
                    raise
        if position.facts.is_open:
            self._add_dependent(found, position)
            self._fill_up(found, position)
        return self._by_condition(found, position) if "if" in position.flat else found

    def _is_wanted(self, position: Position) -> bool:
        """Whether it is sent where it is optional: not when it would refer to an invented id."""
        if not self._full or position.facts.is_deprecated:
            return False
        return (
            not position.is_bare_id
            or self._known(position.name, position.flat, position.depth) is not None
        )

    def _add_dependent(self, found: dict[str, Any], position: Position) -> None:
        for name, other in position.dependents:
            if name in found and other.name not in found:
                found[other.name] = self._value(other)

    def _by_condition(self, found: dict[str, Any], position: Position) -> dict[str, Any]:
        """The object once more as `then` or `else` wants it, where it is not so already."""
        flat = position.flat
        key = "then" if fits(found, flat["if"], self._resolve) else "else"
        if key not in position.branches or fits(found, flat[key], self._resolve):
            return found
        return self._object(position.branches[key])

    def _fill_up(self, found: dict[str, Any], position: Position) -> None:
        """As many properties as `minProperties` wants; a pure map gets one, to be of use."""
        flat = position.flat
        least, most = bound(flat, "minProperties") or 0, bound(flat, "maxProperties")
        if len(found) < least:
            self._add_properties(found, least, position)
        elif not found and self._full and position.facts.is_map:
            with suppress(NoValueError):  # it may be a map of such maps
                self._add_properties(found, 1, position)
        if most is not None and len(found) > most:
            required = as_list(flat.get("required"))
            for name in [name for name in reversed(found) if name not in required]:
                if len(found) > most:
                    del found[name]

    def _add_properties(self, found: dict[str, Any], least: int, position: Position) -> None:
        for inner in position.properties:
            if len(found) < least and inner.name not in found:
                found[inner.name] = self._value(inner)
        for key, schema in free_properties(position.flat, self._marks):
            if len(found) >= least:
                return
            if key not in found:
                found[key] = self._value(position.free(key, schema))

    def _array(self, position: Position) -> list[Any]:
        least = bound(position.flat, "minItems") or 0
        differs = position.flat.get("uniqueItems") is True
        found: list[Any] = []
        for at, item in enumerate(position.items):
            try:
                found.append(self._item(item, differs=differs))
            except NoValueError:
                if at < least:
                    raise
                break
        if differs:
            found = [value for at, value in enumerate(found) if value not in found[:at]]
        if len(found) < least:
            raise NoValueError(f"{position.name!r} wants more values that differ than there are")
        return found

    def _item(self, position: Position, *, differs: bool) -> Any:
        """The next value of an array; one that it holds already where there are no more."""
        try:
            return self._value(position)
        except NoValueError:
            if differs or not position.ordinal:
                raise
            return self._value(position.repeated)
