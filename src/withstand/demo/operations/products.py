"""The catalogue, which everybody may read."""

import html
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import HTMLResponse

from withstand.demo.access import TheShop
from withstand.demo.operations.paging import Limit, Offset
from withstand.demo.problems import documented, not_found
from withstand.demo.records import Product
from withstand.demo.schemas import (
    NO_CONTROL_CHARACTERS,
    SKU_PATTERN,
    ProductPage,
    ProductView,
)
from withstand.demo.shop import Shop

router = APIRouter(prefix="/products", tags=["products"])

_Sku = Annotated[str, Path(pattern=SKU_PATTERN, examples=["SKU-001"])]
_Words = Annotated[
    str,
    Query(
        max_length=100,
        pattern=NO_CONTROL_CHARACTERS,
        description="Part of the product's name.",
        examples=["teapot"],
    ),
]
_Heading = Annotated[
    str,
    Query(
        max_length=100,
        pattern=NO_CONTROL_CHARACTERS,
        description="Printed above the product.",
        examples=["Today only"],
    ),
]


@router.get("", summary="Search products", responses=documented(422))
async def search_products(
    shop: TheShop, q: _Words = "", limit: Limit = 20, offset: Offset = 0
) -> ProductPage:
    search = (
        shop.database.search_products_by_concatenation
        if shop.planted.has("sql-injection")
        else shop.database.search_products
    )
    products = search(q, limit=limit, offset=offset)
    return ProductPage(
        items=[ProductView.of(each) for each in products], limit=limit, offset=offset
    )


@router.get("/{sku}", summary="Get a product", responses=documented(404, 422))
async def get_product(sku: _Sku, shop: TheShop) -> ProductView:
    return ProductView.of(_found(sku, shop))


@router.get(
    "/{sku}/label",
    summary="Get a price label",
    response_class=HTMLResponse,
    responses={200: {"description": "A page to print."}, **documented(404, 422)},
)
async def get_label(sku: _Sku, shop: TheShop, heading: _Heading = "Offer") -> HTMLResponse:
    product = _found(sku, shop)
    shown = heading if shop.planted.has("reflected-html") else html.escape(heading)
    return HTMLResponse(
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(product.name)}</title>'
        f"</head><body><h1>{shown}</h1><p>{html.escape(product.name)}</p>"
        f"<p>{product.price_cents / 100:.2f} EUR</p></body></html>\n"
    )


def _found(sku: str, shop: Shop) -> Product:
    product = shop.database.product(sku)
    if product is None:
        raise not_found()
    return product
