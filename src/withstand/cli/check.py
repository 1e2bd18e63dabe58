"""`withstand check`: everything that withstand.toml asks for."""

from pathlib import Path
from typing import Final

import click

from withstand.cli.history_file import history_for, history_option, remembered
from withstand.cli.known_findings import baseline_for, with_baseline_updated
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
from withstand.cli.scan_files import scan_file_options
from withstand.cli.scan_options import scan_options
from withstand.cli.traffic import slo_option
from withstand.cli.typed import typed_command
from withstand.errors import UsageError
from withstand.history.commit import current_commit
from withstand.history.runs import Kind
from withstand.scan.catalogue import chosen, provoking
from withstand.settings import Settings
from withstand.settings.plans import api_for, objectives_for, scan_plan
from withstand.sharding import Shard
from withstand.slo import Objective
from withstand.units import parse_duration_ns
from withstand.workflows import DEFAULT_BUDGET_S, CheckPlan, Occasion, run_check

_SCAN: Final = "scan"
_SLO: Final = "slo"


@click.command("check")
@click.argument("document", required=False)
@target_options
@click.option(
    "--only",
    "part",
    type=click.Choice([_SCAN, _SLO]),
    help="Only the scan, or only the objectives. Default: both.",
)
@slo_option('"p95<200ms", "p99<1s", "errors<1%", "errors=0"')
@click.option(
    "--budget",
    metavar="TIME",
    help="How long the requests of one operation may take in all until its objectives are decided. "
    f"Default: {DEFAULT_BUDGET_S:g}s.",
)
@scan_options
@history_option
@scan_file_options
@shard_option
@report_options
def command(
    document: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    part: str | None,
    slos: tuple[str, ...],
    budget: str | None,
    only: tuple[str, ...],
    without: tuple[str, ...],
    profile: str | None,
    fail_on: str | None,
    shard: Shard | None,
    html: Path | None,
    json_file: Path | None,
    report_dir: Path | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Hold an API against everything that withstand.toml asks for: one report, one exit code.

    DOCUMENT is the OpenAPI document: a file, a URL, or a path on the target. Default: openapi
    under [target] in the configuration, or /openapi.json on the target.

    First the objectives under [slo]: each operation that they cover gets requests that succeed, one
    after the other, taking turns with the others, until every objective is met or breached for
    certain, or its budget is spent. A breach has to show twice. These are service times without
    load; objectives on avg, max, rps, memory or stretches of time are left to `withstand load`.
    Operations that write are called only when an objective names their method ("POST /orders").
    Then the security checks, as `withstand scan` runs them.

    \b
    Examples
      withstand check
      withstand check openapi.yaml --base-url http://127.0.0.1:8000 --slo "p95<200ms"
      withstand check --only slo --budget 2m --strict
      withstand check --report-dir withstand-report --profile readonly
    """
    outputs = Outputs(html=html, json_file=json_file, report_dir=report_dir)
    settings = settings_for(config_file, base_url, openapi=document)
    target = target_for(settings, allow, insecure)
    baseline = baseline_for(settings, shard)
    history = history_for(settings, Kind.CHECK)
    objectives = _objectives(settings, slos, part)
    _require_a_part(part, scan_flags=bool(only or without), budget=budget)
    wanted = CheckPlan(
        scan=part != _SLO,
        trials=bool(objectives),
        budget_s=DEFAULT_BUDGET_S if budget is None else _budget_s(budget),
    )
    plan = scan_plan(
        settings,
        target,
        api_for(settings, target),
        checks=chosen(only, without) if wanted.scan else (),
        provoking=provoking(only, without),
        profile=profile,
        fail_on=fail_on,
        shard=shard,
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        commit=current_commit(),
        objectives=objectives,
        fail_on=plan.policy.fail_on,
        strict=strict,
        suppressions=settings.suppressions(),
        baseline=baseline,
    )
    with ProgressLine(quiet=quiet) as progress:
        if not objectives and part is None:
            progress.say("No objective is set under [slo] or by --slo: only the scan is run.")
        results = run_check(
            plan,
            wanted,
            occasion,
            say=progress.say,
            trial_observer=progress.trials,
            scan_observer=progress.scan,
        )
    results = with_baseline_updated(results, settings, baseline)
    return publish(results, outputs, remembered(results, history))


def _objectives(
    settings: Settings, slos: tuple[str, ...], part: str | None
) -> tuple[Objective, ...]:
    """Those to be tried; none with --only scan. Raises UsageError where there is nothing to do."""
    if part == _SCAN:
        if slos:
            raise UsageError(
                f"--slo {slos[0]!r} is an objective, and --only scan leaves objectives out",
                hint="leave one of the two out",
            )
        return ()
    objectives = objectives_for(settings, slos)
    if part == _SLO and not objectives:
        raise UsageError(
            "--only slo has no objective to check",
            hint='set some under [slo] in withstand.toml, such as "*" = ["p95<200ms"], or give '
            "--slo",
        )
    return objectives


def _require_a_part(part: str | None, *, scan_flags: bool, budget: str | None) -> None:
    if part == _SLO and scan_flags:
        raise UsageError(
            "--check and --skip-check choose security checks, and --only slo leaves them out",
            hint="leave one of the two out",
        )
    if part == _SCAN and budget is not None:
        raise UsageError(
            f"--budget {budget} is that of the objectives, and --only scan leaves them out",
            hint="leave one of the two out; the scan's own is under [security.budget]",
        )


def _budget_s(text: str) -> float:
    seconds = parse_duration_ns(text) / 1e9
    if seconds <= 0:
        raise UsageError(f"--budget {text} leaves no time for a request", hint="such as 30s")
    return seconds
