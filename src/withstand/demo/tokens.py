"""Access tokens: JWTs signed with a key that belongs to one data directory."""

import math
import os
import secrets
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt

from withstand.demo.flaws import Planted
from withstand.demo.key_pair import KeyPair
from withstand.demo.records import User

ISSUER = "https://shop.example.com"
AUDIENCE = "https://api.shop.example.com"
MAX_LIFETIME_S = 3600

_ALGORITHM = "HS256"
_KEY_BYTES = 32
_CLAIMS = ("iss", "aud", "sub", "iat", "exp")
# Ours have some 400 characters. The bound keeps hostile ones from costing anything to parse.
_MAX_TOKEN_CHARACTERS = 4096
GUESSABLE = b"a-string-secret-at-least-256-bits-long"
_UNTIL = "until"
"""The claim that takes the place of `exp` where tokens are to say nothing of their expiry."""


class InvalidTokenError(Exception):
    """The token does not prove who is calling."""


class Tokens:
    def __init__(self, key: bytes, planted: Planted) -> None:
        self._key = GUESSABLE if planted.has("guessable-token-secret") else key
        self._planted = planted
        self.pair = KeyPair() if planted.has("public-key-as-secret") else None

    def issue(self, user: User, *, lifetime_s: int) -> str:
        """A token for this user; it expires at the first whole second after its lifetime.

        The role is there for the caller's convenience. The server never reads it back.
        """
        now_s = time.time()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user.id,
            "role": user.role,
            "iat": int(now_s),
            "exp": math.ceil(now_s + lifetime_s),
            "jti": secrets.token_urlsafe(12),
        }
        if self._planted.has("tokens-without-expiry"):
            claims[_UNTIL] = claims.pop("exp")
        if self.pair is not None:
            return self.pair.signed(claims)
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def subject(self, token: str) -> str:
        """The id of the user whom the token speaks for. Raises InvalidTokenError."""
        if len(token) > _MAX_TOKEN_CHARACTERS:
            raise InvalidTokenError
        try:
            believed = self.pair is not None and self.pair.is_hmac(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                self.pair.public if self.pair is not None else self._key,
                algorithms=[_ALGORITHM, "RS256"] if believed else [self._algorithm],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={
                    "require": [name for name in _CLAIMS if name != "exp" or self._says_expiry],
                    "verify_signature": not believed
                    and not self._planted.has("unverified-signatures"),
                    # PyJWT skips these too when it is told not to verify the signature.
                    "verify_exp": not self._planted.has("expired-tokens-accepted"),
                    "verify_iat": True,
                    "verify_iss": True,
                    "verify_aud": True,
                },
            )
            if not self._says_expiry and not self._planted.has("expired-tokens-accepted"):
                self._refuse_after(float(claims[_UNTIL]))
            return str(UUID(claims["sub"]))
        except (
            jwt.PyJWTError,
            # Claims of odd types or none at all, and headers nested absurdly deep.
            ArithmeticError,
            AttributeError,
            KeyError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise InvalidTokenError from error

    @property
    def _says_expiry(self) -> bool:
        return not self._planted.has("tokens-without-expiry")

    @property
    def _algorithm(self) -> str:
        return self.pair.algorithm if self.pair is not None else _ALGORITHM

    @staticmethod
    def _refuse_after(until_s: float) -> None:
        if time.time() >= until_s:
            raise InvalidTokenError


def signing_key(folder: Path) -> bytes:
    """The key kept in this folder; a random one is made, readable by its owner only, if missing."""
    path = folder / "jwt.key"
    if not path.exists():
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
    return path.read_bytes()
