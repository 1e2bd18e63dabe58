"""The load engine: sends a scenario at a target as a profile says, and measures what comes back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from time import perf_counter_ns
from typing import Final

from withstand.client.connect import connect, resolve, tls_context
from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.client.identity import Credential
from withstand.client.target import Target
from withstand.errors import TargetUnreachable
from withstand.load.engine.base import NS_PER_S, Load
from withstand.load.engine.books import Books
from withstand.load.engine.health import Vitals, roomy_descriptors
from withstand.load.engine.making import declared_load, scripted_load
from withstand.load.engine.process import quiet_collector
from withstand.load.engine.script_run import ScriptRun
from withstand.load.engine.way import Way
from withstand.load.measurement import LoadMeasurement
from withstand.load.probe.sample import Probe, sample_interval_s
from withstand.load.probe.watch import ServerWatch
from withstand.load.profile.profile import Profile
from withstand.load.progress import Observer, Progress
from withstand.load.recorder import window_width_s
from withstand.load.scenario.scenario import Scenario
from withstand.load.script.script import Script
from withstand.load.settler import Settler
from withstand.load.tally import quantiles_of

_LEAD_NS: Final = 20_000_000  # from "ready" to the schedule's zero
_SWEEP_S: Final = 0.05
_PROGRESS_S: Final = 0.5
_REPORT_S: Final = 1.0


async def run_load(
    target: Target,
    scenario: Scenario | Script,
    profile: Profile,
    *,
    connections: int | None = None,
    timeout_s: float = 10.0,
    connect_timeout_s: float = 5.0,
    keep_alive: bool = True,
    credentials: Mapping[str, Credential] | None = None,
    observer: Observer | None = None,
    stop: asyncio.Event | None = None,
    wind_down: asyncio.Event | None = None,
    probe: Probe | None = None,
    probe_every_s: float | None = None,
    start: Callable[[], Awaitable[int]] | None = None,
    report: Callable[[LoadMeasurement], None] | None = None,
    width_s: int | None = None,
) -> LoadMeasurement:
    """Send the load and measure it.

    Open model: `connections` fixes the pool; without it the pool grows on demand to 1,000, or to
    what the limit of open files allows. Arrivals that find none free queue with their clock
    running. Closed model: a connection per user, who pauses as the profile's rhythm says. The limit
    of open files is raised as far as it goes for the length of the run. A request is given up as
    timed out `timeout_s` after its intended start, which bounds how long the run lasts beyond its
    schedule; an attempt to connect may last `connect_timeout_s`. Without `keep_alive` each request
    opens a connection of its own, which is part of its response time. Setting `stop` ends the run
    at once with what was measured so far; setting `wind_down` ends the schedule, but waits for the
    answers to what was sent. `probe` looks at the server every `probe_every_s`, by default about
    once a second and less often in long runs.

    `start` is awaited when everything is ready to begin; it gives the reading of
    `time.perf_counter_ns` that is the schedule's zero, for generators that begin together.
    `report` is given a snapshot about once a second and at the end, for a
    `withstand.load.journal.Journal`. `width_s` is that of the windows; without it, what
    `window_width_s` says for the profile's length.

    Run it with `withstand.client.loop.run`. Raises TargetUnreachable when no connection can be
    opened at the start, and UsageError when the probe can read nothing before the start or there
    are more users than connections can be open.
    """
    width_s = width_s or window_width_s(profile.duration_s)
    watch = None
    if probe is not None:
        watch = ServerWatch(probe, probe_every_s or sample_interval_s(profile.duration_s))
        await watch.first()
    way = replace(
        await _preflight(target, timeout_s, min(connect_timeout_s, timeout_s)),
        keep_alive=keep_alive,
    )
    load: Load
    with roomy_descriptors(), quiet_collector(), Vitals() as vitals:
        if isinstance(scenario, Script):
            script_run = ScriptRun(
                scenario, way, profile, credentials=credentials or {}, width_s=width_s
            )
            load = scripted_load(script_run, profile, connections=connections)
        else:
            load = declared_load(way, scenario, profile, connections=connections, width_s=width_s)
        try:
            await load.prepare()
            origin_ns = perf_counter_ns() + _LEAD_NS if start is None else await start()
            vitals.begin()
            books = Books(load, profile, origin_ns, watch, vitals)
            load.begin(origin_ns)
            load.spawn(vitals.watch(load))
            load.spawn(_sweep(load))
            load.spawn(_settle(load))
            load.spawn(_observe(load, profile, origin_ns, observer))
            if wind_down is not None:
                load.spawn(_wind_down(load, wind_down))
            if watch is not None:
                load.spawn(watch.run(origin_ns))
            if report is not None:
                load.spawn(_report(books, report))
            interrupted = await _end_of(load, stop)
            if not load.over:
                load.count_overdue()
            books.close()
        finally:
            await load.close()
    if report is not None:
        report(books.snapshot(interrupted=interrupted))
    if load.error is not None:
        raise load.error
    return books.measurement(interrupted=interrupted)


async def _preflight(target: Target, timeout_s: float, connect_timeout_s: float) -> Way:
    """Look the target up and open one connection to it."""
    context = tls_context(target)
    addresses = await resolve(target)
    if not isinstance(addresses, Failure):
        outcome = await connect(
            Connection,
            target,
            ssl_context=context,
            timeout_s=connect_timeout_s,
            addresses=addresses,
        )
        if isinstance(outcome, Connection):
            # The address that answered goes first, so that no later one waits for another.
            winner = outcome.transport.get_extra_info("peername")[0]
            outcome.drop()
            return Way(
                target=target,
                addresses=(winner, *(other for other in addresses if other != winner)),
                ssl_context=context,
                timeout_s=timeout_s,
                connect_timeout_s=connect_timeout_s,
            )
        addresses = outcome
    raise TargetUnreachable(
        f"nothing answers at {target.base_url} ({addresses})",
        hint="name the certificate authority with ca_file, or do without with verify = false"
        if addresses.kind is FailureKind.TLS
        else "start the API, or correct base_url",
    )


async def _end_of(load: Load, stop: asyncio.Event | None) -> bool:
    """Wait until the load has finished; whether `stop` came first."""
    if stop is None:
        await load.finished.wait()
        return False
    waits = {asyncio.ensure_future(event.wait()) for event in (load.finished, stop)}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
            with suppress(asyncio.CancelledError):
                await wait
    return not load.finished.is_set()


async def _wind_down(load: Load, told: asyncio.Event) -> None:
    await told.wait()
    load.wind_down()


async def _sweep(load: Load) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        load.sweep()


async def _settle(load: Load) -> None:
    settler = Settler(load.timeout_ns)
    while True:
        # Fast enough for each operation to begin a window every second.
        await asyncio.sleep(min(_SWEEP_S, 0.5 / max(len(load.recorders), 1)))
        settler.settle_one(tuple(load.recorders.values()), perf_counter_ns())


async def _report(books: Books, report: Callable[[LoadMeasurement], None]) -> None:
    """Hand on a snapshot about once a second, operation by operation: requests go first."""
    while True:
        await asyncio.sleep(_REPORT_S)
        for name in tuple(books.load.recorders):
            books.note(name)
            await asyncio.sleep(0)
        report(books.snapshot())


async def _observe(
    load: Load,
    profile: Profile,
    origin_ns: int,
    observer: Observer | None,
) -> None:
    """Report the progress about twice a second."""
    if observer is None:
        return
    before, before_ns = 0, origin_ns
    while True:
        await asyncio.sleep(_PROGRESS_S)
        now_ns = perf_counter_ns()
        recorders = tuple(load.recorders.values())
        completed = sum(recorder.completed for recorder in recorders)
        recent = chain.from_iterable(recorder.recent(now_ns) for recorder in recorders)
        p50_ns, p95_ns = quantiles_of(recent, 0.5, 0.95)
        observer(
            Progress(
                elapsed_s=(now_ns - origin_ns) / NS_PER_S,
                duration_s=profile.duration_s,
                completed=completed,
                errors=sum(recorder.errors for recorder in recorders),
                rate_per_s=(completed - before) * NS_PER_S / (now_ns - before_ns),
                p50_ns=p50_ns,
                p95_ns=p95_ns,
                in_flight=load.in_flight,
                queued=len(load.queued),
                users=load.users,
            )
        )
        before, before_ns = completed, now_ns
