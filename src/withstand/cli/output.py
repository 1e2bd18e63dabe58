"""Writing what a run found: terminal on stdout, files where they were asked for."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from withstand.cli.options import Outputs
from withstand.cli.scan_files import asked_annotator, asked_files
from withstand.errors import UsageError
from withstand.report.annotations import harmless, render_annotations
from withstand.report.code_quality import render_code_quality
from withstand.report.html import render_html
from withstand.report.junit import render_junit
from withstand.report.markdown import render_markdown
from withstand.report.sarif import render_sarif
from withstand.report.terminal import render
from withstand.results import Results
from withstand.results_file import write_results
from withstand.slo.trend import Trend

_PUBLISHED: Final = "withstand.published"  # in Click's context


def publish(
    results: Results,
    outputs: Outputs,
    trends: Sequence[Trend] = (),
    *,
    draw: Callable[[Results, Console, Sequence[Trend]], None] = render,
) -> int:
    """Prints and writes the results, with the trends that they continue in a history; returns the
    exit code they stand for. `draw` prints them.

    Files are written first, so that nothing is lost when the terminal goes away.
    """
    if (context := click.get_current_context(silent=True)) is not None:
        context.meta[_PUBLISHED] = True
    html, json_file = _files(outputs)
    texts = _text_files(outputs, results)
    if json_file is not None:
        write_results(json_file, results)
    if html is not None:
        with writing(html):
            html.write_text(render_html(results, trends), encoding="utf-8")
    for file, text in texts.items():
        with writing(file):
            file.write_text(text, encoding="utf-8")
    console = Console(file=sys.stdout)
    if _OBEYED_IN.isdisjoint(os.environ):
        draw(results, console, trends)
    else:  # only there, because it changes what is quoted
        with console.capture() as captured:
            draw(results, console, trends)
        click.echo(harmless(captured.get()), nl=False)
    for path in (html, json_file, *texts):
        if path is not None:
            click.echo(f"wrote {_address(path)}", err=True)
    if annotator := asked_annotator():
        click.echo(render_annotations(results, annotator), err=True, nl=False)
    return 130 if results.interrupted else results.exit_code()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within it a report is written; its folders are made. Raises UsageError where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise UsageError(
            f"the report {path} cannot be written: {error.strerror}",
            hint="give a path in a directory that you may write to",
        ) from None


def begin(outputs: Outputs, results: Results) -> None:
    """Writes into the results file what is to stand there until the run is published."""
    _, json_file = _files(outputs)
    if json_file is not None:
        write_results(json_file, results)


def is_published() -> bool:
    """Whether the run has results, and they have been written as far as they could be."""
    return _PUBLISHED in click.get_current_context().meta


def require_writable(outputs: Outputs) -> None:
    """Raises UsageError when a file could not be written after the run: before it costs nothing."""
    for path in to_be_written(outputs):
        if str(path) == "-":
            raise UsageError(
                "- is no file to write, and standard output has the report for the terminal",
                hint="name a file, such as --json results.json",
            )
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=folder):
                pass
            if path.exists():
                path.open("ab").close()
        except OSError as error:
            raise UsageError(
                f"the report {path} could not be written: {error.strerror}",
                hint="give a path in a directory that you may write to",
            ) from None


def to_be_written(outputs: Outputs) -> tuple[Path, ...]:
    """The files that the command line asks for, those that only a scan has left out."""
    return tuple(path for path in (*_files(outputs), *asked_files().values()) if path is not None)


def _files(outputs: Outputs) -> tuple[Path | None, Path | None]:
    """The HTML file and the results file."""
    html, json_file = outputs.html, outputs.json_file
    if outputs.report_dir is not None:
        html = html or outputs.report_dir / "report.html"
        json_file = json_file or outputs.report_dir / "results.json"
    return html, json_file


_OBEYED_IN: Final = {"GITHUB_ACTIONS", "TF_BUILD"}  # set where printed lines may be commands
_RENDERED: Final[Mapping[str, Callable[[Results], str]]] = {
    "sarif": render_sarif,
    "code-quality": render_code_quality,
    "junit": render_junit,
    "markdown": render_markdown,
}


def _text_files(outputs: Outputs, results: Results) -> dict[Path, str]:
    """Each file in a format of CI systems, with what goes into it."""
    wanted = asked_files()
    if outputs.report_dir is not None and results.scan is not None:
        wanted.setdefault("sarif", outputs.report_dir / "results.sarif")
    return {path: _RENDERED[name](results) for name, path in wanted.items()}


def _address(path: Path) -> str:
    return path.resolve().as_uri() if path.suffix == ".html" else str(path)
