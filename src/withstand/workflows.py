"""The journeys end to end: READ FIRST. Each takes plain values and returns `Results`.

    scan:  document → API → identities logged in → checks → Results
    load:  document, scenario file, user script or URL → requests → engine → Results
    stress (in `withstand.workflow_stress`):  the same, rate after rate

Here things are put together; how each is done stands in the module it calls.
"""

import asyncio
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from withstand import __version__
from withstand.attendance import Watcher, attended
from withstand.client.allocator import tune_allocator
from withstand.client.exchange import Failure, Request
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.loop import run
from withstand.client.target import Target, parse_target
from withstand.client.wire import Wire
from withstand.errors import RunVoid, TargetUnreachable, UsageError
from withstand.load.declaration import Declaration, declared_scenario
from withstand.load.engine_division import divided
from withstand.load.engine_start import almost, starting_at
from withstand.load.engine_workers import run_workers
from withstand.load.measurement import LoadMeasurement
from withstand.load.probe import Probe
from withstand.load.profile import Profile
from withstand.load.progress import Observer as LoadObserver
from withstand.load.scenario import Plan, Scenario, scenario_from_requests
from withstand.load.script import Script
from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.results import Results
from withstand.scan.finding import Severity
from withstand.scan.plan import Observer as ScanObserver
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import matches
from withstand.scan.preparation import (
    Prepared,
    chosen_operations,
    first_expiry_s,
    first_keys,
    logged_in,
    prepared_requests,
)
from withstand.scan.scanner import scan
from withstand.scan.suppression import Suppression, without_suppressed
from withstand.sharding import Shard
from withstand.slo import Indicator, Objective, SoakRules, Watch, timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a run is held against, and how it was asked for: goes into the Results as it is."""

    command: str
    config: str | None = None
    objectives: tuple[Objective, ...] = ()
    soak: SoakRules | None = None
    fail_on: Severity = Severity.MEDIUM
    strict: bool = False
    suppressions: tuple[Suppression, ...] = ()


Checkpoint = Callable[[Results], None]
"""Takes in the results of a run under way, whose load is the next snapshot: about once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """A load to run. `operations` are key patterns; none of them stands for every read. `weights`
    say by key pattern how often an operation is sent beside the others, 1 where none does.
    `declaration` is what a scenario file says, in place of operations. `probe` looks at the server
    beside the load, every `probe_every_s` or as often as the engine thinks fit.

    `processes` None lets the load decide. `shard` is the part of the whole that this machine
    sends, which begins at the Unix time `start_at_s` when one is given.

    The first `warm_up_s` are not judged, by default those of one window. `abort_on_fail` ends the
    run once an objective is breached beyond doubt, but not before `abort_delay_s` of it.
    """

    profile: Profile
    operations: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    declaration: Declaration | None = None
    connections: int | None = None
    timeout_s: float = 10.0
    connect_timeout_s: float = 5.0
    keep_alive: bool = True
    follow_redirects: bool = False
    probe: Probe | None = None
    probe_every_s: float | None = None
    processes: int | None = None
    shard: Shard | None = None
    start_at_s: float | None = None
    warm_up_s: float | None = None
    abort_on_fail: bool = False
    abort_delay_s: float = 0.0


def nonce() -> str:
    """A canary that no API holds by chance: `ws` and 96 random bits."""
    return "ws" + secrets.token_hex(12)


def read_document_file(file: Path) -> Api:
    """The API of a document on this machine. Raises UsageError."""
    try:
        return read_document(file.read_bytes(), source=str(file))
    except OSError as error:
        raise UsageError(
            f"the OpenAPI document {file} cannot be read: {error.strerror}",
            hint="give a file, a URL, or a path on the target such as /openapi.json",
        ) from None


def fetch_document(location: str, target: Target) -> Api:
    """The API of a document at a URL on the target's host, or at a path on the target.

    Raises UsageError when it is not there or no OpenAPI, TargetUnreachable when nothing answers.
    """
    if not location.startswith(("http://", "https://")):
        path = location if location.startswith("/") else f"/{location}"
        return run(_fetch_api(target, target.base_path + path, f"{target.base_url}{path}"))
    parts = urlsplit(location)
    named = parse_target(f"{parts.scheme}://{parts.netloc}", allow=(target.host,))
    host = replace(target, scheme=named.scheme, host=named.host, port=named.port, base_path="")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return run(_fetch_api(host, path, location))


def run_scan(
    plan: ScanPlan, occasion: Occasion, *, observer: ScanObserver = lambda _progress: None
) -> Results:
    """The security checks over the wire. Ctrl-C ends the scan and keeps what was learned."""
    started_at = time.time()

    async def journey() -> Results:
        async with (
            stoppable() as stopped,
            _wire(plan.target, plan.timeout_s, plan.connect_timeout_s) as wire,
        ):
            record = await scan(plan, wire, observer=observer, stop=stopped.is_set)
        return results_of(
            plan.target,
            occasion,
            started_at,
            api=plan.api,
            scan=without_suppressed(record, occasion.suppressions),
            interrupted=record.interrupted,
        )

    return run(journey())


def run_document_load(
    plan: ScanPlan,
    load: LoadPlan,
    occasion: Occasion,
    *,
    observer: LoadObserver | None = None,
    checkpoint: Checkpoint | None = None,
    watcher: Watcher | None = None,
) -> Results:
    """Load on operations of the document, each with a request that succeeded once before.

    The measurement says which it left out for want of such a request. Raises RunVoid when that
    is all that a pattern chose or a token would expire before the end, and UsageError for an
    objective on no operation of the document.
    """
    refuse_unknown(plan.api, occasion.objectives)

    async def journey() -> Results:
        prepared, scenario = await document_scenario(
            plan,
            load.operations,
            weights=load.weights,
            keep_alive=load.keep_alive,
            follow_redirects=load.follow_redirects,
        )
        _refuse_expiring(prepared.expires_at_s, load)
        return await _loaded(
            plan.target,
            scenario,
            load,
            occasion,
            observer,
            checkpoint,
            watcher,
            api=plan.api,
            left_out=prepared.missing,
        )

    return run(journey())


def run_request_load(
    target: Target,
    request: Request,
    load: LoadPlan,
    occasion: Occasion,
    *,
    observer: LoadObserver | None = None,
    checkpoint: Checkpoint | None = None,
    watcher: Watcher | None = None,
) -> Results:
    """Load of one request, without a document."""
    key = f"{request.method} {request.operation_path}"
    scenario = scenario_from_requests(
        [(key, request)],
        target,
        keep_alive=load.keep_alive,
        follow_redirects=load.follow_redirects,
    )
    return run(_loaded(target, scenario, load, occasion, observer, checkpoint, watcher))


def run_script_load(
    target: Target,
    script: Script,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    load: LoadPlan,
    occasion: Occasion,
    *,
    observer: LoadObserver | None = None,
    checkpoint: Checkpoint | None = None,
    watcher: Watcher | None = None,
) -> Results:
    """Load by the users of a user script, logged in as the identities that it names.

    Raises UsageError for an identity that is not configured, IdentityBroken when one cannot log
    in, and RunVoid when a token would expire before the end.
    """
    if load.follow_redirects or not load.keep_alive:
        raise UsageError(
            f"{script.source} decides by itself about redirects and connections",
            hint="leave --follow-redirects and --no-keep-alive out, and give allow_redirects=True "
            "in the script",
        )
    for name in script.identities:
        if not any(each.name == name for each in identities):
            known = ", ".join(each.name for each in identities) or "nobody"
            raise UsageError(
                f"{script.source} has users logged in as {name!r}, and the configuration has "
                f"{known}",
                hint=f"add [identities.{name}] to withstand.toml, or correct identity= in the "
                f"script",
            )

    async def journey() -> Results:
        senders = tuple(each for each in identities if each.name in script.identities)
        async with _wire(target, load.timeout_s, load.connect_timeout_s) as wire:
            ready = await logged_in(senders, login, wire, base_path=target.base_path)
        _refuse_expiring(first_expiry_s(ready), load)
        credentials = {each.name: each.credential for each in ready if each.credential is not None}
        return await _loaded(
            target, script, load, occasion, observer, checkpoint, watcher, credentials=credentials
        )

    return run(journey())


def run_scenario_load(
    target: Target,
    declaration: Declaration,
    identities: tuple[Identity, ...],
    login: LoginRecipe | None,
    load: LoadPlan,
    occasion: Occasion,
    *,
    observer: LoadObserver | None = None,
    checkpoint: Checkpoint | None = None,
    watcher: Watcher | None = None,
) -> Results:
    """Load of the requests that a scenario file declares, by the identities that it names.

    Raises IdentityBroken when one of them cannot log in, and RunVoid when a token would expire
    before the end.
    """

    async def journey() -> Results:
        senders = tuple(each for each in identities if each.name in declaration.identities)
        async with _wire(target, load.timeout_s, load.connect_timeout_s) as wire:
            ready = await logged_in(senders, login, wire, base_path=target.base_path)
        _refuse_expiring(first_expiry_s(ready), load)
        scenario = declared_scenario(
            declaration,
            {each.name: each for each in ready},
            target,
            run_id=nonce(),
            keep_alive=load.keep_alive,
        )
        return await _loaded(target, scenario, load, occasion, observer, checkpoint, watcher)

    return run(journey())


async def document_scenario(
    plan: ScanPlan,
    operations: tuple[str, ...],
    *,
    weights: Mapping[str, float] = MappingProxyType({}),
    keep_alive: bool = True,
    follow_redirects: bool = False,
) -> tuple[Prepared, Scenario]:
    """The chosen operations' requests that succeeded once, as a scenario.

    `operations` are key patterns; none of them stands for every read. `weights` are by key pattern.
    Raises RunVoid when a pattern chose nothing but operations without such a request, and
    UsageError for a pattern that is no operation's.
    """
    chosen = chosen_operations(plan.api, operations)
    _refuse_unknown_weights(plan.api, weights)
    async with _wire(plan.target, plan.timeout_s, plan.connect_timeout_s) as wire:
        prepared = await prepared_requests(replace(plan, api=chosen), wire)
    prepared.require(operations or ("*",))
    scenario = scenario_from_requests(
        [
            Plan(operation=key, requests=found, weight=_weight_of(key, weights))
            for key, found in prepared.requests.items()
        ],
        plan.target,
        keep_alive=keep_alive,
        follow_redirects=follow_redirects,
    )
    return prepared, scenario


async def _loaded(
    target: Target,
    scenario: Scenario | Script,
    load: LoadPlan,
    occasion: Occasion,
    observer: LoadObserver | None,
    checkpoint: Checkpoint | None,
    watcher: Watcher | None,
    *,
    api: Api | None = None,
    credentials: Mapping[str, Credential] | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> Results:
    started_at = time.time()

    time_plan = timing(
        occasion.objectives, duration_s=load.profile.duration_s, warm_up_s=load.warm_up_s
    )
    watch = Watch(
        # A part of the load cannot show the rate of the whole.
        [o for o in occasion.objectives if load.shard is None or o.indicator is not Indicator.RATE],
        warm_up_s=time_plan.warm_up_s,
        delay_s=load.abort_delay_s,
    )

    def so_far(measured: LoadMeasurement, *, interrupted: bool) -> Results:
        measured = replace(measured, left_out=dict(left_out), warm_up_s=time_plan.warm_up_s)
        if load.shard is not None:
            measured = replace(measured, profile=load.profile.describe(), shards=(load.shard,))
        return results_of(
            target, occasion, started_at, api=api, load=measured, interrupted=interrupted
        )

    def note(snapshot: LoadMeasurement) -> None:
        if checkpoint is not None:  # if it is the last word, the run was cut off
            checkpoint(so_far(snapshot, interrupted=True))

    generators = divided(
        target,
        scenario,
        load.profile,
        processes=load.processes,
        shard=load.shard,
        connections=load.connections,
        timeout_s=load.timeout_s,
        connect_timeout_s=load.connect_timeout_s,
        keep_alive=load.keep_alive,
        credentials=credentials,
        width_s=time_plan.width_s,
    )
    if load.start_at_s is not None:
        await almost(load.start_at_s, load.profile, observer)
    async with (
        stoppable() as stopped,
        attended(
            watch,
            abort=stopped if load.abort_on_fail else None,
            watcher=watcher,
            also=None if checkpoint is None else note,
        ) as report,
    ):
        measured = await run_workers(
            generators,
            load.profile,
            observer=observer,
            stop=stopped,
            probe=load.probe,
            probe_every_s=load.probe_every_s,
            start=None if load.start_at_s is None else starting_at(load.start_at_s, stopped),
            report=report,
        )
    if load.abort_on_fail and measured.interrupted and watch.abort is not None:
        measured = replace(measured, interrupted=False, aborted=watch.abort)
    return so_far(measured, interrupted=measured.interrupted)


def refuse_unknown(api: Api, objectives: tuple[Objective, ...]) -> None:
    """A misspelt operation would be an objective that nothing can breach."""
    for objective in objectives:
        if not any(objective.covers(operation.key) for operation in api.operations):
            raise UsageError(
                f"the objective {objective.text} is on {objective.operation!r}, which is no "
                f"operation of {api.title}",
                hint=f"it has {first_keys(api)}",
            )


def _refuse_unknown_weights(api: Api, weights: Mapping[str, float]) -> None:
    """A misspelt operation would be a weight that changes nothing."""
    for pattern in weights:
        if not any(matches(pattern, operation.key) for operation in api.operations):
            raise UsageError(
                f"a weight is given for {pattern!r}, which is no operation of {api.title}",
                hint=f"it has {first_keys(api)}",
            )


def _weight_of(operation: str, weights: Mapping[str, float]) -> float:
    """The weight of the operation's own key, else of the first pattern that matches it."""
    if operation in weights:
        return weights[operation]
    return next((weight for pattern, weight in weights.items() if matches(pattern, operation)), 1.0)


def _refuse_expiring(expires_at_s: float | None, load: LoadPlan) -> None:
    """Every answer after the expiry would be a 401, and the API would be blamed for it."""
    if expires_at_s is None:
        return
    left_s = max(expires_at_s - (load.start_at_s or time.time()), 0.0)
    if left_s < load.profile.duration_s:
        since = "in" if load.start_at_s is None else "after the start in"
        raise RunVoid(
            f"a token expires {since} {left_s:.0f} s, before the end of {load.profile.describe()}",
            hint="make the run shorter, or log in for longer-lived tokens under [login]",
        )


def results_of(
    target: Target,
    occasion: Occasion,
    started_at: float,
    *,
    api: Api | None = None,
    **parts: Any,
) -> Results:
    return Results(
        started_at=started_at,
        duration_s=time.time() - started_at,
        version=__version__,
        command=occasion.command,
        base_url=target.base_url,
        api_title=api.title if api else None,
        api_version=api.version if api else None,
        config=occasion.config,
        objectives=occasion.objectives,
        soak=occasion.soak,
        fail_on=occasion.fail_on,
        strict=occasion.strict,
        **parts,
    )


async def _fetch_api(target: Target, path: str, source: str) -> Api:
    async with _wire(target) as wire:
        exchange = await wire.send(Request(method="GET", path=path))
    outcome = exchange.outcome
    if isinstance(outcome, Failure):
        raise TargetUnreachable(
            f"{target.base_url} does not answer ({outcome})",
            hint="start the API, or correct base_url under [target] or --base-url",
        )
    if not outcome.succeeded:
        raise UsageError(
            f"{source} answered {outcome.status}, so there is no OpenAPI document to read",
            hint="set openapi under [target] to the document's file, URL or path on the target",
        )
    return read_document(outcome.body, source=source)


@asynccontextmanager
async def _wire(
    target: Target, timeout_s: float = 30.0, connect_timeout_s: float = 5.0
) -> AsyncIterator[Wire]:
    tune_allocator()
    wire = Wire(target, response_timeout_s=timeout_s, connect_timeout_s=connect_timeout_s)
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def stoppable() -> AsyncIterator[asyncio.Event]:
    """An event that the first Ctrl-C sets; the second one ends the program as usual."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, stop)
    except (NotImplementedError, ValueError, RuntimeError):
        # Windows, or not the main thread: Ctrl-C then ends the program at once.
        yield stopped
        return
    try:
        yield stopped
    finally:
        loop.remove_signal_handler(signal.SIGINT)
