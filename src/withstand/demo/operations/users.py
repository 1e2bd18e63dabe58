"""Signing up, and what users may see of themselves and of each other."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from withstand.demo.access import SignedIn, TheShop, may_list_users
from withstand.demo.flaws import Planted
from withstand.demo.operations.paging import Limit, Offset
from withstand.demo.problems import documented
from withstand.demo.records import User, timestamp_now
from withstand.demo.schemas import Account, ProfileChange, SignUp, UserPage

router = APIRouter(prefix="/users", tags=["users"])


@router.post(
    "",
    status_code=201,
    summary="Sign up",
    response_model=Account,
    responses=documented(413, 422),
)
async def sign_up(wanted: SignUp, shop: TheShop) -> JSONResponse:
    """Makes an account with the role `user`.

    The answer is the same when somebody has this email already, so that it does not tell who is a
    customer (ASVS 6.3.8). Nothing is changed then; a real shop would write to the owner.
    """
    user = User(
        id=str(uuid4()),
        email=wanted.email,
        display_name=wanted.display_name,
        role="user",
        password_hash=await shop.passwords.hashed(wanted.password),
        created_at=timestamp_now(),
    )
    shop.database.add_user(user)
    return JSONResponse(account(user, shop.planted), status_code=201)


@router.get(
    "",
    summary="List users",
    response_model=UserPage,
    responses=documented(401, 422),
    dependencies=[Depends(may_list_users)],
)
async def list_users(shop: TheShop, limit: Limit = 20, offset: Offset = 0) -> JSONResponse:
    """The public profiles of all users, newest first."""
    if shop.planted.has("slow-endpoint"):
        await asyncio.sleep(0.3)
    users = shop.database.users(limit=limit, offset=offset)
    profiles = [_profile(user, shop.planted) for user in users]
    return JSONResponse({"items": profiles, "limit": limit, "offset": offset})


@router.get(
    "/me", summary="Get the caller's account", response_model=Account, responses=documented(401)
)
async def get_me(user: SignedIn, shop: TheShop) -> JSONResponse:
    return JSONResponse(account(user, shop.planted))


@router.patch(
    "/me",
    summary="Change the caller's account",
    response_model=Account,
    responses=documented(401, 413, 422),
)
async def change_me(change: ProfileChange, user: SignedIn, shop: TheShop) -> JSONResponse:
    shop.database.rename_user(user.id, change.display_name)
    return JSONResponse(account(replace(user, display_name=change.display_name), shop.planted))


def account(user: User, planted: Planted) -> dict[str, str]:
    """What the user, and an administrator, may see."""
    return _profile(user, planted) | {
        "email": user.email,
        "role": user.role,
        "created_at": user.created_at,
    }


def _profile(user: User, planted: Planted) -> dict[str, str]:
    """What everybody who is signed in may see."""
    profile = {"id": user.id, "display_name": user.display_name}
    if planted.has("password-hash-in-responses"):
        profile["password_hash"] = user.password_hash
    return profile
