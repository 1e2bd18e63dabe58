"""This machine's share of a load, cut up for as many processes as it needs."""

from functools import partial
from pathlib import Path
from typing import Any

from withstand.client.target import Target
from withstand.load.engine.process import usable_cores
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Profile, share_of
from withstand.load.scenario.scenario import Scenario
from withstand.load.script.script import Script
from withstand.load.workers.messages import Generator
from withstand.load.workers.process_count import process_count, require_work, shared
from withstand.sharding import Shard


def divided(
    target: Target,
    scenario: Scenario | Script,
    profile: Profile,
    *,
    processes: int | None = None,
    shard: Shard | None = None,
    connections: int | None = None,
    **options: Any,
) -> list[Generator]:
    """One generator for each process, for `run_workers`; together they send the shard.

    `processes` None stands for as many as the load needs and the machine has cores for, and for
    one with a user script, because nobody knows for what its users wait. No `shard` stands for the
    whole. `options` are the others of `run_load`, the same for each. Raises UsageError for more
    processes than users or connections.
    """
    if shard is not None:
        profile = share_of(profile, shard.number, shard.total)
        if isinstance(scenario, Scenario):
            scenario = scenario.part(shard.number, shard.total)
    of = processes or (
        1
        if isinstance(scenario, Script)
        else process_count(
            profile,
            cores=usable_cores(),
            local=target.is_loopback,
            connections=connections,
        )
    )
    require_work(of, profile, connections)
    return [
        partial(
            _sender(target, scenario, number, of),
            share_of(profile, number, of),
            connections=connections and shared(connections, number, of),
            **options,
        )
        for number in range(1, of + 1)
    ]


def _sender(target: Target, scenario: Scenario | Script, number: int, of: int) -> Generator:
    """What one process sends. A script deals out its users by itself, by the share of the
    profile."""
    if isinstance(scenario, Scenario):
        return partial(run_load, target, scenario.part(number, of))
    if of == 1:
        return partial(run_load, target, scenario)
    return partial(run_script, target, Path(scenario.source).resolve())


async def run_script(
    target: Target, file: Path, profile: Profile, **options: Any
) -> LoadMeasurement:
    """`run_load` with a user script that this process loads for itself: functions do not travel."""
    return await run_load(target, load_script(file), profile, **options)
