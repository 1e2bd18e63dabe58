"""The verdict on one objective: met, breached, or inconclusive when the run was too short. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from withstand.load.measurement import OperationMeasurement
from withstand.slo.objective import WHOLE_RUN, Objective, Unit
from withstand.stats.quantile_bounds import RatioEstimate, weight_to_decide
from withstand.units import format_count

_MOST_WORTH_NAMING: Final = 10_000_000


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
    `samples` counts requests, or memory samples. `reason` is one sentence. `stretch` names the
    seconds that the verdict hangs on, of an objective over stretches of time: from and up to.
    `spent_s` is how long a trial of the operation took; None where a load was measured.
    """

    objective: Objective
    operation: str
    state: VerdictState
    observed: float | None
    unit: Unit
    interval: tuple[float | None, float | None] | None
    samples: int
    reason: str
    stretch: tuple[int, int] | None = None
    spent_s: float | None = None

    @property
    def without_samples(self) -> bool:
        """Whether nothing was measured that it could be judged by."""
        return not self.samples and self.state is VerdictState.INCONCLUSIVE


def decided(
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


def inconclusive(objective: Objective, operation: str, reason: str, *, samples: int = 0) -> Verdict:
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


def nothing_ended(operation: str, left_out: Mapping[str, str] = MappingProxyType({})) -> str:
    """Why there is no sample: with what kept the load from sending the operation, if it did."""
    if operation == WHOLE_RUN:
        return "no request came to an end"
    why = f": {left_out[operation]}" if operation in left_out else ""
    return f"no request of {operation} came to an end{why}"


def _missing(estimate: RatioEstimate, limit: float) -> str:
    """What would decide."""
    if estimate.margin is None:
        return "a run within one window says nothing of how requests vary; run for longer"
    needed = weight_to_decide(estimate, limit)
    if needed is None or needed > _MOST_WORTH_NAMING:
        return "too close to the limit for a longer run to tell"
    more = max(needed - estimate.weight, 1.0)
    return f"too close to tell, which needs about {format_count(_two_digits(more))} more requests"


def _two_digits(number: float) -> float:
    return float(f"{number:.1e}") if number >= 10 else 10.0
