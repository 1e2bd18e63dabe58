"""Whether the shop is open."""

from fastapi import APIRouter

from withstand.demo.access import TheShop
from withstand.demo.schemas import Health

router = APIRouter(tags=["health"])


@router.get("/health", summary="Whether the API can serve requests")
async def get_health(shop: TheShop) -> Health:
    shop.database.is_empty()
    return Health(status="ok")
