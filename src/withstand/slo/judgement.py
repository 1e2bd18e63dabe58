"""Which objectives apply to which part of a run, and the verdicts on all of them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.shards import shortfall
from withstand.slo.objective import WHOLE_RUN, Indicator, Objective, specificity
from withstand.slo.operation_verdict import on_average, on_errors, on_maximum, on_quantile
from withstand.slo.run_verdict import on_memory, on_rate
from withstand.slo.verdict import Verdict, VerdictState, inconclusive, nothing_ended


def judge(objectives: Sequence[Objective], measurement: LoadMeasurement) -> tuple[Verdict, ...]:
    """One verdict for each objective and operation that it applies to, then those on the run.

    Where several patterns promise the same indicator for an operation, the most specific one
    alone applies: its own p95 replaces that of `*`. An objective that applies to nothing that was
    measured is inconclusive, never met. Latencies of a saturated generator are inconclusive, and
    what a lagging one makes look breached is so too, unless the service times prove it. Where the
    target got less than the load that was asked for, only what the lesser load proves is said.
    """
    verdicts = _judged(tuple(dict.fromkeys(objectives)), measurement)
    return tuple(_under_less(verdict, measurement) for verdict in verdicts)


def _under_less(verdict: Verdict, run: LoadMeasurement) -> Verdict:
    """A lesser load makes a rate harder to reach, and everything else easier to keep to."""
    is_rate = verdict.objective.indicator is Indicator.RATE
    if verdict.state is (VerdictState.MET if is_rate else VerdictState.BREACHED):
        return verdict
    reason = shortfall(run)
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
        elif objective.whole_run:
            yield on_rate(objective, WHOLE_RUN, tuple(run.operations.values()), run)


def applicable(objectives: Iterable[Objective], operation: str) -> Iterator[Objective]:
    """Those that an operation is judged by: of each indicator, what the closest pattern says."""
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
        return inconclusive(objective, operation.operation, nothing_ended(operation.operation))
    match objective.indicator:
        case Indicator.QUANTILE:
            verdict = on_quantile(
                objective, operation, objective.quantile or 0.0, lagging=run.generator.lagging
            )
        case Indicator.MAXIMUM:
            verdict = on_maximum(objective, operation)
        case Indicator.AVERAGE:
            verdict = on_average(objective, operation)
        case Indicator.ERRORS:
            verdict = on_errors(objective, operation)
        case _:
            return on_rate(objective, operation.operation, (operation,), run)
    if not objective.is_latency:
        return verdict
    if run.generator.saturated is not None:
        return replace(
            verdict, state=VerdictState.INCONCLUSIVE, reason=run.generator.saturated, interval=None
        )
    is_quantile = objective.indicator is Indicator.QUANTILE
    if run.generator.lagging and verdict.state is VerdictState.BREACHED and not is_quantile:
        return replace(verdict, state=VerdictState.INCONCLUSIVE, reason=run.generator.lagging)
    return verdict
