"""Resident memory in MB of servers that warm up, collect, creep or leak."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log1p
from random import Random
from typing import Final

from withstand.stats.drift import Movement
from withstand.stats.leak import LeakRule, leak

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
RULE: Final = LeakRule(tolerance=8.0)
TOLERANCE_MB: Final = 10.5  # 5 % of the 210 MB that the servers settle at


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What its memory is made of; amounts in MB, growth over the whole run.

    `records` is what an allocator keeps each time that demand reaches a new high.
    """

    base: float = 150.0
    warm: float = 60.0
    tau_s: float = 60.0
    collector_s: tuple[float, float] = (15.0, 45.0)
    sawtooth: float = 20.0
    phi: float = 0.9
    noise: float = 1.5
    creep: float = 0.0
    records: float = 0.0
    leaked: float = 0.0


def memory(server: Server, lasts_s: float, random: Random) -> tuple[list[float], list[float]]:
    """Times and samples of one run: one a second for ten minutes, about a thousand for others."""
    step_s = max(1.0, lasts_s / 960)
    count = int(lasts_s / step_s)
    times = [index * step_s for index in range(count)]
    noise = random.gauss(0, server.noise)
    begun_s = -random.uniform(0, server.collector_s[1])
    cycle_s = random.uniform(*server.collector_s)
    kept, highest = 0.0, random.gauss(0, 1)
    levels = []
    for time_s in times:
        while time_s >= begun_s + cycle_s:
            begun_s += cycle_s
            cycle_s = random.uniform(*server.collector_s)
        if server.records and (demand := random.gauss(0, 1)) > highest:
            highest, kept = demand, kept + server.records
        levels.append(
            server.base
            + server.warm * (1 - exp(-time_s / server.tau_s))
            + server.sawtooth * (time_s - begun_s) / cycle_s
            + server.creep * log1p(time_s / MINUTE_S)
            + server.leaked * time_s / lasts_s
            + kept
            + noise
        )
        noise = server.phi * noise + random.gauss(0, server.noise * (1 - server.phi**2) ** 0.5)
    return times, levels


def movements(server: Server, lasts_s: float, *, runs: int, seed: int) -> Iterator[Movement]:
    """What is said of simulated runs."""
    random = Random(seed)
    for _ in range(runs):
        found = leak(*memory(server, lasts_s, random), RULE)
        yield Movement.UNDECIDED if found is None else found.movement
