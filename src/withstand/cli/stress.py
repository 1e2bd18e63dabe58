"""`withstand stress`: the highest rate at which the objectives are met, and where it breaks."""

from pathlib import Path

import click

from withstand.cli.distribution import processes_option
from withstand.cli.history_file import history_for, history_option, remembered
from withstand.cli.mix import (
    declaration_of,
    load_objectives,
    scenario_file,
    weighted_operations,
)
from withstand.cli.options import (
    Outputs,
    settings_for,
    target_for,
    target_options,
)
from withstand.cli.output import publish
from withstand.cli.progress import ProgressLine
from withstand.cli.report_options import report_options
from withstand.cli.stress_limits import (
    judgeable,
    require_one_source,
    require_time,
    whole_seconds,
)
from withstand.cli.traffic import (
    origin_of,
    request_for,
    require_one_target,
    slo_option,
    timeout_s,
    traffic_options,
)
from withstand.cli.typed import typed_command
from withstand.history.runs import Kind
from withstand.load.scenario.declaration import Declaration
from withstand.report.stress_view import step_text
from withstand.results import Results
from withstand.settings import Settings
from withstand.settings.plans import api_for, people_for, scan_plan
from withstand.slo.step_verdict import StepVerdict
from withstand.stats.capacity import SearchPlan
from withstand.units import parse_duration_ns, parse_rate_per_s
from withstand.workflows import Occasion
from withstand.workflows.stress import (
    run_document_stress,
    run_request_stress,
    run_scenario_stress,
)
from withstand.workflows.stress_plan import StressObserver, StressPlan

_DEFAULTS = SearchPlan(start_per_s=1.0)
_BUDGET_MINUTES = 15
_LEAST_STEP_S = 3
_LEAST_RESOLUTION_PERCENT = 2
_MOST_RESOLUTION_PERCENT = 50


@click.command("stress")
@click.argument("url", metavar="[URL | SCENARIO]", required=False)
@target_options
@traffic_options
@processes_option
@slo_option('"p95<200ms", "errors<1%"')
@click.option(
    "--start-rate",
    metavar="RATE",
    help="The first rate, such as 50/s. Default: twice the lowest at which a step has requests "
    "enough to be decided, at least 10/s.",
)
@click.option("--max-rate", metavar="RATE", help="Never send more than this.")
@click.option(
    "--require",
    metavar="RATE",
    help="The rate that must be sustained: exit 0 when it is, 1 when it is not.",
)
@click.option(
    "--max-time",
    metavar="TIME",
    default=f"{_BUDGET_MINUTES}m",
    show_default=True,
    help="Begin nothing that would take longer than this in all.",
)
@click.option(
    "--warm-up",
    metavar="TIME",
    default=f"{_DEFAULTS.warm_up_windows}s",
    show_default=True,
    help="What every step drops before it counts, in whole seconds.",
)
@click.option(
    "--step-time",
    metavar="TIME",
    default=f"{_DEFAULTS.least_windows}s",
    show_default=True,
    help="A step is judged after this time, and again after as much more until it is decided.",
)
@click.option(
    "--longest-step",
    metavar="TIME",
    default=f"{_DEFAULTS.most_windows}s",
    show_default=True,
    help="A step that is not decided by then stays undecided.",
)
@click.option(
    "--hold-time",
    metavar="TIME",
    default=f"{_DEFAULTS.hold_windows}s",
    show_default=True,
    help="How long the rate that was found is held to confirm it; up to twice as long if need be.",
)
@click.option(
    "--resolution",
    metavar="PERCENT",
    type=click.FloatRange(_LEAST_RESOLUTION_PERCENT, _MOST_RESOLUTION_PERCENT),
    default=round((_DEFAULTS.resolution - 1) * 100),
    show_default=True,
    help="How far apart the rate that is met and the rate that is not may lie in the end.",
)
@click.option(
    "--paced",
    is_flag=True,
    help="Requests at equal distances. Default: random (Poisson) arrivals, as visitors come.",
)
@click.option(
    "--sweep-users",
    metavar="N",
    type=click.IntRange(min=8),
    help="Afterwards, measure the throughput of 1, 2, 4 … up to N users, each asking as soon as it "
    "has its answer, and fit the universal scalability law to it.",
)
@history_option
@report_options
def command(
    url: str | None,
    config_file: Path | None,
    base_url: str | None,
    allow: tuple[str, ...],
    insecure: bool,
    openapi: str | None,
    operations: tuple[str, ...],
    connections: int | None,
    timeout: str | None,
    processes: int | None,
    slos: tuple[str, ...],
    start_rate: str | None,
    max_rate: str | None,
    require: str | None,
    max_time: str,
    warm_up: str,
    step_time: str,
    longest_step: str,
    hold_time: str,
    resolution: float,
    paced: bool,
    sweep_users: int | None,
    html: Path | None,
    json_file: Path | None,
    report_dir: Path | None,
    strict: bool,
    quiet: bool,
) -> int:
    """Find the highest rate at which an API meets its objectives.

    URL is one address to GET, SCENARIO a file of requests (.toml, .json or .jsonl; see
    docs/scenario-files.md). Without them the operations of the OpenAPI document are sent, each with
    a request that succeeded once before. The rate rises until an objective is breached, then
    closes in on the limit from both sides, and what was found is held for longer to confirm it.
    With the defaults this takes about five minutes. It drives the API beyond what it can do: do
    this only to what you may break.

    \b
    Examples
      withstand stress http://127.0.0.1:8000/health --slo "p95<50ms"
      withstand stress -o "GET /products" --slo "p95<200ms" --slo "errors<1%"
      withstand stress checkout.toml --require 50/s -H http://127.0.0.1:8000
      withstand stress --require 300/s --max-time 5m -H http://127.0.0.1:8000
    """
    scenario = scenario_file(url)
    address = url if scenario is None else None
    require_one_source(url, scenario, openapi, operations)
    require_one_target(address, base_url, openapi, operations)
    outputs = Outputs(html=html, json_file=json_file, report_dir=report_dir)
    settings = settings_for(config_file, origin_of(address) or base_url, openapi=openapi)
    history = history_for(settings, Kind.STRESS)
    search = SearchPlan(
        start_per_s=_DEFAULTS.start_per_s,  # replaced by what the objectives need
        ceiling_per_s=_rate_per_s(max_rate),
        required_per_s=_rate_per_s(require),
        resolution=1 + resolution / 100,
        budget_s=parse_duration_ns(max_time) / 1e9,
        warm_up_windows=whole_seconds("--warm-up", warm_up, 0),
        least_windows=whole_seconds("--step-time", step_time, _LEAST_STEP_S),
        most_windows=whole_seconds("--longest-step", longest_step, _LEAST_STEP_S),
        hold_windows=whole_seconds("--hold-time", hold_time, _LEAST_STEP_S),
    )
    require_time(search, max_time)
    declaration = declaration_of(scenario, settings)
    patterns, weights = weighted_operations(operations, settings.load().weights)
    stress = StressPlan(
        search=search,
        start_per_s=_rate_per_s(start_rate),
        operations=patterns,
        weights=weights,
        arrivals="paced" if paced else "poisson",
        connections=connections or settings.load().connections,
        processes=processes or settings.load().processes,
        timeout_s=timeout_s(timeout, settings),
        connect_timeout_s=settings.connect_timeout_s,
        keep_alive=settings.load().keep_alive,
        follow_redirects=settings.load().follow_redirects,
        most_users=sweep_users,
    )
    occasion = Occasion(
        command=typed_command(),
        config=settings.source,
        objectives=load_objectives(settings, slos, declaration=declaration, address=address),
        fail_on=settings.policy().fail_on,
        strict=strict,
    )
    results = _run(
        declaration or address, settings, stress, occasion, allow, insecure, quiet, bool(slos)
    )
    return publish(results, outputs, remembered(results, history))


def _run(
    what: Declaration | str | None,
    settings: Settings,
    stress: StressPlan,
    occasion: Occasion,
    allow: tuple[str, ...],
    insecure: bool,
    quiet: bool,
    typed: bool,
) -> Results:
    target = target_for(settings, allow, insecure)
    with ProgressLine(quiet=quiet) as progress:
        occasion = judgeable(occasion, progress, typed=typed)

        def begins(what: str) -> None:
            progress.doing = what

        def judged(verdict: StepVerdict) -> None:
            progress.say(step_text(verdict))

        observer = StressObserver(begins=begins, runs=progress.load, judged=judged)
        if isinstance(what, Declaration):
            return run_scenario_stress(
                target,
                what,
                *people_for(settings, target),
                stress,
                occasion,
                observer=observer,
            )
        if what is not None:
            return run_request_stress(
                target, request_for(what), stress, occasion, observer=observer
            )
        plan = scan_plan(settings, target, api_for(settings, target))
        return run_document_stress(plan, stress, occasion, observer=observer)


def _rate_per_s(text: str | None) -> float | None:
    return None if text is None else parse_rate_per_s(text)
