"""The options for what CI systems read: SARIF, Code Quality, JUnit, Markdown, annotations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from withstand.report.annotations import Annotator

F = TypeVar("F", bound=Callable[..., Any])

_FILES: Final = "withstand.scan-files"  # in Click's context: format → the file
_ANNOTATOR: Final = "withstand.annotator"
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

    def note_annotator(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta[_ANNOTATOR] = Annotator(value)

    function = click.option(
        "--annotations",
        type=click.Choice([each.value for each in Annotator]),
        expose_value=False,
        callback=note_annotator,
        help="Show the worst problems, ten at most, at lines of the repository: commands to "
        "GitHub Actions or Azure Pipelines, on stderr.",
    )(function)
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


def asked_annotator() -> Annotator | None:
    """The CI system that the command line wants annotations for."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_ANNOTATOR)
