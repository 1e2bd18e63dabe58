"""One address with several deeds is one operation for each of them."""

import json
from typing import Any

import pytest

from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.openapi.request_builder import RequestBuilder
from withstand.openapi.resources import deleter_of, lister_of, producer_of, reader_of
from withstand.openapi.spoken import only_reads, picker_of
from withstand.scan.policy import matches

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
DEEDS = ["getOrder", "listOrders", "createOrder", "deleteOrder", "ping"]


def api_of(method: str, path: str = "/api", **operation: Any) -> Api:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "One door", "version": "1"},
        "paths": {path: {method: {"responses": {"200": {"description": "OK"}}, **operation}}},
    }
    return read_document(json.dumps(document).encode(), source="door.json")


def body(schema: Any, **media: Any) -> Any:
    return {"required": True, "content": {"application/json": {"schema": schema, **media}}}


def thing(**properties: Any) -> Any:
    return {"type": "object", "properties": properties, "required": list(properties)}


def one_of(*calls: Any) -> Any:
    return body({"oneOf": list(calls)})


IN_BODY = body(thing(action={"enum": DEEDS}, id=NUMBER), example={"action": "getOrder", "id": 9})
CALLS = {
    "getOrder": thing(action={"const": "getOrder"}, id=NUMBER),
    "createOrder": thing(action={"enum": ["createOrder"]}, note=TEXT),
    "deleteOrder": thing(action={"const": "deleteOrder"}, id=NUMBER),
}


def rpc(method: str, **params: Any) -> Any:
    version = {"const": "2.0"}
    return thing(jsonrpc=version, method={"const": method}, params=thing(**params), id=NUMBER)


@pytest.mark.parametrize(
    ("api", "mark"),
    [
        (api_of("post", requestBody=IN_BODY), "#"),
        (api_of("post", requestBody=one_of(*CALLS.values())), "#"),
        (
            api_of(
                "post", parameters=[{"in": "query", "name": "action", "schema": {"enum": DEEDS}}]
            ),
            "?",
        ),
    ],
)
def test_each_deed_is_an_operation_that_sends_it(api: Api, mark: str) -> None:
    builder = RequestBuilder(api, nonce=lambda: "ws0123456789abcdef01234567")
    for operation in api.operations:
        name, _, deed = operation.path.partition(f"/api{mark}")[2].partition("=")
        request = builder.build(operation).request
        assert (name, deed in DEEDS) == ("action", True)
        assert request.path == (operation.path if mark == "?" else "/api")
        assert mark == "?" or json.loads(request.body)["action"] == deed
    assert len(api.operations) == len({each.key for each in api.operations}) > 1


def test_the_deeds_of_one_address_are_related_like_calls() -> None:
    api = api_of(
        "post",
        requestBody=one_of(
            rpc("order.get", id=NUMBER), rpc("order.list"), rpc("order.create", note=TEXT),
            rpc("order.delete", id=NUMBER),
        ),
    )  # fmt: skip
    read, listing, make, remove = api.operations
    picker = picker_of(remove, api.resolve)
    assert (picker.name if picker else None) == "params.id"  # not JSON-RPC's own id
    assert producer_of(api, remove) == make
    assert (reader_of(api, make), lister_of(api, make), deleter_of(api, make)) == (
        read, listing, remove,
    )  # fmt: skip
    assert (only_reads(read), only_reads(remove), remove.removes) == (True, False, True)


@pytest.mark.parametrize(
    "api",
    [
        api_of("post", "/pay", requestBody=body(thing(method={"enum": ["card", "cash"]}))),
        api_of("post", "/sort", requestBody=body(thing(mode={"enum": ["new", "old", "hot"]}))),
        api_of("post", "/x", requestBody=body(thing(kind={"enum": ["getX", "deleteX"]}))),
        api_of("post", "/orders/{id}", requestBody=body(thing(op={"enum": ["get", "delete"]}))),
    ],
)
def test_a_choice_of_anything_else_stays_one_operation(api: Api) -> None:
    assert len(api.operations) == 1
    assert "#" not in api.operations[0].path


def test_a_rule_for_the_address_is_for_each_of_its_deeds() -> None:
    assert matches("POST /api", "POST /api#action=deleteOrder")
    assert matches("POST /api#action=delete*", "POST /api#action=deleteOrder")
    assert not matches("POST /api#action=getOrder", "POST /api#action=deleteOrder")
