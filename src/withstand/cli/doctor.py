"""`withstand doctor`: what a scan has to work with, and what would give it more."""

from pathlib import Path

import click

from withstand.cli.options import settings_for, target_for, target_options
from withstand.cli.progress import ProgressLine
from withstand.cli.trace_file import trace_option, traced
from withstand.report.terminal_doctor import doctor_lines
from withstand.scan.catalogue import all_checks
from withstand.settings.plans import api_for, scan_plan
from withstand.workflows import run_doctor


@click.command("doctor")
@click.argument("document", required=False)
@target_options
@trace_option
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    document: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    trace_file: str | None,
    quiet: bool,
) -> int:
    """See what a scan can work with, and what is missing.

    DOCUMENT is the OpenAPI document: a file, a URL, or a path on the target. Default: openapi
    under [target] in the configuration, or /openapi.json on the target.

    It logs in, looks for a request that succeeds for every operation, deletes what it created, and
    shows for each operation who it works for, or what was tried, what the API answered and which
    line of withstand.toml would help; which identities are healthy; and which checks lack what. It
    runs no check.

    \b
    Exit codes
      0  every operation has a request that succeeds
      1  some have none
      3  it could not begin: the target is unreachable, or nobody can log in

    \b
    Examples
      withstand doctor
      withstand doctor openapi.yaml --base-url http://127.0.0.1:8000
      withstand doctor --trace requests.txt
    """
    settings = settings_for(config_file, base_url, openapi=document)
    target = target_for(settings, allow, insecure)
    plan = scan_plan(settings, target, api_for(settings, target), checks=all_checks())
    with ProgressLine(quiet=quiet) as progress, traced(trace_file) as trace:
        found = run_doctor(plan, observer=progress.scan, trace=trace)
    for line in doctor_lines(found):
        click.echo(line)
    return 1 if found.lacking else 0
