"""The access matrix as shown: symbols, words, and the order of its columns. Pure."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from withstand.report.wording import printable
from withstand.scan.access_matrix import Access, AccessCell, AccessRow, columns
from withstand.scan.records.record import ScanRecord

SYMBOL = {Access.GRANTED: "✓", Access.REFUSED: "-", Access.UNCLEAR: "?"}
WORD = {
    Access.GRANTED: "served",
    Access.REFUSED: "refused",
    Access.UNCLEAR: "could not tell",
}
_STYLE = {Access.GRANTED: "green", Access.REFUSED: "dim", Access.UNCLEAR: "yellow"}


def tone(cell: AccessCell) -> str:
    """The class of a cell: granted, refused, unclear, or unexpected."""
    return "unexpected" if cell.unexpected else cell.observed.value


def cell_title(row: AccessRow, cell: AccessCell) -> str:
    """What a cell says in words."""
    wanted = {True: ", as expected", False: ", and should not be", None: ""}[cell.expected]
    if cell.observed is not Access.GRANTED:
        wanted = ", but should be served" if cell.expected else ""
    if cell.observed is Access.UNCLEAR:
        wanted = ""
    reason = f": {cell.reason}" if cell.reason else ""
    return printable(f"{row.operation} as {cell.column}: {WORD[cell.observed]}{wanted}{reason}")


def shown(scan: ScanRecord) -> tuple[AccessRow, ...]:
    """The rows of which anything is known."""
    return tuple(row for row in scan.access if row.known)


def access_table(scan: ScanRecord) -> Iterator[RenderableType]:
    """The matrix for a terminal, and what its marks mean."""
    rows = shown(scan)
    names = columns(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("operation", overflow="fold")
    for name in names:
        table.add_column(printable(name), justify="center")
    for row in rows:
        table.add_row(Text(printable(row.operation)), *(_cell(row.cell(name)) for name in names))
    yield table
    legend = f"{SYMBOL[Access.GRANTED]} served   {SYMBOL[Access.REFUSED]} refused   "
    yield Text(f"{legend}{SYMBOL[Access.UNCLEAR]} could not tell   ✗ served, should not be", "dim")
    if hidden := len(scan.access) - len(rows):
        yield Text(f"{hidden} more could not be tried: see below", style="yellow")


def _cell(cell: AccessCell | None) -> Text:
    if cell is None:
        return Text("")
    if cell.unexpected:
        return Text("✗", style="bold red")
    return Text(SYMBOL[cell.observed], style=_STYLE[cell.observed])
