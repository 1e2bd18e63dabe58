"""Defaults of the load verbs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from withstand.load.profile.rhythm import Pacing, Rhythm, parse_think_time

if TYPE_CHECKING:  # attrs costs more to import than all the rest of this module
    from withstand.settings.tables import LoadTable

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """Defaults of the load verbs. None: not set."""

    users: int | None = None
    spawn_rate_per_s: float | None = None
    rate_per_s: float | None = None
    poisson: bool = False
    stages: str | None = None
    run_time_s: float | None = None
    rhythm: Rhythm | None = None
    connections: int | None = None
    keep_alive: bool = True
    follow_redirects: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    processes: int | None = None
    warm_up_s: float | None = None


def load_defaults_of(table: "LoadTable") -> LoadSettings:
    """What [load] says, in the units of the engine."""
    return LoadSettings(
        users=table.users,
        spawn_rate_per_s=table.spawn_rate,
        rate_per_s=table.rate,
        poisson=table.poisson,
        stages=table.stages,
        run_time_s=None if table.run_time is None else table.run_time / _NS_PER_S,
        rhythm=_rhythm(table),
        connections=table.connections,
        keep_alive=table.keep_alive,
        follow_redirects=table.follow_redirects,
        weights={str(key): float(weight) for key, weight in table.weights.items()},
        processes=table.processes,
        warm_up_s=None if table.warm_up is None else table.warm_up / _NS_PER_S,
    )


def _rhythm(table: "LoadTable") -> Rhythm | None:
    if table.pacing is not None:
        return Pacing(every_ns=table.pacing)
    return None if table.think_time is None else parse_think_time(table.think_time)
