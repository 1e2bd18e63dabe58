"""The scalar inputs of an operation: where a check may put a value of its own. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from withstand.openapi.body_pointer import pointer_of
from withstand.openapi.operation import Parameter, Schema
from withstand.openapi.schema_choice import default_choice, options_of
from withstand.openapi.schema_fit import kinds_of
from withstand.openapi.schema_merge import NEVER, Resolve, flattened

BODY_DEPTH = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One scalar input of an operation.

    In a body, `name` is a dotted pointer: `address.city`, `items.0`; a parameter that is an array
    or an object has one slot for each part: `tags.0`, `filter.status`. `schema` is without
    references at its top.
    """

    location: Literal["path", "query", "header", "cookie", "body"]
    name: str
    schema: Schema = field(default_factory=dict, compare=False, repr=False)

    @property
    def kinds(self) -> frozenset[str]:
        """The types of what may be sent here, whether or not it may be null as well."""
        return frozenset(kinds_of(self.schema)) - {"null"}

    @property
    def is_text(self) -> bool:
        """Whether any text may be sent here: string-typed and no enumeration."""
        return "string" in self.kinds and not self.schema.keys() & {"enum", "const"}


def parameter_slots(parameter: Parameter, resolve: Resolve) -> Iterator[Slot]:
    """The scalars that one parameter takes."""
    for parts, schema in _scalars(parameter.schema, resolve, 2):
        name = ".".join((parameter.name, *parts))
        yield Slot(location=parameter.location, name=name, schema=schema)


def body_slots(schema: Schema, resolve: Resolve) -> Iterator[Slot]:
    """The scalars of a body down to three levels."""
    for parts, scalar in _scalars(schema, resolve, BODY_DEPTH + 1):
        yield Slot(location="body", name=pointer_of(parts), schema=scalar)


def _scalars(
    schema: object, resolve: Resolve, depth: int
) -> Iterator[tuple[tuple[str, ...], Schema]]:
    flat = flattened(schema, resolve)
    for _ in range(8):  # an alternative may hold alternatives
        if not options_of(flat):
            break
        flat = next(default_choice(flat, resolve))[1]
    kinds = kinds_of(flat)
    if depth <= 0 or flat == NEVER or flat.get("readOnly") is True:
        return
    if "object" in kinds:
        declared = flat.get("properties")
        for name, part in declared.items() if isinstance(declared, dict) else ():
            for parts, scalar in _scalars(part, resolve, depth - 1):
                yield (name, *parts), scalar
    elif "array" in kinds:
        first = flat.get("prefixItems")
        item = first[0] if isinstance(first, list) and first else flat.get("items")
        for parts, scalar in _scalars(item, resolve, depth - 1):
            yield ("0", *parts), scalar
    else:
        yield (), flat
