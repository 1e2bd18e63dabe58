"""Whether a level that is sampled over a long run, such as memory, leaks. Pure.

Significance is no leak: every warm-up tail and every allocator that keeps what it once had grows
significantly. So three things are asked of a leak: it is surely larger than a tolerance (the error
is controlled there, not at zero), it goes on as it began, and the run is long enough to tell it
from a warm-up. Minima of windows longer than a collector's cycle take the sawtooth away.
`python -m benchmarks.statistics.trend` shows the error rates that the constants below come from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean, median
from typing import Final

from withstand.stats.drift import WARM_UP_SHARE, Movement, parts
from withstand.stats.trend import slope_of, trend

_LEAST_WINDOWS: Final = 10
_MOST_WINDOWS: Final = 24
_LEAST_SAMPLES: Final = 3  # in a window: of fewer the minimum may not reach the sawtooth's foot
_SUSTAINED: Final = 0.7  # of the first half's slope, in the second half
# A short run sees a warm-up as a straight line: below 30 minutes at windows of 40 s, only growth
# of several tolerances is called a leak.
_SHORT_RUN_WINDOWS: Final = 45
_SHORT_RUN_TOLERANCES: Final = 3
# A run of 12 time constants has settled to within the tolerance after its first third (e^-4).
_SETTLED_AFTER: Final = 12
# Nobody is told to run for longer than this many times as long.
_MOST_EXTENSION: Final = 10


class Doubt(StrEnum):
    """Why a movement is undecided."""

    WARMING = "still warming"
    SHORT_RUN = "short run"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakRule:
    """What growth is tolerated over the run: an amount, or a share of the level if that is more.

    `window_s` is the shortest window, and the rule's one scale of time: it has to be longer than
    the sawtooth of the server's collector, and a run of fewer than 45 windows is a short one.
    """

    tolerance: float
    tolerance_share: float = 0.05
    window_s: float = 40.0

    @property
    def short_run_s(self) -> float:
        """Runs shorter than this tell a leak only when it is large."""
        return self.window_s * _SHORT_RUN_WINDOWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The growth of a level, projected over the whole run from what follows the warm-up.

    `low` and `high` bound it with 99 % each; None where they do not. `minima` are the windows'
    middles in seconds and minima, `start_level` and `slope_per_s` the line through them (its level
    at second 0). `warming_tau_s` is the estimated time constant of a warm-up that goes on,
    `extend_to_s` how long a run would probably decide; None where that is not known.
    """

    movement: Movement
    doubt: Doubt | None
    growth: float
    low: float | None
    high: float | None
    tolerance: float
    slope_per_s: float
    start_level: float
    minima: tuple[tuple[float, float], ...]
    warming_tau_s: float | None = None
    extend_to_s: float | None = None


def leak(times_s: Sequence[float], levels: Sequence[float], rule: LeakRule) -> Growth | None:
    """The growth of levels sampled at ascending times; None of fewer samples than can be judged."""
    first = int(len(times_s) * WARM_UP_SHARE)
    steady = list(zip(times_s, levels, strict=True))[first:]
    if len(steady) < _LEAST_WINDOWS * _LEAST_SAMPLES:
        return None
    lasted_s, span_s = times_s[-1] - times_s[0], steady[-1][0] - steady[0][0]
    wanted = min(max(int(span_s // rule.window_s), _LEAST_WINDOWS), _MOST_WINDOWS)
    count = min(wanted, len(steady) // _LEAST_SAMPLES) // 2 * 2  # even: halves are compared
    minima = [
        (fmean(time for time, _ in window), min(level for _, level in window))
        for window in parts(steady, count)
    ]
    times, lows = zip(*minima, strict=True)
    found = trend(times, lows)
    half = count // 2
    early = slope_of(times[:half], lows[:half])
    late = slope_of(times[half:], lows[half:])
    return _judged(
        Growth(
            movement=Movement.UNDECIDED,
            doubt=Doubt.UNSURE,
            growth=found.slope * lasted_s,
            low=None if found.low is None else found.low * lasted_s,
            high=None if found.high is None else found.high * lasted_s,
            tolerance=max(rule.tolerance, rule.tolerance_share * median(lows)),
            slope_per_s=found.slope,
            start_level=median(low - found.slope * time for time, low in minima),
            minima=tuple(minima),
        ),
        rule,
        lasted_s=lasted_s,
        span_s=span_s,
        early=early,
        late=late,
    )


def _judged(
    growth: Growth, rule: LeakRule, *, lasted_s: float, span_s: float, early: float, late: float
) -> Growth:
    """`early` and `late` are the slopes of the two halves."""
    tolerance, low, high = growth.tolerance, growth.low, growth.high
    if high is not None and high < tolerance:
        return replace(growth, movement=Movement.STEADY, doubt=None)
    sustained = late >= _SUSTAINED * early
    if low is not None and low > tolerance and sustained and late * lasted_s > tolerance:
        if lasted_s >= rule.short_run_s or low > _SHORT_RUN_TOLERANCES * tolerance:
            return replace(growth, movement=Movement.GROWS, doubt=None)
        return replace(growth, doubt=Doubt.SHORT_RUN, extend_to_s=rule.short_run_s)
    if low is not None and low > 0 and early > 0 and not sustained:
        # Exponential approach: its slope falls by a factor of e with every time constant.
        tau_s = span_s / 2 / math.log(early / late) if late > 0 else None
        settled_s = _SETTLED_AFTER * tau_s if tau_s is not None else 0.0
        return replace(
            growth,
            doubt=Doubt.WARMING,
            warming_tau_s=tau_s,
            extend_to_s=_longer(max(settled_s, 1.5 * lasted_s), lasted_s),
        )
    return replace(growth, extend_to_s=_longer(_deciding_s(growth, rule, lasted_s), lasted_s))


def _deciding_s(growth: Growth, rule: LeakRule, lasted_s: float) -> float:
    """About how long a run would tell, if the level went on as it does.

    Growth adds up with time and its uncertainty does not: both are those of minima.
    """
    enough_s = _MOST_WINDOWS * rule.window_s / (1 - WARM_UP_SHARE)
    if growth.low is None or growth.growth <= growth.tolerance / 2:
        return max(2 * lasted_s, enough_s)
    margin = growth.growth - growth.low
    return max(lasted_s * (growth.tolerance + margin) / growth.growth, 1.5 * lasted_s, enough_s)


def _longer(wanted_s: float, lasted_s: float) -> float | None:
    return wanted_s if wanted_s <= _MOST_EXTENSION * lasted_s else None
