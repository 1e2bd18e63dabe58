"""The options that say which security checks are run, and how far they go."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from withstand.cli.known_findings import baseline_options

F = TypeVar("F", bound=Callable[..., Any])


def scan_options(function: F) -> F:
    """Which checks, how far they may go, and what fails the run."""
    for option in reversed(
        (
            click.option(
                "--check",
                "only",
                multiple=True,
                metavar="NAME",
                help="Run only this check (see `withstand checks`). Repeatable.",
            ),
            click.option(
                "--skip-check",
                "without",
                multiple=True,
                metavar="NAME",
                help="Leave this check out. Repeatable.",
            ),
            click.option(
                "--profile",
                type=click.Choice(["readonly", "ci", "abuse"]),
                help="How far to go: readonly sends only what reads, by method and by name; ci "
                "(default) also creates and changes its own data; abuse also floods logins. "
                "On loopback, ci includes abuse.",
            ),
            click.option(
                "--fail-on",
                type=click.Choice(["info", "low", "medium", "high", "critical"]),
                help="The severity from which a finding makes the run fail. Default: medium.",
            ),
        )
    ):
        function = option(function)
    return baseline_options(function)
