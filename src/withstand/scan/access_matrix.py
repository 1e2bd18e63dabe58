"""Who may use which operation: what was observed, what is expected, what a team approved. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ANONYMOUS: Final = "anonymous"
"""The column of whoever has no credential."""

UNCLEAR_MARK: Final = "?"
"""Behind a role in an approved file: nobody could tell when it was approved."""

Approved = Mapping[str, tuple[str, ...]]
"""Operation key → the columns that it was approved to be open to, as an approved file says."""


class Access(StrEnum):
    """What became of an attempt."""

    GRANTED = "granted"
    REFUSED = "refused"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCell:
    """One column of one operation. `expected` is None where nobody said who may use it; `reason` is
    one clause.
    """

    column: str  # a role, or `ANONYMOUS`
    observed: Access
    expected: bool | None = None
    reason: str = ""

    @property
    def unexpected(self) -> bool:
        """Whether it is open to somebody whom the configuration or the document keeps out."""
        return self.observed is Access.GRANTED and self.expected is False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRow:
    """One operation: a cell for the anonymous caller and one for each role."""

    operation: str
    cells: tuple[AccessCell, ...]

    def cell(self, column: str) -> AccessCell | None:
        """The cell of a column; None where that one was not asked."""
        return next((cell for cell in self.cells if cell.column == column), None)

    @property
    def open_to(self) -> tuple[str, ...]:
        """The columns that were served."""
        return tuple(cell.column for cell in self.cells if cell.observed is Access.GRANTED)

    @property
    def known(self) -> bool:
        """Whether anything is known of the operation."""
        return any(cell.observed is not Access.UNCLEAR for cell in self.cells)


_TELLING: Final = (Access.GRANTED, Access.REFUSED, Access.UNCLEAR)


def columns(rows: Iterable[AccessRow]) -> tuple[str, ...]:
    """Every column of the rows, in order of appearance."""
    return tuple(dict.fromkeys(cell.column for row in rows for cell in row.cells))


def opened(row: AccessRow, approved: Approved) -> tuple[str, ...]:
    """The columns that a row is open to and was not approved to be.

    Where nobody could tell at the time, nothing is known to have changed.
    """
    before = approved.get(row.operation, ())
    return tuple(
        column
        for column in row.open_to
        if column not in before and f"{column}{UNCLEAR_MARK}" not in before
    )


def closed(row: AccessRow, approved: Approved) -> tuple[str, ...]:
    """The columns that a row was approved to be open to and that are now refused."""
    return tuple(
        cell.column
        for cell in row.cells
        if cell.observed is Access.REFUSED and cell.column in approved.get(row.operation, ())
    )


def notes_on(
    rows: Iterable[AccessRow], approved: Approved, documented: Collection[str]
) -> tuple[str, ...]:
    """What else an approved file disagrees on, a sentence each: with the rows on what is narrower
    than it was, with the keys of the document's operations on what is gone. Neither is a danger.
    """
    narrower = (
        f"{row.operation} is approved for {', '.join(shut)} and now refuses them: approve the "
        "change, or see what broke."
        for row in rows
        if (shut := closed(row, approved))
    )
    gone = [key for key in approved if key not in documented]
    return (
        *narrower,
        *(f"{key} is approved but no longer in the document: approve anew." for key in gone),
    )


def approval(rows: Iterable[AccessRow]) -> dict[str, tuple[str, ...]]:
    """What is approved when the rows are: the columns of each operation, those of which nobody
    could tell with a mark.
    """
    return {
        row.operation: tuple(
            cell.column if cell.observed is Access.GRANTED else f"{cell.column}{UNCLEAR_MARK}"
            for cell in row.cells
            if cell.observed is not Access.REFUSED
        )
        for row in sorted(rows, key=lambda row: _by_path(row.operation))
    }


def merge_rows(
    first: tuple[AccessRow, ...], second: tuple[AccessRow, ...]
) -> tuple[AccessRow, ...]:
    """One matrix of two. Of two cells in one place the more telling one stays: what was granted
    once is open.
    """
    rows: dict[str, dict[str, AccessCell]] = {}
    for row in (*first, *second):
        cells = rows.setdefault(row.operation, {})
        for cell in row.cells:
            known = cells.get(cell.column, cell)
            cells[cell.column] = min(known, cell, key=lambda each: _TELLING.index(each.observed))
    return tuple(
        AccessRow(operation=operation, cells=tuple(cells.values()))
        for operation, cells in rows.items()
    )


def _by_path(key: str) -> tuple[str, str]:
    method, _, path = key.partition(" ")
    return path, method
