"""Verdicts on what belongs to a run as a whole: its rate, and the server's memory. Pure."""

from collections.abc import Sequence
from typing import Final

from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.slo.objective import WHOLE_RUN, Objective, format_value
from withstand.slo.verdict import Verdict, VerdictState, inconclusive, nothing_ended
from withstand.units import format_bytes, format_count

# A third of the run is warm-up; of the rest the first fifth is held against the last.
_WARM_UP_SHARE: Final = 1 / 3
_LEAST_MEMORY_SAMPLES: Final = 10


def on_rate(
    objective: Objective,
    name: str,
    operations: Sequence[OperationMeasurement],
    run: LoadMeasurement,
) -> Verdict:
    """Requests that came to a good end, over the part of the run that is judged."""
    good = sum(operation.requests - operation.errors for operation in operations)
    samples = sum(operation.requests for operation in operations)
    seconds = run.duration_s - run.warm_up_s
    if not samples or seconds <= 0:
        return inconclusive(objective, name, nothing_ended(name))
    observed = good / seconds
    limit = format_value(objective.limit, objective.unit)
    # A schedule's last interval has no second end: 200/s for 10 s are 2,000 arrivals, give or
    # take one.
    met = good + 1 >= objective.limit * seconds
    state = VerdictState.MET if met else VerdictState.BREACHED
    reason = (
        f"{format_count(good)} requests came to a good end in {seconds:.3g} s; {limit} is promised"
    )
    if not met and run.generator.saturated is not None:
        state, reason = VerdictState.INCONCLUSIVE, run.generator.saturated
    elif not met and run.model == "open" and run.offered < objective.limit * seconds - 1:
        state = VerdictState.INCONCLUSIVE
        reason = (
            f"only {format_count(run.offered)} requests were offered in {seconds:.3g} s, "
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


def on_memory(objective: Objective, run: LoadMeasurement) -> Verdict:
    """How far the low-water mark rose from the first to the last fifth after the warm-up.

    Low-water marks, because memory that a collector gives back again is no growth.
    """
    memory = [(s.at_s, s.rss_bytes) for s in run.server_samples if s.rss_bytes is not None]
    steady = [rss for at_s, rss in memory if at_s >= run.duration_s * _WARM_UP_SHARE]
    if not memory:
        reason = (
            "the server's memory was not sampled; give its process id with --pid, or --metrics "
            "or --probe-command"
        )
        return inconclusive(objective, WHOLE_RUN, reason)
    if len(steady) < _LEAST_MEMORY_SAMPLES:
        reason = (
            f"only {len(steady)} memory samples lie behind the warm-up (the run's first third); "
            f"{_LEAST_MEMORY_SAMPLES} are needed, so run for longer"
        )
        return inconclusive(objective, WHOLE_RUN, reason, samples=len(steady))
    fifth = len(steady) // 5
    grown = min(steady[-fifth:]) - min(steady[:fifth])
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
