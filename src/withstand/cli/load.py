"""`withstand load`: requests at a rate, or by users, and verdicts on objectives."""

from pathlib import Path
from urllib.parse import quote

import click

from withstand.cli.options import (
    Outputs,
    report_options,
    settings_for,
    target_for,
    target_options,
)
from withstand.cli.output import publish, require_writable
from withstand.cli.plans import api_for, objectives_for, scan_plan
from withstand.cli.progress import ProgressLine
from withstand.cli.typed import typed_command
from withstand.client.exchange import Request
from withstand.errors import UsageError
from withstand.load.profile import Closed, ConstantRate, Profile
from withstand.results import Results
from withstand.settings import Settings
from withstand.units import parse_duration_ns, parse_rate_per_s
from withstand.workflows import (
    LoadPlan,
    Occasion,
    run_document_load,
    run_request_load,
)

_IN_A_REQUEST_LINE = "!#$%&'()*+,-./:;=?@[]_~|^`{}\\\"<>"
_DEFAULT_RATE_PER_S = 10.0
_DEFAULT_RUN_TIME_S = 10.0


@click.command("load")
@click.argument("url", required=False)
@target_options
@click.option("--openapi", metavar="DOCUMENT", help="The OpenAPI document: a file, URL or path.")
@click.option(
    "-o",
    "--operation",
    "operations",
    multiple=True,
    metavar="KEY",
    help='Load this operation, such as "GET /users" or "GET *". Repeatable. Default: every GET '
    "of the document. Operations that write are sent only when they are named here.",
)
@click.option(
    "--rate",
    metavar="RATE",
    help="Open model: requests start at this rate, such as 200/s, whatever the server does. "
    f"Default: {_DEFAULT_RATE_PER_S:g}/s.",
)
@click.option(
    "--poisson",
    is_flag=True,
    help="With --rate: random (Poisson) arrivals instead of paced ones.",
)
@click.option(
    "-u",
    "--users",
    type=click.IntRange(min=1),
    help="Closed model: this many users, each waiting for its answer before it asks again.",
)
@click.option(
    "-r",
    "--spawn-rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Users started per second. Default: all at once.",
)
@click.option(
    "--think-time",
    metavar="TIME",
    help="With -u: how long a user waits between an answer and its next request. Default: not at "
    "all.",
)
@click.option(
    "-t",
    "--run-time",
    metavar="TIME",
    help=f"How long, such as 30s or 5m. Default: {_DEFAULT_RUN_TIME_S:g}s.",
)
@click.option(
    "--slo",
    "slos",
    multiple=True,
    metavar="OBJECTIVE",
    help='An objective: "p95<200ms", "errors<0.1%", "rps>100", "memory_growth<32MB", or for one '
    'operation "GET /users: p99<300ms". Repeatable. Replaces those of the configuration.',
)
@click.option("--connections", type=click.IntRange(min=1), help="Most connections at once.")
@click.option(
    "--timeout",
    metavar="TIME",
    help="Longest wait for an answer. Default: timeout under [target] in the configuration, or "
    "30s.",
)
@click.option(
    "--pid",
    type=click.IntRange(min=1),
    help="The server's process on this machine: its memory is watched, for memory_growth.",
)
@click.option(
    "--exit-code-on-slo",
    type=click.IntRange(1, 255),
    default=1,
    help="Exit code when an objective is breached (k6 uses 99). Default: 1.",
)
@report_options
def command(
    url: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    openapi: str | None,
    operations: tuple[str, ...],
    rate: str | None,
    poisson: bool,
    users: int | None,
    spawn_rate: float | None,
    think_time: str | None,
    run_time: str | None,
    slos: tuple[str, ...],
    connections: int | None,
    timeout: str | None,
    pid: int | None,
    exit_code_on_slo: int,
    html: Path | None,
    json_file: Path | None,
    report_dir: Path | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Put load on an API and judge it by objectives.

    URL is one address to GET; without it the operations of the OpenAPI document are sent, each
    with a request that succeeded once before. Two clocks are kept: the response time runs from
    the moment a request should have started, so that a stalling server cannot hide behind late
    requests; the service time runs from the moment it was sent.

    \b
    Examples
      withstand load http://127.0.0.1:8000/health --rate 500 -t 10s --slo "p99<50ms"
      withstand load --rate 100/s -t 1m --slo "p95<200ms" --slo "errors<2%"
      withstand load -u 50 -r 5 -t 60s -H http://127.0.0.1:8000
    """
    if users is not None and rate is not None:
        raise UsageError(
            f"-u {users} asks for the closed model and --rate {rate} for the open one",
            hint="give one of the two",
        )
    if users is None and spawn_rate is not None:
        raise UsageError("-r sets how fast users start", hint="give -u with it, or --rate instead")
    if url is not None and (openapi is not None or operations):
        raise UsageError(
            f"{url} is one address, and --openapi and --operation choose from a document",
            hint="give the address alone, or -H and the operations",
        )
    if url is not None and base_url is not None:
        raise UsageError(
            f"{url} says where the API is, and so does -H {base_url}", hint="give one of the two"
        )
    outputs = Outputs(html=html, json_file=json_file, report_dir=report_dir)
    require_writable(outputs)
    settings = settings_for(config_file, _origin(url) or base_url, openapi=openapi)
    profile = _profile(settings, rate, poisson, users, spawn_rate, run_time)
    _require_model(profile, poisson, think_time)
    load = LoadPlan(
        profile=profile,
        operations=operations,
        connections=connections or settings.load().connections,
        timeout_s=settings.timeout_s if timeout is None else _timeout_s(timeout),
        think_time_s=0.0 if think_time is None else parse_duration_ns(think_time) / 1e9,
        pid=pid,
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        objectives=objectives_for(settings, slos),
        fail_on=settings.policy().fail_on,
        strict=strict,
    )
    results = _run(url, settings, load, occasion, allow, insecure, quiet)
    code = publish(results, outputs)
    return exit_code_on_slo if code == 1 else code


def _run(
    url: str | None,
    settings: Settings,
    load: LoadPlan,
    occasion: Occasion,
    allow: tuple[str, ...],
    insecure: bool,
    quiet: bool,
) -> Results:
    target = target_for(settings, allow, insecure)
    with ProgressLine(quiet=quiet) as progress:
        if url is not None:
            request = Request(method="GET", path=_path(url), headers=(("Accept", "*/*"),))
            return run_request_load(target, request, load, occasion, observer=progress.load)
        plan = scan_plan(settings, target, api_for(settings, target))
        return run_document_load(plan, load, occasion, observer=progress.load)


def _profile(
    settings: Settings,
    rate: str | None,
    poisson: bool,
    users: int | None,
    spawn_rate: float | None,
    run_time: str | None,
) -> Profile:
    """The load shape: flags, else the configuration's, else a gentle open one."""
    configured = settings.load()
    rate_per_s = parse_rate_per_s(rate) if rate is not None else None
    if users is None and rate_per_s is None:
        users, rate_per_s = configured.users, configured.rate_per_s
        spawn_rate = configured.spawn_rate_per_s
    if run_time is not None:
        duration_s = parse_duration_ns(run_time) / 1e9
    else:
        duration_s = configured.run_time_s or _DEFAULT_RUN_TIME_S
    if users is not None:
        return Closed(users=users, duration_s=duration_s, spawn_rate_per_s=spawn_rate)
    return ConstantRate(
        rate_per_s=rate_per_s or _DEFAULT_RATE_PER_S,
        duration_s=duration_s,
        arrivals="poisson" if poisson else "paced",
    )


def _require_model(profile: Profile, poisson: bool, think_time: str | None) -> None:
    """Raises UsageError for a flag that the model of the load knows nothing of."""
    if isinstance(profile, Closed) and poisson:
        raise UsageError(
            "--poisson spreads the arrivals of a rate, and users ask when they are ready",
            hint="give --rate instead of users, or leave --poisson out",
        )
    if not isinstance(profile, Closed) and think_time is not None:
        raise UsageError(
            f"--think-time {think_time} is a pause of users, and a rate has none",
            hint="give -u, or leave --think-time out",
        )


def _timeout_s(text: str) -> float:
    seconds = parse_duration_ns(text) / 1e9
    if seconds <= 0:
        raise UsageError(f"--timeout {text} leaves no time for an answer", hint="such as 10s")
    return seconds


def _origin(url: str | None) -> str | None:
    """Scheme and authority of the address to load."""
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise UsageError(
            f"{url!r} is no address", hint="write it out: http://127.0.0.1:8000/health"
        )
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"


def _path(url: str) -> str:
    """Everything after the authority."""
    origin = _origin(url) or ""
    path = url[len(origin) :].partition("#")[0]
    # Only what cannot be in a request line is escaped: the rest was written as it is meant.
    return quote(path if path.startswith("/") else f"/{path}", safe=_IN_A_REQUEST_LINE)
