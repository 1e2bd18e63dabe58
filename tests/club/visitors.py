"""Sessions of the club on the server's side, and the members' passwords."""

import hashlib
import secrets
import threading
from dataclasses import dataclass, field

COOKIE = "club_session"


@dataclass(slots=True)
class Visitor:
    """One session: its secret against forged requests, a message to show, perhaps a member."""

    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    member: int | None = None
    message: tuple[str, str] | None = None


class Visitors:
    """Who is there. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Visitor] = {}

    def known(self, key: str) -> Visitor | None:
        """The session of a cookie; None where it is none, or has ended."""
        with self._lock:
            return self._known.get(key)

    def keep(self, visitor: Visitor) -> None:
        """From now on its cookie is known."""
        with self._lock:
            self._known[visitor.key] = visitor

    def end(self, visitor: Visitor) -> None:
        """Its cookie is worth nothing from now on."""
        with self._lock:
            self._known.pop(visitor.key, None)


def hashed(password: str, *, dear: bool) -> str:
    """A password as it is kept. A dear hash takes what it ought to, a tenth of a second."""
    cost = 2**15 if dear else 2**4
    key = hashlib.scrypt(password.encode(), salt=b"club", n=cost, r=8, p=1, maxmem=2**28)
    return key.hex()
