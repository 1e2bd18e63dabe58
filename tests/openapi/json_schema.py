"""The foreign judge of what is built: OpenAPI schemas as JSON Schema, validated by jsonschema."""

from collections.abc import Mapping
from typing import Any

import jsonschema

KEYWORDS_OF_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "schemas")


def problems(value: object, schema: object, components: Mapping[str, Any] | None = None) -> str:
    """What is wrong with the value, in one line; empty when nothing is."""
    whole = {"allOf": [as_json_schema(schema)], **as_json_schema(dict(components or {}))}
    validator = jsonschema.Draft202012Validator(whole)
    errors = sorted(validator.iter_errors(value), key=str)
    return "; ".join(f"{error.json_path}: {error.message}" for error in errors)


def as_json_schema(node: Any) -> Any:
    """3.0's `nullable` and boolean exclusive bounds in the words of 2020-12."""
    if isinstance(node, list):
        return [as_json_schema(part) for part in node]
    if not isinstance(node, dict):
        return node
    changed = {
        key: part if key == "example" else as_json_schema(part) for key, part in node.items()
    }
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if changed.get(exclusive) is True:
            changed[exclusive] = changed.pop(bound)
        elif changed.get(exclusive) is False:
            del changed[exclusive]
    if changed.pop("nullable", None) is True and isinstance(changed.get("type"), str):
        changed["type"] = [changed["type"], "null"]
    return changed
