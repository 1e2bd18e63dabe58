"""`withstand merge`: the results of a run's shards, as one."""

from pathlib import Path

import click

from withstand.cli.options import Outputs
from withstand.cli.output import publish, require_writable
from withstand.cli.scan_files import scan_file_options
from withstand.errors import UsageError
from withstand.results import merge_shards
from withstand.results_file import read_results


@click.command("merge")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the merged results, for `withstand report` and further merges.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as one self-contained HTML file.",
)
@scan_file_options
def command(results: tuple[Path, ...], output: Path | None, html: Path | None) -> int:
    """Make one result of the RESULTS of a run's shards, and judge it.

    RESULTS are files written with --json or --report-dir, one from each machine that ran a
    --shard. The merge is exact: counts and histograms add up, percentiles and verdicts are
    computed anew from the sums. Shards of different runs are refused, and so is one that is there
    twice. Without all of them the run is void, unless a breach is proven all the same.

    \b
    Example
      withstand merge 1.json 2.json -o whole.json --html whole.html
    """
    if len(results) == 1:
        raise UsageError(
            f"{results[0]} alone is nothing to merge",
            hint="name the results of every shard, or show this one with `withstand report`",
        )
    outputs = Outputs(json_file=output, html=html)
    require_writable(outputs)
    return publish(merge_shards([read_results(path) for path in results]), outputs)
