"""How much of a history is kept: its text form, and what it forgets."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from withstand.errors import UsageError

if TYPE_CHECKING:  # the settings read the text form, and open no history
    import sqlite3

_S_PER_UNIT: Final = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
_PART: Final = re.compile(r"([1-9][0-9]{0,8})\s*(hour|day|week|month|run)s?")
PATTERN: Final = rf"^\s*{_PART.pattern}(\s*,\s*{_PART.pattern})?\s*$"
"""What `parse_retention` reads, as a regular expression for a JSON Schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept: runs that are no older than `age_s`, and of those the newest `runs` of each
    kind of run. None: no limit."""

    age_s: float | None = None
    runs: int | None = None

    @property
    def limits(self) -> bool:
        """Whether anything is ever forgotten."""
        return self.age_s is not None or self.runs is not None


def parse_retention(text: str) -> Retention:
    """`90 days`, `500 runs`, or both with a comma between. Raises UsageError."""
    age_s: float | None = None
    runs: int | None = None
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        is_again = match is not None and (runs if match[2] == "run" else age_s) is not None
        if match is None or is_again:
            raise UsageError(
                f"{text!r} does not say how much to keep",
                hint="write it as 90 days, 500 runs, or 90 days, 500 runs",
            )
        if match[2] == "run":
            runs = int(match[1])
        else:
            age_s = int(match[1]) * float(_S_PER_UNIT[match[2]])
    return Retention(age_s=age_s, runs=runs)


def prune(connection: "sqlite3.Connection", retention: Retention, *, now: float) -> int:
    """Forget what is not kept; `now` is in Unix seconds. Says how many runs that were.

    Within a transaction of the caller's.
    """
    forgotten = 0
    if retention.age_s is not None:
        forgotten += connection.execute(
            "DELETE FROM runs WHERE started_at < ?", (now - retention.age_s,)
        ).rowcount
    if retention.runs is not None:
        forgotten += connection.execute(
            "DELETE FROM runs WHERE run IN (SELECT run FROM (SELECT run, row_number() OVER "
            "(PARTITION BY kind ORDER BY started_at DESC, run DESC) AS place FROM runs) "
            "WHERE place > ?)",
            (retention.runs,),
        ).rowcount
    if forgotten:
        connection.execute(
            "DELETE FROM machines WHERE fingerprint NOT IN (SELECT machine FROM runs)"
        )
    return forgotten
