"""One schema out of several that must hold together: `allOf`, and a `$ref` with neighbours. Pure.

Also the one place that knows how 3.0 and 3.1 differ: what leaves here says `type: [x, "null"]`
for `nullable`, and has numbers in `exclusiveMinimum` and `exclusiveMaximum`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from math import lcm
from typing import Any, TypeVar

from withstand.openapi.operation import Schema

T = TypeVar("T")
Resolve = Callable[[Schema], Schema]
NEVER: Schema = {"not": {}}
"""What no value satisfies: the schema `false`."""
LOST = "x-lost-reference"
"""Where a schema that stands for a reference to nothing keeps the reason, one sentence."""
NOTHING_SAID: Schema = {}
"""What every value satisfies: the schema `true`, and whatever is no schema."""
INHERITED = "x-inherited-discriminator"
"""Where a flattened schema keeps the discriminator of a schema that it extends."""
_DEPTH = 12
_MOST_KEPT = 500_000
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_CHOICES = ("oneOf", "anyOf")


class Resolver:
    """Follows the references of one document, and keeps what was worked out about its schemas.

    A schema is known again by identity: those of a document live as long as the document, and what
    is made of them is kept here. `kept` holds, by purpose and `id()`, the schema and its result.
    """

    def __init__(self, follow: Resolve) -> None:
        self._follow = follow
        self.kept: defaultdict[str, dict[int, tuple[Any, Any]]] = defaultdict(dict)

    def __call__(self, schema: Schema) -> Schema:
        return self._follow(schema)


def kept(purpose: str, schema: object, resolve: Resolve, make: Callable[[], T]) -> T:
    """What `make` returns for this schema, made once where the resolver can keep it."""
    if not isinstance(resolve, Resolver):
        return make()
    memory = resolve.kept[purpose]
    known = memory.get(id(schema))
    if known is not None and known[0] is schema:
        found: T = known[1]
        return found
    found = make()
    if len(memory) < _MOST_KEPT:
        memory[id(schema)] = (schema, found)
    return found


def flattened(schema: object, resolve: Resolve, *, depth: int = 0) -> Schema:
    """The schema without reference and `allOf` at its top; what is below stays as it is."""
    if not isinstance(schema, Mapping):
        return NEVER if schema is False else NOTHING_SAID
    if isinstance(resolve, Resolver) and not depth:
        memory = resolve.kept["flat"]
        known = memory.get(id(schema))
        if known is not None and known[0] is schema:
            flat: Schema = known[1]
            return flat
        flat = _flattened(schema, resolve, 0)
        if len(memory) < _MOST_KEPT:
            memory[id(schema)] = (schema, flat)
            memory[id(flat)] = (flat, flat)
        return flat
    return _flattened(schema, resolve, depth)


def _flattened(schema: Schema, resolve: Resolve, depth: int) -> Schema:
    whole = _of_one_version(resolve(schema))
    parts = whole.get("allOf")
    if not isinstance(parts, list) or depth > _DEPTH:
        return whole
    result: Schema = {key: part for key, part in whole.items() if key != "allOf"}
    for part in parts:
        addition = flattened(part, resolve, depth=depth + 1)
        if "discriminator" in addition and len(parts) > 1:
            addition = {
                INHERITED if key == "discriminator" else key: part for key, part in addition.items()
            }
        for key in _CHOICES:  # one choice stays open; a second one is settled here
            if key in result and isinstance(options := addition.get(key), list) and options:
                rest = {name: value for name, value in addition.items() if name != key}
                addition = merged(rest, flattened(options[0], resolve, depth=depth + 1))
        result = merged(result, addition)
    return result


def merged(first: Schema, second: Schema) -> Schema:
    """A schema that allows what both allow; where both only describe, the second wins."""
    first, second = _of_one_version(first), _of_one_version(second)
    result: dict[str, Any] = {**first, **second}
    for key in first.keys() & second.keys():
        one, other = first[key], second[key]
        if one == other:
            continue
        if key == "properties":
            result[key] = _both_properties(one, other)
        elif key == "required":
            result[key] = list(dict.fromkeys((*_listed(one), *_listed(other))))
        elif key == "type":
            result[key] = _common_types(_listed(one), _listed(other))
            if not result[key]:
                return NEVER
        elif key == "enum":
            result[key] = [value for value in _listed(one) if value in _listed(other)]
        elif key in _LOWER and _are_numbers(one, other):
            result[key] = max(one, other)
        elif key in _UPPER and _are_numbers(one, other):
            result[key] = min(one, other)
        elif key == "multipleOf" and isinstance(one, int) and isinstance(other, int):
            result[key] = lcm(one, other)
        elif key == "items":
            result[key] = {"allOf": [one, other]}
        elif key == "additionalProperties":
            both = isinstance(one, Mapping) and isinstance(other, Mapping)
            strict = one if isinstance(other, bool) and other else other
            result[key] = {"allOf": [one, other]} if both else False if one is False else strict
        elif key in {"uniqueItems", "readOnly", "writeOnly"}:
            result[key] = one is True or other is True
        elif key == "allOf":
            result[key] = [*_listed(one), *_listed(other)]
    return result


def types_of(schema: Schema) -> tuple[str, ...]:
    """The types that a schema names, `null` among them; none when it names none."""
    return tuple(name for name in _listed(schema.get("type")) if isinstance(name, str))


def _of_one_version(schema: Schema) -> Schema:
    changed: dict[str, Any] = {}
    if schema.get("nullable") is True and "type" in schema and "null" not in types_of(schema):
        changed |= {"type": [*types_of(schema), "null"], "nullable": None}
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if schema.get(exclusive) is True and bound in schema:
            changed |= {exclusive: schema[bound], bound: None}
        elif isinstance(schema.get(exclusive), bool):
            changed[exclusive] = None
    if not changed:
        return schema
    return {key: part for key, part in {**schema, **changed}.items() if part is not None}


def _both_properties(one: Any, other: Any) -> Any:
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return other
    shared = {
        name: {"allOf": [one[name], other[name]]}
        for name in one.keys() & other.keys()
        if one[name] != other[name]
    }
    return {**one, **other, **shared}


def _common_types(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    common = [name for name in one if name in other]
    if "integer" not in common and {"integer", "number"} <= {*one, *other}:
        common.append("integer")  # every integer is a number
    return common


def _listed(node: Any) -> Sequence[Any]:
    return node if isinstance(node, list | tuple) else () if node is None else (node,)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
