"""The data feeds of a scenario: columns of values, and whose turn it is. Pure."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

from withstand.errors import UsageError
from withstand.load.script.feed import Row, parsed_rows


class FeedOrder(StrEnum):
    """Which row the next request takes."""

    SEQUENTIAL = "sequential"  # from the first to the last, and again
    RANDOM = "random"  # any, each time


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedTable:
    """A feed by column. `source` is the file; every column has a value in every row."""

    source: str
    columns: Mapping[str, tuple[object, ...]]
    order: FeedOrder = FeedOrder.SEQUENTIAL

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.columns.values())))

    def turns(self, *, seed: int = 1, shard: int = 0, shards: int = 1) -> Iterator[int]:
        """The rows to take, without end. In sequence, each shard has rows of its own (every n-th),
        so that no two of them send the same one, unless there are fewer rows than shards.
        """
        if self.order is FeedOrder.RANDOM:
            chosen = random.Random(f"{seed}/{shard}/{self.source}")  # noqa: S311 - a mix, no secrets
            return iter(lambda: chosen.randrange(self.rows), None)
        return cycle(range(shard, self.rows, shards) or range(self.rows))


def feed_table(text: str, *, source: str, order: FeedOrder = FeedOrder.SEQUENTIAL) -> FeedTable:
    """The feed of a file's text: CSV, whose values are text, or JSON Lines, whose values keep their
    kind; `source` is its name. Raises UsageError with the line.
    """
    rows = parsed_rows(text, source)
    return FeedTable(source=source, columns=_columns(rows, source), order=order)


def _columns(rows: Sequence[Row], source: str) -> Mapping[str, tuple[object, ...]]:
    names = tuple(rows[0])
    for number, row in enumerate(rows, start=1):
        if row.keys() != rows[0].keys():
            odd = ", ".join(sorted(row.keys() ^ rows[0].keys()))
            raise UsageError(
                f"row {number} of {source} has not the keys of the first one ({odd})",
                hint="give every row a value for each key",
            )
    return {name: tuple(row[name] for row in rows) for name in names}
