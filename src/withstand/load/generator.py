"""Whether the load generator was up to its task, or measured itself. Pure."""

from dataclasses import replace
from typing import Final

from withstand.load.measurement import GeneratorHealth, LoadMeasurement
from withstand.stats.histogram import merged
from withstand.units import format_duration_ns, format_share

MIN_SENT_SHARE: Final = 0.98
MAX_LAG_NS: Final = 10_000_000
MAX_LAG_SHARE: Final = 0.25
MAX_CPU_SHARE_CLOSED: Final = 0.95
MAX_CPU_SHARE_LATE: Final = 0.8  # above it, queues in the generator itself are the likeliest cause


def saturation(
    *,
    model: str,
    due: int,
    dispatched: int,
    cpu_share: float,
    exhausted: int = 0,
) -> str | None:
    """Why the generator's figures are its own and not the target's; None when they are not.

    The generator is saturated when one of these holds:

    - it ran out of descriptors or local ports (`exhausted` times);
    - open model: fewer than 98 % of the arrivals that were due by the end of the schedule had
      been handed to a connection or to the queue for one (`dispatched` of `due`);
    - closed model: it kept more than 95 % of a core busy, so that answers waited for it.
    """
    if exhausted:
        return (
            f"the generator found no descriptor or local port for {exhausted:,} connections; "
            f"raise the limit of open files (ulimit -n), use fewer users or a lower rate, or "
            f"share the load among machines"
        )
    if model == "open" and dispatched < MIN_SENT_SHARE * due:
        return (
            f"the generator sent only {format_share(dispatched / due)} of the requests that were "
            f"due; lower the rate, use more processes, or give each a core of its own"
        )
    if model == "closed" and cpu_share > MAX_CPU_SHARE_CLOSED:
        return (
            f"the generator kept {format_share(cpu_share)} of a core busy, so answers waited "
            f"for it; use more processes, fewer users, a think time, or a fixed rate"
        )
    return None


def lagging(health: GeneratorHealth, *, model: str, response_p99_ns: int | None) -> str | None:
    """Why the response times hold too much of the generator's own lateness; None when they do not.

    That is so when the 99th percentile of the send lag exceeds both 10 ms and a quarter of the
    response times' 99th percentile: a lag that is small beside what is measured does no harm. In
    the closed model, where few requests have a moment at which they should leave, the lag of the
    event loop counts as well. The lag is part of the response times, so it can only make the
    target look worse: what is met in spite of it is met.
    """
    allowed_ns = max(MAX_LAG_NS, MAX_LAG_SHARE * (response_p99_ns or 0))
    sent_ns = health.send_lag.quantile(0.99) or 0
    held_ns = health.loop_lag.quantile(0.99) or 0
    if sent_ns > allowed_ns:
        what = f"sent 1 % of the requests more than {format_duration_ns(sent_ns)} late"
    elif model == "closed" and held_ns > allowed_ns:
        what = f"was held up for more than {format_duration_ns(held_ns)} 1 % of the time"
    else:
        return None
    return (
        f"the generator {what} (at most {format_duration_ns(allowed_ns)} is harmless); "
        f"{_remedy(health, allowed_ns)}"
    )


def _remedy(health: GeneratorHealth, allowed_ns: float) -> str:
    """What held the generator up, most likely, and what to do about it."""
    pause_ns = health.gc_pauses.maximum or 0
    if pause_ns > allowed_ns:
        return (
            f"its garbage collector stopped it for up to {format_duration_ns(pause_ns)}: keep "
            f"fewer objects alive in the scenario, or use more processes"
        )
    if health.cpu_share > MAX_CPU_SHARE_LATE:
        return (
            f"it kept {format_share(health.cpu_share)} of a core busy: lower the rate, or use "
            f"more processes"
        )
    return "something else took its core: give it one of its own, or lower the rate"


def with_lagging(measured: LoadMeasurement) -> LoadMeasurement:
    """The measurement with what its own lag says of its generator."""
    response_time = merged(each.response_time for each in measured.operations.values())
    reason = lagging(
        measured.generator, model=measured.model, response_p99_ns=response_time.quantile(0.99)
    )
    return replace(measured, generator=replace(measured.generator, lagging=reason))
