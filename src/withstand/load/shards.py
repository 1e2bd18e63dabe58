"""The parts of a load that several machines sent: whether they make up the whole. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

from withstand.errors import UsageError
from withstand.load.measurement import GeneratorHealth, LoadMeasurement
from withstand.sharding import Shard
from withstand.units import format_duration_ns

_ONE_RUN = "merge each shard of one run once"


def joined_shards(first: LoadMeasurement, second: LoadMeasurement) -> tuple[Shard, ...]:
    """The shards of two measurements together, ascending.

    Raises UsageError when they are no parts of one load, or when one is in both.
    """
    if bool(first.shards) != bool(second.shards):
        raise UsageError("a shard cannot be merged with a whole run", hint=_ONE_RUN)
    if not first.shards:
        return ()
    if first.profile != second.profile:
        raise UsageError(
            f"shards of different loads cannot be merged: {first.profile} and {second.profile}",
            hint=_ONE_RUN,
        )
    for shard in second.shards:
        if shard.total != first.shards[0].total:
            raise UsageError(
                f"shard {shard} cannot be merged with shard {first.shards[0]}: they are parts of "
                f"{shard.total} and of {first.shards[0].total}",
                hint=_ONE_RUN,
            )
        if shard in first.shards:
            raise UsageError(f"shard {shard} is there twice", hint=_ONE_RUN)
    return tuple(sorted((*first.shards, *second.shards), key=lambda shard: shard.number))


def shortfall(load: LoadMeasurement) -> str | None:
    """Why the target did not get the load that was asked for; None when it did.

    A shard alone is no shortfall, because the others are under way elsewhere; several that were
    merged without the rest are.
    """
    missing = load.missing_shards
    if len(load.shards) > 1 and missing:
        names = ", ".join(map(str, missing))
        reason = (
            f"shard {names} is missing, so its part of the load is not in these figures"
            if len(missing) == 1
            else f"shards {names} are missing, so their parts of the load are not in these figures"
        )
        return f"{load.generator.lost}; {reason}" if load.generator.lost else reason
    return load.generator.lost


def lined_up(loads: Sequence[LoadMeasurement]) -> tuple[LoadMeasurement, ...]:
    """Shards that began apart, with their windows where they belong on the earliest one's clock.

    A window is moved by whole windows only, to the nearest. Machines that began together, to
    within half a window, need no moving; where one did, it was missing for as long at the
    beginning, and the measurement says so.
    """
    earliest_s = min((load.started_at for load in loads), default=0.0)
    return tuple(_moved(load, load.started_at - earliest_s) for load in loads)


def _moved(load: LoadMeasurement, late_s: float) -> LoadMeasurement:
    windows = [each for operation in load.operations.values() for each in operation.windows]
    width_s = math.lcm(*(window.width_s for window in windows))
    by_s = round(late_s / width_s) * width_s
    if not by_s:
        return load
    operations = {
        name: replace(
            operation,
            windows=tuple(
                replace(window, second=window.second + by_s) for window in operation.windows
            ),
        )
        for name, operation in load.operations.items()
    }
    return replace(
        load,
        duration_s=load.duration_s + by_s,
        operations=operations,
        server_samples=tuple(
            replace(sample, at_s=sample.at_s + by_s) for sample in load.server_samples
        ),
        generator=_late(load, late_s),
    )


def _late(load: LoadMeasurement, late_s: float) -> GeneratorHealth:
    who = f"shard {load.shards[0]}" if load.shards else "a run"
    reason = f"{who} began {format_duration_ns(late_s * 1e9)} after the first one"
    lost = load.generator.lost
    return replace(load.generator, lost=f"{lost}; {reason}" if lost else reason)
