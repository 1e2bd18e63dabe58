"""Whether the load generator was up to its task, or measured itself. Pure."""

from dataclasses import replace
from typing import Final

from withstand.load.measurement import LoadMeasurement
from withstand.stats.histogram import Histogram, merged
from withstand.units import format_duration_ns, format_share

MIN_SENT_SHARE: Final = 0.98
MAX_LAG_NS: Final = 10_000_000
MAX_LAG_SHARE: Final = 0.25
MAX_CPU_SHARE_CLOSED: Final = 0.95


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
            f"raise the limit (ulimit -n) or use fewer users"
        )
    if model == "open" and dispatched < MIN_SENT_SHARE * due:
        return (
            f"the generator sent only {format_share(dispatched / due)} of the requests that were "
            f"due; lower the rate, or give the generator a faster core of its own"
        )
    if model == "closed" and cpu_share > MAX_CPU_SHARE_CLOSED:
        return (
            f"the generator kept {format_share(cpu_share)} of a core busy, so answers waited "
            f"for it; use fewer users, a think time, or a fixed rate"
        )
    return None


def lagging(*, send_lag: Histogram, response_p99_ns: int | None) -> str | None:
    """Why the response times hold too much of the generator's own lateness; None when they do not.

    That is so when the 99th percentile of the send lag exceeds both 10 ms and a quarter of the
    response times' 99th percentile: a lag that is small beside what is measured does no harm.
    The lag is part of the response times, so it can only make the target look worse: what is met
    in spite of it is met.
    """
    lag_ns = send_lag.quantile(0.99)
    allowed_ns = max(MAX_LAG_NS, MAX_LAG_SHARE * (response_p99_ns or 0))
    if lag_ns is None or lag_ns <= allowed_ns:
        return None
    return (
        f"the generator sent 1 % of the requests more than {format_duration_ns(lag_ns)} late "
        f"(at most {format_duration_ns(allowed_ns)} is harmless); lower the rate, or give it "
        f"a core of its own"
    )


def with_lagging(measured: LoadMeasurement) -> LoadMeasurement:
    """The measurement with what its own send lag says of its generator."""
    response_time = merged(each.response_time for each in measured.operations.values())
    reason = lagging(
        send_lag=measured.generator.send_lag, response_p99_ns=response_time.quantile(0.99)
    )
    return replace(measured, generator=replace(measured.generator, lagging=reason))
