"""Whether a GET acts, by the words of its path."""

from typing import Any

import pytest

from withstand.openapi.operation import Operation, Parameter


def get(path: str, *required: str, **more: Any) -> Operation:
    inputs = (Parameter(name=n, location="query", required=True, schema={}) for n in required)
    return Operation(method="GET", path=path, parameters=tuple(inputs), **more)


@pytest.mark.parametrize(
    "operation",
    [
        get("/orders/{id}/cancel"),
        get("/orders/{id}/refund"),
        get("/orders/{id}/approve"),
        get("/deleteOrder", "id"),
        get("/cancel/{orderId}"),
        get("/refundOrder", "id"),
        get("/archive_order.php", "id"),
        get("/ticket_close.php", "id"),
        get("/api.php?action=closeTicket", "id"),
        get("/users/{id}/ban"),
        get("/keys/revoke"),
        get("/unsubscribe/{token}"),
        get("/confirm-email", "token", summary="Confirms an e-mail address"),
        get("/posts.publish"),
        get("/transfer", "to", "amount"),
        get("/updatePathway", "description"),
        get("/orders/create", "name"),
        get("/orders/{id}/publish", operation_id="getOrdersIdPublish"),
    ],
)
def test_a_get_whose_path_says_a_deed_is_no_read(operation: Operation) -> None:
    assert not operation.is_read


@pytest.mark.parametrize(
    "operation",
    [
        get("/orders/cancelled"),
        get("/approvals"),
        get("/payments"),
        get("/published"),
        get("/refunds/{id}"),
        get("/refund/{id}"),
        get("/archive"),
        get("/orders/{id}/refund-policy"),
        get("/orders/{id}/cancel-reasons"),
        get("/bans"),
        get("/orders/{id}/edit"),
        get("/orders/create"),
        get("/orders/new"),
        get("/canCancel", "id"),
        get("/orders/getClosed"),
        get("/deletedprojects"),
        get("/PayRuns", summary="Retrieves pay runs"),
        get("/linode/{id}/transfer", operation_id="getLinodeTransfer"),
        get("/change-log"),
        get("/"),
    ],
)
def test_a_get_whose_path_names_a_thing_is_a_read(operation: Operation) -> None:
    assert operation.is_read
