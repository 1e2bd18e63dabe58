"""Minimal, plausible values from schemas, the same for the same nonce. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from withstand.openapi.free_properties import free_properties
from withstand.openapi.naming import is_identifier, singular, words
from withstand.openapi.operation import Schema
from withstand.openapi.plausible_number import NoValueError
from withstand.openapi.plausible_text import Marks
from withstand.openapi.scalar_value import fitting_examples, invented, recognisable_text
from withstand.openapi.schema_choice import default_choice
from withstand.openapi.schema_facts import Facts, facts_of, null_last
from withstand.openapi.schema_fit import as_list, bound, fits, kinds_of
from withstand.openapi.schema_merge import LOST, NEVER, Resolve, Resolver, kept

Known = Callable[[str, Schema, int], object | None]
"""A value for a name, schema and depth that is better than an invented one; None without one."""
_MAX_DEPTH = 16
_MAX_VALUES = 2000


@dataclass(slots=True)
class _Place:
    """Where a value goes: under which name, with which examples, below which references."""

    name: str = ""
    hints: tuple[object, ...] = ()
    depth: int = 0
    ordinal: int = 0  # which of several values that must differ
    within: frozenset[str] = frozenset()


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
        self._memory: dict[int, tuple[Any, Facts]] = (
            resolve.kept["facts"] if isinstance(resolve, Resolver) else {}
        )

    def value(self, schema: object, *, name: str = "", hints: tuple[object, ...] = ()) -> Any:
        """A value for the schema. Raises `NoValueError`."""
        return self._value(schema, _Place(name=name, hints=hints))

    def _value(self, schema: object, place: _Place) -> Any:
        self._made += 1
        if place.depth > _MAX_DEPTH or self._made > _MAX_VALUES:
            raise NoValueError(f"{place.name!r} nests without end")
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if isinstance(reference, str):
            if reference in place.within:
                raise NoValueError(f"{reference} contains itself")
            place = _Place(
                place.name, place.hints, place.depth, place.ordinal, place.within | {reference}
            )
        facts = self._facts(schema)
        flat = facts.flat
        if flat == NEVER:
            raise NoValueError(f"no value is allowed for {place.name!r}")
        if LOST in flat:
            raise NoValueError(str(flat[LOST]))
        if place.name and not place.ordinal:
            known = self._known(place.name, flat, place.depth)
            if known is not None and fits(known, flat, self._resolve):
                return known
        if "const" in flat:
            return flat["const"]
        hints = (*place.hints, *facts.examples) if place.hints else facts.examples
        place = _Place(place.name, hints, place.depth + 1, place.ordinal, place.within)
        return self._chosen(flat, place) if facts.has_options else self._plain(facts, place)

    def _facts(self, schema: object) -> Facts:
        known = self._memory.get(id(schema))
        if known is not None and known[0] is schema:
            return known[1]
        return kept("facts", schema, self._resolve, lambda: facts_of(schema, self._resolve))

    def _chosen(self, flat: Schema, place: _Place) -> Any:
        """The first alternative for which a value is found that the whole schema allows."""
        second_best: list[Any] = []
        for value in self._alternatives(flat, place):
            if fits(value, flat, self._resolve):
                return value
            second_best.append(value)
        if self._full and second_best:  # what is optional may belong to several alternatives
            self._full = False
            try:
                for value in self._alternatives(flat, place):
                    if fits(value, flat, self._resolve):
                        return value
            finally:
                self._full = True
        if not second_best:
            raise NoValueError(f"no alternative of {place.name!r} has a value")
        return second_best[0]

    def _alternatives(self, flat: Schema, place: _Place) -> Iterator[Any]:
        for reference, option in default_choice(flat, self._resolve):
            if reference is not None and reference in place.within:
                continue
            within = place.within | {reference} if reference else place.within
            inner = _Place(place.name, place.hints, place.depth, place.ordinal, within)
            try:
                value = self._value(option, inner)
            except NoValueError:
                continue
            yield value

    def _plain(self, facts: Facts, place: _Place) -> Any:
        flat, kinds = facts.flat, facts.kinds
        last: NoValueError | None = None
        for kind in null_last(kinds_of(flat, place.hints)) if kinds is None else kinds:
            try:
                if kind == "object":
                    return self._object(facts, place)
                if kind == "array":
                    return self._array(flat, place)
                return self._scalar(facts, kind, place)
            except NoValueError as error:
                last = error
        raise last or NoValueError(f"no value is allowed for {place.name!r}")

    def _object(self, facts: Facts, place: _Place) -> dict[str, Any]:
        flat = facts.flat
        hints = tuple(hint for hint in place.hints if isinstance(hint, Mapping))
        if not flat.get("properties") and hints and fits(hints[0], flat, self._resolve):
            return dict(hints[0])
        found: dict[str, Any] = {}
        for name, schema, is_required in facts.properties:
            if not (is_required or self._full):
                continue
            own = tuple(hint[name] for hint in hints if hint.get(name) is not None) if hints else ()
            inner = _Place(name, own, place.depth, 0, place.within)
            if not self._is_sent(schema, inner, is_required=is_required):
                continue
            try:
                found[name] = self._value(schema, inner)
            except NoValueError:
                if is_required:
                    raise
        if facts.is_open:
            self._add_dependent(found, flat, place)
            self._fill_up(found, flat, place)
        return self._by_condition(found, flat, place) if "if" in flat else found

    def _add_dependent(self, found: dict[str, Any], flat: Schema, place: _Place) -> None:
        """What must be there because something else is: `dependentRequired`, `dependencies`."""
        declared = flat.get("properties")
        declared = declared if isinstance(declared, Mapping) else {}
        for keyword in ("dependentRequired", "dependencies"):
            dependent = flat.get(keyword)
            for name, wanted in dependent.items() if isinstance(dependent, Mapping) else ():
                for other in as_list(wanted) if name in found else ():
                    if other not in found:
                        inner = _Place(other, (), place.depth, 0, place.within)
                        found[other] = self._value(declared.get(other, True), inner)

    def _by_condition(self, found: dict[str, Any], flat: Schema, place: _Place) -> dict[str, Any]:
        """The object once more as `then` or `else` wants it, where it is not so already."""
        branch = flat.get("then" if fits(found, flat["if"], self._resolve) else "else")
        if not isinstance(branch, Mapping) or fits(found, branch, self._resolve):
            return found
        plain = {key: part for key, part in flat.items() if key not in {"if", "then", "else"}}
        return self._object(facts_of({"allOf": [plain, branch]}, self._resolve), place)

    def _is_sent(self, schema: object, place: _Place, *, is_required: bool) -> bool:
        """Never what is read-only; what is optional not when it would refer to an invented id."""
        facts = self._facts(schema)
        if facts.is_read_only or is_required:
            return not facts.is_read_only
        if not self._full or facts.is_deprecated:
            return False
        return (
            not is_identifier(place.name)
            or bool(place.hints or facts.examples or facts.is_given)
            or self._known(place.name, facts.flat, place.depth) is not None
        )

    def _fill_up(self, found: dict[str, Any], flat: Schema, place: _Place) -> None:
        """As many properties as `minProperties` wants; a pure map gets one, to be of use."""
        least = bound(flat, "minProperties") or 0
        most = bound(flat, "maxProperties")
        declared, others = flat.get("properties"), flat.get("additionalProperties", True)
        declared = declared if isinstance(declared, Mapping) else {}
        if not declared and self._full and isinstance(others, Mapping):
            least = max(least, 1)
        if len(found) < least:
            self._add_properties(found, flat, declared, least, place)
        if most is not None and len(found) > most:
            required = as_list(flat.get("required"))
            for name in [name for name in reversed(found) if name not in required]:
                if len(found) > most:
                    del found[name]

    def _add_properties(
        self,
        found: dict[str, Any],
        flat: Schema,
        declared: Mapping[str, Any],
        least: int,
        place: _Place,
    ) -> None:
        for name, schema in declared.items():
            if len(found) < least and name not in found and not self._facts(schema).is_read_only:
                found[name] = self._value(schema, _Place(name, (), place.depth, 0, place.within))
        for key, schema in free_properties(flat, self._marks.seed):
            if len(found) < least and key not in found:
                found[key] = self._value(schema, _Place(key, (), place.depth, 0, place.within))

    def _array(self, flat: Schema, place: _Place) -> list[Any]:
        least, most = bound(flat, "minItems") or 0, bound(flat, "maxItems")
        hints = tuple(hint for hint in place.hints if isinstance(hint, list))
        first = as_list(flat.get("prefixItems"))
        rest = flat.get("items", True)
        wished = max(least, len(first), 1)
        count = wished if most is None else min(wished, most)
        differs = flat.get("uniqueItems") is True
        found: list[Any] = []
        name = "_".join((*words(place.name)[:-1], singular(words(place.name)[-1])))
        for at in range(min(count, _MAX_VALUES)):
            schema = first[at] if at < len(first) else rest
            own = tuple(hint[at] for hint in hints if at < len(hint))
            item = _Place(name, own, place.depth, place.ordinal + at, place.within)
            try:
                found.append(self._item(schema, item, differs=differs))
            except NoValueError:
                if at < least:
                    raise
                break
        if differs:
            found = [value for at, value in enumerate(found) if value not in found[:at]]
        if len(found) < least:
            raise NoValueError(f"{place.name!r} wants more values that differ than there are")
        return found

    def _item(self, schema: Any, place: _Place, *, differs: bool) -> Any:
        """The next value of an array; one that it holds already where there are no more."""
        try:
            return self._value(schema, place)
        except NoValueError:
            if differs or not place.ordinal:
                raise
            return self._value(schema, replace(place, ordinal=0))

    def _scalar(self, facts: Facts, kind: str, place: _Place) -> Any:
        def fitting() -> list[Any]:
            return fitting_examples(facts.flat, kind, place.hints, self._resolve)

        common = place.hints is facts.examples  # the same for every request
        examples = kept(kind, facts, self._resolve, fitting) if common else fitting()
        allowed = "enum" in facts.flat
        if kind == "string" and not allowed and self._recognisable and not place.ordinal:
            marked = recognisable_text(place.name, facts.flat, examples, self._marks, self._resolve)
            if marked is not None:
                return marked
        if place.ordinal < len(examples):
            return examples[place.ordinal]
        if allowed:
            raise NoValueError(f"no value is allowed for {place.name!r}")
        return invented(kind, place.name, facts.flat, self._marks, ordinal=place.ordinal)
