"""Verdicts on objectives: met, breached, or inconclusive when the run was too short to tell. Pure.

Met and breached are said only when they are sure (98 % each) even though requests close in time
resemble each other: see `withstand.stats.quantile_bounds`.

What is judged is the response time from the intended start, so that a stalled server cannot hide
behind a generator that waited for it; and a request that failed, or got a status that the scenario
did not expect, counts as slower than any limit, so that a fast error is no fast answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.measurement import (
    LoadMeasurement,
    MemorySample,
    OperationMeasurement,
    Window,
)
from withstand.slo.objective import (
    WHOLE_RUN,
    Indicator,
    Objective,
    Unit,
    format_value,
    specificity,
)
from withstand.stats.histogram import Histogram, bucket_bounds, quantile_rank
from withstand.stats.quantile_bounds import (
    CERTAINTY,
    RatioEstimate,
    estimate_ratio,
    estimate_share,
    quantile_ranks,
    weight_to_decide,
)
from withstand.units import format_bytes, format_count, format_share

_CONFIDENCE: Final = 2 * CERTAINTY - 1  # of the two-sided interval beside a one-sided verdict
# Memory: a third of the run is warm-up; of the rest the first fifth is held against the last.
_WARM_UP_SHARE: Final = 1 / 3
_LEAST_MEMORY_SAMPLES: Final = 10


class VerdictState(StrEnum):
    """What the measurement says of an objective."""

    MET = "met"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An objective held against one operation's measurement.

    `operation` is the measured operation, `*` for the run as a whole, or the objective's own
    pattern when nothing was measured under it. `observed` and `interval` count in `unit`; None
    stands for "none" (no sample, or a quantile among the failed requests) and for an open end.
    `samples` counts requests, or memory samples. `reason` is one sentence.
    """

    objective: Objective
    operation: str
    state: VerdictState
    observed: float | None
    unit: Unit
    interval: tuple[float | None, float | None] | None
    samples: int
    reason: str


def judge(objectives: Sequence[Objective], measurement: LoadMeasurement) -> tuple[Verdict, ...]:
    """One verdict for each objective and operation that it applies to, then those on the run.

    Where several patterns promise the same indicator for an operation, the most specific one
    alone applies: its own p95 replaces that of `*`. An objective that applies to nothing that was
    measured is inconclusive, never met. Latencies of a saturated generator are inconclusive.
    """
    return tuple(_judged(tuple(dict.fromkeys(objectives)), measurement))


def _judged(objectives: Sequence[Objective], run: LoadMeasurement) -> Iterator[Verdict]:
    single = [objective for objective in objectives if not objective.whole_run]
    for name, operation in run.operations.items():
        for objective in _applicable(single, name):
            yield _on_operation(objective, operation, run)
    for objective in single:
        if not any(objective.covers(name) for name in run.operations):
            yield _inconclusive(objective, objective.operation, _nothing_sent(objective.operation))
    for objective in objectives:
        if objective.indicator is Indicator.MEMORY_GROWTH:
            yield _on_memory(objective, run)
        elif objective.whole_run:
            yield _on_rate(objective, WHOLE_RUN, tuple(run.operations.values()), run)


def _applicable(objectives: Iterable[Objective], operation: str) -> Iterator[Objective]:
    covering = [objective for objective in objectives if objective.covers(operation)]
    for objective in covering:
        closest = max(
            specificity(other.operation) for other in covering if other.name == objective.name
        )
        if specificity(objective.operation) == closest:
            yield objective


def _on_operation(
    objective: Objective, operation: OperationMeasurement, run: LoadMeasurement
) -> Verdict:
    if not operation.response_time.count:
        return _inconclusive(objective, operation.operation, _nothing_sent(operation.operation))
    match objective.indicator:
        case Indicator.QUANTILE:
            verdict = _on_quantile(objective, operation, objective.quantile or 0.0)
        case Indicator.MAXIMUM:
            verdict = _on_maximum(objective, operation)
        case Indicator.AVERAGE:
            verdict = _on_average(objective, operation)
        case Indicator.ERRORS:
            verdict = _on_errors(objective, operation)
        case _:
            return _on_rate(objective, operation.operation, (operation,), run)
    if run.generator.saturated is not None and objective.is_latency:
        return replace(
            verdict, state=VerdictState.INCONCLUSIVE, reason=run.generator.saturated, interval=None
        )
    return verdict


def _on_quantile(objective: Objective, operation: OperationMeasurement, q: float) -> Verdict:
    limit, count = objective.limit, operation.response_time.count
    windows = operation.windows
    estimate = estimate_share(
        [_slower(window, limit) for window in windows],
        [window.response_time.count for window in windows],
        allowed=1 - q,
    )
    low, high = quantile_ranks(
        q, count, confidence=_CONFIDENCE, design_effect=estimate.design_effect
    )
    what = (
        f"{format_share(estimate.value)} of {format_count(count)} requests failed or took longer "
        f"than {format_value(limit, objective.unit)}; {format_share(1 - q)} may"
    )
    return _decided(
        objective,
        operation,
        estimate,
        allowed=1 - q,
        observed=_at_rank(operation, quantile_rank(q, count)),
        interval=(
            None if low is None else _at_rank(operation, low),
            None if high is None else _at_rank(operation, high),
        ),
        what=what,
    )


def _on_maximum(objective: Objective, operation: OperationMeasurement) -> Verdict:
    """The slowest request of this run, which says nothing about the next: no statistics."""
    count = operation.response_time.count
    slower = _slower(operation, objective.limit)
    limit = format_value(objective.limit, objective.unit)
    return Verdict(
        objective=objective,
        operation=operation.operation,
        state=VerdictState.BREACHED if slower else VerdictState.MET,
        observed=_at_rank(operation, count),
        unit=objective.unit,
        interval=None,
        samples=count,
        reason=f"{format_count(slower)} of {format_count(count)} requests failed or took longer "
        f"than {limit}; none may",
    )


def _on_average(objective: Objective, operation: OperationMeasurement) -> Verdict:
    """The mean of all requests, where a failed one took at least as long as the limit."""
    count = operation.response_time.count
    totals = [_total_ns(window, objective.limit) for window in operation.windows]
    sizes = [window.response_time.count for window in operation.windows]
    floor = sqrt(_variance(operation.response_time) / count)
    estimate = estimate_ratio(totals, sizes, floor=floor)
    interval = None
    if estimate.margin is not None:
        interval = (max(estimate.value - estimate.margin, 0.0), estimate.value + estimate.margin)
    return _decided(
        objective,
        operation,
        estimate,
        allowed=objective.limit,
        observed=estimate.value,
        interval=interval,
        what=f"{format_count(count)} requests took {format_value(estimate.value, objective.unit)} "
        f"on average; {format_value(objective.limit, objective.unit)} is allowed",
    )


def _on_errors(objective: Objective, operation: OperationMeasurement) -> Verdict:
    count = operation.response_time.count
    estimate = estimate_share(
        [window.errors for window in operation.windows],
        [window.response_time.count for window in operation.windows],
        allowed=objective.limit,
    )
    what = (
        f"{format_count(operation.errors)} of {format_count(count)} requests failed or got an "
        f"unexpected status; {format_share(objective.limit)} may"
    )
    observed = operation.errors / count
    if operation.failures.get(FailureKind.EXHAUSTED):
        reason = "some requests failed for want of descriptors or ports on the generator's side"
        return _inconclusive(objective, operation.operation, reason, samples=count)
    if objective.limit == 0:  # a promise about this run's requests, which were all seen
        return Verdict(
            objective=objective,
            operation=operation.operation,
            state=VerdictState.BREACHED if operation.errors else VerdictState.MET,
            observed=observed,
            unit=objective.unit,
            interval=None,
            samples=count,
            reason=what,
        )
    interval = None
    if estimate.margin is not None:
        interval = (
            max(estimate.value - estimate.margin, 0.0),
            min(estimate.value + estimate.margin, 1.0),
        )
    return _decided(
        objective,
        operation,
        estimate,
        allowed=objective.limit,
        observed=observed,
        interval=interval,
        what=what,
    )


def _on_rate(
    objective: Objective,
    name: str,
    operations: Sequence[OperationMeasurement],
    run: LoadMeasurement,
) -> Verdict:
    """Requests that came to a good end, over the run's duration."""
    good = sum(operation.requests - operation.errors for operation in operations)
    samples = sum(operation.requests for operation in operations)
    if not samples or run.duration_s <= 0:
        return _inconclusive(objective, name, _nothing_sent(name))
    observed = good / run.duration_s
    limit = format_value(objective.limit, objective.unit)
    # A schedule's last interval has no second end: 200/s for 10 s are 2,000 arrivals, give or
    # take one.
    met = good + 1 >= objective.limit * run.duration_s
    state = VerdictState.MET if met else VerdictState.BREACHED
    reason = (
        f"{format_count(good)} requests came to a good end in {run.duration_s:.3g} s; "
        f"{limit} is promised"
    )
    if not met and run.generator.saturated is not None:
        state, reason = VerdictState.INCONCLUSIVE, run.generator.saturated
    elif not met and run.model == "open" and run.offered < objective.limit * run.duration_s - 1:
        state = VerdictState.INCONCLUSIVE
        reason = (
            f"only {format_count(run.offered)} requests were offered in {run.duration_s:.3g} s, "
            f"which cannot show {limit}; offer at least that rate"
        )
    return Verdict(
        objective=objective,
        operation=name,
        state=state,
        observed=observed,
        unit=objective.unit,
        interval=None,
        samples=samples,
        reason=reason,
    )


def _on_memory(objective: Objective, run: LoadMeasurement) -> Verdict:
    """How far the low-water mark rose from the first to the last fifth after the warm-up.

    Low-water marks, because memory that a collector gives back again is no growth.
    """
    steady = [s for s in run.server_memory if s.at_s >= run.duration_s * _WARM_UP_SHARE]
    if not run.server_memory:
        reason = "the server's memory was not sampled; give its process id with --pid"
        return _inconclusive(objective, WHOLE_RUN, reason)
    if len(steady) < _LEAST_MEMORY_SAMPLES:
        reason = (
            f"only {len(steady)} memory samples lie behind the warm-up (the run's first third); "
            f"{_LEAST_MEMORY_SAMPLES} are needed, so run for longer"
        )
        return _inconclusive(objective, WHOLE_RUN, reason, samples=len(steady))
    fifth = len(steady) // 5
    grown = _low_water(steady[-fifth:]) - _low_water(steady[:fifth])
    met = grown <= objective.limit
    return Verdict(
        objective=objective,
        operation=WHOLE_RUN,
        state=VerdictState.MET if met else VerdictState.BREACHED,
        observed=float(grown),
        unit=objective.unit,
        interval=None,
        samples=len(steady),
        reason=f"the server's memory grew by {format_bytes(grown)} after the run's first third; "
        f"{format_bytes(objective.limit)} is allowed",
    )


def _decided(
    objective: Objective,
    operation: OperationMeasurement,
    estimate: RatioEstimate,
    *,
    allowed: float,
    observed: float | None,
    interval: tuple[float | None, float | None] | None,
    what: str,
) -> Verdict:
    """The verdict of an estimate on an allowed share or mean."""
    if estimate.surely_below(allowed):
        state, reason = VerdictState.MET, what
    elif estimate.surely_above(allowed):
        state, reason = VerdictState.BREACHED, what
    else:
        state, reason = VerdictState.INCONCLUSIVE, f"{what}: {_missing(estimate, allowed)}"
    return Verdict(
        objective=objective,
        operation=operation.operation,
        state=state,
        observed=observed,
        unit=objective.unit,
        interval=interval,
        samples=operation.response_time.count,
        reason=reason,
    )


def _missing(estimate: RatioEstimate, limit: float) -> str:
    """What would decide."""
    if estimate.margin is None:
        return "a run within one window says nothing of how requests vary; run for longer"
    needed = weight_to_decide(estimate, limit)
    if needed is None or needed > _MOST_WORTH_NAMING:
        return "too close to the limit for a longer run to tell"
    more = max(needed - estimate.weight, 1.0)
    return f"too close to tell, which needs about {format_count(_two_digits(more))} more requests"


_MOST_WORTH_NAMING: Final = 10_000_000


def _two_digits(number: float) -> float:
    return float(f"{number:.1e}") if number >= 10 else 10.0


def _inconclusive(
    objective: Objective, operation: str, reason: str, *, samples: int = 0
) -> Verdict:
    return Verdict(
        objective=objective,
        operation=operation,
        state=VerdictState.INCONCLUSIVE,
        observed=None,
        unit=objective.unit,
        interval=None,
        samples=samples,
        reason=reason,
    )


def _nothing_sent(operation: str) -> str:
    return f"no request of {operation} was sent" if operation != WHOLE_RUN else "nothing was sent"


def _slower(part: Window | OperationMeasurement, limit: float) -> int:
    """Requests that took longer than the limit, or were errors however fast."""
    fast_errors = part.errors - part.error_time.count_above(limit)
    return min(
        part.response_time.count_above(limit) + max(fast_errors, 0), part.response_time.count
    )


def _total_ns(window: Window, limit: float) -> float:
    fast_errors = window.errors - window.error_time.count_above(limit)
    fast_total = sum(
        sum(bucket_bounds(key)) / 2 * times
        for key, times in window.error_time.counts.items()
        if sum(bucket_bounds(key)) / 2 <= limit
    )
    return window.response_time.total + max(fast_errors * limit - fast_total, 0.0)


def _variance(histogram: Histogram) -> float:
    mean = histogram.mean or 0.0
    square = sum(times * ((low + high) / 2 - mean) ** 2 for low, high, times in histogram.buckets())
    return square / histogram.count


def _at_rank(operation: OperationMeasurement, rank: int) -> float | None:
    """The response time at a rank when errors are slower than everything; None among the errors."""
    everything = operation.response_time
    if not operation.error_time:
        return everything.value_at_rank(rank)
    seen = 0
    errors = operation.error_time.counts
    for key in sorted(everything.counts):
        seen += max(everything.counts[key] - errors.get(key, 0), 0)
        if seen >= rank:
            return sum(bucket_bounds(key)) / 2
    return None


def _low_water(samples: Sequence[MemorySample]) -> int:
    return min(sample.rss_bytes for sample in samples)
