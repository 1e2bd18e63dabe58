"""Requests: valid by foreign parsers, exact where a check puts its own values."""

import json
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.openapi.body_encoding import Upload
from withstand.openapi.document import read_document
from withstand.openapi.document_text import read_mapping
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Built, RequestBuilder, Slot, Unbuildable
from withstand.openapi.schema_merge import Resolver
from withstand.openapi.value_pool import ValuePool

from .conftest import DOCUMENTS, counting, document
from .json_schema import problems

LIBRARY = document("library.yaml")
ADDRESS = Slot(location="query", name="to")


def builder(api: Api, **options: Any) -> RequestBuilder:
    return RequestBuilder(api, nonce=counting(), **options)


def of(api: Api, key: str) -> Operation:
    operation = api.operation(key)
    assert operation is not None
    return operation


def one(operation: dict[str, Any], *, path: str = "/a", method: str = "post", **more: Any) -> Api:
    whole = {"openapi": "3.1.0", "paths": {path: {method: operation}}, **more}
    return read_document(json.dumps(whole).encode(), source="one.json")


def built(api: Api, **options: Any) -> Built:
    return builder(api).build(api.operations[0], **options)


def query(parameter: dict[str, Any], **options: Any) -> str:
    declared = {"name": "p", "in": "query", "required": True, **parameter}
    return built(one({"parameters": [declared]}, method="get"), **options).request.path


# What the documents of this folder ask for


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("name", ["library.yaml", "clinic.json", "depot.yaml"])
def test_every_json_body_is_valid_by_a_foreign_judge(name: str, full: bool) -> None:
    api = document(name)
    whole, _ = read_mapping((DOCUMENTS / name).read_bytes(), source=name)
    definitions: dict[str, Any] = {
        key: whole[key] for key in ("components", "definitions") if key in whole
    }
    checked = 0
    for operation in api.operations:
        for body in operation.bodies:
            if body.media_type.endswith("json"):
                request = builder(api).build(operation, full=full).request
                assert request.header("Content-Type") == body.media_type
                assert problems(json.loads(request.body), body.schema, definitions) == ""
                checked += 1
    assert checked >= 1


def test_a_body_keeps_to_what_the_document_says_beyond_types(build_library: RequestBuilder) -> None:
    join = build_library.build(of(build_library.api, "POST /members"))
    member = json.loads(join.request.body)
    nonce = join.canaries[0]
    assert member["email"] == f"{nonce}@example.com"
    assert len(member["username"]) <= 20
    assert member["username"] in join.canaries
    assert member["accept_terms"] is True
    assert member["is_admin"] is False
    loan = json.loads(build_library.build(of(build_library.api, "POST /loans")).request.body)
    assert loan["reminder"]["channel"] == "mail"


def test_required_only_leaves_the_rest_out(build_library: RequestBuilder) -> None:
    request = build_library.build(of(build_library.api, "POST /books"), full=False).request
    assert set(json.loads(request.body)) == {"title", "isbn", "authors", "pages"}


def test_two_requests_differ_and_the_same_nonce_repeats_them(library: Api) -> None:
    for operation in library.operations:
        if operation.method == "POST" and operation.path != "/shelves":
            first, second = (builder(library).build(operation) for _ in range(2))
            assert first.request == second.request
            again = builder(library)
            assert again.build(operation).request != again.build(operation).request


@pytest.mark.parametrize("name", ["library.yaml", "depot.yaml"])
def test_later_requests_work_nothing_out_again(name: str) -> None:
    api = document(name)
    assert isinstance(api.resolve, Resolver)
    build = builder(api)
    sizes = []
    for _ in range(3):
        for operation in api.operations:
            build.build(operation)
        kept = api.resolve.kept
        positions = [positions for _, positions in kept["positions"].values()]
        sizes.append([*map(len, kept.values()), *map(len, positions)])
    assert sizes[0] == sizes[1] == sizes[2]


def test_canaries_are_what_stands_in_the_request(library: Api, clinic: Api) -> None:
    for api in (library, clinic):
        for operation in api.operations:
            if operation.path == "/letters":
                continue
            made = builder(api).build(operation)
            sent = made.request.path.encode() + made.request.body
            sent += b"".join(value.encode() for _, value in made.request.headers)
            assert all(canary.encode() in sent for canary in made.canaries)
            nonce = counting()().encode()
            assert (nonce in sent) == (nonce.decode() in made.canaries)


def test_a_login_sends_the_documents_example(clinic: Api) -> None:
    made = builder(clinic).build(of(clinic, "POST /auth/login"))
    assert json.loads(made.request.body) == {"username": "dr.house", "password": "vicodin-42"}


def test_no_declared_credential_is_filled_in(library: Api, depot: Api) -> None:
    scheme = {"k": {"type": "apiKey", "in": "cookie", "name": "Sid"}}
    names = (("header", "AUTHORIZATION"), ("cookie", "sid"), ("header", "accept"), ("query", "q"))
    parameters = [
        {"name": name, "in": where, "required": True, "schema": {"type": "string"}}
        for where, name in names
    ]
    api = one({"parameters": parameters}, components={"securitySchemes": scheme})
    made = built(api)
    assert {name for name, _ in made.request.headers} == {"Accept"}
    assert [slot.name for slot in builder(api).slots(api.operations[0])] == ["q"]
    assert "api_key" not in builder(depot).build(of(depot, "GET /crates")).request.path
    assert library.security_schemes["session"]["name"] == "X-Session"


def test_accept_names_what_a_success_looks_like(clinic: Api) -> None:
    made = builder(clinic).build(of(clinic, "GET /patients/{patient_id}"))
    assert made.request.header("Accept") == "application/json, application/fhir+json, */*;q=0.1"
    assert builder(clinic).build(of(clinic, "GET /patients")).request.header("Accept") == "*/*"


def test_a_media_type_that_nobody_can_write_is_said(clinic: Api) -> None:
    with pytest.raises(Unbuildable) as caught:
        builder(clinic).build(of(clinic, "POST /letters"))
    assert "application/xml" in caught.value.reason


def test_an_optional_body_that_cannot_be_written_is_left_out() -> None:
    made = built(one({"requestBody": {"content": {"application/xml": {}}}}))
    assert made.request.body == b""
    assert made.request.header("Content-Type") is None


def test_values_that_cannot_exist_are_said() -> None:
    with pytest.raises(Unbuildable, match="query parameter 'p'"):
        query({"schema": {"type": "integer", "minimum": 2, "maximum": 1}})
    body: dict[str, Any] = {"content": {"application/json": {"schema": {"enum": []}}}}
    with pytest.raises(Unbuildable, match="body"):
        built(one({"requestBody": body}))


# Harvested values


def test_a_path_parameter_is_what_was_harvested(library: Api) -> None:
    pool = ValuePool()
    pool.add("books", "id", "8a2cbd1e-62a8-4d3c-8be5-000000000001")
    request = builder(library).build(of(library, "GET /books/{bookId}"), pool).request
    assert request.path == "/books/8a2cbd1e-62a8-4d3c-8be5-000000000001"


def test_a_reference_in_a_body_is_what_was_harvested(library: Api, clinic: Api) -> None:
    pool = ValuePool()
    pool.add("books", "id", "8a2cbd1e-62a8-4d3c-8be5-000000000001")
    pool.add("doctors", "id", 12)
    loan = builder(library).build(of(library, "POST /loans"), pool)
    assert json.loads(loan.request.body)["book_id"] == "8a2cbd1e-62a8-4d3c-8be5-000000000001"
    patient = builder(clinic).build(of(clinic, "POST /patients"), pool)
    assert json.loads(patient.request.body)["doctor_id"] == 12
    assert "doctor_id" not in json.loads(
        builder(clinic).build(of(clinic, "POST /patients")).request.body
    )


def test_what_the_path_names_is_the_same_in_the_body() -> None:
    body = {"properties": {"id": {"type": "integer"}, "part": {"properties": {"id": {}}}}}
    api = one(
        {"requestBody": {"content": {"application/json": {"schema": body}}}},
        path="/things/{id}",
        method="put",
    )
    pool = ValuePool()
    pool.add("things", "id", 31)
    made = builder(api).build(api.operations[0], pool)
    assert made.request.path == "/things/31"
    assert json.loads(made.request.body)["id"] == 31
    assert json.loads(made.request.body)["part"] != {"id": 31}


def test_a_new_thing_gets_a_new_key_and_a_reference_to_it_the_old_one() -> None:
    schema = {"schema": {"required": ["sku"]}}
    body: dict[str, Any] = {"requestBody": {"content": {"application/json": schema}}}
    pool = ValuePool()
    pool.add("products", "sku", "S-1")
    new, cart = one(body, path="/products"), one(body, path="/carts")
    assert json.loads(builder(new).build(new.operations[0], pool).request.body)["sku"] != "S-1"
    assert json.loads(builder(cart).build(cart.operations[0], pool).request.body) == {"sku": "S-1"}


def test_a_harvested_value_that_the_schema_forbids_is_not_used(clinic: Api) -> None:
    pool = ValuePool()
    pool.add("patients", "id", -5)
    request = builder(clinic).build(of(clinic, "GET /patients/{patient_id}"), pool).request
    assert request.path == "/patients/1"


# Parameters on the wire


@pytest.mark.parametrize(
    ("parameter", "path"),
    [
        ({"schema": {"const": "a b&c"}}, "/a?p=a%20b%26c"),
        ({"schema": {"const": ["x", "y"], "type": "array"}}, "/a?p=x&p=y"),
        ({"schema": {"const": ["x", "y"]}, "explode": False}, "/a?p=x,y"),
        ({"schema": {"const": [1, 2]}, "style": "pipeDelimited"}, "/a?p=1%7C2"),
        ({"schema": {"const": [1, 2]}, "style": "spaceDelimited"}, "/a?p=1%202"),
        ({"schema": {"const": {"x": 1, "y": True}}}, "/a?x=1&y=true"),
        ({"schema": {"const": {"x": 1}}, "explode": False}, "/a?p=x,1"),
        ({"schema": {"const": {"x": {"y": [1]}}}, "style": "deepObject"}, "/a?p%5Bx%5D%5By%5D=1"),
        ({"content": {"application/json": {"schema": {"const": [1]}}}}, "/a?p=%5B1%5D"),
        ({"schema": {"type": "boolean"}}, "/a?p=true"),
        ({"schema": {"type": "integer"}, "example": 5}, "/a?p=5"),
        ({"schema": {"type": "integer"}, "examples": {"e": {"value": 6}}}, "/a?p=6"),
        ({"schema": {"type": "integer"}, "required": False}, "/a"),
        ({"schema": {"type": "integer", "default": 3}, "required": False}, "/a?p=3"),
    ],
)  # fmt: skip
def test_query_styles(parameter: dict[str, Any], path: str) -> None:
    assert query(parameter) == path


@pytest.mark.parametrize(
    ("schema", "style", "explode", "path"),
    [
        ({"const": "x/y"}, None, None, "/i/x%2Fy"),
        ({"const": ["x", "y"]}, "simple", None, "/i/x,y"),
        ({"const": {"x": 1}}, "simple", None, "/i/x,1"),
        ({"const": {"x": 1}}, "simple", True, "/i/x=1"),
        ({"const": ["x", "y"]}, "label", True, "/i/.x.y"),
        ({"const": "x"}, "matrix", None, "/i/;p=x"),
        ({"const": ["x", "y"]}, "matrix", None, "/i/;p=x,y"),
        ({"const": ["x", "y"]}, "matrix", True, "/i/;p=x;p=y"),
        ({"const": {"x": 1}}, "matrix", True, "/i/;x=1"),
    ],
)
def test_path_styles(schema: Any, style: str | None, explode: bool | None, path: str) -> None:
    parameter = {"name": "p", "in": "path", "schema": schema, "style": style, "explode": explode}
    assert built(one({"parameters": [parameter]}, path="/i/{p}")).request.path == path


def test_headers_and_cookies_are_sent_as_they_are() -> None:
    parameters = [
        {"name": "X-A", "in": "header", "required": True, "schema": {"const": "a b"}},
        {"name": "X-L", "in": "header", "required": True, "schema": {"const": [1, 2]}},
        {"name": "X-O", "in": "header", "schema": {"const": "not sent"}},
        {"name": "c", "in": "cookie", "required": True, "schema": {"const": 1}},
        {"name": "d", "in": "cookie", "required": True, "schema": {"const": True}},
    ]
    request = built(one({"parameters": parameters})).request
    assert request.headers[1:] == (("X-A", "a b"), ("X-L", "1,2"), ("Cookie", "c=1; d=true"))


def test_the_base_path_stands_before_every_path(clinic: Api) -> None:
    made = builder(clinic, base_path="/clinic/api/").build(of(clinic, "GET /patients"))
    assert made.request.path == "/clinic/api/patients"


def test_an_optional_query_parameter_is_sent_when_its_value_was_harvested() -> None:
    parameter = {"name": "user_id", "in": "query", "schema": {"type": "integer"}}
    api = one({"parameters": [parameter]}, method="get")
    pool = ValuePool()
    pool.add("users", "id", 4)
    assert builder(api).build(api.operations[0], pool).request.path == "/a?user_id=4"
    assert builder(api).build(api.operations[0], pool, full=False).request.path == "/a"


# Bodies other than JSON, read back by the standard library


def test_a_form_is_read_back() -> None:
    properties = {"a": {"const": "x&y=z"}, "b": {"const": [1, 2]}, "c": {"const": {"d": "é"}}}
    content = {"application/x-www-form-urlencoded": {"schema": {"properties": properties}}}
    body = built(one({"requestBody": {"content": content}})).request.body
    assert parse_qs(body.decode()) == {"a": ["x&y=z"], "b": ["1", "2"], "c[d]": ["é"]}


def test_a_multipart_form_is_read_back(build_library: RequestBuilder) -> None:
    slot = Slot(location="body", name="caption")
    operation = of(build_library.api, "PUT /books/{bookId}/cover")
    text = "--withstand-form-boundary-7d3c1f\r\n"
    request = build_library.build(operation, replace={slot: text}).request
    head = f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    parts = {part.get_param("name", header="Content-Disposition"): part for part in message.walk()}
    assert parts["image"].get_filename() == "withstand.txt"
    assert parts["caption"].get_payload() == text
    crop = parts["crop"]
    assert crop.get_content_type() == "application/json"
    assert json.loads(str(crop.get_payload()))["width"] == 16


def test_a_file_of_a_check_keeps_its_name_and_type(build_library: RequestBuilder) -> None:
    slot = Slot(location="body", name="image")
    page = Upload(name="a.html", media_type="text/html", content=b"<p>\xff</p>")
    operation = of(build_library.api, "PUT /books/{bookId}/cover")
    request = build_library.build(operation, replace={slot: page}).request
    head = f"Content-Type: {request.header('Content-Type')}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + request.body)
    parts = {part.get_param("name", header="Content-Disposition"): part for part in message.walk()}
    image = parts["image"]
    assert (image.get_filename(), image.get_content_type()) == ("a.html", "text/html")
    assert image.get_payload(decode=True) == page.content

    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    stream = one({"requestBody": {"content": content}})
    whole = builder(stream).build(
        stream.operations[0], replace={Slot(location="body", name=""): page}
    )
    assert whole.request.body == page.content


@pytest.mark.parametrize("form", [{}, {"format": "uri"}])
def test_a_field_of_a_form_in_parts_is_a_file_also_by_its_name(form: dict[str, Any]) -> None:
    properties = {"file": {"type": "string", **form}, "site": {"type": "string", "format": "uri"}}
    schema = {"type": "object", "properties": properties}
    api = one({"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}})
    body = built(api).request.body
    assert body.count(b"filename=") == 1
    assert b'name="file"; filename=' in body


def test_what_is_to_be_a_file_is_sent_as_a_form_in_parts_where_json_is_taken_too() -> None:
    schema = {"type": "object", "properties": {"file": {"type": "string"}}}
    kinds = ("application/json", "multipart/form-data")
    api = one({"requestBody": {"content": {kind: {"schema": schema} for kind in kinds}}})
    file = Upload(name="a.txt", media_type="text/plain", content=b"a")
    request = built(api, replace={Slot(location="body", name="file"): file}).request
    assert (request.header("content-type") or "").startswith("multipart/form-data")


def test_a_kind_that_may_be_null_is_the_kind_without_it() -> None:
    schema = {"type": "integer", "nullable": True}
    api = one({"parameters": [{"name": "n", "in": "query", "schema": schema}]}, method="get")
    (slot,) = builder(api).slots(api.operations[0])
    assert slot.kinds == {"integer"}


def test_plain_text_and_octet_streams_are_the_text_itself(clinic: Api) -> None:
    memo = builder(clinic).build(of(clinic, "POST /memos"))
    assert memo.request.body.decode() == memo.canaries[0]
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    stream = built(one({"requestBody": {"content": content}}))
    assert stream.request.body.decode() == stream.canaries[0]


def test_json_is_preferred_among_media_types() -> None:
    schema = {"schema": {"type": "object"}}
    names = ("application/xml", "multipart/form-data", "application/vnd.api+json")
    made = built(one({"requestBody": {"content": dict.fromkeys(names, schema)}}))
    assert made.request.header("Content-Type") == "application/vnd.api+json"
    made = built(one({"requestBody": {"content": {"*/*": schema}}}))
    assert made.request.header("Content-Type") == "application/json"


# Slots


def test_slots_are_every_scalar_input(library: Api) -> None:
    slots = builder(library).slots(of(library, "POST /books"))
    names = [slot.name for slot in slots]
    own = [slot for slot in slots if not slot.name.startswith("sequel.")]
    assert [(slot.location, slot.name, slot.is_text) for slot in own] == [
        ("header", "X-Tenant", True),
        ("body", "title", True),
        ("body", "isbn", True),
        ("body", "authors.0.name", True),
        ("body", "authors.0.born", True),
        ("body", "authors.0.country_code", True),
        ("body", "pages", False),
        ("body", "price", False),
        ("body", "rating", False),
        ("body", "dimensions.0", False),
    ]
    assert "sequel.sequel.title" in names
    assert max(name.count(".") for name in names) == 2
    in_query = builder(library).slots(of(library, "GET /books"))[1:]
    assert [slot.name for slot in in_query] == [
        "q", "limit", "cursor", "filter.language", "filter.since", "tags.0",
    ]  # fmt: skip
    assert not next(slot for slot in in_query if slot.name == "filter.language").is_text


def test_values_tell_what_each_slot_holds(library: Api) -> None:
    made = builder(library).build(of(library, "GET /books"))
    told = {slot.name: value for slot, value in made.values.items()}
    assert told["q"] == "moby"
    assert told["filter.language"] == "en"
    assert told["tags.0"] == "sea"
    assert "cursor" not in told


ATTACKS = (
    "../../etc/passwd",
    "'",
    "\x00",
    "a/b?c#d&e=f",
    "%2e%2e",
    "é\u202e\U0001f600",
    " ",
    "..",
    "",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_replaced_value_survives_as_data(attack: str) -> None:
    parameters = [
        {"name": "p", "in": "path", "schema": {"type": "integer"}},
        {"name": "q", "in": "query", "schema": {"type": "integer"}},
    ]
    schema = {"properties": {"x": {"properties": {"y": {"type": "array", "items": {}}}}}}
    body = {"content": {"application/json": {"schema": schema}}}
    api = one({"parameters": parameters, "requestBody": body}, path="/a/{p}/b")
    names = (("path", "p"), ("query", "q"), ("body", "x.y.0"), ("header", "X-New"))
    replace = {Slot(location=where, name=name): attack for where, name in names}  # type: ignore[arg-type]  # a Literal in a tuple
    made = built(api, replace=replace)
    path = made.request.path
    assert urlsplit(path).path.count("/") == 3
    assert unquote_to_bytes(urlsplit(path).path.split("/")[2]) == attack.encode()
    assert urlsplit(path).path.split("/")[2] not in {".", ".."}
    assert parse_qs(urlsplit(path).query, keep_blank_values=True) == {"q": [attack]}
    assert json.loads(made.request.body)["x"]["y"] == [attack]
    assert b"\x00" not in made.request.body
    assert made.request.header("X-New") == attack
    assert {**made.values, **replace} == made.values


@settings(max_examples=15, deadline=None)
@given(st.text() | st.integers() | st.booleans() | st.binary())
def test_any_value_can_be_put_into_any_place(value: Any) -> None:
    make = builder(LIBRARY)
    for operation in LIBRARY.operations:
        for slot in make.slots(operation):
            made = make.build(operation, replace={slot: value})
            assert made.values[slot] == value
            assert made.request.path.isascii()


def test_an_operator_in_place_of_a_value_keeps_its_structure() -> None:
    operator = {"$gt": ""}
    api = one(
        {
            "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {"properties": {"n": {}}}}}},
        }
    )
    replace: dict[Slot, object] = {
        Slot(location="query", name="q"): operator,
        Slot(location="body", name="n"): operator,
        Slot(location="body", name="role.admin"): True,
    }
    made = built(api, replace=replace)
    assert made.request.path == "/a?q%5B%24gt%5D="
    assert json.loads(made.request.body) == {"n": operator, "role": {"admin": True}}


def test_a_parameter_whose_own_name_has_dots_is_one_parameter() -> None:
    parameter = {"name": "user.name", "in": "query", "schema": {"type": "string"}}
    api = one({"parameters": [parameter]})
    (slot,) = builder(api).slots(api.operations[0])
    assert slot.name == "user.name"
    assert built(api, replace={slot: "x"}).request.path == "/a?user.name=x"


def test_a_property_whose_own_name_has_dots_is_one_property() -> None:
    schema = {"properties": {"a.b": {"type": "integer"}, "c~": {"type": "integer"}}}
    api = one({"requestBody": {"content": {"application/json": {"schema": schema}}}})
    slots = builder(api).slots(api.operations[0])
    made = built(api, replace=dict.fromkeys(slots, 9))
    assert json.loads(made.request.body) == {"a.b": 9, "c~": 9}


def test_a_slot_without_a_place_is_said() -> None:
    api = one({}, method="get")
    with pytest.raises(Unbuildable, match="no path parameter 'id'"):
        built(api, replace={Slot(location="path", name="id"): 1})
    with pytest.raises(Unbuildable, match="takes no body"):
        built(api, replace={Slot(location="body", name="id"): 1})
    assert built(api, replace={ADDRESS: "x"}).request.path == "/a?to=x"


def test_slots_are_equal_whatever_their_schema() -> None:
    assert Slot(location="query", name="to", schema={"type": "string"}) == ADDRESS
    assert hash(Slot(location="query", name="to", schema={"type": "string"})) == hash(ADDRESS)
