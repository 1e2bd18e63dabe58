"""What only administrators may do."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path
from starlette.responses import JSONResponse

from withstand.demo.access import TheShop, must_be_admin
from withstand.demo.operations.users import account
from withstand.demo.problems import documented, not_found
from withstand.demo.records import User
from withstand.demo.schemas import Account
from withstand.demo.shop import Shop

router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(must_be_admin)])

_UserId = Annotated[UUID, Path(alias="id", description="The user's id.")]


@router.get(
    "/users/{id}",
    summary="Get a user's account",
    response_model=Account,
    responses=documented(401, 403, 404, 422),
)
async def get_user(user_id: _UserId, shop: TheShop) -> JSONResponse:
    return JSONResponse(account(_found(user_id, shop), shop.planted))


@router.delete(
    "/users/{id}",
    status_code=204,
    summary="Delete a user",
    responses=documented(401, 403, 404, 409, 422),
)
async def delete_user(user_id: _UserId, shop: TheShop) -> None:
    """Deletes the user and their orders; their tokens stop working. Administrators stay."""
    user = _found(user_id, shop)
    if user.role == "admin":
        raise HTTPException(409, "An administrator cannot be deleted.")
    shop.database.delete_user(user.id)


def _found(user_id: UUID, shop: Shop) -> User:
    user = shop.database.user_by_id(str(user_id))
    if user is None:
        raise not_found()
    return user
