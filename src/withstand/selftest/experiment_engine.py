"""What the engine is put to: each experiment starts its own reference server."""

from typing import Final

from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import ConstantRate
from withstand.load.progress import Observer
from withstand.load.scenario.scenario import scenario_from_requests
from withstand.selftest.comparison import (
    MAX_LAG_NS,
    Row,
    Section,
    count_row,
    latency_rows,
    lateness,
    quantiles_ns,
    spacing_rows,
)
from withstand.selftest.experiment_server import PATH, ReferenceServer, ServerLog
from withstand.selftest.plan import SelfTest
from withstand.selftest.spacing import spacing_of
from withstand.selftest.truth import longest_drain_ns, schedule_zero_ns, waits_ns
from withstand.stats.histogram import Histogram, merged

MEDIAN_MS: Final = 10.0
SIGMA: Final = 0.7  # of the logarithm: p99 is five times the median, as of many APIs
TIMEOUT_S: Final = 60.0  # longer than any stall: nothing is given up


def stalls(plan: SelfTest, connections: int, observer: Observer | None) -> Section:
    """The server is blocked now and then: are the latencies that users had reported?"""
    profile = ConstantRate(rate_per_s=plan.rate_per_s, duration_s=plan.duration_s)
    arguments = plan.stall_arguments()
    measured, log = _run(arguments, profile, observer, connections=connections)
    zero_ns = schedule_zero_ns(log.arrivals_ns, profile.offsets_ns())
    starts_ns = [zero_ns + offset_ns for offset_ns in profile.offsets_ns()]
    drain_ns = longest_drain_ns(log.stalls_ns, starts_ns, log.arrivals_ns)
    # Of the queues of stalls only their own time is excused, not whatever is too high.
    late = lateness(measured.generator.send_lag, log.lateness_ns)
    rows = latency_rows(
        quantiles_ns(_response_time(measured)),
        waits_ns(log.stalls_ns, starts_ns),
        late=late,
        pattern=plan.pattern,
        drain_ns=drain_ns,
    )
    return Section(
        title=f"Stalls, {connections} connections",
        rows=(*rows, *_counts(measured, profile, log)),
        late=lateness(measured.generator.send_lag, log.lateness_ns, drain_ns),
    )


def distribution(plan: SelfTest, observer: Observer | None) -> Section:
    """Lognormal delays that the server logs: are they reported as they were?"""
    profile = ConstantRate(rate_per_s=plan.rate_per_s, duration_s=plan.seconds)
    arguments = ("--median-ms", f"{MEDIAN_MS:g}", "--sigma", f"{SIGMA:g}")
    measured, log = _run(arguments, profile, observer)
    late = lateness(measured.generator.send_lag, log.lateness_ns)
    reported = quantiles_ns(_response_time(measured))
    return Section(
        title="Known distribution",
        rows=(
            *latency_rows(reported, sorted(log.delays_ns), late=late),
            *_counts(measured, profile, log),
        ),
        late=late,
    )


def sends(plan: SelfTest, observer: Observer | None) -> Section:
    """A slow rate: are requests sent evenly, or in bursts that only average to it?"""
    profile = ConstantRate(rate_per_s=plan.rate_per_s, duration_s=plan.seconds)
    measured, log = _run((), profile, observer)
    late = lateness(measured.generator.send_lag, log.lateness_ns)
    spacing = spacing_of(log.arrivals_ns, rate_per_s=plan.rate_per_s)
    return Section(
        title="Evenness of the sends",
        rows=(*spacing_rows(spacing, late=late), *_counts(measured, profile, log)),
        late=late,
    )


def send_lag(plan: SelfTest, observer: Observer | None) -> Section:
    """How late requests leave at some rates, and the highest rate that this machine can send."""
    rows: list[Row] = []
    for rate_per_s in plan.lag_rates_per_s:
        profile = ConstantRate(rate_per_s=rate_per_s, duration_s=plan.lag_seconds)
        measured, log = _run((), profile, observer)
        lag = measured.generator.send_lag
        found = {"p50": lag.quantile(0.5), "p99": lag.quantile(0.99), "max": lag.maximum}
        rows += [
            Row(what=f"{name} at {rate_per_s:,g}/s", unit="ns", true=None, reported=value)
            for name, value in found.items()
        ]
        rows.append(
            count_row(f"requests at {rate_per_s:,g}/s", true=log.requests, reported=measured.sent)
        )
    highest = _highest_clean_rate(plan, observer)
    rows.append(Row(what="highest clean rate", unit="per_s", true=None, reported=highest))
    return Section(title="Send lag", rows=tuple(rows))


def _highest_clean_rate(plan: SelfTest, observer: Observer | None) -> float | None:
    """The last rung of the ladder before one that failed twice; None when the first did."""
    highest = None
    for rate_per_s in plan.ladder_per_s:
        if not any(_is_clean(rate_per_s, plan.ladder_seconds, observer) for _ in range(2)):
            return highest
        highest = rate_per_s
    return highest


def _is_clean(rate_per_s: float, seconds: float, observer: Observer | None) -> bool:
    """Everything was sent, and 99 % of it less than 1 ms late."""
    measured, _ = _run((), ConstantRate(rate_per_s=rate_per_s, duration_s=seconds), observer)
    lag_ns = measured.generator.send_lag.quantile(0.99)
    return measured.generator.saturated is None and lag_ns is not None and lag_ns < MAX_LAG_NS


def _run(
    server_arguments: tuple[str, ...],
    profile: ConstantRate,
    observer: Observer | None,
    *,
    connections: int | None = None,
) -> tuple[LoadMeasurement, ServerLog]:
    """A load on a server of its own: what the engine measured, and what the server saw."""
    with ReferenceServer(*server_arguments) as server:
        request = Request(method="GET", path=PATH)
        measured = run(
            run_load(
                server.target,
                scenario_from_requests([(f"GET {PATH}", request)], server.target),
                profile,
                connections=connections,
                timeout_s=TIMEOUT_S,
                observer=observer,
            )
        )
        return measured, server.log()


def _response_time(measured: LoadMeasurement) -> Histogram:
    return merged(operation.response_time for operation in measured.operations.values())


def _counts(measured: LoadMeasurement, profile: ConstantRate, log: ServerLog) -> tuple[Row, ...]:
    answered = sum(operation.requests for operation in measured.operations.values())
    scheduled = sum(1 for _ in profile.offsets_ns())
    return (
        count_row("requests offered", true=scheduled, reported=measured.offered),
        count_row("requests sent", true=log.requests, reported=measured.sent),
        count_row("requests answered", true=log.requests, reported=answered),
    )
