"""A search for the sustainable rate, as the front door asks for it, and who looks on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from withstand.errors import UsageError
from withstand.load.profile.profile import Arrivals
from withstand.load.progress import Observer as LoadObserver
from withstand.slo.step_verdict import StepVerdict
from withstand.stats.capacity import SearchPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StressPlan:
    """A search to run. `operations` are key patterns; none of them stands for every read.
    `weights` are by key pattern.

    `search` without a start begins where a step can be decided; `most_users` adds a sweep over
    1, 2, 4 … users after it, for the scalability. `processes` None lets each step decide.
    """

    search: SearchPlan
    start_per_s: float | None = None
    operations: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    arrivals: Arrivals = "poisson"
    connections: int | None = None
    processes: int | None = None
    timeout_s: float = 10.0
    connect_timeout_s: float = 5.0
    keep_alive: bool = True
    follow_redirects: bool = False
    most_users: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for more processes than connections to share."""
        if self.processes and self.connections and self.processes > self.connections:
            raise UsageError(
                f"{self.processes} processes cannot share {self.connections} connections",
                hint=f"give --processes {self.connections} or fewer",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StressObserver:
    """Told of every step as it begins, while it runs, and when it was judged."""

    begins: Callable[[str], None] = lambda _what: None
    runs: LoadObserver | None = None
    judged: Callable[[StepVerdict], None] = lambda _verdict: None
