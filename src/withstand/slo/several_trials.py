"""One verdict of several independent trials: of the same objectives, by several shards. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from math import ceil, isinf

from withstand.slo.objective import Indicator, Objective, format_value
from withstand.slo.trial import Trial
from withstand.slo.verdict import Verdict, VerdictState
from withstand.stats.pooled import design_effect, pooled
from withstand.stats.quantile_interval import quantile_interval, share_interval
from withstand.stats.sequential import Decision, QuantileSample
from withstand.units import format_count, format_share


def verdicts_of(trials: Sequence[Trial]) -> tuple[Verdict, ...]:
    """One for each objective, by the requests of all trials: see `withstand.stats.pooled`.

    One trial alone says what it says itself; one without requests says nothing.
    """
    held = [trial for trial in trials if trial.requests] or list(trials[:1])
    first, *others = held
    if not others:
        return first.verdicts()
    by_objective = list(zip(*(trial.samples() for trial in held), strict=True))
    verdicts = first.verdicts()
    return (
        *(
            _together(verdict, list(chain.from_iterable(samples)))
            for verdict, samples in zip(verdicts, by_objective, strict=False)
        ),
        *(_counted(verdict, held) for verdict in verdicts[len(by_objective) :]),
    )


def _together(verdict: Verdict, samples: Sequence[QuantileSample]) -> Verdict:
    samples = [sample for sample in samples if sample.count]
    decision = pooled(samples)
    count = sum(sample.count for sample in samples)
    exceeding = sum(sample.exceeding for sample in samples)
    effect = design_effect(samples)
    low: float | None
    high: float | None
    if verdict.objective.indicator is Indicator.ERRORS:
        observed: float | None = exceeding / count
        low, high = share_interval(count, exceeding, design_effect=effect)
    else:
        q = verdict.objective.quantile or 0.0
        values = sorted(chain.from_iterable(sample.values for sample in samples))
        observed = _finite(values[max(ceil(q * count) - 1, 0)])
        low, high = map(_finite, quantile_interval(values, q, design_effect=effect))
    return replace(
        verdict,
        state=VerdictState(decision.value),
        observed=observed,
        interval=(low, high),
        samples=count,
        reason=_reason(verdict.objective, samples, decision),
    )


def _counted(verdict: Verdict, trials: Sequence[Trial]) -> Verdict:
    """A promise about these very requests, which were all seen: no statistics."""
    requests, failed = sum(each.requests for each in trials), sum(each.failed for each in trials)
    return replace(
        verdict,
        state=VerdictState.BREACHED if failed else VerdictState.MET,
        observed=failed / requests,
        samples=requests,
        reason=f"{format_count(failed)} of {format_count(requests)} requests failed; none may",
    )


def _reason(objective: Objective, samples: Sequence[QuantileSample], decision: Decision) -> str:
    slow = "failed"
    if objective.is_latency:
        slow += f" or took longer than {format_value(objective.limit, objective.unit)}"
    counts = ", and elsewhere ".join(
        f"{format_count(sample.exceeding)} of {format_count(sample.count)}" for sample in samples
    )
    what = f"{counts} requests {slow}; {format_share(samples[0].tail)} may"
    if decision is not Decision.INCONCLUSIVE:
        return what
    return f"{what}: together they do not suffice, or only one of them shows a breach"


def _finite(value: float | None) -> float | None:
    return None if value is None or isinf(value) else value
