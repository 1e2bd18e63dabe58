"""The options for findings that are known: `--baseline` and `--update-baseline`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

import click

from withstand.cli.options import setting_option
from withstand.errors import UsageError
from withstand.results import Results
from withstand.scan.records.known import updated, with_known
from withstand.settings import Settings
from withstand.sharding import Shard
from withstand.workflows import Baseline, read_baseline_file, write_baseline_file

F = TypeVar("F", bound=Callable[..., Any])

_UPDATE: Final = "withstand.update-baseline"  # in Click's context: whether it was asked for


def baseline_options(function: F) -> F:
    """Which findings are known, and whether these become known."""

    def note(context: click.Context, _option: click.Parameter, value: bool) -> None:
        context.meta[_UPDATE] = value

    update = click.option(
        "--update-baseline",
        is_flag=True,
        expose_value=False,
        callback=note,
        help="Write what was found into the baseline file: it is known from now on.",
    )
    file = setting_option(
        "--baseline",
        "security.baseline",
        metavar="FILE",
        help="Findings that are known: only what is new fails. Default: baseline under [security] "
        "in the configuration.",
    )
    return file(update(function))


def baseline_for(settings: Settings, shard: Shard | None = None) -> Baseline | None:
    """What is known before the run; None without a baseline file. Raises UsageError."""
    path = settings.baseline_file
    if _wants_update() and shard is not None:
        raise UsageError(
            f"--update-baseline writes down all findings, and shard {shard} sees a part of them",
            hint="leave --shard out",
        )
    if path is None:
        if _wants_update():
            raise UsageError(
                "--update-baseline has no file to write",
                hint="name one: --baseline withstand-baseline.json, or baseline under [security]",
            )
        return None
    return read_baseline_file(path, may_be_missing=_wants_update())


def with_baseline_updated(
    results: Results, settings: Settings, baseline: Baseline | None
) -> Results:
    """The results once what was found is known, where that was asked for. Raises UsageError."""
    path, scan = settings.baseline_file, results.scan
    if not _wants_update() or path is None or baseline is None:
        return results
    if scan is None or scan.void is not None or results.interrupted:
        click.echo(f"{baseline.file} is left as it was: the scan did not come to its end", err=True)
        return results
    known = updated(scan, baseline.known)
    write_baseline_file(path, known)
    count = "1 known finding" if len(known) == 1 else f"{len(known)} known findings"
    click.echo(f"wrote {baseline.file} ({count})", err=True)
    return replace(results, scan=with_known(scan, known, file=baseline.file))


def _wants_update() -> bool:
    return bool(click.get_current_context().meta.get(_UPDATE))
