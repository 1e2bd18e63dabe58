"""Which objectives apply to which part of a run, and the verdicts on all of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from withstand.load.generator import MAX_LAG_NS
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.shards import load_shortfall
from withstand.load.window import united
from withstand.slo.objective import WHOLE_RUN, Indicator, Objective, format_value, specificity
from withstand.slo.operation_verdict import (
    on_average,
    on_errors,
    on_maximum,
    on_quantile,
    own_failures,
)
from withstand.slo.run_verdict import on_memory, on_rate
from withstand.slo.verdict import Verdict, VerdictState, inconclusive, nothing_ended
from withstand.slo.warm_up import judged, rise
from withstand.slo.window_verdict import on_stretches
from withstand.units import format_share


def judge(objectives: Sequence[Objective], measurement: LoadMeasurement) -> tuple[Verdict, ...]:
    """One verdict for each objective and operation that it applies to, then those on the run.

    Where several patterns promise the same indicator for an operation, the most specific one
    alone applies: its own p95 replaces that of `*`. An objective that applies to nothing that was
    measured is inconclusive, never met. Latencies of a saturated generator are inconclusive, and
    what a lagging one makes look breached is so too, unless the service times prove it. What is
    met while it still rises, so fast that it would not be for as long again, is inconclusive.
    Where the target got less than the load that was asked for, only what the lesser load proves is
    said.
    """
    verdicts = _judged(tuple(dict.fromkeys(objectives)), judged(measurement))
    return tuple(_under_less(verdict, measurement) for verdict in verdicts)


def _under_less(verdict: Verdict, run: LoadMeasurement) -> Verdict:
    """A lesser load makes a rate harder to reach, and everything else easier to keep to."""
    is_rate = verdict.objective.indicator is Indicator.RATE
    if verdict.state is (VerdictState.MET if is_rate else VerdictState.BREACHED):
        return verdict
    reason = load_shortfall(run)
    if reason is None and is_rate and run.missing_shards:
        reason = f"shard {run.shards[0]} alone cannot show a rate; merge it with the others"
    if reason is None or (verdict.state is VerdictState.INCONCLUSIVE and not is_rate):
        return verdict
    return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=reason, interval=None)


def _judged(objectives: Sequence[Objective], run: LoadMeasurement) -> Iterator[Verdict]:
    single = [objective for objective in objectives if not objective.whole_run]
    for name, operation in run.operations.items():
        for objective in applicable(single, name):
            yield _on_operation(objective, operation, run)
    for objective in single:
        if not any(objective.covers(name) for name in run.operations):
            reason = nothing_ended(objective.operation, run.left_out)
            yield inconclusive(objective, objective.operation, reason)
    for objective in objectives:
        if objective.indicator is Indicator.MEMORY_GROWTH:
            yield on_memory(objective, run)
        elif objective.whole_run and objective.over_s is not None:
            windows = united(tuple(chain(*(each.windows for each in run.operations.values()))))
            yield _excused(on_stretches(objective, WHOLE_RUN, windows, run), run)
        elif objective.whole_run:
            yield on_rate(objective, WHOLE_RUN, tuple(run.operations.values()), run)


def applicable(objectives: Iterable[Objective], operation: str) -> Iterator[Objective]:
    """Those that an operation is judged by: of each indicator, what the closest pattern says."""
    covering = [objective for objective in objectives if objective.covers(operation)]
    for objective in covering:
        closest = max(
            specificity(other.operation) for other in covering if other.subject == objective.subject
        )
        if specificity(objective.operation) == closest:
            yield objective


def _on_operation(
    objective: Objective, operation: OperationMeasurement, run: LoadMeasurement
) -> Verdict:
    if not operation.response_time.count:
        return inconclusive(objective, operation.operation, nothing_ended(operation.operation))
    if objective.over_s is not None:
        verdict = _on_stretches(objective, operation, run)
        return _excused(verdict, run)
    match objective.indicator:
        case Indicator.QUANTILE:
            verdict = on_quantile(
                objective,
                operation,
                objective.quantile or 0.0,
                lagging=run.generator.lagging,
                held_up=run.generator.loop_lag.share_above(MAX_LAG_NS) or 0.0,
            )
            verdict = _unless_rising(verdict, operation, run)
        case Indicator.MAXIMUM:
            verdict = on_maximum(objective, operation)
        case Indicator.AVERAGE:
            verdict = on_average(objective, operation)
        case Indicator.ERRORS:
            verdict = on_errors(objective, operation)
        case _:
            return on_rate(objective, operation.operation, (operation,), run)
    is_quantile = objective.indicator is Indicator.QUANTILE
    late = run.generator.lagging if objective.is_latency and not is_quantile else None
    if late and verdict.state is VerdictState.BREACHED and not run.generator.saturated:
        return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=late)
    return _excused(verdict, run)


def _on_stretches(
    objective: Objective, operation: OperationMeasurement, run: LoadMeasurement
) -> Verdict:
    if objective.indicator is Indicator.ERRORS and (reason := own_failures(operation)):
        return inconclusive(
            objective, operation.operation, reason, samples=operation.response_time.count
        )
    return on_stretches(objective, operation.operation, operation.windows, run)


def _excused(verdict: Verdict, run: LoadMeasurement) -> Verdict:
    """Latencies, and a rate that was missed, are a saturated generator's own."""
    saturated, objective = run.generator.saturated, verdict.objective
    missed = objective.indicator is Indicator.RATE and verdict.state is VerdictState.BREACHED
    if saturated is None or not (objective.is_latency or missed):
        return verdict
    return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=saturated, interval=None)


def _unless_rising(
    verdict: Verdict, operation: OperationMeasurement, run: LoadMeasurement
) -> Verdict:
    if verdict.state is not VerdictState.MET or verdict.observed is None:
        return verdict
    objective = verdict.objective
    risen = rise(operation.windows, objective.quantile or 0.0, model=run.model)
    if risen is None or verdict.observed * (1 + risen) <= objective.limit:
        return verdict
    reason = (
        f"{objective.name} rose by {format_share(risen)} during the run and was "
        f"{format_value(verdict.observed, objective.unit)} in all; at this pace another run of "
        f"the same length would break {format_value(objective.limit, objective.unit)}: run for "
        f"longer, or give the server a longer warm-up"
    )
    return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=reason)
