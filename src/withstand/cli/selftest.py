"""`withstand selftest`: the load engine held against servers whose latencies are known."""

import json
import math
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from withstand import __version__
from withstand.cli.progress import ProgressLine
from withstand.errors import UsageError
from withstand.selftest.comparison import Comparison
from withstand.selftest.experiment import run_selftest
from withstand.selftest.peers import PEERS, peer_named
from withstand.selftest.plan import SelfTest
from withstand.selftest.rendering import as_values, conclusion, table, trouble
from withstand.selftest.truth import StallPattern
from withstand.units import parse_duration_ns, parse_rate_per_s

_RUN_TIME = "30s"
_QUICK_RUN_TIME = "10s"
_QUICK_SECONDS = 2.0
_QUICK_LAG_SECONDS = 1.0
_QUICK_RATES_PER_S = (200.0, 2_000.0)
_QUICK_LADDER_PER_S = (2_000, 10_000, 30_000)


@click.command("selftest")
@click.option(
    "-t",
    "--run-time",
    metavar="TIME",
    help=f"How long each run against the stalling server lasts, in whole periods. Default: "
    f"{_RUN_TIME}.",
)
@click.option(
    "--quick",
    is_flag=True,
    help=f"Shorter runs ({_QUICK_RUN_TIME} each) and fewer rates: half a minute in all.",
)
@click.option(
    "--rate",
    default="200/s",
    show_default=True,
    metavar="RATE",
    help="Requests per second, except where the send lag is measured.",
)
@click.option(
    "--stall",
    default="1s",
    show_default=True,
    metavar="TIME",
    help="How long the server is blocked at a time.",
)
@click.option(
    "--every",
    default="5s",
    show_default=True,
    metavar="TIME",
    help="The period: it is blocked once in each.",
)
@click.option(
    "-c",
    "--connections",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Connections of a run against the stalling server. Repeatable: a run for each. Default: "
    "10, which all wait during a stall, and 300, of which some are always free.",
)
@click.option(
    "--against",
    "against",
    multiple=True,
    metavar="TOOL",
    help=f"Put another load generator to the same tests, for comparison: {', '.join(PEERS)}, as "
    "far as they are installed. Repeatable. What it reports does not change the exit code.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write all figures as JSON; - writes them to standard output, instead of the tables.",
)
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    run_time: str | None,
    quick: bool,
    rate: str,
    stall: str,
    every: str,
    connections: tuple[int, ...],
    against: tuple[str, ...],
    json_file: Path | None,
    quiet: bool,
) -> int:
    """Check the load engine on this machine: what it reports against what is true.

    Servers of its own, in processes of their own, stall on schedule and delay answers by a known
    distribution, and log what they see. Every figure that the engine reports is printed beside
    the one that the server's log gives: latencies, counts, how evenly and how late it sends.

    \b
      withstand selftest
      withstand selftest --quick --against wrk --against hey

    \b
    Exit codes
      0    every figure agrees
      1    a figure is off: the engine is wrong
      2    the command line is wrong
      3    figures are too high on a machine that was seen to be too busy
      130  interrupted; what was complete is shown
    """
    plan = _plan(run_time, quick, rate, stall, every, connections, against)
    if json_file is not None and str(json_file) != "-":
        _require_writable(json_file)
    with ProgressLine(quiet=quiet) as progress:
        comparison = run_selftest(plan, say=progress.say, observer=progress.load)
    if json_file is not None:
        _write(json_file, comparison)
    if str(json_file) != "-":
        _print(comparison)
    return comparison.exit_code


def _plan(
    run_time: str | None,
    quick: bool,
    rate: str,
    stall: str,
    every: str,
    connections: tuple[int, ...],
    against: tuple[str, ...],
) -> SelfTest:
    pattern = StallPattern(every_s=_seconds("--every", every), stall_s=_seconds("--stall", stall))
    text = run_time or (_QUICK_RUN_TIME if quick else _RUN_TIME)
    plan = SelfTest(
        rate_per_s=parse_rate_per_s(rate),
        pattern=pattern,
        periods=math.ceil(_seconds("--run-time", text) / pattern.every_s),
        connections=connections or (10, 300),
        peers=tuple(peer_named(name) for name in dict.fromkeys(against)),
    )
    if not quick:
        return plan
    return replace(
        plan,
        seconds=_QUICK_SECONDS,
        lag_seconds=_QUICK_LAG_SECONDS,
        lag_rates_per_s=_QUICK_RATES_PER_S,
        ladder_per_s=_QUICK_LADDER_PER_S,
    )


def _seconds(option: str, text: str) -> float:
    seconds = parse_duration_ns(text) / 1e9
    if seconds <= 0:
        raise UsageError(f"{option} is {text}", hint="give a time above zero, such as 5s")
    return seconds


def _require_writable(file: Path) -> None:
    """Raises UsageError before the run costs anything."""
    try:
        file.open("ab").close()
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written: {error.strerror}",
            hint="give a path in a directory that you may write to",
        ) from None


def _write(file: Path, comparison: Comparison) -> None:
    values = {
        "withstand": __version__,
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
        **as_values(comparison),
    }
    text = json.dumps(values, indent=2)
    if str(file) == "-":
        click.echo(text)
    else:
        file.write_text(text + "\n", encoding="utf-8")


def _print(comparison: Comparison) -> None:
    console = Console(file=sys.stdout)
    for section in comparison.sections:
        headings, *lines = table(section)
        drawn = Table(title=section.title, title_justify="left", box=None, pad_edge=False)
        for index, heading in enumerate(headings):
            is_text = index in {0, len(headings) - 1}
            drawn.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
        for line in lines:
            drawn.add_row(*line)
        console.print(drawn)
        if (sentence := trouble(section)) is not None:
            console.print(sentence, style="yellow", highlight=False)
        console.print()
    console.print(conclusion(comparison), highlight=False)
