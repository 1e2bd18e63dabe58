"""`withstand explain NAME`: one check's page."""

import sys

import click
from rich.console import Console
from rich.markdown import Markdown

from withstand.report.check_page import check_page
from withstand.scan.catalogue import check_named


@click.command("explain")
@click.argument("name")
def command(name: str) -> None:
    """Explain a security check: what it looks for, how it decides, and what to do about it."""
    page = check_page(check_named(name))
    console = Console(file=sys.stdout)
    if console.is_terminal:
        console.print(Markdown(page), soft_wrap=True)
    else:
        click.echo(page)  # as it is: Rich would take `[security]` for markup of its own
