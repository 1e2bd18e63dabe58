"""The options for files in the formats of CI systems: SARIF, Code Quality, JUnit, Markdown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FILES: Final = "withstand.scan-files"  # in Click's context: format → the file
_HELP: Final = {
    "sarif": "Write the findings as SARIF 2.1.0, for code scanning.",
    "code-quality": "Write the findings as a Code Quality report, for GitLab.",
    "junit": "Write the tests of the scan, and the verdicts on objectives, as a JUnit file.",
    "markdown": "Write the report as Markdown, for a job summary.",
}


def scan_file_options(function: F) -> F:
    """Files besides the report; verbs need not pass them on: `asked_files` has them."""

    def note(context: click.Context, option: click.Parameter, value: Path | None) -> None:
        if value is not None:
            context.meta.setdefault(_FILES, {})[option.opts[0].removeprefix("--")] = value

    for name, said in reversed(_HELP.items()):
        function = click.option(
            f"--{name}",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            expose_value=False,
            callback=note,
            help=said,
        )(function)
    return function


def asked_files() -> dict[str, Path]:
    """Format → the file that the command line asks for."""
    context = click.get_current_context(silent=True)
    return {} if context is None else dict(context.meta.get(_FILES, {}))
