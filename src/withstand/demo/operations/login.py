"""Logging in: a password for a token."""

from fastapi import APIRouter, HTTPException

from withstand.demo.access import TheShop
from withstand.demo.problems import documented, unauthenticated
from withstand.demo.schemas import Login, Token
from withstand.demo.shop import Shop

router = APIRouter(tags=["auth"])

_REFUSALS = documented(401, 413, 422, 429)


@router.post("/auth/token", summary="Get a token", responses=_REFUSALS)
async def create_token(login: Login, shop: TheShop) -> Token:
    """After ten wrong passwords for an account in a minute, further attempts are refused."""
    return await _log_in(login, shop)


@router.post("/auth/login", summary="Log in", responses=_REFUSALS)
async def log_in(login: Login, shop: TheShop) -> Token:
    """The same as `POST /auth/token`, under the name that many clients expect."""
    return await _log_in(login, shop)


async def _log_in(login: Login, shop: Shop) -> Token:
    _refuse_further_guesses(login.email, shop)
    user = shop.database.user_by_email(login.email)
    right = await shop.passwords.match(login.password, user.password_hash if user else None)
    # Asked again, because others may have failed meanwhile: of a thousand guesses sent at the same
    # instant no more than ten are answered, a right one among the others not at all.
    _refuse_further_guesses(login.email, shop)
    if user is None or not right:
        shop.failed_logins.add(login.email)
        raise unauthenticated("The email or the password is wrong.")
    return Token(
        access_token=shop.tokens.issue(user, lifetime_s=login.expires_in),
        token_type="bearer",  # noqa: S106 - the name of the scheme, not a secret
        expires_in=login.expires_in,
    )


def _refuse_further_guesses(email: str, shop: Shop) -> None:
    wait_s = shop.failed_logins.wait_s(email)
    if wait_s is None or shop.planted.has("no-rate-limit"):
        return
    tells_when = not shop.planted.has("rate-limit-without-retry-after")
    raise HTTPException(
        429,
        "Too many wrong passwords for this account; try again later.",
        headers={"Retry-After": str(wait_s)} if tells_when else None,
    )
