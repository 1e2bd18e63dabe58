"""The alternatives of a schema: `oneOf`, `anyOf`, and subtypes behind a discriminator. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from withstand.openapi.operation import Schema
from withstand.openapi.schema_merge import INHERITED, Resolve, flattened, kept, merged, types_of


def options_of(flat: Schema) -> list[object]:
    """The alternatives that a flattened schema leaves open; none when it is settled."""
    for key in ("oneOf", "anyOf"):
        options = flat.get(key)
        if isinstance(options, list) and options:
            return options
    if "discriminator" not in flat:
        return []
    return [{"$ref": reference} for reference in _mapping(flat).values()]


def default_choice(flat: Schema, resolve: Resolve) -> Iterator[tuple[str | None, Schema]]:
    """Every alternative with what they share, and the reference it came from; null comes last.

    A discriminator's property says which alternative it is.
    """
    return iter(kept("choice", flat, resolve, lambda: tuple(_choices(flat, resolve))))


def _choices(flat: Schema, resolve: Resolve) -> Iterator[tuple[str | None, Schema]]:
    rest = {key: part for key, part in flat.items() if key != "discriminator"}
    for key in ("oneOf", "anyOf"):
        if key in rest:
            del rest[key]
            break
    options = [(option, flattened(option, resolve)) for option in options_of(flat)]
    for option, schema in sorted(options, key=lambda pair: types_of(pair[1]) == ("null",)):
        reference = option.get("$ref") if isinstance(option, Mapping) else None
        reference = reference if isinstance(reference, str) else None
        whole = {key: part for key, part in schema.items() if key != "discriminator"}
        yield reference, merged(merged(rest, whole), _labelled(flat, schema, reference, resolve))


def labelled(flat: Schema, reference: object, resolve: Resolve) -> Schema:
    """A subtype with its label, where the schema that it extends has a discriminator."""
    inherited = flat.get(INHERITED)
    if inherited is None or not isinstance(reference, str):
        return flat
    return merged(flat, _labelled({"discriminator": inherited}, flat, reference, resolve))


def _labelled(flat: Schema, schema: Schema, reference: str | None, resolve: Resolve) -> Schema:
    """The schema that puts the alternative's label under the discriminator's property."""
    discriminator = flat.get("discriminator")
    name = discriminator.get("propertyName") if isinstance(discriminator, Mapping) else None
    if not isinstance(name, str) or reference is None:
        return {}
    labels = [label for label, target in _mapping(flat).items() if target == reference]
    label = labels[0] if labels else reference.rsplit("/", 1)[-1]
    properties = schema.get("properties")
    own: Any = properties.get(name) if isinstance(properties, Mapping) else None
    if isinstance(own, Mapping) and (
        "$ref" in own or flattened(own, resolve).keys() & {"const", "enum"}
    ):
        return {"required": [name]}
    return {"properties": {name: {"type": "string", "enum": [label]}}, "required": [name]}


def _mapping(flat: Schema) -> Mapping[str, str]:
    """Label → reference; a target that is only a name means the schema of that name."""
    discriminator = flat.get("discriminator")
    mapping = discriminator.get("mapping") if isinstance(discriminator, Mapping) else None
    if not isinstance(mapping, Mapping):
        return {}
    return {
        label: target if target.startswith("#/") else f"#/components/schemas/{target}"
        for label, target in mapping.items()
        if isinstance(target, str)
    }
