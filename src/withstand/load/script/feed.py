"""Data feeds: rows of a file, one for each use. Pure: the file is read by who loads the script."""

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any, Final, Literal, get_args

from withstand.errors import UsageError

Order = Literal["sequential", "random", "unique"]
Row = Mapping[str, Any]

_ORDERS: Final = get_args(Order)
SUFFIXES: Final = (".csv", ".jsonl", ".ndjson")


class FeedExhausted(Exception):  # noqa: N818 - it tells of an end, like StopIteration
    """A feed of unique rows has none left: the run ends, because nobody can go on."""


class Feed:
    """The rows of a CSV file with a header, or of a file of JSON objects, one on each line.

    `sequential` gives them in turn and begins again at the end; `random` draws any of them;
    `unique` gives each row once in the whole run, and ends the run when the rows are used up.
    Where several processes or machines share a run, each has its own part of the rows, except
    with `random`.
    """

    def __init__(self, file: str, order: Order) -> None:
        self.file = file
        self.order = order
        self.rows: Sequence[Row] | None = None  # all of the file; None until it was read
        self._part: Sequence[Row] = ()
        self._next: Iterator[Row] = iter(())
        self._draw = random.Random(1)  # noqa: S311 - a mix, no secrets

    def __len__(self) -> int:
        """How many rows this process may use."""
        self._require_rows()
        return len(self._part)

    def next(self) -> Row:
        """A row for whoever asks: a mapping from column to value.

        Raises FeedExhausted, which ends the run, when a `unique` feed has been used up.
        """
        if self.order == "random":
            self._require_rows()
            return self._draw.choice(self._part)
        for row in self._next:
            return row
        self._require_rows()
        raise FeedExhausted(f"every row of {self.file} was used ({len(self._part):,})")

    def begin(self, part: Sequence[Row], *, seed: int = 1) -> None:
        """Begin a run with the rows that this process may use; the engine does."""
        self._part = part
        self._next = iter(part) if self.order == "unique" else cycle(part)
        self._draw = random.Random(seed)  # noqa: S311 - a mix, no secrets

    def _require_rows(self) -> None:
        if not self._part:
            raise UsageError(
                f"the rows of {self.file} are not there yet",
                hint="give the feed a name at the top of the script (people = feed(...)) and use "
                "it inside functions only",
            )


def feed(file: str, *, order: Order = "sequential") -> Feed:
    """A data feed, to be given a name at the top of a user script.

    `file` is a CSV file with a header or a JSON Lines file, beside the script unless its path is
    absolute. `order` is `sequential`, `random` or `unique`.
    """
    if order not in _ORDERS:
        raise UsageError(
            f"the feed of {file} has the order {order!r}", hint=f"use {', '.join(_ORDERS)}"
        )
    if not file.lower().endswith(SUFFIXES):
        raise UsageError(
            f"the feed {file!r} is no kind of file that can be read",
            hint=f"give a file that ends in {', '.join(SUFFIXES)}",
        )
    return Feed(file, order)


def parsed_rows(text: str, source: str) -> list[Row]:
    """The rows of a file's text; `source` is its name. Raises UsageError with the line."""
    rows = _csv_rows(text, source) if source.lower().endswith(".csv") else _json_rows(text, source)
    if not rows:
        raise UsageError(f"the feed {source} has no row", hint="put at least one into it")
    return rows


def _csv_rows(text: str, source: str) -> list[Row]:
    # Not splitlines: that breaks at characters which are no line's end in a CSV file.
    lines = (f"{line}\n" for line in text.removeprefix("\ufeff").rstrip("\n").split("\n"))
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    try:
        header = next(reader, [])
        if len(set(header)) != len(header) or not all(header):
            raise UsageError(
                f"the header of {source} has an empty name or the same one twice",
                hint="give every column a name of its own in the first line",
            )
        for cells in reader:
            if not cells:  # a blank line
                continue
            if len(cells) != len(header):
                raise UsageError(
                    f"line {reader.line_num} of {source} has {len(cells)} values, and the header "
                    f"names {len(header)}",
                    hint="give every row a value for each column",
                )
            rows.append(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num} of {source} is no CSV: {error}") from None
    return rows


def _json_rows(text: str, source: str) -> list[Row]:
    rows: list[Row] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"line {number} of {source} is no JSON: {error}") from None
        if not isinstance(row, dict):
            raise UsageError(
                f"line {number} of {source} is no JSON object",
                hint='write each row as {"name": "value"} on a line of its own',
            )
        rows.append(row)
    return rows
