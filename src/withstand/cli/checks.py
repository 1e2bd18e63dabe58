"""`withstand checks`: the catalogue."""

import sys
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from withstand.scan.catalogue import all_checks

_ONE_LINE: Final = 200  # characters: more than any check needs


@click.command("checks")
def command() -> None:
    """List the security checks. `withstand explain NAME` shows one in full."""
    # Where nobody looks, a check is one line, so that it can be searched.
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _ONE_LINE)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("check", "severity", "does", "finds"):
        table.add_column(heading, no_wrap=heading != "finds")
    for check in all_checks():
        table.add_row(check.name, str(check.severity), str(check.safety), check.title)
    console.print(table)
