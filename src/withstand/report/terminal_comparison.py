"""A comparison for a person at a terminal: the verdict, the table, what to know. Pure."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from withstand.load.comparison import ComparisonMeasurement
from withstand.report.comparison_view import (
    HEADER,
    SYMBOL,
    Row,
    design,
    headline,
    notes,
    rows,
    stored_reason,
    stored_rows,
)
from withstand.report.terminal_tables import Indented
from withstand.report.wording import printable
from withstand.slo.comparison import ComparisonVerdict
from withstand.slo.stored_comparison import StoredDifference
from withstand.stats.regression import Change

_STYLE = {Change.WORSE: "bold red", Change.NO_WORSE: "green", Change.UNDECIDED: "yellow"}
_VERDICT_COLUMN = 5
_WIDTH_OF_ALL_COLUMNS = 100


def render_comparison(
    measured: ComparisonMeasurement, verdict: ComparisonVerdict, console: Console
) -> None:
    """Print a comparison. Colour and width are the console's."""
    _line(console, f"{SYMBOL[verdict.state]} {headline(verdict)}", _STYLE[verdict.state])
    _line(console, f"  A  {measured.a}")
    _line(console, f"  B  {measured.b}")
    _line(console, f"  {design(measured, verdict)}")
    _print_rows(console, rows(verdict))
    for note in notes(measured, verdict):
        _line(console, f"  {note}")


def render_stored(
    a: str,
    b: str,
    differences: tuple[StoredDifference, ...],
    conditions: Iterable[str],
    console: Console,
) -> None:
    """Print the differences of two stored runs, and why they are no verdict."""
    _line(console, "● Two stored runs: differences without a verdict", "bold")
    _line(console, f"  A  {a}")
    _line(console, f"  B  {b}")
    _print_rows(console, stored_rows(differences))
    for condition in conditions:
        _line(console, f"  {condition}", "yellow")
    _line(console, f"  {stored_reason()}.")


def _print_rows(console: Console, lines: tuple[Row, ...]) -> None:
    console.print()
    if console.width < _WIDTH_OF_ALL_COLUMNS:
        for row in lines:
            _print_narrow(console, row)
    else:
        table = Table.grid(padding=(0, 2, 0, 0))
        for column in range(len(HEADER)):
            table.add_column(overflow="fold", justify="right" if column in (2, 3, 6) else "left")
        table.add_row(*(Text(name, style="dim") for name in HEADER))
        for row in lines:
            table.add_row(*_cells(row))
        console.print(Indented(table), end="")
    console.print()


def _print_narrow(console: Console, row: Row) -> None:
    operation, indicator, a, b, change, verdict, seen = row.cells
    style = "" if row.state is None else _STYLE[row.state]
    could = f", could have seen {seen}" if seen else ""
    _line(console, f"  {verdict}: {operation} {indicator}", style)
    _line(console, f"      {a} to {b} {change}{could}")


def _cells(row: Row) -> list[Text]:
    style = "" if row.state is None else _STYLE[row.state]
    return [
        Text(printable(cell), style=style if index == _VERDICT_COLUMN else "")
        for index, cell in enumerate(row.cells)
    ]


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(printable(text), style=style))
