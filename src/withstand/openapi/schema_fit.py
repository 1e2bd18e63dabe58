"""Whether a value is one that a schema allows. Pure.

It reads what decides between values that documents, responses and generation offer: types,
enumerations, bounds, lengths, patterns, properties, items and combinations. Formats, `not`,
`if` and `contains` are not judged.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from withstand.openapi.pattern_text import matches_pattern
from withstand.openapi.schema_merge import NEVER, Resolve, flattened, types_of

_DEPTH = 24
_IMPLIED = (
    ({"properties", "required", "additionalProperties", "minProperties"}, ("object",)),
    ({"items", "prefixItems", "minItems", "uniqueItems"}, ("array",)),
    ({"pattern", "minLength", "maxLength", "format"}, ("string",)),
    (
        {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"},
        ("integer", "number"),
    ),
)


def fits(value: object, schema: object, resolve: Resolve, *, depth: int = 0) -> bool:
    """Whether the value is valid; beyond 24 levels everything is."""
    if depth > _DEPTH:
        return True
    flat = flattened(schema, resolve)
    if flat == NEVER:
        return False
    types = types_of(flat)
    if types and not any(has_type(value, name) for name in types):
        return False
    if "enum" in flat and not any(_same(value, allowed) for allowed in as_list(flat["enum"])):
        return False
    if "const" in flat and not _same(value, flat["const"]):
        return False
    match value:
        case str():
            ok = _text_fits(value, flat)
        case bool() | None:
            ok = True
        case int() | float():
            ok = _number_fits(value, flat)
        case list():
            ok = _items_fit(value, flat, resolve, depth)
        case Mapping():
            ok = _properties_fit(value, flat, resolve, depth)
        case _:
            ok = False
    return ok and _choices_fit(value, flat, resolve, depth)


def has_type(value: object, name: str) -> bool:
    """Whether a value is of the JSON Schema type of that name; `1.0` is an integer."""
    match name:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return whole or (isinstance(value, int) and not isinstance(value, bool))
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, Mapping)
    return False


def kinds_of(flat: Mapping[str, Any], samples: Iterable[object] = ()) -> tuple[str, ...]:
    """The types a schema names, else those its other keywords imply, else those of the samples.

    A schema about which nothing is known is taken for text.
    """
    if types_of(flat):
        return types_of(flat)
    for keywords, kinds in _IMPLIED:
        if flat.keys() & keywords:
            return kinds
    names = ("string", "boolean", "integer", "number", "array", "object", "null")
    values = (*as_list(flat.get("enum")), *([flat["const"]] if "const" in flat else ()), *samples)
    found = dict.fromkeys(name for value in values for name in names if has_type(value, name))
    return tuple(found) or ("string",)


def bound(schema: Mapping[str, Any], key: str) -> int | None:
    """A length or count in a schema: a whole number from 0; None when it has none."""
    value = schema.get(key)
    return int(value) if value is not None and has_type(value, "integer") and value >= 0 else None


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _text_fits(value: str, flat: Mapping[str, Any]) -> bool:
    low, high, pattern = bound(flat, "minLength"), bound(flat, "maxLength"), flat.get("pattern")
    return (
        (low is None or len(value) >= low)
        and (high is None or len(value) <= high)
        and (not isinstance(pattern, str) or matches_pattern(pattern, value))
    )


def _number_fits(value: int | float, flat: Mapping[str, Any]) -> bool:
    def limit(key: str) -> Any:
        return flat[key] if has_type(flat.get(key), "number") else None

    low, above = limit("minimum"), limit("exclusiveMinimum")
    high, below, step = limit("maximum"), limit("exclusiveMaximum"), limit("multipleOf")
    if value != value or value in {float("inf"), float("-inf")}:
        return False
    return (
        (low is None or value >= low)
        and (above is None or value > above)
        and (high is None or value <= high)
        and (below is None or value < below)
        and (not step or Fraction(str(value)) % Fraction(str(step)) == 0)
    )


def _items_fit(value: list[Any], flat: Mapping[str, Any], resolve: Resolve, depth: int) -> bool:
    low, high = bound(flat, "minItems"), bound(flat, "maxItems")
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        return False
    if flat.get("uniqueItems") is True and any(
        _same(value[i], value[j]) for i in range(len(value)) for j in range(i)
    ):
        return False
    first = as_list(flat.get("prefixItems"))
    rest = flat.get("items", True)
    return all(
        fits(item, first[i] if i < len(first) else rest, resolve, depth=depth + 1)
        for i, item in enumerate(value)
    )


def _properties_fit(
    value: Mapping[str, Any], flat: Mapping[str, Any], resolve: Resolve, depth: int
) -> bool:
    low, high = bound(flat, "minProperties"), bound(flat, "maxProperties")
    if (low is not None and len(value) < low) or (high is not None and len(value) > high):
        return False
    if any(name not in value for name in as_list(flat.get("required"))):
        return False
    declared = flat.get("properties")
    declared = declared if isinstance(declared, Mapping) else {}
    others = flat.get("additionalProperties", True)
    if "patternProperties" in flat and others is False:
        others = True  # which names those are is not judged
    return all(
        fits(part, declared.get(name, others), resolve, depth=depth + 1)
        for name, part in value.items()
    )


def _choices_fit(value: object, flat: Mapping[str, Any], resolve: Resolve, depth: int) -> bool:
    any_of, one_of = as_list(flat.get("anyOf")), as_list(flat.get("oneOf"))
    return (
        not any_of or any(fits(value, option, resolve, depth=depth + 1) for option in any_of)
    ) and (
        not one_of or sum(fits(value, option, resolve, depth=depth + 1) for option in one_of) == 1
    )


def as_list(node: Any) -> list[Any]:
    """The node where it is a list, as it ought to be."""
    return node if isinstance(node, list) else []
