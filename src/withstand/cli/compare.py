"""`withstand compare`: has it become slower?"""

import re
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from withstand.cli.compare_files import Written, compare_files
from withstand.cli.options import settings_for, target_for, target_options
from withstand.cli.progress import ProgressLine
from withstand.cli.traffic import timeout_s
from withstand.cli.typed import typed_command
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.openapi.operation import Api
from withstand.report.comparison_files import comparison_json, comparison_markdown
from withstand.report.terminal_comparison import render_comparison
from withstand.scan.plan import ScanPlan
from withstand.settings.plans import scan_plan
from withstand.slo.comparison import judge_comparison
from withstand.stats.regression import LEAST_UNITS
from withstand.units import parse_duration_ns
from withstand.workflows import read_document_file
from withstand.workflows.compare import run_comparison
from withstand.workflows.compare_plan import PORT, ComparePlan, Version
from withstand.workflows.server_process import words_of

_RESTARTS = 10
_BLOCKS = 4
_BLOCKS_WITHOUT_RESTARTS = 30
_REQUESTS = 100
_ADDRESS_OF_A_COMMAND = f"http://127.0.0.1:{PORT}"
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%?$")


@click.command("compare")
@click.argument("a", metavar="[A]", required=False)
@click.argument("b", metavar="[B]", required=False)
@click.option(
    "--start-a",
    metavar="COMMAND",
    help="Starts version A, without a shell; {port} in it, and PORT in its environment, is a free "
    "port. It is run anew for each restart, and all of its processes are stopped after it.",
)
@click.option("--start-b", metavar="COMMAND", help="Starts version B.")
@click.option(
    "--start-timeout",
    metavar="TIME",
    default="30s",
    show_default=True,
    help="How long a version may take until it answers.",
)
@target_options
@click.option(
    "--openapi",
    metavar="DOCUMENT",
    help="The OpenAPI document: a file, URL or path on A. It stands for both versions.",
)
@click.option(
    "-o",
    "--operation",
    "operations",
    multiple=True,
    metavar="KEY",
    help='Compare this operation, such as "GET /users" or "GET *". Repeatable. Default: every GET '
    "of the document. Operations that write are sent only when they are named here.",
)
@click.option(
    "--margin",
    metavar="PERCENT",
    help="How much slower is not yet called slower. Default: 2%, and 5% without restarts.",
)
@click.option(
    "--restarts",
    type=click.IntRange(min=LEAST_UNITS),
    default=_RESTARTS,
    show_default=True,
    help="How often both versions are started, with --start-a and --start-b.",
)
@click.option(
    "--blocks",
    type=click.IntRange(min=1),
    help=f"Blocks of requests after each start. Default: {_BLOCKS}, and "
    f"{_BLOCKS_WITHOUT_RESTARTS} without restarts.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=10),
    default=_REQUESTS,
    show_default=True,
    help="Requests of each operation to each version in a block: from 100 on p95 is compared, from "
    "500 on p99 too.",
)
@click.option(
    "--max-time",
    metavar="TIME",
    default="15m",
    show_default=True,
    help="Measure no longer than this; what was measured to its end is judged.",
)
@click.option("--timeout", metavar="TIME", help="Longest wait for an answer. Default: as for load.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the verdict and all times, for other programs.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a line and a table for a comment on a change.",
)
@click.option("--strict", is_flag=True, help="Exit 3 when it could not be decided, instead of 0.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
def command(
    a: str | None,
    b: str | None,
    start_a: str | None,
    start_b: str | None,
    json_file: Path | None,
    markdown_file: Path | None,
    strict: bool,
    quiet: bool,
    margin: str | None,
    **given: Any,
) -> int:
    """Tell whether version B of an API is slower than version A.

    A and B are two addresses where the versions are served, or two results files. With --start-a
    and --start-b they are started here, again and again, and A and B are where they answer
    (default: http://127.0.0.1:{port}, {port} being a free one).

    Requests to both alternate one by one, so that what slows the machine down slows both. The unit
    is the restart: two starts of one version differ, and only restarts can tell that from a change.
    Without them the margin is larger. B is called slower only when that is 99 % sure over all
    operations together. Two results files are shown side by side and never fail a build: runs at
    different times differ by themselves.

    Exit code 1 when B is slower or fails more requests, else 0; with --strict 3 when that could not
    be decided.

    \b
    Examples
      withstand compare --start-a "old/serve --port {port}" --start-b "new/serve --port {port}"
      withstand compare --start-a "docker run --rm -p {port}:80 shop:1" \\
                        --start-b "docker run --rm -p {port}:80 shop:2" -o "GET /products"
      withstand compare http://127.0.0.1:8001 http://127.0.0.1:8002
      withstand compare before.json after.json
    """
    written = Written(json_file=json_file, markdown_file=markdown_file)
    written.require_writable()
    if not (start_a or start_b) and a and b and "://" not in a + b:
        return compare_files(Path(a), Path(b), written)
    plan = _plan(a, b, start_a, start_b, **given)
    with ProgressLine(quiet=quiet) as progress:
        measured = run_comparison(plan, observer=progress.comparison)
    verdict = judge_comparison(measured, margin=_share(margin), strict=strict)
    written.write(
        json_text=comparison_json(measured, verdict, command=typed_command()),
        markdown_text=comparison_markdown(measured, verdict),
    )
    render_comparison(measured, verdict, Console(file=sys.stdout))
    return 130 if measured.interrupted else verdict.exit_code()


def _plan(
    a: str | None,
    b: str | None,
    start_a: str | None,
    start_b: str | None,
    *,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    openapi: str | None,
    operations: tuple[str, ...],
    restarts: int,
    blocks: int | None,
    requests: int,
    max_time: str,
    start_timeout: str,
    timeout: str | None,
) -> ComparePlan:
    if base_url is not None:
        raise UsageError(
            f"-H {base_url} is one address, and a comparison has two",
            hint="give both: withstand compare http://127.0.0.1:8001 http://127.0.0.1:8002",
        )
    restarted = _restarted(start_a, start_b)
    address_a, address_b = _addresses(a, b, restarted)
    if restarted:
        words_of(start_a or "", option="--start-a")
        words_of(start_b or "", option="--start-b")
    elif blocks is not None and blocks < LEAST_UNITS:
        raise UsageError(
            f"--blocks {blocks} cannot be compared without restarts",
            hint=f"give {LEAST_UNITS} or more",
        )

    def target(address: str) -> Target:
        return target_for(settings_for(config_file, address, openapi=openapi), allow, insecure)

    def plan(of: Target, api: Api) -> ScanPlan:
        return scan_plan(settings_for(config_file, of.base_url, openapi=openapi), of, api)

    for address in (address_a, address_b):
        target(address.replace(PORT, "1"))  # so that a host that is not allowed costs no time
    settings = settings_for(config_file, address_a.replace(PORT, "1"), openapi=openapi)
    file = settings.document_file
    return ComparePlan(
        a=Version(name="A", address=address_a, command=start_a, target=target, plan=plan),
        b=Version(name="B", address=address_b, command=start_b, target=target, plan=plan),
        document=settings.openapi_location if file is None else read_document_file(Path(file)),
        operations=operations,
        restarts=restarts if restarted else 1,
        blocks=blocks or (_BLOCKS if restarted else _BLOCKS_WITHOUT_RESTARTS),
        requests=requests,
        max_time_s=parse_duration_ns(max_time) / 1e9,
        start_timeout_s=parse_duration_ns(start_timeout) / 1e9,
        timeout_s=timeout_s(timeout, settings),
        connect_timeout_s=settings.connect_timeout_s,
    )


def _restarted(start_a: str | None, start_b: str | None) -> bool:
    if (start_a is None) != (start_b is None):
        missing = "--start-a" if start_a is None else "--start-b"
        raise UsageError(
            f"only one of the versions is started here: {missing} is missing",
            hint="give both, or neither and two addresses",
        )
    return start_a is not None


def _addresses(a: str | None, b: str | None, restarted: bool) -> tuple[str, str]:
    if restarted and a is None:
        return _ADDRESS_OF_A_COMMAND, _ADDRESS_OF_A_COMMAND
    if a is None or b is None:
        raise UsageError(
            "a comparison needs two versions",
            hint="give two addresses, two results files, or --start-a and --start-b",
        )
    for given in (a, b):
        if "://" not in given:
            raise UsageError(
                f"{given!r} is no address, and the other version is no results file",
                hint="compare two addresses or two results files",
            )
        if PORT in given and not restarted:
            raise UsageError(
                f"{given} stands for a port that nobody chooses",
                hint="write the port out, or give --start-a and --start-b",
            )
    if a == b and PORT not in a:
        raise UsageError(
            f"A and B are both {a}",
            hint=f"serve them on two ports; with --start-a and --start-b write {PORT}",
        )
    return a, b


def _share(text: str | None) -> float | None:
    if text is None:
        return None
    match = _PERCENT.match(text.strip())
    if match is None:
        raise UsageError(f"--margin {text} is no percentage", hint="such as --margin 5%")
    return float(match[1]) / 100
