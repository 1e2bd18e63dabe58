"""A load to run, as the front doors ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from withstand.load.probe.sample import Probe
from withstand.load.profile.profile import Profile
from withstand.load.scenario.declaration import Declaration
from withstand.sharding import Shard


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
