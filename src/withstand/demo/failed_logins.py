"""The limit on guessing passwords: ten failures a minute for each account."""

import hashlib
import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

_LIMIT = RateLimitItemPerMinute(10)


class FailedLogins:
    """Counts failures per email, whether or not anybody has it, so that the limit tells nothing.

    The window begins with an account's first failure. Successful logins are never counted: many
    clients may share one account, as the users of a load test do. A success does not reset the
    count either, or an account in constant use could be guessed at without end.
    """

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def wait_s(self, email: str) -> int | None:
        """Whole seconds until the account may be tried again; None if it may be now."""
        key = _key(email)
        if self._limiter.test(_LIMIT, key):
            return None
        window = self._limiter.get_window_stats(_LIMIT, key)
        return max(1, math.ceil(window.reset_time - time.time()))

    def add(self, email: str) -> None:
        self._limiter.hit(_LIMIT, _key(email))


def _key(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()
