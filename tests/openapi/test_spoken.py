"""What is done to what, where a path is a call."""

from typing import Any

import pytest

from withstand.openapi.dependency_order import in_dependency_order
from withstand.openapi.operation import Api, Operation, Parameter, RequestBody
from withstand.openapi.resources import deleter_of, lister_of, producer_of, reader_of
from withstand.openapi.spoken import Deed, deed_of, only_reads, picker_of, thing_of


def called(key: str, *inputs: str, **more: Any) -> Operation:
    """An operation with inputs in its query, or for POST in its body; all are required."""
    method, path = key.split(" ", 1)
    query = tuple(
        Parameter(name=name, location="query", required=True, schema={}) for name in inputs
    )
    schema = {"properties": {name: {} for name in inputs}, "required": list(inputs)}
    body = RequestBody(media_type="application/json", schema=schema, required=True)
    where: dict[str, Any] = {"parameters": query} if method != "POST" else {"bodies": (body,)}
    return Operation(method=method, path=path, **where, **more)


def plain(schema: Any) -> Any:
    return schema


@pytest.mark.parametrize(
    ("operation", "deed", "thing", "picker"),
    [
        (called("GET /ticket_list.php"), Deed.LIST, "ticket", None),
        (called("GET /ticket.php", "id"), Deed.READ, "ticket", "id"),
        (called("GET /tickets", "id"), Deed.READ, "ticket", "id"),
        (called("GET /tickets"), Deed.LIST, "ticket", None),
        (called("GET /getInvoice", "id"), Deed.READ, "invoice", "id"),
        (called("GET /getinvoice", "id"), Deed.READ, "invoice", "id"),
        (called("POST /deleteticket.php", "id"), Deed.REMOVE, "ticket", "id"),
        (called("GET /addresses", "id"), Deed.READ, "address", "id"),
        (called("GET /getInvoices"), Deed.LIST, "invoice", None),
        (called("GET /viewInvoice.do", "invoiceNo"), Deed.READ, "invoice", "invoiceNo"),
        (called("GET /Orders/GetAllOrders.aspx"), Deed.LIST, "order", None),
        (called("GET /orders/show", "ref"), Deed.READ, "order", "ref"),
        (called("POST /rpc/deleteOrder", "id"), Deed.REMOVE, "order", "id"),
        (called("POST /rpc/delete-order", "orderId"), Deed.REMOVE, "order", "orderId"),
        (called("POST /shop.OrderService/GetOrder", "order_id"), Deed.READ, "order", "order_id"),
        (called("POST /OrderController/getById", "id"), Deed.READ, "order", "id"),
        (called("POST /orders.create", "id"), Deed.CREATE, "order", None),
        (called("POST /orders", "id"), Deed.CREATE, "order", "id"),
        (called("GET /index.php?do=ticket-edit", "id"), Deed.CHANGE, "ticket", "id"),
        (called("GET /api.php?action=view", "id", tags=("tickets",)), Deed.READ, "ticket", "id"),
        (
            called("GET /api.php?action=view", "id", operation_id="viewTicket", tags=("x",)),
            Deed.READ,
            "ticket",
            "id",
        ),
        (
            called("GET /api.php?action=view", "id", summary="View a ticket by its id"),
            Deed.READ,
            "ticket",
            "id",
        ),
        (
            called(
                "GET /api?action=list",
                responses={
                    "200": {
                        "application/json": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Ticket"},
                        }
                    }
                },
            ),
            Deed.LIST,
            "ticket",
            None,
        ),
        (called("GET /pets/findByStatus", "status"), Deed.LIST, "pet", None),
        (called("POST /users/register", "id"), Deed.CHANGE, "register", "id"),
    ],
)
def test_the_words_of_a_call_say_what_is_done_to_what(
    operation: Operation, deed: Deed, thing: str, picker: str | None
) -> None:
    found = picker_of(operation, plain)
    assert (deed_of(operation, plain), thing_of(operation)) == (deed, thing)
    assert (found.name if found else None) == picker


def test_the_words_say_more_than_the_method() -> None:
    assert only_reads(called("POST /rpc/getOrder", "id"))
    assert only_reads(called("GET /orders"))
    assert not only_reads(called("GET /deleteOrder", "id"))
    assert not only_reads(called("POST /payOrder", "id"))
    assert called("POST /rpc/deleteOrder", "id").removes
    assert called("POST /deleteorder.php", "id").removes
    assert not called("POST /rpc/undeletedOrders").removes


CALLS = Api(
    title="",
    version="",
    source="",
    operations=(
        called("POST /rpc/deleteOrder", "id"),
        called("POST /rpc/updateOrder", "id", "note"),
        called("POST /rpc/getOrder", "id"),
        called("POST /rpc/getCustomer", "id"),
        called("POST /rpc/listOrders"),
        called("POST /rpc/createOrder", "note"),
    ),
)


def test_calls_find_each_other_by_what_they_are_about() -> None:
    delete, update, get, customer, listed, create = CALLS.operations
    for operation in (delete, update, get):
        assert producer_of(CALLS, operation) == create
        assert reader_of(CALLS, operation) == get
        assert lister_of(CALLS, operation) == listed
    assert deleter_of(CALLS, create) == delete
    assert reader_of(CALLS, create) == get
    assert producer_of(CALLS, customer) is None
    assert producer_of(CALLS, listed) is None


def test_calls_are_tried_in_the_order_in_which_they_need_each_other() -> None:
    keys = [op.path.removeprefix("/rpc/") for op in in_dependency_order(CALLS.operations)]
    assert keys.index("createOrder") < keys.index("getOrder") < keys.index("updateOrder")
    assert keys[-1] == "deleteOrder"


def test_an_id_that_is_only_shown_picks_nothing() -> None:
    schema = {"properties": {"id": {"type": "integer", "readOnly": True}, "bio": {}}}
    body = RequestBody(media_type="application/json", schema=schema, required=True)
    own = Operation(method="PATCH", path="/me/", bodies=(body,))
    assert picker_of(own, plain) is None
