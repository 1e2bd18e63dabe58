"""`withstand report`: results of an earlier run, as a report."""

from pathlib import Path

import click

from withstand.cli.options import Outputs
from withstand.cli.output import publish, require_writable
from withstand.cli.scan_files import scan_file_options
from withstand.results_file import read_results


@click.command("report")
@click.argument("results", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as one self-contained HTML file.",
)
@scan_file_options
def command(results: Path, html: Path | None) -> int:
    """Show the RESULTS of an earlier run again, with the exit code they stand for.

    RESULTS is a file written with --json or --report-dir, the checkpoint of a soak test, or the
    journal of a pytest run, also of one that is still running or was cut off.
    """
    outputs = Outputs(html=html)
    require_writable(outputs)
    return publish(read_results(results), outputs)
