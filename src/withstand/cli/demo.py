"""`withstand demo`: everything at once, against the bundled API."""

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from withstand.cli.demo_server import DemoServer, require_demo
from withstand.cli.options import Outputs, settings_for, target_for
from withstand.cli.output import publish, require_writable
from withstand.cli.plans import api_for, objectives_for, scan_plan
from withstand.cli.progress import ProgressLine
from withstand.cli.typed import typed_command
from withstand.load.probe.process import ProcessProbe
from withstand.load.profile.profile import ConstantRate
from withstand.results import Results
from withstand.scan.catalogue import all_checks
from withstand.slo import parse_objective
from withstand.units import parse_rate_per_s
from withstand.workflows import LoadPlan, Occasion, Onlookers, run_document_load, run_scan

_RATE_PER_S = 200.0
_RUN_TIME_S = 15.0
_MEMORY_OBJECTIVE = "memory_growth<32MB"

_FLAWS_HELP = 'Flaws to plant, with commas between, or "all". They are listed below.'


class _ListsFlaws(click.Command):
    """Ends its help with the flaws that can be planted."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from withstand.demo.flaws import FLAWS

        with formatter.section("Flaws"):
            formatter.write_dl([(flaw.name, flaw.title) for flaw in FLAWS])
        super().format_epilog(ctx, formatter)


class _DemoGroup(_ListsFlaws, click.Group):
    """The demo and its verbs."""


@click.group("demo", cls=_DemoGroup, invoke_without_command=True)
@click.option("--flaws", default="", metavar="NAMES", help=_FLAWS_HELP)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("withstand-report"),
    show_default=True,
    metavar="DIR",
    help="Where report.html and results.json go.",
)
@click.option("--open", "open_report", is_flag=True, help="Open the report in the browser.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on stderr.")
@click.pass_context
def command(
    context: click.Context, flaws: str, report_dir: Path, open_report: bool, quiet: bool
) -> int | None:
    """Show everything on a bundled API: scan it, load it, judge it, write the report.

    The API is served on a free port of this machine, over HTTPS, for as long as this takes. As it
    is, it withstands, and the exit code is 0. Plant flaws to see them found, and the exit code 1:

    \b
      withstand demo
      withstand demo --flaws sql-injection,slow-endpoint
      withstand demo --flaws all
    """
    if context.invoked_subcommand is not None:
        return None
    require_demo()
    outputs = Outputs(report_dir=report_dir)
    require_writable(outputs)
    with DemoServer(flaws) as server, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "withstand.toml"
        config.write_text(server.config(), encoding="utf-8")
        with ProgressLine(quiet=quiet) as progress:
            progress.say(f"The demo API is served at {server.url}" + _planted(flaws))
            results = _everything(config, server.pid, progress)
    code = publish(results, outputs)
    if results.findings():
        click.echo(
            "The server of this run is gone. To try the curl lines, start one that stays, with "
            f"`withstand demo serve --flaws {flaws}`, and put its address into them.",
            err=True,
        )
    if open_report:
        click.launch(str(report_dir / "report.html"))
    return code


def _everything(config: Path, pid: int, progress: ProgressLine) -> Results:
    """A scan and a load of the demo, as one Results."""
    settings = settings_for(config, None)
    target = target_for(settings, (), insecure=False)
    api = api_for(settings, target)
    plan = scan_plan(settings, target, api, checks=all_checks())
    occasion = Occasion(
        command=typed_command(),
        objectives=(*objectives_for(settings, ()), parse_objective(_MEMORY_OBJECTIVE)),
        fail_on=plan.policy.fail_on,
    )
    progress.say(f"Scanning {len(api.operations)} operations with {len(plan.checks)} checks …")
    scanned = run_scan(plan, occasion, observer=progress.scan)
    if scanned.interrupted:
        return scanned
    progress.say(f"Sending {_RATE_PER_S:g} requests a second for {_RUN_TIME_S:g} s …")
    loaded = run_document_load(
        plan,
        LoadPlan(
            profile=ConstantRate(rate_per_s=_RATE_PER_S, duration_s=_RUN_TIME_S),
            probe=ProcessProbe(pid),
        ),
        occasion,
        onlookers=Onlookers(observer=progress.load),
    )
    return replace(
        loaded,
        scan=scanned.scan,
        started_at=scanned.started_at,
        duration_s=scanned.duration_s + loaded.duration_s,
    )


def _planted(flaws: str) -> str:
    return f", with these flaws planted: {flaws}" if flaws else ""


@command.command("serve", cls=_ListsFlaws)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="0 takes a free one.",
)
@click.option("--flaws", default="", metavar="NAMES", help=_FLAWS_HELP)
@click.option("--https", is_flag=True, help="Serve TLS, and redirect plain HTTP to it.")
@click.option(
    "--http-port",
    type=click.IntRange(0, 65535),
    help="With --https: where plain HTTP listens. Default: the next port.",
)
@click.option(
    "--capacity",
    metavar="RATE",
    help="Serve no more than this, such as 150/s: what `withstand stress` has to find. GET /health "
    "is let through at once. Default: as fast as the machine can.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="With --capacity: how many requests are served at once; each takes workers / capacity.",
)
@click.option(
    "--random-times",
    is_flag=True,
    help="With --capacity: exponentially distributed service times instead of equal ones.",
)
@click.option(
    "--latency",
    multiple=True,
    metavar="LINE",
    help='Known latencies: "GET /users: lognormal 20ms 0.5" (median, standard deviation of the '
    'logarithm), "GET /products: bimodal 5ms 80ms 10%" (fast, slow, share of slow ones) or '
    '"*: fixed 5ms" for every other operation but GET /health. Repeatable.',
)
@click.option("--slower", metavar="SHARE", help="With --latency: so much longer each, such as 10%.")
@click.option(
    "--latency-seed",
    metavar="TEXT",
    help="With --latency: draw the same ones after every start. Default: new ones.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the shop's data here. Default: a temporary directory.",
)
def serve_command(
    port: int,
    flaws: str,
    https: bool,
    http_port: int | None,
    capacity: str | None,
    workers: int,
    random_times: bool,
    latency: tuple[str, ...],
    slower: str | None,
    latency_seed: str | None,
    data: Path | None,
) -> int:
    """Serve the demo API on this machine until Ctrl-C.

    `withstand demo config` prints the withstand.toml that goes with it.
    """
    require_demo()
    from withstand.demo.__main__ import main as serve_demo

    arguments = ["--port", str(port), "--flaws", flaws]
    if https:
        arguments.append("--https")
    if http_port is not None:
        arguments += ["--http-port", str(http_port)]
    if capacity is not None:
        arguments += ["--capacity", str(parse_rate_per_s(capacity)), "--workers", str(workers)]
        arguments += ["--random-times"] if random_times else []
    for line in latency:
        arguments += ["--latency", line]
    if slower is not None:
        arguments += ["--slower", slower]
    if latency_seed is not None:
        arguments += ["--latency-seed", latency_seed]
    if data is not None:
        arguments += ["--data", str(data)]
    return serve_demo(arguments)


@command.command("config")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="The port that the demo is served on.",
)
@click.option("--https", is_flag=True, help="For a demo served with --https.")
@click.option("--ca-file", metavar="FILE", help="With --https: the ca.pem in the demo's data.")
def config_command(port: int, https: bool, ca_file: str | None) -> None:
    """Print a withstand.toml for the demo API.

    \b
      withstand demo config > withstand.toml
    """
    require_demo()
    from withstand.demo.config import render

    click.echo(render(port=port, https=https, ca_file=ca_file), nl=False)
