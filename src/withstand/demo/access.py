"""Who is calling, and what their role allows: the dependencies that operations declare.

They run before an operation's own parameters are looked at, so a caller who may not use an
operation learns nothing about what it would have accepted or found.
"""

from typing import Annotated

from fastapi import Depends, HTTPException, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from withstand.demo.problems import unauthenticated
from withstand.demo.records import User
from withstand.demo.shop import Shop
from withstand.demo.tokens import InvalidTokenError

_bearer = HTTPBearer(
    scheme_name="bearer",
    bearerFormat="JWT",
    description="A token from `POST /auth/token`.",
    auto_error=False,
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


async def _the_shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


TheShop = Annotated[Shop, Depends(_the_shop)]


async def _signed_in(shop: TheShop, credentials: _Credentials) -> User:
    if credentials is None:
        raise unauthenticated("Send a token: Authorization: Bearer ...")
    try:
        subject = shop.tokens.subject(credentials.credentials)
    except InvalidTokenError:
        raise unauthenticated("The token is expired or not valid.") from None
    # The role is the one that the user has now, not the one that the token was issued for.
    user = shop.database.user_by_id(subject)
    if user is None:
        raise unauthenticated("The token is expired or not valid.")
    return user


SignedIn = Annotated[User, Depends(_signed_in)]


async def may_list_users(shop: TheShop, credentials: _Credentials) -> None:
    any_will_do = shop.planted.has("any-token-accepted") and credentials is not None
    if not shop.planted.has("no-token-check") and not any_will_do:
        await _signed_in(shop, credentials)


async def must_be_admin(request: Request, shop: TheShop, user: SignedIn) -> None:
    if user.role == "admin" or shop.planted.has("role-not-checked"):
        return
    spelled = request.scope["raw_path"]
    if shop.planted.has("admin-guard-reads-path") and not spelled.startswith(b"/admin/"):
        return
    raise HTTPException(403, "Only administrators may do this.")
