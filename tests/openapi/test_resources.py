"""Who creates, reads, lists and deletes the same thing."""

from typing import Any

import pytest

from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.identifiers import identifier_added, identifier_in, identifier_in_location
from withstand.openapi.operation import Api, Operation, RequestBody
from withstand.openapi.resources import deleter_of, lister_of, producer_of, reader_of


def api(*keys: str) -> Api:
    operations = []
    for key in keys:
        method, path = key.split()
        operations.append(Operation(method=method, path=path))
    return Api(title="", version="", source="", operations=tuple(operations))


SHOP = api(
    "GET /orders/{id}",
    "DELETE /orders/{orderId}",
    "PUT /orders/{id}",
    "POST /orders/{id}/cancel",
    "GET /orders",
    "POST /orders",
    "GET /users/{uid}/notes/{nid}",
    "POST /users/{user_id}/notes",
    "POST /users/register",
    "GET /users/{uid}",
    "POST /category",
    "GET /categories/{id}",
    "GET /health",
    "DELETE /admin/users/{uid}",
)


def of(key: str, *, among: Api = SHOP) -> Operation:
    operation = among.operation(key)
    assert operation is not None
    return operation


def key(operation: Operation | None) -> str | None:
    return operation.key if operation else None


@pytest.mark.parametrize(
    ("consumer", "producer"),
    [
        ("GET /orders/{id}", "POST /orders"),
        ("POST /orders/{id}/cancel", "POST /orders"),
        ("GET /users/{uid}/notes/{nid}", "POST /users/{user_id}/notes"),
        ("POST /users/{user_id}/notes", "POST /users/register"),
        ("GET /users/{uid}", "POST /users/register"),
        ("GET /categories/{id}", "POST /category"),
        ("POST /orders", None),
        ("GET /health", None),
        ("DELETE /admin/users/{uid}", None),
    ],
)
def test_the_producer_creates_what_the_last_parameter_names(
    consumer: str, producer: str | None
) -> None:
    assert key(producer_of(SHOP, of(consumer))) == producer


def test_a_collection_elsewhere_is_the_producer_when_it_is_the_only_one() -> None:
    shop = api("POST /users", "GET /admin/users/{id}", "DELETE /admin/users/{id}")
    assert key(producer_of(shop, of("GET /admin/users/{id}", among=shop))) == "POST /users"
    assert key(deleter_of(shop, of("POST /users", among=shop))) == "DELETE /admin/users/{id}"
    assert key(reader_of(shop, of("POST /users", among=shop))) == "GET /admin/users/{id}"


@pytest.mark.parametrize(
    "operation",
    ["PUT /orders/{id}", "POST /orders", "POST /orders/{id}/cancel", "GET /orders/{id}"],
)
def test_reader_and_deleter_work_on_the_same_item(operation: str) -> None:
    assert key(reader_of(SHOP, of(operation))) == "GET /orders/{id}"
    assert key(deleter_of(SHOP, of(operation))) == "DELETE /orders/{orderId}"


def test_the_lister_is_the_collections_get() -> None:
    for operation in (
        "PUT /orders/{id}",
        "POST /orders",
        "GET /orders",
        "POST /orders/{id}/cancel",
    ):
        assert key(lister_of(SHOP, of(operation))) == "GET /orders"
    assert lister_of(SHOP, of("GET /health")) is None
    assert lister_of(SHOP, of("GET /users/{uid}/notes/{nid}")) is None


def test_what_has_a_path_of_its_own_is_listed_where_it_is_created() -> None:
    place = "/products/{id}/comments"
    shop = api(f"POST {place}", f"GET {place}", "PATCH /comments/{comment_id}")
    change = of("PATCH /comments/{comment_id}", among=shop)
    assert key(lister_of(shop, change)) == f"GET {place}"


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"id": 7, "lines": [{"id": 31}, {"id": 32}]}, 32),
        ({"data": {"id": 7, "lines": [{"id": 32}, {"id": 31}]}}, 32),
        ({"id": 7, "lines": [{"id": "b"}]}, "b"),
        ({"id": 7, "lines": [{"id": "b"}, {"id": "a"}]}, None),
        ({"id": 7, "lines": []}, None),
        ({"id": 7, "product_id": 3}, None),
    ],
)
def test_what_was_added_to_a_thing_is_found_where_the_answer_shows_the_whole_thing(
    document: Any, found: object
) -> None:
    assert identifier_added(document, "lines", "line_id") == found


@pytest.mark.parametrize(
    ("document", "name", "found"),
    [
        ({"id": 7}, "id", 7),
        ({"order_id": 7, "user_id": 8}, "orderId", 7),
        ({"orderId": "a", "id": "b"}, "order_id", "a"),
        ({"id": 7, "user_id": 8}, "order_id", 7),
        ({"_id": "x"}, "id", "x"),
        ({"uuid": "x"}, "noteId", "x"),
        ({"data": {"id": 7}}, "id", 7),
        ({"data": {"attributes": {"uuid": "u"}}}, "id", "u"),
        ({"ok": True, "data": {"order": {"id": 7}}}, "order_id", 7),
        ({"data": {"order": {"number": "N"}}, "requestId": "r"}, "number", "N"),
        ({"status": "ok", "order": {"id": 7}}, "id", 7),
        ({"orderNumber": "x", "paymentId": 3}, "id", 3),
        ({"username": "ann"}, "username", "ann"),
        ({"sku": "S"}, "product_sku", "S"),
        ([{"id": 7}], "id", 7),
        (7, "id", 7),
        ({"class": ["order"], "properties": {"id": 7, "total": 3}}, "id", 7),
        ({"total": 3, "links": [{"rel": "all", "href": "/orders"}]}, "id", None),
        ({"total": 3, "links": [{"rel": "self", "href": "/orders/7?v=1"}]}, "id", "7"),
        ({"total": 3, "links": [{"rel": ["self"], "href": "/orders/7"}]}, "id", "7"),
        ({"id": True}, "id", None),
        ({"a_id": 1, "b_id": 2}, "id", None),
        ({"ok": "yes"}, "id", None),
        ({"statusCode": 200, "message": "OK", "data": []}, "id", None),
        ({"code": 0, "message": "OK"}, "id", None),
        ({"code": "SPRING", "message": "Enjoy"}, "id", "SPRING"),
        (None, "id", None),
        ("text", "id", None),
    ],
)
def test_the_identifier_of_a_creation_is_found(document: Any, name: str, found: object) -> None:
    assert identifier_in(document, name) == found


@pytest.mark.parametrize(
    ("location", "path", "found"),
    [
        ("/orders/7", "/orders/{id}", "7"),
        ("http://127.0.0.1:8000/api/orders/7?x=1#y", "/orders/{id}", "7"),
        ("/orders/a%2Fb/", "/orders/{id}", "a/b"),
        ("/users/1/notes/2", "/users/{u}/notes/{n}", "2"),
        ("/orders/7/items", "/orders/{id}/items", "7"),
        ("/elsewhere/7", "/orders/{id}", None),
        ("", "/orders/{id}", None),
        ("/orders/7", "/orders", None),
        ("7", "/orders/{id}", "7"),
    ],
)
def test_the_identifier_in_a_location_is_found(location: str, path: str, found: str | None) -> None:
    assert identifier_in_location(location, path) == found


def test_producers_come_before_consumers_and_delete_comes_last() -> None:
    ordered = [operation.key for operation in in_dependency_order(SHOP.operations)]
    assert sorted(ordered) == sorted(operation.key for operation in SHOP.operations)
    assert ordered.index("POST /users/register") < ordered.index("POST /users/{user_id}/notes")
    assert ordered.index("POST /orders") < ordered.index("GET /orders/{id}")
    assert ordered.index("GET /orders") < ordered.index("GET /orders/{id}")
    assert ordered.index("GET /orders/{id}") < ordered.index("PUT /orders/{id}")
    assert ordered[-2:] == ["DELETE /orders/{orderId}", "DELETE /admin/users/{uid}"]


def test_what_is_inside_another_thing_is_deleted_before_it() -> None:
    shop = api("DELETE /a/{id}", "DELETE /a/{id}/b/{bid}", "POST /a/{id}/b", "POST /a")
    ordered = [operation.key for operation in in_dependency_order(shop.operations)]
    assert ordered == ["POST /a", "POST /a/{id}/b", "DELETE /a/{id}/b/{bid}", "DELETE /a/{id}"]


def test_a_body_that_names_another_thing_waits_for_it() -> None:
    schema: dict[str, Any] = {"properties": {"product_id": {}, "coupon_id": {}}}
    body = RequestBody(media_type="application/json", schema=schema, required=True)
    order = Operation(method="POST", path="/orders", bodies=(body,))
    product = Operation(method="POST", path="/products")
    coupons = Operation(method="GET", path="/coupons")
    assert in_dependency_order((order, product, coupons))[-1] is order


def test_a_body_behind_a_reference_waits_as_well() -> None:
    schema = {"$ref": "#/components/schemas/Order"}
    body = RequestBody(media_type="application/json", schema=schema, required=True)
    order = Operation(method="POST", path="/orders", bodies=(body,))
    product = Operation(method="POST", path="/products")

    def resolve(_: object) -> dict[str, Any]:
        return {"properties": {"productIds": {}}}

    assert in_dependency_order((order, product), resolve=resolve) == (product, order)


def test_things_that_need_each_other_are_each_named_once() -> None:
    def maker(path: str, needs: str) -> Operation:
        body = RequestBody(
            media_type="application/json", schema={"properties": {needs: {}}}, required=True
        )
        return Operation(method="POST", path=path, bodies=(body,))

    one, other = maker("/hens", "egg_id"), maker("/eggs", "hen_id")
    assert set(map(id, in_dependency_order((one, other)))) == {id(one), id(other)}


def test_order_is_stable() -> None:
    shop = api("GET /b", "GET /a", "GET /c")
    assert in_dependency_order(shop.operations) == shop.operations


def test_what_is_made_below_its_own_name_is_known_by_it() -> None:
    garage = api("POST /vehicle/vehicles", "GET /vehicle/vehicles", "DELETE /vehicle/{uuid}")
    delete = of("DELETE /vehicle/{uuid}", among=garage)
    made = of("POST /vehicle/vehicles", among=garage)
    assert (producer_of(garage, delete), deleter_of(garage, made)) == (made, delete)
    assert key(lister_of(garage, delete)) == "GET /vehicle/vehicles"
