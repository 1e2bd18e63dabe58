"""The API put together from its parts."""

import re

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from withstand.demo import document
from withstand.demo.middleware import (
    ApprovedPreflights,
    BodyLimit,
    GenericFailures,
    MemoryLeak,
)
from withstand.demo.operations import admin, health, login, manuals, orders, products, users
from withstand.demo.problems import answer_problems
from withstand.demo.shop import Shop

ALLOWED_ORIGIN = "https://app.example.com"


def create_app(shop: Shop) -> FastAPI:
    """The API on this shop, with the flaws that are planted in it."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.shop = shop
    for part in (health, login, users, orders, products, manuals, admin):
        app.include_router(part.router)
    if shop.tokens.pair is not None:
        app.add_api_route(
            "/.well-known/jwks.json", shop.tokens.pair.key_set, include_in_schema=False
        )
    answer_problems(app)
    document.describe(app)
    _wrap(app, shop)
    return app


def _wrap(app: FastAPI, shop: Shop) -> None:
    """From the inside out: the last one added sees a request first and a response last."""
    if shop.planted.has("memory-leak"):
        app.add_middleware(MemoryLeak)
    app.add_middleware(BodyLimit)
    app.add_middleware(GenericFailures)
    wildcard = shop.planted.has("wildcard-cors-with-credentials")
    by_prefix = shop.planted.has("origins-compared-by-prefix")
    allowed = [] if shop.planted.has("allowed-origin-left-out") else [ALLOWED_ORIGIN]
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"] if wildcard else allowed,
        allow_origin_regex=f"{re.escape(ALLOWED_ORIGIN)}.*" if by_prefix else None,
        # Tokens travel in a header, so browsers need not send cookies along.
        allow_credentials=wildcard,
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Location", "Retry-After"],
    )
    if shop.planted.has("preflights-approved-for-everybody"):
        app.add_middleware(ApprovedPreflights)
