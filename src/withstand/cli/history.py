"""`withstand history`: how operations did over the runs that were remembered."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from withstand.cli.history_file import history_option
from withstand.cli.options import Outputs, settings_for
from withstand.cli.output import publish, require_writable
from withstand.errors import UsageError
from withstand.history.database import changing, opened, opened_to_read
from withstand.history.retention import parse_retention, prune
from withstand.history.runs import RunSummary, read_run, summaries
from withstand.history.trends import trends as trends_in
from withstand.report.terminal_trends import points_table, trend_tables
from withstand.report.trend_wording import KEY, series_text
from withstand.report.wording import plural, printable
from withstand.settings import Settings
from withstand.slo.trend import Trend

_TRENDS: Final = "trends"
_MOST_RUNS: Final = 30
_GREATEST: Final = 2**63 - 1  # of SQLite


class _TrendsUnlessNamed(click.Group):
    """Takes what names no verb of its own for the operation whose trend is wanted."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [_TRENDS, *args]
        return super().parse_args(ctx, args)


@click.group("history", cls=_TrendsUnlessNamed)
def command() -> None:
    """Show how operations did over the runs that were remembered.

    Runs of `withstand load`, `soak`, `stress` and `check` are remembered with --history FILE, or
    with file under [history] in the configuration. `withstand history` alone shows the trends of
    all operations, and with an operation the runs of one; see docs/history.md.

    \b
    Examples
      withstand history
      withstand history "GET /users"
      withstand history --json
      withstand history runs
      withstand history show 17 --html report.html
      withstand history export 17 results.json
      withstand history prune --keep "90 days"
    """


def _file_options(function: Any) -> Any:
    config = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Configuration file. Default: the nearest withstand.toml or pyproject.toml.",
    )
    return config(history_option(function))


@command.command(_TRENDS)
@click.argument("operation", required=False)
@_file_options
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def trends_command(operation: str | None, config_file: Path | None, as_json: bool) -> int:
    """Trends of all operations, or every run of OPERATION: the same as without `trends`.

    Only runs of the same kind, against the same target, under the same load, and on machines of
    the same processor, cores, kernel and Python are compared.
    """
    _, path = _history(config_file)
    with opened_to_read(path) as connection:
        found = trends_in(connection)
    if operation is not None:
        known = dict.fromkeys(each.name for each in found)
        found = tuple(each for each in found if each.name == operation)
        if not found:
            raise UsageError(
                f"the history {path} has no run of {operation!r}",
                hint=f"it has {', '.join(list(known)[:5]) or 'none of anything'}",
            )
    if as_json:
        click.echo(json.dumps([_as_json(each) for each in found], indent=2))
    else:
        _print_trends(found, in_detail=operation is not None)
    return 0


@command.command("runs")
@_file_options
@click.option(
    "-n", "most", type=click.IntRange(1, _GREATEST), default=_MOST_RUNS, show_default=True,
    help="At most so many, the newest first.",
)  # fmt: skip
def runs_command(config_file: Path | None, most: int) -> int:
    """List the runs that were remembered, the newest first."""
    _, path = _history(config_file)
    with opened_to_read(path) as connection:
        listed = summaries(connection, most=most)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("run", "kind", "started (UTC)", "commit", "what", "machine"):
        table.add_column(name, overflow="fold", no_wrap=name not in ("what", "machine"))
    for each in listed:
        table.add_row(*_cells(each))
    Console(file=sys.stdout).print(table)
    return 0


@command.command("show")
@click.argument("run", type=click.IntRange(1, _GREATEST))
@_file_options
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as one self-contained HTML file.",
)
def show_command(run: int, config_file: Path | None, html: Path | None) -> int:
    """Show the report of a RUN again, with its trends and the exit code it stands for."""
    outputs = Outputs(html=html)
    require_writable(outputs)
    _, path = _history(config_file)
    with opened_to_read(path) as connection:
        results, trends = read_run(connection, run), trends_in(connection, run=run)
    return publish(results, outputs, trends)


@command.command("export")
@click.argument("run", type=click.IntRange(1, _GREATEST))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_file_options
def export_command(run: int, file: Path, config_file: Path | None) -> int:
    """Write a RUN as a results FILE, for `withstand report` and other programs.

    It is what --json wrote, but for a scan, which a history does not hold.
    """
    from withstand.results_file import write_results

    _, path = _history(config_file)
    with opened_to_read(path) as connection:
        results = read_run(connection, run)
    write_results(file, results)
    click.echo(f"wrote {file}", err=True)
    return 0


@command.command("prune")
@_file_options
@click.option(
    "--keep",
    metavar="TEXT",
    help='How much to keep: "90 days", "500 runs" of each kind, or both with a comma between. '
    "Default: keep under [history] in the configuration.",
)
def prune_command(config_file: Path | None, keep: str | None) -> int:
    """Forget the runs that are not to be kept, and give their space back."""
    settings, path = _history(config_file)
    retention = settings.retention() if keep is None else parse_retention(keep)
    if not retention.limits:
        raise UsageError(
            "nothing says how much of the history to keep",
            hint='give --keep "90 days", or set keep under [history] in withstand.toml',
        )
    with opened_to_read(path):
        pass  # there has to be one: pruning makes none
    before = path.stat().st_size
    with opened(path) as connection:
        with changing(connection):
            forgotten = prune(connection, retention, now=time.time())
        connection.execute("VACUUM")
    freed = max(before - path.stat().st_size, 0)
    click.echo(f"forgot {plural(forgotten, 'run')}, {freed / 1e6:.1f} MB")
    return 0


def _history(config_file: Path | None) -> tuple[Settings, Path]:
    settings = settings_for(config_file, None)
    if settings.history_file is None:
        raise UsageError(
            "no history is named",
            hint='give --history FILE, or set file = ".withstand/history.sqlite" under [history] '
            "in withstand.toml",
        )
    return settings, settings.history_file


def _print_trends(found: tuple[Trend, ...], *, in_detail: bool) -> None:
    console = Console(file=sys.stdout)
    if not found:
        console.print("No run that was remembered came to its end.")
        return
    for series, group in groupby(found, key=lambda each: each.series):
        trends = tuple(group)
        runs = plural(max(len(each.points) for each in trends), "run")
        console.print(Text(printable(series_text(series)), style="bold"))
        console.print(Text(printable(f"{runs} on {series.machine_text}"), style="dim"))
        for part in trend_tables(trends, console.width):
            console.print(part)
        if in_detail:
            for trend in trends:
                console.print()
                console.print(points_table(trend))
        console.print()
    console.print(Text(KEY, style="dim"))


def _cells(run: RunSummary) -> tuple[Text, ...]:
    started = datetime.fromtimestamp(run.started_at, UTC).strftime("%Y-%m-%d %H:%M")
    flaw = f" ({run.flaw}; no part of any trend)" if run.flaw else ""
    return (
        Text(str(run.run)),
        Text(run.kind),
        Text(started),
        Text((run.commit or "-")[:12]),
        Text(printable(f"{run.target}, {run.shape}{flaw}")),
        Text(printable(f"{run.machine_text} ({run.machine})")),
    )


def _as_json(trend: Trend) -> dict[str, Any]:
    comparison = trend.comparison()
    return {
        "name": trend.name,
        **asdict(trend.series),
        "unit": "1/s" if trend.is_rate else "ns",
        "level": "sustainable rate" if trend.is_rate else "p95",
        "standing": trend.standing().value,
        "change": None if comparison is None else comparison.change,
        "detectable": None if comparison is None else comparison.detectable,
        "points": [asdict(point) for point in trend.points],
    }
