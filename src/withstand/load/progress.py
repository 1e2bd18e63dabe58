"""What a running load reports about itself, about twice a second. Pure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The run so far; the rate is that since the report before, the quantiles those of the newest
    window of requests and the one before.

    `elapsed_s` is negative before the start. `in_flight` counts requests without an answer yet,
    `queued` arrivals that wait for a free connection; `users` is None in the open model. Quantiles
    are None when nothing was completed.
    """

    elapsed_s: float
    duration_s: float
    completed: int
    errors: int
    rate_per_s: float
    p50_ns: int | None
    p95_ns: int | None
    in_flight: int
    queued: int = 0
    users: int | None = None


Observer = Callable[[Progress], None]
