"""What is read in a schema again for every value of it, worked out once. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from withstand.openapi.operation import Schema
from withstand.openapi.schema_choice import labelled, options_of
from withstand.openapi.schema_fit import as_list, kinds_of
from withstand.openapi.schema_merge import Resolve, flattened, types_of

_COUNTS_AND_DEPENDENTS = frozenset(
    {"minProperties", "maxProperties", "dependentRequired", "dependencies"}
)


@dataclass(frozen=True, slots=True)
class Facts:
    """A schema without reference and `allOf` at its top, and what its values depend on."""

    flat: Schema
    has_options: bool
    examples: tuple[object, ...]
    kinds: tuple[str, ...] | None  # null last; None where they depend on the examples
    is_read_only: bool
    is_deprecated: bool
    is_given: bool
    is_open: bool  # properties may have to be added or left out for its counts or dependents
    is_map: bool  # all of its properties are free, with a schema for them
    properties: tuple[tuple[str, object, bool], ...]  # name, schema, whether it is required


def facts_of(schema: object, resolve: Resolve) -> Facts:
    """The facts of a schema as it stands in the document."""
    reference = schema.get("$ref") if isinstance(schema, Mapping) else None
    flat = labelled(flattened(schema, resolve), reference, resolve)
    declared, others = flat.get("properties"), flat.get("additionalProperties", True)
    declared = declared if isinstance(declared, Mapping) else {}
    required = [name for name in as_list(flat.get("required")) if isinstance(name, str)]
    kinds = null_last(kinds_of(flat))
    return Facts(
        flat=flat,
        has_options=bool(options_of(flat)),
        examples=_examples(flat),
        kinds=kinds if types_of(flat) else None,
        is_read_only=flat.get("readOnly") is True,
        is_deprecated=flat.get("deprecated") is True,
        is_given=bool(flat.keys() & {"enum", "const"}),
        is_open=not declared or bool(flat.keys() & _COUNTS_AND_DEPENDENTS),
        is_map=not declared and isinstance(others, Mapping),
        properties=tuple(
            (name, declared.get(name, others), name in required)
            for name in dict.fromkeys((*declared, *required))
        ),
    )


def null_last(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Null only when nothing else is allowed."""
    return tuple(sorted(kinds, key=lambda kind: kind == "null"))


def _examples(flat: Schema) -> tuple[object, ...]:
    several = flat.get("examples")
    listed = several if isinstance(several, list) else ()
    return tuple(
        value for value in (flat.get("example"), *listed, flat.get("default")) if value is not None
    )
