"""The history that a verb writes its run to, when somebody asked for one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from withstand.cli.options import setting_option
from withstand.errors import UsageError
from withstand.history.commit import current_commit
from withstand.history.database import opened
from withstand.history.machine import calibration_ns, this_machine
from withstand.history.retention import Retention
from withstand.history.runs import Circumstances, Kind, has_figures, remember
from withstand.history.trends import trends as trends_in
from withstand.results import Results
from withstand.settings import Settings
from withstand.slo.trend import Standing, Trend, slower

F = TypeVar("F", bound=Callable[..., Any])


def history_option(function: F) -> F:
    """`--history FILE`, which wins over file under [history]."""
    option: Callable[[F], F] = setting_option(
        "--history",
        "history.file",
        metavar="FILE",
        help="Remember the run in this file, and show how each operation did over the runs before. "
        "Default: file under [history] in the configuration; without it, nothing is written.",
    )
    return option(function)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFile:
    """Where runs are remembered, as what, and for how long."""

    path: Path
    kind: Kind
    retention: Retention


def history_for(settings: Settings, kind: Kind) -> HistoryFile | None:
    """The history that the settings ask for; None where they ask for none.

    It is opened once, before the run: what cannot be used costs no run then. Raises UsageError.
    """
    if settings.history_file is None:
        return None
    with opened(settings.history_file):
        pass
    return HistoryFile(path=settings.history_file, kind=kind, retention=settings.retention())


def remembered(results: Results, history: HistoryFile | None) -> tuple[Trend, ...]:
    """Write a run to the history, and return the trends that it continues; none without a history,
    or of a run without figures.

    A history that cannot be written by now is a warning: the run's own report must not be lost.
    """
    if history is None or not has_figures(results):
        return ()
    now = time.time()
    at = Circumstances(
        machine=this_machine(), calibration_ns=calibration_ns(), commit=current_commit(), now=now
    )
    try:
        with opened(history.path) as connection:
            run = remember(
                connection, results, kind=history.kind, at=at, retention=history.retention
            )
            return trends_in(connection, run=run)
    except UsageError as error:
        click.echo(f"Warning: this run is not remembered: {error}", err=True)
        return ()


def confirmed_by_rerun(
    trends: tuple[Trend, ...], rerun: Callable[[], tuple[Trend, ...]]
) -> tuple[Trend, ...]:
    """The trends after as many runs as it takes to be sure: one more where something is slower
    than its history and the run before did not say so already. `rerun` makes and remembers it.
    """
    suspected = slower(trends, Standing.SLOWER)
    if not suspected:
        return trends
    names = ", ".join(each.name for each in suspected)
    click.echo(f"{names}: slower than the history, so the load is run once more …", err=True)
    return rerun() or trends


def failed_by_history(trends: tuple[Trend, ...], code: int) -> int:
    """The exit code, with what is confirmed to be slower counted as a breach."""
    found = slower(trends, Standing.CONFIRMED)
    if not found or code not in (0, 3):
        return code
    names = ", ".join(each.name for each in found)
    click.echo(f"Failed: slower than the history, confirmed: {names}", err=True)
    return 1
