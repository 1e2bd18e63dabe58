"""The parts of a load that several machines sent: whether they make up the whole. Pure."""

import math
from collections.abc import Sequence
from dataclasses import replace

from withstand.errors import UsageError
from withstand.load.measurement import GeneratorHealth, LoadMeasurement
from withstand.sharding import Shard, joined, shortfall
from withstand.units import format_duration_ns


def joined_shards(first: LoadMeasurement, second: LoadMeasurement) -> tuple[Shard, ...]:
    """The shards of two measurements together, ascending.

    Raises UsageError when they are no parts of one load, or when one is in both.
    """
    if first.shards and second.shards and first.profile != second.profile:
        raise UsageError(
            f"shards of different loads cannot be merged: {first.profile} and {second.profile}",
            hint="merge each shard of one run once",
        )
    return joined(first.shards, second.shards)


def load_shortfall(load: LoadMeasurement) -> str | None:
    """Why the target did not get the load that was asked for; None when it did.

    A shard alone is no shortfall, because the others are under way elsewhere; several that were
    merged without the rest are.
    """
    reason = shortfall(
        load.shards,
        "its part of the load is not in these figures",
        "their parts of the load are not in these figures",
    )
    reasons = (load.generator.lost, reason if len(load.shards) > 1 else None)
    return "; ".join(each for each in reasons if each) or None


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
