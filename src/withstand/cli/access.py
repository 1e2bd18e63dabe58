"""`withstand access`: who may use which operation."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from withstand.cli.options import (
    Outputs,
    settings_for,
    shard_option,
    target_for,
    target_options,
)
from withstand.cli.output import publish
from withstand.cli.progress import ProgressLine
from withstand.cli.report_options import report_options
from withstand.cli.typed import typed_command
from withstand.errors import RunVoid, UsageError
from withstand.history.commit import current_commit
from withstand.report.access_view import access_table
from withstand.report.terminal_tables import untested
from withstand.results import Results
from withstand.scan.access_matrix import approval
from withstand.scan.catalogue import all_checks
from withstand.settings.approved_access import approved_text
from withstand.settings.plans import api_for, scan_plan
from withstand.sharding import Shard
from withstand.slo.trend import Trend
from withstand.workflows import Occasion, run_scan


@click.command("access")
@click.argument("document", required=False)
@target_options
@click.option(
    "--approve",
    is_flag=True,
    help="Write what was observed to the approved file, to be reviewed and committed.",
)
@click.option(
    "--profile",
    type=click.Choice(["readonly", "ci"]),
    help="readonly asks only operations that read; ci (default) also creates, changes and deletes "
    "objects of its own.",
)
@shard_option
@report_options
def command(
    document: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    approve: bool,
    profile: str | None,
    shard: Shard | None,
    html: Path | None,
    json_file: Path | None,
    report_dir: Path | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Show who may use which operation, and compare it with what was approved.

    Every operation of DOCUMENT (as for `withstand scan`) is called without a credential and as one
    identity of each role. The access matrix shows who was served. It is compared with the approved
    file, withstand.access.toml beside the configuration (or approved_access under [security]): an
    operation that is open to somebody whom it does not name is a finding, and exits 1. `withstand
    scan` does the same among its other checks.

    \b
    Examples
      withstand access
      withstand access --approve && git diff withstand.access.toml
    """
    outputs = Outputs(html=html, json_file=json_file, report_dir=report_dir)
    if approve and shard is not None:
        raise UsageError(
            f"--approve writes down the whole matrix, and shard {shard} sees a part of it",
            hint="leave --shard out",
        )
    settings = settings_for(config_file, base_url, openapi=document)
    target = target_for(settings, allow, insecure)
    checks = tuple(check for check in all_checks() if check.reads_access)
    plan = scan_plan(
        settings,
        target,
        api_for(settings, target),
        checks=checks,
        profile=profile or "ci",
        approves=approve,
        shard=shard,
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        commit=current_commit(),
        fail_on=plan.policy.fail_on,
        strict=strict,
        suppressions=settings.suppressions(),
    )
    with ProgressLine(quiet=quiet) as progress:
        results = run_scan(plan, occasion, observer=progress.scan)
    if plan.policy.approved is not None:
        return publish(results, outputs)
    code = publish(results, outputs, draw=_draw)
    if results.interrupted:
        return code
    _require_whole(results)
    if approve:
        _approve(results, settings.approved_file)
    elif shard is None:
        click.echo(f"nothing is approved yet: --approve writes {settings.approved_file}", err=True)
    return 0


def _draw(results: Results, console: Console, _trends: Sequence[Trend]) -> None:
    """The matrix alone: without an approved file there is no verdict to print."""
    assert results.scan is not None, "the run was a scan"
    for part in (*access_table(results.scan), *untested(results)):
        console.print(part)


def _require_whole(results: Results) -> None:
    """Raises RunVoid where the run did not come to its end, so that its matrix is not whole."""
    void = results.scan.void if results.scan is not None else None
    if void is not None:
        raise RunVoid(
            f"the run did not come to its end, so it does not say who may use what: {void}",
            hint="see why above, and run again",
        )


def _approve(results: Results, path: Path) -> None:
    """Writes the file. Raises UsageError where that cannot be done."""
    assert results.scan is not None, "the run was a scan"
    try:
        path.write_text(approved_text(approval(results.scan.access)), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}",
            hint="name another file as approved_access under [security]",
        ) from None
    click.echo(f"wrote {path}: review its diff and commit it", err=True)
