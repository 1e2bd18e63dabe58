"""One position in the values of a schema: what the document alone says about it. Pure.

A plan of all values of a schema: whoever makes one walks from position to position and decides
only what another request may decide otherwise. Each is worked out once, when it is first reached.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from withstand.openapi.naming import is_identifier, singular, words
from withstand.openapi.scalar_value import Scalar, scalar_of
from withstand.openapi.schema_choice import default_choice
from withstand.openapi.schema_facts import facts_of, null_last
from withstand.openapi.schema_fit import as_list, bound, fits, kinds_of
from withstand.openapi.schema_merge import LOST, NEVER, Resolve, kept

MOST_VALUES = 2000
"""Values in one request: what needs more nests without end, or wants more than an API reads."""
_MAX_DEPTH = 16
_MOST_FREE = 100
"""Free properties of a position that are kept: their names may be others in each request."""
_EXAMPLES = frozenset({"example", "examples", "default"})
_CONDITION = frozenset({"if", "then", "else"})


class Position:
    """Where a value goes: by which schema, under which name, below which references.

    `hints` are values that the document shows for it, the best first. `ordinal` says which of
    several values that must differ stands here, `turn` which of the hints is for it; `problem` why
    no value ever stands here.
    """

    def __init__(
        self,
        schema: object,
        resolve: Resolve,
        *,
        name: str = "",
        hints: tuple[object, ...] = (),
        depth: int = 0,
        ordinal: int = 0,
        turn: int = 0,
        within: frozenset[str] = frozenset(),
        is_required: bool = True,
    ) -> None:
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        reference = reference if isinstance(reference, str) else None
        facts = kept("facts", schema, resolve, lambda: facts_of(schema, resolve))
        self._schema, self._resolve = schema, resolve
        self._own_hints, self._outside = hints, within
        self.facts, self.flat = facts, facts.flat
        self.name, self.depth, self.ordinal, self.turn = name, depth, ordinal, turn
        self.within = within | {reference} if reference else within
        self.is_required = is_required
        self.hints = (*hints, *facts.examples) if hints else facts.examples
        self.problem = ""
        if depth > _MAX_DEPTH:
            self.problem = f"{name!r} nests without end"
        elif reference in within:
            self.problem = f"{reference} contains itself"
        elif facts.flat == NEVER:
            self.problem = f"no value is allowed for {name!r}"
        elif LOST in facts.flat:
            self.problem = str(facts.flat[LOST])

    @cached_property
    def is_bare_id(self) -> bool:
        """Whether it is an id of which the document shows no value."""
        return is_identifier(self.name) and not self.hints and not self.facts.is_given

    @cached_property
    def alternatives(self) -> tuple["Position", ...]:
        """A position for each of the options that the schema leaves open."""
        return tuple(
            self._below(
                option,
                self.name,
                self.hints,
                ordinal=self.ordinal,
                turn=self.turn,
                within=self.within | {reference} if reference else self.within,
            )
            for reference, option in default_choice(self.flat, self._resolve)
            if reference is None or reference not in self.within
        )

    @cached_property
    def kinds(self) -> tuple[tuple[str, Scalar | None], ...]:
        """The types of the value, null last; with those that hold no others, how they are made."""
        kinds = self.facts.kinds or null_last(kinds_of(self.flat, self.hints))
        return tuple((kind, self._scalar(kind)) for kind in kinds)

    def _scalar(self, kind: str) -> Scalar | None:
        if kind in {"object", "array"}:
            return None
        return scalar_of(
            kind,
            self.name,
            self.flat,
            self.hints,
            self._resolve,
            ordinal=self.ordinal,
            turn=self.turn,
        )

    @cached_property
    def example(self) -> Mapping[str, Any] | None:
        """The example that stands for an object of which the schema says no more."""
        shown = self._shown_objects
        is_whole = shown and not self.flat.get("properties")
        return shown[0] if is_whole and fits(shown[0], self.flat, self._resolve) else None

    @cached_property
    def properties(self) -> tuple["Position", ...]:
        """Those that are declared and those that are required, without what is read-only."""
        found = []
        for name, schema, is_required in self.facts.properties:
            own = tuple(hint[name] for hint in self._shown_objects if hint.get(name) is not None)
            position = self._below(schema, name, own, is_required=is_required)
            if not position.facts.is_read_only:
                found.append(position)
        return tuple(found)

    @cached_property
    def dependents(self) -> tuple[tuple[str, "Position"], ...]:
        """What must be there because something else is: `dependentRequired`, `dependencies`."""
        declared = self.flat.get("properties")
        declared = declared if isinstance(declared, Mapping) else {}
        return tuple(
            (name, self._below(declared.get(other, True), other))
            for keyword in ("dependentRequired", "dependencies")
            if isinstance(dependent := self.flat.get(keyword), Mapping)
            for name, wanted in dependent.items()
            for other in as_list(wanted)
        )

    def free(self, name: str, schema: object) -> "Position":
        """The position of a property that the schema does not name."""
        found = self._free.get(name) or self._below(schema, name)
        if len(self._free) < _MOST_FREE:
            self._free[name] = found
        return found

    @cached_property
    def branches(self) -> dict[str, "Position"]:
        """The object as `then` and `else` want it, where these say something."""
        plain = {k: part for k, part in self.flat.items() if k not in _CONDITION | _EXAMPLES}
        return {
            key: self._again({"allOf": [plain, branch]}, self.hints, self.within)
            for key in ("then", "else")
            if isinstance(branch := self.flat.get(key), Mapping)
        }

    @cached_property
    def items(self) -> tuple["Position", ...]:
        """The items of an array: as many as it must have, and one where it may be empty."""
        least, most = bound(self.flat, "minItems") or 0, bound(self.flat, "maxItems")
        first = as_list(self.flat.get("prefixItems"))
        wished = max(least, len(first), 1)
        count = wished if most is None else min(wished, most)
        return tuple(
            self._item(at, first[at] if at < len(first) else self.flat.get("items", True))
            for at in range(min(count, MOST_VALUES))
        )

    def _item(self, at: int, schema: object) -> "Position":
        *before, last = words(self.name)
        lists = [hint for hint in self.hints if isinstance(hint, list)]
        own = tuple(hint[at] for hint in lists if at < len(hint))
        ordinal = self.ordinal + at
        is_shown = own and fits(own[0], schema, self._resolve)
        return self._below(
            schema,
            "_".join((*before, singular(last))),
            own,
            ordinal=ordinal,
            turn=0 if is_shown else ordinal,
        )

    @cached_property
    def repeated(self) -> "Position":
        """The same for a value that may stand elsewhere as well."""
        return self._again(self._schema, self._own_hints, self._outside)

    @cached_property
    def _shown_objects(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(hint for hint in self.hints if isinstance(hint, Mapping))

    @cached_property
    def _free(self) -> dict[str, "Position"]:
        return {}

    def _below(
        self,
        schema: object,
        name: str,
        hints: tuple[object, ...] = (),
        *,
        ordinal: int = 0,
        turn: int = 0,
        within: frozenset[str] | None = None,
        is_required: bool = True,
    ) -> "Position":
        return Position(
            schema,
            self._resolve,
            name=name,
            hints=hints,
            depth=self.depth + 1,
            ordinal=ordinal,
            turn=turn,
            within=self.within if within is None else within,
            is_required=is_required,
        )

    def _again(
        self, schema: object, hints: tuple[object, ...], within: frozenset[str]
    ) -> "Position":
        return Position(
            schema, self._resolve, name=self.name, hints=hints, depth=self.depth, within=within
        )
