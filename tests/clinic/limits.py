"""How often something may fail before it is refused for a while."""

import math
import threading
import time


class FailureLimit:
    """Counts failures per key in windows that begin with the first of them."""

    def __init__(self, failures: int, window_s: float = 60.0) -> None:
        self._failures, self._window_s = failures, window_s
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[float, int]] = {}  # key → when it began, failures

    def wait_s(self, key: str) -> int | None:
        """Whole seconds until the key may be tried again; None if it may be now."""
        with self._lock:
            began_s, failures = self._window(key)
            if failures < self._failures:
                return None
            return max(1, math.ceil(began_s + self._window_s - time.monotonic()))

    def add(self, key: str) -> None:
        """One more failure."""
        with self._lock:
            began_s, failures = self._window(key)
            self._windows[key] = (began_s, failures + 1)

    def _window(self, key: str) -> tuple[float, int]:
        now_s = time.monotonic()
        began_s, failures = self._windows.get(key, (now_s, 0))
        return (now_s, 0) if now_s - began_s > self._window_s else (began_s, failures)
