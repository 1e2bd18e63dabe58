"""Documents of every version, and everything that is none."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from withstand.errors import UsageError
from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.openapi.request_builder import RequestBuilder, Unbuildable

from .conftest import DOCUMENTS

MINIMAL: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "paths": {"/a": {"get": {"responses": {}}}},
}


def read(changes: dict[str, Any], *, base: dict[str, Any] = MINIMAL) -> Api:
    return read_document(json.dumps({**base, **changes}).encode(), source="api.json")


def test_operations_come_in_the_documents_order(clinic: Api) -> None:
    assert [operation.key for operation in clinic.operations][:4] == [
        "POST /auth/login",
        "GET /patients",
        "POST /patients",
        "GET /patients/{patient_id}",
    ]


def test_path_parameters_are_merged_and_references_to_them_followed(library: Api) -> None:
    operation = library.operation("GET /books")
    assert operation is not None
    assert [(p.location, p.name, p.required) for p in operation.parameters] == [
        ("header", "X-Tenant", True),
        ("query", "q", False),
        ("query", "limit", False),
        ("query", "cursor", False),
        ("query", "filter", True),
        ("query", "tags", True),
    ]
    assert operation.parameters[1].example == "moby"


def test_an_operations_own_parameter_wins_over_the_paths() -> None:
    shared = {"name": "n", "in": "query", "schema": {"type": "string"}}
    own = {"name": "n", "in": "query", "required": True, "schema": {"type": "integer"}}
    api = read({"paths": {"/a": {"parameters": [shared], "get": {"parameters": [own]}}}})
    (parameter,) = api.operations[0].parameters
    assert (parameter.required, parameter.schema) == (True, {"type": "integer"})


def test_path_parameters_come_in_the_order_of_the_path() -> None:
    places: list[dict[str, Any]] = [
        {"name": n, "in": "path", "required": True, "schema": {}} for n in ("id", "shop")
    ]
    api = read({"paths": {"/shops/{shop}/orders/{id}": {"get": {"parameters": places}}}})
    assert [p.name for p in api.operations[0].path_parameters] == ["shop", "id"]


def test_a_parameter_that_only_the_template_names_is_a_required_text() -> None:
    (parameter,) = read({"paths": {"/a/{b}": {"get": {}}}}).operations[0].parameters
    assert (parameter.name, parameter.location, parameter.required) == ("b", "path", True)


def test_security_of_an_operation_replaces_the_documents(library: Api) -> None:
    declared = {op.operation_id: (op.security, op.requires_credential) for op in library.operations}
    assert declared["addBook"] == ((("session",),), True)
    assert declared["listBooks"] == ((), False)
    assert declared["uploadCover"] == ((("session",), ()), False)


def test_responses_and_bodies_behind_references_are_read(library: Api) -> None:
    operation = library.operation("POST /books")
    assert operation is not None
    assert [body.media_type for body in operation.bodies] == ["application/json"]
    assert set(operation.responses) == {"201", "default"}
    assert library.resolve(operation.bodies[0].schema)["required"][0] == "title"


def test_an_example_behind_a_reference_is_the_bodys_example(clinic: Api) -> None:
    operation = clinic.operation("POST /patients")
    assert operation is not None
    assert operation.bodies[0].example["name"] == "Jane Doe"


@pytest.mark.parametrize(
    ("name", "key", "words"),
    [
        ("library.yaml", "PUT /books/{bookId}", "put:"),
        ("clinic.json", "GET /patients/{patient_id}", '"get": {"responses": {"200"'),
        ("depot.yaml", "POST /crates/{crateId}/photo", "post:"),
    ],
)
def test_the_line_of_an_operation_is_where_its_method_stands(
    name: str, key: str, words: str
) -> None:
    data = (DOCUMENTS / name).read_bytes()
    operation = read_document(data, source=name).operation(key)
    assert operation is not None
    assert operation.line is not None
    lines = data.decode().splitlines()
    assert lines[operation.line - 1].strip().startswith(words)
    above = [line.strip(' "') for line in lines[: operation.line - 1]]
    nearest = [line for line in above if line.startswith("/")][-1]
    assert nearest.rstrip('":{ ') == operation.path


def test_a_minified_document_has_no_lines() -> None:
    assert read({}).operations[0].line is None


def test_servers_have_their_variables_filled_in(library: Api, depot: Api, clinic: Api) -> None:
    assert library.servers == ("https://library.example.com/v2",)
    assert depot.servers == ("https://depot.example.com/api", "http://depot.example.com/api")
    assert clinic.servers == ("/clinic/api",)


def test_swagger_2_is_read_in_the_nouns_of_openapi_3(depot: Api) -> None:
    listing, creating = depot.operation("GET /crates"), depot.operation("POST /crates")
    changing = depot.operation("POST /crates/{crateId}")
    assert listing is not None
    assert creating is not None
    assert changing is not None
    styles = {p.name: (p.style, p.explode) for p in listing.parameters}
    assert styles["status"] == (None, True)
    assert styles["sizes"] == ("pipeDelimited", False)
    assert [(b.media_type, b.required) for b in creating.bodies] == [("application/json", True)]
    assert list(listing.responses["200"]) == ["application/json"]
    assert [body.media_type for body in changing.bodies] == ["application/x-www-form-urlencoded"]
    assert changing.bodies[0].schema["required"] == ["note"]
    assert depot.security_schemes["basic"] == {"type": "http", "scheme": "basic"}


def test_a_chain_of_references_ends_at_its_definition() -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B~1C"},
        "B/C": {"$ref": "#/components/schemas/D%20E"},
        "D E": {"type": "integer"},
    }
    api = read({"components": {"schemas": schemas}})
    assert api.resolve({"$ref": "#/components/schemas/A"}) == {"type": "integer"}


def test_what_stands_beside_a_reference_holds_as_well() -> None:
    api = read({"components": {"schemas": {"A": {"type": "string", "minLength": 3}}}})
    resolved = api.resolve({"$ref": "#/components/schemas/A", "maxLength": 9, "description": "d"})
    assert resolved == {"type": "string", "minLength": 3, "maxLength": 9}


def test_data_and_names_that_look_like_references_are_none() -> None:
    properties = {"$ref": {"type": "string"}, "example": {"type": "string"}}
    api = read(
        {
            "components": {
                "schemas": {
                    "A": {"properties": properties, "example": {"$ref": "other.yaml"}},
                    "default": {"enum": [{"$ref": "nowhere"}]},
                }
            }
        }
    )
    assert len(api.operations) == 1


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("common.yaml#/A", "'common.yaml#/A' is another document, which was not found"),
        ("https://example.com/a.json", "nothing is fetched from elsewhere"),
        ("#/components/schemas/Nope", "'#/components/schemas/Nope' leads nowhere"),
        ("#anchor", "'#anchor' leads nowhere"),
        ("#/components/schemas/A", "leads only back to itself"),
    ],
)
def test_a_reference_to_nothing_spoils_only_the_operation_that_needs_it(
    reference: str, message: str
) -> None:
    def body(name: str) -> dict[str, object]:
        schema = {"$ref": f"#/components/schemas/{name}"}
        return {"requestBody": {"content": {"application/json": {"schema": schema}}}}

    api = read(
        {
            "paths": {"/a": {"post": body("A")}, "/b": {"post": body("B")}},
            "components": {"schemas": {"A": {"$ref": reference}, "B": {"type": "integer"}}},
        }
    )
    builder = RequestBuilder(api, nonce=lambda: "ws000000000000000000000001")
    with pytest.raises(Unbuildable) as caught:
        builder.build(api.operations[0])
    assert message in caught.value.reason
    assert message in api.problems[0]
    assert builder.build(api.operations[1]).request.body == b"1"


def test_an_optional_property_behind_a_lost_reference_is_left_out() -> None:
    schema = {"properties": {"a": {"type": "integer"}, "b": {"$ref": "#/x"}}, "required": ["a"]}
    body = {"content": {"application/json": {"schema": schema}}}
    api = read({"paths": {"/a": {"post": {"requestBody": body}}}})
    built = RequestBuilder(api, nonce=lambda: "ws000000000000000000000001").build(api.operations[0])
    assert built.request.body == b'{"a": 1}'


@pytest.mark.parametrize(
    "broken", [{"parameters": [{"$ref": "#/x"}]}, {"requestBody": {"$ref": "#/x"}}]
)
def test_an_operation_without_a_part_of_its_own_says_why_it_is_not_built(
    broken: dict[str, object],
) -> None:
    api = read({"paths": {"/a": {"post": broken}}})
    with pytest.raises(Unbuildable, match="'#/x' leads nowhere"):
        RequestBuilder(api, nonce=lambda: "ws1").build(api.operations[0])


def test_a_reference_in_a_response_that_leads_nowhere_is_a_problem_of_the_document() -> None:
    responses = {"default": {"$ref": "#/components/responses/Gone"}}
    api = read({"paths": {"/a": {"get": {"responses": responses}}}})
    assert api.problems == ("$ref '#/components/responses/Gone' leads nowhere",)


def test_files_beside_the_document_are_read_and_may_refer_to_one_another() -> None:
    files = {
        "paths/orders.yaml": b"""
post:
  requestBody:
    content:
      application/json:
        schema: {$ref: '../schemas/order.yaml#/Order'}
""",
        "schemas/order.yaml": b"""
Order:
  type: object
  required: [kind, line]
  properties:
    kind: {enum: [gift]}
    line: {$ref: '#/Line'}
    note: {$ref: 'missing.yaml'}
Line:
  type: object
  required: [count]
  properties:
    count: {type: integer, minimum: 3}
    order: {$ref: 'order.yaml#/Order'}
""",
    }
    data = json.dumps(
        {"openapi": "3.0.0", "paths": {"/orders": {"$ref": "./paths/orders.yaml"}}}
    ).encode()
    api = read_document(data, source="api.json", beside=files.get)
    built = RequestBuilder(api, nonce=lambda: "ws1").build(api.operations[0])
    assert json.loads(built.request.body) == {"kind": "gift", "line": {"count": 3}}
    assert len(api.problems) == 1


def test_percent_and_tilde_escapes_and_anchors_in_references_are_understood() -> None:
    schemas = {"a b/c~d": {"const": 1}, "e": {"$anchor": "here", "const": 2}}
    properties = {
        "one": {"$ref": "#/components/schemas/a%20b~1c~0d"},
        "two": {"$ref": "#here"},
    }
    body = {"content": {"application/json": {"schema": {"properties": properties}}}}
    api = read(
        {
            "openapi": "3.1.0",
            "paths": {"/a": {"post": {"requestBody": body}}},
            "components": {"schemas": schemas},
        }
    )
    built = RequestBuilder(api, nonce=lambda: "ws1").build(api.operations[0])
    assert json.loads(built.request.body) == {"one": 1, "two": 2}


@pytest.mark.parametrize(
    ("data", "message", "hint"),
    [
        (b"", "it.json is empty", "JSON or YAML"),
        (b" \n\t", "it.json is empty", "JSON or YAML"),
        (b"<!doctype html><html>", "is an HTML page", "/openapi.json"),
        (b'<?xml version="1.0"?><a/>', "is an XML document", "/openapi.json"),
        (b'{"openapi": "3.0.0",\n "paths" {}}', "no valid JSON.*in line 2", "line 2"),
        (b"openapi: 3.0.0\npaths: [", "neither JSON nor YAML.*in line", "line"),
        (b"hello there", "holds a single value", "/openapi.json"),
        (b"[1, 2]", "holds a list", "/openapi.json"),
        (b'{"name": "x"}', "no `openapi` or `swagger` key but 'name'", "/openapi.json"),
        (b'{"openapi": "4.0.0", "paths": {}}', "declares version '4.0.0'", "convert"),
        (b'{"swagger": "1.2", "paths": {}}', "declares version '1.2'", "convert"),
        (b'{"openapi": "3.1.0"}', "describes no operation", "routes"),
        (b'{"openapi": "3.0.0", "paths": {"/a": null}}', "describes no operation", "routes"),
        (b"\xff\xfe\x00", "is no text|neither JSON nor YAML", ""),
        (b"\xc3\x28", "is no text: byte 0", "UTF-8"),
        (b"[" * 100_000, "no usable JSON|nests deeper", ""),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nests deeper than 200", ""),
    ],
)
def test_what_is_no_document_is_refused_in_one_sentence(
    data: bytes, message: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read_document(data, source="it.json")
    assert "\n" not in caught.value.message
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@pytest.mark.parametrize("version", ["3.0.0", "3.1.1", "3.2.0", 3.1])
def test_every_openapi_3_is_read(version: object) -> None:
    assert read({"openapi": version}).operations[0].key == "GET /a"


def test_utf_16_and_a_byte_order_mark_are_read() -> None:
    text = json.dumps(MINIMAL)
    for data in (text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert read_document(data, source="x").title == "t"


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"!!int x")
@example(b"&a [*a]")
@example(b"%YAML 1.2\n---\n!!timestamp 1")
def test_bytes_of_any_kind_are_a_usage_error_and_never_a_traceback(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_document(data, source="bytes")


WORDS = (
    "get", "parameters", "in", "name", "schema", "content", "requestBody", "responses", "security",
    "tags", "servers", "url", "variables", "$ref", "properties", "query",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: (
        st.lists(part, max_size=3)
        | st.dictionaries(
            st.sampled_from(WORDS),
            part,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(ANYTHING, ANYTHING, st.sampled_from(("openapi", "swagger")))
def test_a_document_of_the_wrong_shape_is_read_or_refused(item: Any, rest: Any, key: str) -> None:
    whole = {
        key: "3.1.0" if key == "openapi" else "2.0",
        "paths": {"/a/{id}": item, "/b": {"get": rest}},
        "components": rest,
        "security": item,
        "servers": rest,
        "schemes": rest,
        "securityDefinitions": item,
    }
    try:
        api = read_document(json.dumps(whole).encode(), source="shape")
    except UsageError:
        return
    assert api.operations
