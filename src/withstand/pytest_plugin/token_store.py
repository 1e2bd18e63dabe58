"""Where the credentials of a run are kept, so that each identity logs in once.

One process keeps them in memory. The workers of pytest-xdist share a file that only this user can
read, in a directory that the controller removes at the end.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

_LOCK_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The outcome of one login: a credential as plain data, or why there is none."""

    credential: Mapping[str, Any] | None = None
    problem: str | None = None
    hint: str | None = None


class TokenStore(Protocol):
    """Gives the entry of a key, made by whoever asks first."""

    def entry(
        self, key: str, *, usable: Callable[[Entry], bool], make: Callable[[], Entry]
    ) -> Entry:
        """The kept entry when it is usable, else a new one, which is kept."""


class MemoryStore:
    """Keeps entries for this process."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def entry(
        self, key: str, *, usable: Callable[[Entry], bool], make: Callable[[], Entry]
    ) -> Entry:
        """See TokenStore."""
        kept = self._entries.get(key)
        if kept is None or not usable(kept):
            kept = self._entries[key] = make()
        return kept


class SharedStore:
    """Keeps entries for every process that shares a directory."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "tokens.json"
        self._lock = directory / "tokens.lock"

    def entry(
        self, key: str, *, usable: Callable[[Entry], bool], make: Callable[[], Entry]
    ) -> Entry:
        """See TokenStore. Others wait while one process makes an entry."""
        from filelock import FileLock

        with FileLock(self._lock, timeout=_LOCK_TIMEOUT_S):
            entries = self._read()
            kept = entries.get(key)
            if kept is None or not usable(kept):
                kept = entries[key] = make()
                self._write(entries)
            return kept

    def _read(self) -> dict[str, Entry]:
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        return {key: Entry(**fields) for key, fields in json.loads(text).items()}

    def _write(self, entries: dict[str, Entry]) -> None:
        text = json.dumps({key: asdict(entry) for key, entry in entries.items()})
        # Written aside and renamed: a worker that is killed here leaves the old file whole.
        fresh = self._file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(self._file)
