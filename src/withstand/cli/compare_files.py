"""Two results files side by side, and the files that a comparison writes."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from withstand.cli.options import Outputs
from withstand.cli.output import require_writable
from withstand.cli.typed import typed_command
from withstand.errors import UsageError
from withstand.load.measurement import LoadMeasurement
from withstand.report.comparison_files import stored_json, stored_markdown
from withstand.report.terminal_comparison import render_stored
from withstand.report.wording import load_shape
from withstand.results import Results
from withstand.results_file import read_results
from withstand.slo.comparison import QUANTILES
from withstand.slo.stored_comparison import stored_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The files that were asked for."""

    json_file: Path | None
    markdown_file: Path | None

    def require_writable(self) -> None:
        """Raises UsageError when a file could not be written afterwards."""
        for path in (self.json_file, self.markdown_file):
            require_writable(Outputs(json_file=path))

    def write(self, *, json_text: str, markdown_text: str) -> None:
        """Writes what was asked for. Raises UsageError."""
        for path, text in ((self.json_file, json_text), (self.markdown_file, markdown_text)):
            if path is None:
                continue
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            except OSError as error:
                raise UsageError(
                    f"{path} cannot be written: {error.strerror}",
                    hint="give a path in a directory that you may write to",
                ) from None
            click.echo(f"wrote {path}", err=True)


def compare_files(a: Path, b: Path, written: Written) -> int:
    """Prints how two stored runs differ; always 0. Raises UsageError for files without a load."""
    results_a, results_b = read_results(a), read_results(b)
    load_a, load_b = _load(a, results_a), _load(b, results_b)
    differences = stored_differences(load_a, load_b, QUANTILES)
    if not differences:
        raise UsageError(
            f"{a} and {b} have no operation in common", hint="compare runs of the same operations"
        )
    written.write(
        json_text=stored_json(str(a), str(b), differences, command=typed_command()),
        markdown_text=stored_markdown(differences),
    )
    conditions = _conditions(load_a, load_b)
    render_stored(str(a), str(b), differences, conditions, Console(file=sys.stdout))
    return 0


def _load(file: Path, results: Results) -> LoadMeasurement:
    if results.load is None:
        raise UsageError(
            f"{file} holds no load, so it has no latencies to compare",
            hint="give files that `withstand load` or `withstand soak` wrote",
        )
    return results.load


def _conditions(a: LoadMeasurement, b: LoadMeasurement) -> list[str]:
    """What makes the runs less comparable than they look."""
    said = []
    if load_shape(a) != load_shape(b):
        said.append(f"the loads differ: {load_shape(a)} in A, {load_shape(b)} in B")
    for name, load in (("A", a), ("B", b)):
        trouble = load.generator.saturated or load.generator.lagging
        if trouble:
            said.append(f"{name} measured the generator as well: {trouble}")
        if load.interrupted:
            said.append(f"{name} was interrupted")
    only = sorted(set(a.operations) ^ set(b.operations))
    if only:
        said.append(f"in one of them only: {', '.join(only)}")
    return said
