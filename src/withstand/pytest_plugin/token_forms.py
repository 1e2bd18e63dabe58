"""Pure choices about tokens: whose is which, and what a tampered one looks like."""

import base64
import binascii
from collections.abc import Sequence

from withstand.client.identity import Identity, jwt_claims

_ADMIN = "admin"
_USER = "user"


def user_of(identities: Sequence[Identity]) -> Identity | None:
    """The first identity with the role `user`, else the first that is no admin."""
    ordinary = [identity for identity in identities if not _is_admin(identity)]
    return next((who for who in ordinary if who.role == _USER), ordinary[0] if ordinary else None)


def other_user_of(identities: Sequence[Identity]) -> Identity | None:
    """Another identity with the role of the user."""
    user = user_of(identities)
    if user is None:
        return None
    return next((who for who in identities if who.role == user.role and who is not user), None)


def admin_of(identities: Sequence[Identity]) -> Identity | None:
    """The first identity with the role `admin`, else one of that name."""
    return next((who for who in identities if _is_admin(who)), None)


def named(identities: Sequence[Identity], wanted: str) -> Identity | None:
    """The identity of this name, else the first with this role."""
    by_name = next((who for who in identities if who.name == wanted), None)
    return by_name or next((who for who in identities if who.role == wanted), None)


def tampered(token: str) -> str:
    """The token with one bit of its signature's middle byte flipped; its length stays.

    A token that is no JWT has one character in its middle changed instead. The last character
    would not do: in base64url it can carry bits that nobody reads.
    """
    head, dot, signature = token.rpartition(".")
    if jwt_claims(token) is not None and signature:
        try:
            raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
        except (binascii.Error, ValueError):
            raw = bytearray()
        if raw:
            raw[len(raw) // 2] ^= 0x01
            return head + dot + base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")
    middle = len(token) // 2
    return (
        token[:middle] + ("A" if token[middle : middle + 1] != "A" else "B") + token[middle + 1 :]
    )


def _is_admin(identity: Identity) -> bool:
    return _ADMIN in (identity.role.lower(), identity.name.lower())
