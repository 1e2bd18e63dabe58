"""`withstand scan`: the security checks."""

from pathlib import Path

import click

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
from withstand.cli.trace_file import trace_option, traced
from withstand.cli.typed import typed_command
from withstand.history.commit import current_commit
from withstand.scan.catalogue import chosen, provoking
from withstand.settings.plans import api_for, scan_plan
from withstand.sharding import Shard
from withstand.workflows import Occasion, run_scan


@click.command("scan")
@click.argument("document", required=False)
@target_options
@scan_options
@scan_file_options
@trace_option
@shard_option
@report_options
def command(
    document: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    only: tuple[str, ...],
    without: tuple[str, ...],
    profile: str | None,
    fail_on: str | None,
    trace_file: str | None,
    shard: Shard | None,
    html: Path | None,
    json_file: Path | None,
    report_dir: Path | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Run the security checks on an API.

    DOCUMENT is the OpenAPI document: a file, a URL, or a path on the target. Default: openapi
    under [target] in the configuration, or /openapi.json on the target.

    Every finding carries proof and the curl line that shows it, and was reproduced. What could not
    be tested is listed with the reason. Identities (two of one role, and one of a higher role)
    come from withstand.toml; without any, only what an anonymous caller sees is tested.

    \b
    Examples
      withstand scan openapi.yaml --base-url http://127.0.0.1:8000
      withstand scan --report-dir withstand-report
      withstand scan --check sql-injection --check path-traversal
      withstand scan --trace requests.txt
    """
    outputs = Outputs(html=html, json_file=json_file, report_dir=report_dir)
    settings = settings_for(config_file, base_url, openapi=document)
    target = target_for(settings, allow, insecure)
    baseline = baseline_for(settings, shard)
    checks = chosen(only, without)
    plan = scan_plan(
        settings,
        target,
        api_for(settings, target),
        checks=checks,
        provoking=provoking(only, without),
        profile=profile,
        fail_on=fail_on,
        shard=shard,
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        commit=current_commit(),
        fail_on=plan.policy.fail_on,
        strict=strict,
        suppressions=settings.suppressions(),
        baseline=baseline,
    )
    with ProgressLine(quiet=quiet) as progress, traced(trace_file) as trace:
        results = run_scan(plan, occasion, observer=progress.scan, trace=trace)
    results = with_baseline_updated(results, settings, baseline)
    return publish(results, outputs)
