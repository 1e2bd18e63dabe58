"""Settings and the options of a load → its plan, and the run of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from withstand.cli.distribution import start_at_s
from withstand.cli.live_view import shown_load
from withstand.cli.load_options import LoadOptions
from withstand.cli.load_shape import profile_of, require_one_shape
from withstand.cli.mix import declaration_of, weighted_operations
from withstand.cli.options import settings_for, target_for
from withstand.cli.traffic import (
    origin_of,
    path_of,
    request_for,
    require_one_target,
    timeout_s,
)
from withstand.client.target import Target, parse_target
from withstand.errors import UsageError
from withstand.load.engine.script_file import load_script
from withstand.load.probe.command import CommandProbe
from withstand.load.probe.metrics import MetricsProbe
from withstand.load.probe.process import ProcessProbe
from withstand.load.probe.sample import METRIC_NAMES, Probe
from withstand.results import Results
from withstand.settings import Settings
from withstand.settings.plans import api_for, people_for, scan_plan
from withstand.slo import timing
from withstand.units import parse_duration_ns
from withstand.workflows import (
    LoadPlan,
    Occasion,
    Onlookers,
    run_document_load,
    run_request_load,
    run_scenario_load,
    run_script_load,
)


def require_consistent(options: LoadOptions) -> None:
    """Raises UsageError for options that exclude each other."""
    require_one_shape(options)
    if options.url is not None and options.file is not None:
        raise UsageError(
            f"{options.url} says what to send, and so does -f {options.file}",
            hint="give the script alone, and the target's address with -H",
        )
    if options.file is not None and not options.file.exists():
        raise UsageError(
            f"-f {options.file}: there is no such file",
            hint="name a locustfile, a user script or a folder of locustfiles",
        )
    said = options.script or options.scenario
    if said is not None and (options.openapi is not None or options.operations):
        raise UsageError(
            f"{said} says what to send, and --openapi and --operation choose from a document",
            hint="give the scenario or the script alone, or the operations",
        )
    require_one_target(options.address, options.base_url, options.openapi, options.operations)
    probes = {
        "--pid": options.pid,
        "--metrics": options.metrics,
        "--probe-command": options.probe_command,
    }
    if len(given := [name for name, value in probes.items() if value is not None]) > 1:
        raise UsageError(f"{' and '.join(given)} watch the server both", hint="give one of them")
    if options.metric_names and options.metrics is None:
        raise UsageError(
            "--metric names what --metrics reads", hint="give the endpoint with --metrics"
        )


def load_settings_of(options: LoadOptions) -> Settings:
    """The settings of file, environment and options."""
    return settings_for(
        options.config_file,
        origin_of(options.address) or options.base_url,
        openapi=options.openapi,
    )


def load_plan(
    options: LoadOptions, settings: Settings, target: Target, *, default_run_time_s: float
) -> LoadPlan:
    """The load that options and settings describe. Raises UsageError."""
    profile = profile_of(options, settings, default_run_time_s=default_run_time_s)
    start_at, configured = options.start_at, settings.load()
    operations, weights = weighted_operations(options.operations, configured.weights)
    return LoadPlan(
        profile=profile,
        operations=operations,
        weights=weights,
        declaration=declaration_of(options.scenario, settings),
        connections=options.connections or configured.connections,
        timeout_s=timeout_s(options.timeout, settings),
        connect_timeout_s=settings.connect_timeout_s,
        keep_alive=configured.keep_alive,
        follow_redirects=configured.follow_redirects,
        probe=_probe(options, target),
        processes=options.processes or configured.processes,
        shard=options.shard,
        start_at_s=None if start_at is None else start_at_s(start_at, datetime.now(UTC)),
        warm_up_s=configured.warm_up_s if options.warm_up is None else _seconds(options.warm_up),
        abort_on_fail=options.abort_on_fail,
        abort_delay_s=0.0 if options.abort_delay is None else _seconds(options.abort_delay),
    )


def run_load_plan(
    options: LoadOptions,
    settings: Settings,
    target: Target,
    load: LoadPlan,
    occasion: Occasion,
    *,
    checkpoint: Callable[[Results], None] | None = None,
) -> Results:
    """Put the load on the address, by the script or the scenario, or on the operations of the
    document.
    """
    _require_judgeable(options, load, occasion)
    script = load_script(options.script) if options.script is not None else None
    with shown_load(quiet=options.quiet) as shown:
        onlookers = Onlookers(observer=shown.load, checkpoint=checkpoint, watcher=shown.watch)
        if load.declaration is not None:
            return run_scenario_load(
                target,
                load.declaration,
                *people_for(settings, target),
                load,
                occasion,
                onlookers=onlookers,
            )
        if script is not None:
            return run_script_load(
                target,
                script,
                *people_for(settings, target),
                load,
                occasion,
                onlookers=onlookers,
            )
        if (url := options.address) is not None:
            return run_request_load(
                target,
                request_for(url),
                load,
                occasion,
                onlookers=onlookers,
            )
        plan = scan_plan(settings, target, api_for(settings, target))
        return run_document_load(
            plan,
            load,
            occasion,
            onlookers=onlookers,
        )


def _require_judgeable(options: LoadOptions, load: LoadPlan, occasion: Occasion) -> None:
    """Raises UsageError for what could never be judged or never end a run: before it costs time."""
    timing(occasion.objectives, duration_s=load.profile.duration_s, warm_up_s=load.warm_up_s)
    if options.abort_delay is not None and not load.abort_on_fail:
        raise UsageError(
            f"--abort-delay {options.abort_delay} is the patience of --abort-on-fail",
            hint="give --abort-on-fail with it, or leave it out",
        )
    if load.abort_on_fail and not occasion.objectives:
        raise UsageError(
            "--abort-on-fail ends a run that breaks an objective, and there is none",
            hint='give one, such as --slo "errors<5% over 10s"',
        )
    if load.abort_delay_s >= load.profile.duration_s:
        raise UsageError(
            f"--abort-delay {options.abort_delay} is not shorter than the run, so nothing would "
            f"abort it",
            hint="give a shorter one",
        )


def _seconds(text: str) -> float:
    return parse_duration_ns(text) / 1e9


def load_target(options: LoadOptions, settings: Settings) -> Target:
    """The target of the load."""
    return target_for(settings, options.allow, options.insecure)


def _probe(options: LoadOptions, target: Target) -> Probe | None:
    if options.pid is not None:
        return ProcessProbe(options.pid)
    if options.probe_command is not None:
        return CommandProbe(options.probe_command)
    if options.metrics is None:
        return None
    origin = origin_of(options.metrics, example="http://127.0.0.1:8000/metrics") or ""
    # On the target's own host, or on one that was allowed: nothing else is ever asked.
    host = parse_target(
        origin,
        allow=(*options.allow, target.host),
        verify=target.verify,
        ca_file=target.ca_file,
    )
    path = path_of(options.metrics) if urlsplit(options.metrics).path else "/metrics"
    return MetricsProbe(host, path, _metric_names(options.metric_names))


def _metric_names(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    names = dict(METRIC_NAMES)
    for text in given:
        what, _, name = text.partition("=")
        if what not in names or not name:
            raise UsageError(
                f"--metric {text} is not WHAT=NAME",
                hint=f"WHAT is {', '.join(names)}, such as memory=my_heap_bytes",
            )
        names[what] = (name,)
    return names
