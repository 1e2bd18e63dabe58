"""Whether a run under way has broken a promise on its whole: looked at again and again. Pure.

Looking often at a test that errs in 2 % of the cases makes it err in many more, as it stops at the
first look that errs. So the looks share one error budget: the k-th spends 1 / (k (k + 1)) of it,
which adds up to the whole over any number of looks (spending as in Lan and DeMets, Biometrika 70,
1983, without counting on how the looks depend on each other: Bonferroni). They come at 30 windows
and whenever there are half as many again, so that few are needed.

Each look estimates as the verdict at the end does, by batch means
(`withstand.stats.quantile_bounds`), but of tenths of what was seen: batches that grow with the run
hold ever longer bursts, where a fixed length would take a long one for a state. A breach also has
to show in both halves, as in `withstand.stats.sequential` a second sample has to repeat it. What
no rule can tell from a state is a burst that fills all of the first look; hence not at 10 windows.
`benchmarks/statistics/false_aborts.py` has the figures.
"""

from collections.abc import Sequence
from typing import Final

from withstand.slo.objective import Indicator, Objective
from withstand.slo.stretch import Row, allowed_share
from withstand.stats.quantile_bounds import (
    LEAST_WINDOWS,
    RatioEstimate,
    estimate_ratio,
    estimate_share,
)

FALSE_ABORTS: Final = 0.01  # of runs at the limit, however often they are looked at
FIRST_LOOK: Final = 30  # windows
_GROWTH: Final = 1.5
_BATCHES: Final = LEAST_WINDOWS


def look_at(windows: int) -> int | None:
    """Which look, from 1 on, is due with exactly so many windows; None for none."""
    number, due = 1, FIRST_LOOK
    while due < windows:
        number, due = number + 1, int(due * _GROWTH)
    return number if due == windows else None


def surely_broken(objective: Objective, rows: Sequence[Row], *, look: int, pending: int) -> bool:
    """Whether windows that are over show a breach beyond what the k-th look may err.

    `pending` requests have no end yet and are taken for good ones.
    """
    size = len(rows) // _BATCHES
    recent = rows[len(rows) - size * _BATCHES :]
    tenths = [
        sum(recent[index * size : (index + 1) * size], start=Row()) for index in range(_BATCHES)
    ]
    limit = objective.limit if _is_average(objective) else allowed_share(objective)
    requests = sum(row.requests for row in tenths)
    if not requests:
        return False
    answered = requests / (requests + pending)
    halves = (tenths[: _BATCHES // 2], tenths[_BATCHES // 2 :])
    if not all(_estimate(objective, half, look).value * answered > limit for half in halves):
        return False
    return _estimate(objective, tenths, look).least * answered > limit


def _estimate(objective: Objective, rows: Sequence[Row], look: int) -> RatioEstimate:
    certainty = 1 - FALSE_ABORTS / (look * (look + 1))
    sizes = [float(row.requests) for row in rows]
    if _is_average(objective):
        return estimate_ratio(
            [row.proven_ns for row in rows], sizes, floor=0.0, certainty=certainty
        )
    return estimate_share(
        [float(row.proven) for row in rows],
        sizes,
        allowed=allowed_share(objective),
        certainty=certainty,
    )


def _is_average(objective: Objective) -> bool:
    return objective.indicator is Indicator.AVERAGE
