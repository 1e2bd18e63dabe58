"""The OpenAPI document: valid, exact, and complete about who may call what."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from .running import RunningDemo

PUBLIC = {
    ("get", "/health"),
    ("post", "/users"),
    ("post", "/auth/token"),
    ("post", "/auth/login"),
    ("get", "/products"),
    ("get", "/products/{sku}"),
    ("get", "/products/{sku}/label"),
    ("get", "/manuals"),
}


@pytest.fixture
def document(demo: RunningDemo) -> dict[str, Any]:
    found: dict[str, Any] = demo.client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def schemas_in(part: Any) -> Iterator[dict[str, Any]]:
    """Every schema under a key that holds one."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "schema":
                yield value
            elif key == "schemas":
                yield from value.values()
            yield from schemas_in(value)
    elif isinstance(part, list):
        for value in part:
            yield from schemas_in(value)


def test_it_is_openapi_3_1_and_every_schema_in_it_is_valid(document: dict[str, Any]) -> None:
    schemas = list(schemas_in(document))

    assert document["openapi"].startswith("3.1.")
    assert len(schemas) > 50
    for schema in schemas:
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = document["components"]["schemas"]
    text = json.dumps(document)

    assert text.count('"$ref"') == sum(
        text.count(f'"$ref": "#/components/schemas/{name}"') for name in names
    )


def test_every_example_is_valid(demo: RunningDemo, document: dict[str, Any]) -> None:
    def with_examples(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if isinstance(part.get("examples"), list):
                yield part
            for value in part.values():
                yield from with_examples(value)

    examples = [(schema, each) for schema in with_examples(document) for each in schema["examples"]]

    assert len(examples) > 8
    for schema, example in examples:
        demo.conformance.validator(schema).validate(example)


def test_exactly_the_public_operations_need_no_token(document: dict[str, Any]) -> None:
    public = {
        (method, path)
        for method, path, operation in operations(document)
        if not operation.get("security")
    }

    assert public == PUBLIC
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert all(
        operation["security"] == [{"bearer": []}]
        for method, path, operation in operations(document)
        if (method, path) not in PUBLIC
    )


def test_secured_operations_document_that_a_token_may_be_refused(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if (method, path) not in PUBLIC:
            assert "401" in operation["responses"]
        assert ("403" in operation["responses"]) == path.startswith("/admin/")


def test_request_bodies_allow_no_unknown_property_and_bound_every_text(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    for name in ("SignUp", "Login", "ProfileChange", "NewOrder"):
        assert schemas[name]["additionalProperties"] is False
        for schema in schemas[name]["properties"].values():
            if schema.get("type") == "string":
                assert {"maxLength", "pattern"} <= schema.keys()


def test_operation_ids_are_plain_and_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(ids) == len(set(ids)) == 17
    assert all(each.replace("_", "").isalpha() for each in ids)


def test_every_operation_without_a_body_or_login_succeeds_from_its_examples(
    demo: RunningDemo, document: dict[str, Any]
) -> None:
    for method, path, operation in operations(document):
        if method != "get" or "{id}" in path:
            continue
        values = {
            parameter["name"]: parameter["schema"]["examples"][0]
            for parameter in operation.get("parameters", [])
        }
        answer = demo.request("GET", path.format(**values), as_="alice", params=values)
        assert answer.status_code == 200
