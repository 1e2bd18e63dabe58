"""Sessions on the server's side: a random cookie names one, and says nothing else."""

import secrets
import threading

COOKIE = "clinic_session"


class Sessions:
    """Who is logged in. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, int] = {}

    def begin(self, user_id: int) -> str:
        """A new session; returns what the cookie holds."""
        key = secrets.token_urlsafe(24)
        with self._lock:
            self._users[key] = user_id
        return key

    def user_id(self, key: str) -> int | None:
        """Whose session it is; None if it is none, or has ended."""
        with self._lock:
            return self._users.get(key)

    def end(self, key: str) -> None:
        """The cookie is worth nothing from now on."""
        with self._lock:
            self._users.pop(key, None)

    def end_others(self, user_id: int, keep: str | None) -> None:
        """All sessions of a user but one: after a change of password."""
        with self._lock:
            ended = [key for key, owner in self._users.items() if owner == user_id and key != keep]
            for key in ended:
                del self._users[key]
