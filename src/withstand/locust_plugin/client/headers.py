"""The headers that all requests of a session have, and whether they are as they were."""

from collections.abc import Callable
from typing import Any

from requests.structures import CaseInsensitiveDict


class WatchedHeaders(CaseInsensitiveDict[Any]):
    """The headers of a session; says when they change."""

    def __init__(self, changed: Callable[[], None], headers: Any = None) -> None:
        self._changed = changed
        super().__init__(headers)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed()

    def copy(self) -> CaseInsensitiveDict[Any]:
        """A copy, which nobody watches."""
        return CaseInsensitiveDict(self.items())

    def state(self) -> tuple[Any, ...]:
        """Equal to another one if the headers are the same."""
        return tuple(self._store.values())
