"""What must hold however many requests arrive at one instant: the user's word, as data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from withstand.client.identity import json_path

REQUESTS_AT_ONCE = 10
"""How many are released where nobody says: enough to meet between a check and its act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """An invariant of one operation.

    `at_most` is how many of the `requests` may succeed; None: any number. `read` (`GET /wallet`)
    and `value` (a JSON path) say which number is read afterwards, `least` and `most` between which
    bounds it must be. `values` fixes inputs by their names. `identity` sends the requests;
    `prepare` is an operation that makes what they are about, sent first by `prepare_as`.
    """

    at_most: int | None = None
    read: str | None = None
    value: str | None = None
    least: float | None = None
    most: float | None = None
    requests: int = REQUESTS_AT_ONCE
    values: Mapping[str, Any] = field(default_factory=dict)
    identity: str | None = None
    prepare: str | None = None
    prepare_as: str | None = None

    def number_in(self, document: Any) -> float | None:
        """The number that `value` points at, also where it is written as text; None without one."""
        found = json_path(document, self.value or "$")
        if isinstance(found, str):
            try:
                return float(found)
            except ValueError:
                return None
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        return None

    def holds(self, number: float) -> bool:
        """Whether a number is within the bounds."""
        return (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most
        )

    @property
    def bounds(self) -> str:
        """The bounds in words: `at least 0`, `at most 3`, `0 to 3`."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.most is not None else "any number"
