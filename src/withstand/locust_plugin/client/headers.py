"""The headers that all requests of a session have, and whether they are as they were."""

from typing import Any

from requests.structures import CaseInsensitiveDict


class WatchedHeaders(CaseInsensitiveDict[Any]):
    """The headers of a session; `version` counts their changes."""

    version = 0

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self.version += 1

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.version += 1

    def copy(self) -> CaseInsensitiveDict[Any]:
        """A copy, which nobody watches."""
        return CaseInsensitiveDict(self.items())

    def state(self) -> tuple[Any, ...]:
        """Equal to another one if the headers are the same."""
        return tuple(self._store.values())
