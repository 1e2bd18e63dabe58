"""Whether a built value is valid, by a foreign judge: jsonschema, in the document's own dialect.

OpenAPI 3.1 is JSON Schema 2020-12. Swagger 2.0 and OpenAPI 3.0 are judged as draft 4, of which they
are a dialect: `nullable` becomes a type, `type: file` text. A property that is `readOnly` may be
missing from a request even where it is required (OpenAPI 3.0, 4.7.24.2).
"""

from collections.abc import Mapping
from typing import Any

import jsonschema
from referencing import Registry
from referencing.jsonschema import DRAFT4, DRAFT202012

from withstand.openapi.schema_merge import Resolve

_BASE = "urn:document"
_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "schemas"})


class Judge:
    """Judges values by the schemas of one document, whose `$ref`s lead into it."""

    def __init__(self, document: Mapping[str, Any], resolve: Resolve) -> None:
        self._resolve = resolve
        self._is_2020 = str(document.get("openapi", "")).startswith(("3.1", "3.2"))
        whole = document if self._is_2020 else _as_draft4(document)
        specification = DRAFT202012 if self._is_2020 else DRAFT4
        self._registry: Registry[Any] = Registry().with_resource(
            _BASE, specification.create_resource(whole)
        )

    def problem(self, value: object, schema: Mapping[str, Any]) -> str:
        """What is wrong with the value in one line; empty when nothing is."""
        dialect = jsonschema.Draft202012Validator if self._is_2020 else jsonschema.Draft4Validator
        local = _absolute(schema if self._is_2020 else _as_draft4(schema))
        validator = dialect(local, registry=self._registry, format_checker=dialect.FORMAT_CHECKER)
        may_miss: set[str] | None = None
        for error in validator.iter_errors(value):
            if error.validator == "required" or error.context:
                if may_miss is None:
                    may_miss = self._read_only_below(schema)
                if _excused(error, may_miss):
                    continue
            return f"{error.validator}: {error.json_path}: {error.message[:160]}"
        return ""

    def _read_only_below(self, schema: object) -> set[str]:
        found: set[str] = set()
        seen: set[int] = set()
        pending = [schema]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending.extend(node)
            if not isinstance(node, Mapping):
                continue
            node = self._resolve(node) if "$ref" in node else node
            if id(node) in seen:
                continue
            seen.add(id(node))
            properties = node.get("properties")
            for name, part in properties.items() if isinstance(properties, Mapping) else ():
                is_mapping = isinstance(part, Mapping)
                if is_mapping and _is_read_only(part, self._resolve):
                    found.add(name)
            pending.extend(part for part in node.values() if isinstance(part, Mapping | list))
        return found


def _is_read_only(part: Mapping[str, Any], resolve: Resolve) -> bool:
    whole = resolve(part) if "$ref" in part else part
    parts = whole.get("allOf") or ()
    return whole.get("readOnly") is True or any(
        isinstance(each, Mapping) and _is_read_only(each, resolve) for each in parts
    )


def _excused(error: jsonschema.ValidationError, may_miss: set[str]) -> bool:
    if error.validator == "required":
        instance = error.instance
        missing = [name for name in error.validator_value if name not in instance]
        return all(name in may_miss for name in missing)
    if error.validator in {"anyOf", "oneOf"} and error.context:
        by_option: dict[Any, list[jsonschema.ValidationError]] = {}
        for inner in error.context:
            by_option.setdefault(inner.schema_path[0], []).append(inner)
        return any(all(_excused(e, may_miss) for e in errors) for errors in by_option.values())
    return False


def _absolute(node: Any) -> Any:
    if isinstance(node, list):
        return [_absolute(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    changed = {key: _absolute(part) for key, part in node.items()}
    reference = changed.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        changed["$ref"] = _BASE + reference
    return changed


def _as_draft4(node: Any, *, is_names: bool = False) -> Any:
    if isinstance(node, list):
        return [_as_draft4(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    changed = {
        key: part
        if key in {"example", "examples", "enum", "default"} and not is_names
        else _as_draft4(part, is_names=key in _NAMES and not is_names)
        for key, part in node.items()
    }
    if is_names:
        return changed
    kind = changed.get("type")
    if kind == "file":
        changed["type"] = kind = "string"
    if changed.get("nullable") is True and isinstance(kind, str):
        changed["type"] = [kind, "null"]
    for name in ("id", "$schema"):  # words of draft 4 that mean nothing in OpenAPI
        if isinstance(changed.get(name), str):
            del changed[name]
    return changed
