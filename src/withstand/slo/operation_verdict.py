"""Verdicts on the response times and the errors of one operation. Pure.

Met and breached are said only when they are sure (98 % each) even though requests close in time
resemble each other: see `withstand.stats.quantile_bounds`.

What is judged is the response time from the intended start, so that a stalled server cannot hide
behind a generator that waited for it; and a request that failed, or got a status that the scenario
did not expect, counts as slower than any limit, so that a fast error is no fast answer.
"""

from dataclasses import replace
from math import sqrt
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.measurement import OperationMeasurement
from withstand.load.window import Window
from withstand.slo.objective import Objective, format_value
from withstand.slo.verdict import Verdict, VerdictState, decided, inconclusive
from withstand.stats.histogram import Histogram, bucket_bounds, quantile_rank
from withstand.stats.quantile_bounds import (
    CERTAINTY,
    estimate_ratio,
    estimate_share,
    quantile_ranks,
)
from withstand.units import format_count, format_share

# Fewer failures at the end of a run may be a hiccup that the run was too short to see the end of.
_LEAST_OUTAGE: Final = 5
_CONFIDENCE: Final = 2 * CERTAINTY - 1  # of the two-sided interval beside a one-sided verdict


def on_quantile(
    objective: Objective,
    operation: OperationMeasurement,
    q: float,
    *,
    lagging: str | None = None,
    held_up: float = 0.0,
) -> Verdict:
    """`lagging` says that the generator's own lateness colours the response times: then a breach
    is one only if the service times and the errors prove it as well. They hold none of the lateness
    of the sends; what came while the event loop was held up, for the share `held_up` of the time,
    they hold.
    """
    limit, count = objective.limit, operation.response_time.count
    windows = operation.windows
    estimate = estimate_share(
        [slower(window, limit) for window in windows],
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
    verdict = decided(
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
    verdict = _or_breached_by_outage(verdict, operation, allowed=1 - q)
    if lagging is None or verdict.state is not VerdictState.BREACHED:
        return verdict
    proven = _served_badly(operation, limit) / count
    if estimate.margin is not None and proven - held_up - estimate.margin > 1 - q:
        return verdict
    return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=lagging)


def _served_badly(operation: OperationMeasurement, limit: float) -> int:
    """Requests, at least, that no lateness of the generator made slow or wrong."""
    failures = sum(operation.failures.values()) - operation.failures.get(FailureKind.EXHAUSTED, 0)
    fast_errors = operation.errors - operation.error_time.count_above(limit)
    return operation.service_time.count_above(limit) + failures + max(fast_errors - failures, 0)


def on_maximum(objective: Objective, operation: OperationMeasurement) -> Verdict:
    """The slowest request of this run, which says nothing about the next: no statistics."""
    count = operation.response_time.count
    slow = slower(operation, objective.limit)
    limit = format_value(objective.limit, objective.unit)
    return Verdict(
        objective=objective,
        operation=operation.operation,
        state=VerdictState.BREACHED if slow else VerdictState.MET,
        observed=_at_rank(operation, count),
        unit=objective.unit,
        interval=None,
        samples=count,
        reason=f"{format_count(slow)} of {format_count(count)} requests failed or took longer "
        f"than {limit}; none may",
    )


def on_average(objective: Objective, operation: OperationMeasurement) -> Verdict:
    """The mean of all requests, where a failed one took at least as long as the limit."""
    count = operation.response_time.count
    totals = [total_ns(window, objective.limit) for window in operation.windows]
    sizes = [window.response_time.count for window in operation.windows]
    floor = sqrt(_variance(operation.response_time) / count)
    estimate = estimate_ratio(totals, sizes, floor=floor)
    interval = None
    if estimate.margin is not None:
        interval = (estimate.least, estimate.value + estimate.margin)
    return decided(
        objective,
        operation,
        estimate,
        allowed=objective.limit,
        observed=estimate.value,
        interval=interval,
        what=f"{format_count(count)} requests took {format_value(estimate.value, objective.unit)} "
        f"on average; {format_value(objective.limit, objective.unit)} is allowed",
    )


def on_errors(objective: Objective, operation: OperationMeasurement) -> Verdict:
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
    if reason := own_failures(operation):
        return inconclusive(objective, operation.operation, reason, samples=count)
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
        interval = (estimate.least, min(estimate.value + estimate.margin, 1.0))
    verdict = decided(
        objective,
        operation,
        estimate,
        allowed=objective.limit,
        observed=observed,
        interval=interval,
        what=what,
    )
    return _or_breached_by_outage(verdict, operation, allowed=objective.limit)


def own_failures(operation: OperationMeasurement) -> str | None:
    """Why the errors are not the target's alone; None when they are."""
    if not operation.failures.get(FailureKind.EXHAUSTED):
        return None
    return "some requests failed for want of descriptors or ports on the generator's side"


def _or_breached_by_outage(
    verdict: Verdict, operation: OperationMeasurement, *, allowed: float
) -> Verdict:
    """A run that ends in nothing but errors, more of them than are allowed in all, is a breach.

    Windows taken for samples of one steady state would leave it undecided: one outage is a single
    event among them. But a server that did not come back was in no steady state.
    """
    if verdict.state is not VerdictState.INCONCLUSIVE:
        return verdict
    lost = 0
    for window in reversed(operation.windows):
        if window.errors < window.response_time.count:
            break
        lost += window.errors
    count = operation.response_time.count
    if lost <= allowed * count or lost < min(_LEAST_OUTAGE, count):
        return verdict
    which = "all" if lost == count else "the last"
    reason = (
        f"{which} {format_count(lost)} of {format_count(count)} requests failed or got an "
        f"unexpected status, and the run ended so; {format_share(allowed)} may"
    )
    return replace(verdict, state=VerdictState.BREACHED, reason=reason)


def slower(part: Window | OperationMeasurement, limit: float) -> int:
    """Requests that took longer than the limit, or were errors however fast."""
    fast_errors = part.errors - part.error_time.count_above(limit)
    return min(
        part.response_time.count_above(limit) + max(fast_errors, 0), part.response_time.count
    )


def total_ns(window: Window, limit: float) -> float:
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
