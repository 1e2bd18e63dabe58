"""Whether responses are what the demo's OpenAPI document says: statuses, types, bodies, headers."""

import json
import re
from typing import Any

import httpx2
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


class Conformance:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, Draft202012Validator] = {}
        self._registry = Registry().with_resource(
            "urn:document", Resource.from_contents(document, default_specification=DRAFT202012)
        )

    def validator(self, schema: dict[str, Any]) -> Draft202012Validator:
        """For one of the document's schemas, whose references lead into the document."""
        key = json.dumps(schema)
        if key not in self._validators:
            absolute = _with_absolute_references(schema)
            self._validators[key] = Draft202012Validator(absolute, registry=self._registry)
        return self._validators[key]

    def check(self, response: httpx2.Response) -> None:
        """Fails if the document's operation does not describe this response."""
        operation = self._operation(response.request.method, response.request.url.path)
        if operation is None:
            assert response.status_code in {404, 405}
            return
        described = operation["responses"].get(str(response.status_code))
        assert described, f"{operation['operationId']} does not document {response.status_code}"
        for name in described.get("headers", {}):
            assert name in response.headers
        if not described.get("content"):
            assert response.content == b""
            return
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type in described["content"]
        if media_type.endswith("json"):
            schema = described["content"][media_type]["schema"]
            self.validator(schema).validate(response.json())

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, operations in self._document["paths"].items():
            pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                # A literal path such as /users/me stands before its templates in the document.
                found: dict[str, Any] = operations[method.lower()]
                return found
        return None


def _with_absolute_references(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" else _with_absolute_references(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_with_absolute_references(each) for each in schema]
    return schema
