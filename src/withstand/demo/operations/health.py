"""Whether the shop is open."""

from fastapi import APIRouter

from withstand.demo.access import TheShop
from withstand.demo.problems import not_found
from withstand.demo.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/internal/config", include_in_schema=False)
async def get_configuration(shop: TheShop) -> dict[str, str]:
    """The flaw "configuration-page"."""
    if not shop.planted.has("configuration-page"):
        raise not_found()
    return {"environment": "staging", "database_url": "postgres://shop:sells-teapots@db/shop"}


@router.get("/health", summary="Whether the API can serve requests")
async def get_health(shop: TheShop) -> Health:
    shop.database.is_empty()
    return Health(status="ok")
