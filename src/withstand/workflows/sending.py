"""A scenario or script under way: processes, objectives judged meanwhile, checkpoints."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from withstand.client.identity import Credential
from withstand.client.target import Target
from withstand.errors import RunVoid
from withstand.load.measurement import LoadMeasurement
from withstand.load.progress import Observer as LoadObserver
from withstand.load.scenario.scenario import Scenario
from withstand.load.script.script import Script
from withstand.load.workers.division import divided
from withstand.load.workers.run import run_workers
from withstand.load.workers.start import almost, starting_at
from withstand.openapi.operation import Api
from withstand.results import Results
from withstand.slo import Indicator, Watch, timing
from withstand.workflows.attendance import Watcher, attended
from withstand.workflows.load_plan import LoadPlan
from withstand.workflows.occasion import Occasion, results_of
from withstand.workflows.wiring import stoppable

Checkpoint = Callable[[Results], None]
"""Takes in the results of a run under way, whose load is the next snapshot: about once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Onlookers:
    """Who is told of a load under way, and of what: its progress, its results so far, each snapshot
    and how the objectives stand with it.
    """

    observer: LoadObserver | None = None
    checkpoint: Checkpoint | None = None
    watcher: Watcher | None = None


NOBODY: Final = Onlookers()


def refuse_expiring(expires_at_s: float | None, load: LoadPlan) -> None:
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


async def loaded(
    target: Target,
    scenario: Scenario | Script,
    load: LoadPlan,
    occasion: Occasion,
    onlookers: Onlookers,
    *,
    api: Api | None = None,
    credentials: Mapping[str, Credential] | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> Results:
    """Send it and judge it; `left_out` says of operations why they are not loaded."""
    started_at = time.time()
    observer, checkpoint = onlookers.observer, onlookers.checkpoint
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
            watcher=onlookers.watcher,
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
