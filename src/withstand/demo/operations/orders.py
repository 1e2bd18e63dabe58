"""Orders: made, read and deleted by the user whose they are."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Response
from fastapi.exceptions import RequestValidationError

from withstand.demo.access import SignedIn, TheShop
from withstand.demo.operations.paging import Limit, Offset
from withstand.demo.problems import documented, not_found
from withstand.demo.records import Order, timestamp_now
from withstand.demo.schemas import NewOrder, OrderPage, OrderView
from withstand.demo.shop import Shop

router = APIRouter(prefix="/orders", tags=["orders"])

_OrderId = Annotated[UUID, Path(alias="id", description="The order's id.")]
_CREATED = {
    "headers": {
        "Location": {
            "description": "The path of the order.",
            "schema": {"type": "string", "format": "uri-reference"},
        }
    }
}


@router.post(
    "",
    status_code=201,
    summary="Order something",
    responses={201: _CREATED, **documented(401, 413, 422)},
)
async def create_order(
    wanted: NewOrder, user: SignedIn, shop: TheShop, response: Response
) -> OrderView:
    order = Order(
        id=str(uuid4()),
        owner_id=user.id,
        skus=tuple(wanted.items),
        note=wanted.note,
        total_cents=_total_cents(wanted.items, shop),
        created_at=timestamp_now(),
    )
    shop.database.add_order(order)
    response.headers["Location"] = f"/orders/{order.id}"
    return OrderView.of(order)


@router.get("", summary="List the caller's orders", responses=documented(401, 422))
async def list_orders(
    user: SignedIn, shop: TheShop, limit: Limit = 20, offset: Offset = 0
) -> OrderPage:
    """Newest first."""
    orders = shop.database.orders_of(user.id, limit=limit, offset=offset)
    return OrderPage(items=[OrderView.of(order) for order in orders], limit=limit, offset=offset)


@router.get("/{id}", summary="Get an order", responses=documented(401, 404, 422))
async def get_order(order_id: _OrderId, user: SignedIn, shop: TheShop) -> OrderView:
    """The caller's own order; an administrator may read everybody's."""
    order = shop.database.order(str(order_id))
    if order is None:
        raise not_found()
    may_read = order.owner_id == user.id or user.role == "admin"
    if not may_read and not shop.planted.has("order-readable-by-other-user"):
        raise not_found()
    return OrderView.of(order)


@router.delete(
    "/{id}", status_code=204, summary="Delete an order", responses=documented(401, 404, 422)
)
async def delete_order(order_id: _OrderId, user: SignedIn, shop: TheShop) -> None:
    """Only the user who made the order may delete it."""
    owner_id = user.id
    if shop.planted.has("order-deletable-by-other-user"):
        order = shop.database.order(str(order_id))
        owner_id = order.owner_id if order is not None else user.id
    if not shop.database.delete_order(str(order_id), owner_id=owner_id):
        raise not_found()


def _total_cents(skus: list[str], shop: Shop) -> int:
    total_cents = 0
    for index, sku in enumerate(skus):
        product = shop.database.product(sku)
        if product is None:
            raise RequestValidationError(
                [{"loc": ("body", "items", index), "msg": "There is no such product."}]
            )
        total_cents += product.price_cents
    return total_cents
