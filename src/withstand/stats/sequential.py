"""Whether a quantile lies below a limit, decided while the values come in.

One value is an exceedance when it is above the limit. "The q-quantile is below the limit" says that
the share p of exceedances is below p0 = 1 - q, which `withstand.stats.e_value` tests after any
value. That holds for independent values. For dependent ones the counts are divided by the lag-1
design effect, and a breach counts only when a second sample reproduces it.
"""

from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from math import ceil, exp, lgamma, log
from typing import Final

from withstand.stats.e_value import ABOVE, ALPHA, ANYTIME, BELOW, BETA, log_e_value, mixture_of

_FIRST_LOOK: Final = 40
_MOST_CORRELATION: Final = 0.98
_MOST_WORTH_NAMING: Final = 1_000_000


class Decision(StrEnum):
    """What a sample says about a limit."""

    MET = "met"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"


class QuantileSample:
    """One sample, judged against one limit as it grows.

    With independent values a breach is found with probability at most `alpha` when at most 1 - q
    of all values exceed the limit, and the limit is met with probability at most `beta` when at
    least 1 - q do, at whatever point the sample ends. It is looked at after 40, 50, … values and
    then after each 6 % more, and ends inconclusive with `most`.
    """

    __slots__ = (
        "_above",
        "_below",
        "_design_effect",
        "_log_need_breached",
        "_log_need_met",
        "_looks",
        "_next_look",
        "_sorted",
        "_tail_alpha",
        "_tail_beta",
        "_values",
        "count",
        "exceeding",
        "limit",
        "most",
        "tail",
    )  # fmt: skip

    def __init__(
        self,
        *,
        limit: float,
        q: float,
        most: int,
        alpha: float = ALPHA,
        beta: float = BETA,
    ) -> None:
        self.limit, self.most, self.tail = limit, most, 1 - q
        self._log_need_breached = log(1 / (ANYTIME * alpha))
        self._log_need_met = log(1 / (ANYTIME * beta))
        self._tail_alpha, self._tail_beta = (1 - ANYTIME) * alpha, (1 - ANYTIME) * beta
        self._above = mixture_of(ABOVE, self.tail)
        self._below = mixture_of(BELOW, self.tail)
        self._looks = iter(_looks(most))
        self._next_look = next(self._looks)
        self._values: list[float] = []
        self._sorted: list[float] = []
        self._design_effect = (0, 1.0)  # as of so many values
        self.count = self.exceeding = 0

    def quantile(self, q: float) -> float:
        """The value at rank ceil(q n). Infinite where that call failed. Needs a value."""
        return self.values[max(ceil(q * self.count) - 1, 0)]

    def add(self, value: float) -> Decision | None:
        """Takes the next value, infinite for a failure; None while the sample must go on."""
        self._values.append(value)
        self.count += 1
        if value > self.limit:
            self.exceeding += 1
        if self.count < self._next_look:
            return None
        self._next_look = next(self._looks, self.count + 1)
        return self.look() or (Decision.INCONCLUSIVE if self.count >= self.most else None)

    def look(self) -> Decision | None:
        """What the values so far say; None while they do not suffice."""
        breached = self.exceeding > self.count * self.tail
        if not self.count or not self._decided(breached=breached):
            return None
        return Decision.BREACHED if breached else Decision.MET

    def size_to_decide(self) -> int | None:
        """How many values would decide if the next ones are like these; None where these lie too
        close to the limit to say.
        """
        n, k, deflation = self.count, self.exceeding, self.design_effect
        breached = k > n * self.tail
        mixture = self._above if breached else self._below
        need = self._log_need_breached if breached else self._log_need_met
        low, high = 1.0, 1.0
        while n and log_e_value(mixture, high * n / deflation, high * k / deflation) < need:
            low, high = high, high * 2
            if high * n > _MOST_WORTH_NAMING:
                return None
        while high - low > 0.01 * low:
            middle = (low + high) / 2
            enough = log_e_value(mixture, middle * n / deflation, middle * k / deflation) >= need
            low, high = (low, middle) if enough else (middle, high)
        return ceil(high * n) if n else None

    def halves(self) -> "tuple[QuantileSample, QuantileSample]":
        """The earlier and the later values, as two samples."""
        first, second = (
            QuantileSample(limit=self.limit, q=1 - self.tail, most=self.most) for _ in range(2)
        )
        for index, value in enumerate(self._values):
            (first if 2 * index < self.count else second).add(value)
        return first, second

    def _decided(self, *, breached: bool) -> bool:
        n, k = self.count, self.exceeding
        mixture = self._above if breached else self._below
        need = self._log_need_breached if breached else self._log_need_met
        decided = log_e_value(mixture, n, k) >= need
        exact = not decided and n >= self.most and self._exact_tail(upper=breached)
        if not decided and not exact:
            return False
        deflation = self.design_effect
        if deflation <= 1:
            return True
        # The exact look is valid for independent values only.
        return log_e_value(mixture, n / deflation, k / deflation) >= need

    def _exact_tail(self, *, upper: bool) -> bool:
        n, k, p = self.count, self.exceeding, self.tail
        counts = range(k, n + 1) if upper else range(k + 1)
        scale = lgamma(n + 1)
        probability = sum(
            exp(scale - lgamma(j + 1) - lgamma(n - j + 1) + j * log(p) + (n - j) * log(1 - p))
            for j in counts
        )
        return probability <= (self._tail_alpha if upper else self._tail_beta)

    @property
    def values(self) -> list[float]:
        """All values, sorted."""
        # Sorted when asked for: between two looks nobody asks, and a load waits for every value.
        if len(self._sorted) != len(self._values):
            self._sorted = sorted(self._values)
        return self._sorted

    @property
    def design_effect(self) -> float:
        """(1 + r) / (1 - r), r the lag-1 correlation of the exceedances, never below 1.

        Of the limit and of the sample's own quantile the larger, since far from the limit there
        are too few exceedances to show how they cluster.
        """
        count, effect = self._design_effect
        if count != self.count:
            levels = (self.limit, self.quantile(1 - self.tail))
            effect = max(_lag_1_design_effect(self._values, level) for level in levels)
            self._design_effect = (self.count, effect)
        return effect


class QuantileTest:
    """A sample, and after a breach a second one that has to say the same.

    `decision` is None while values are wanted. `at_pause` says that a second sample is about to
    start: a pause makes it more independent.
    """

    __slots__ = ("_most", "_q", "at_pause", "decision", "limit", "samples")

    def __init__(self, *, limit: float, q: float, most: int) -> None:
        self.limit, self._q, self._most = limit, q, most
        self.samples = [QuantileSample(limit=limit, q=q, most=most)]
        self.decision: Decision | None = None
        self.at_pause = False

    def add(self, value: float) -> Decision | None:
        """Takes the next value; the decision once there is one."""
        if self.decision is not None:
            return self.decision
        said = self.samples[-1].add(value)
        self.at_pause = False
        if said is None:
            return None
        if said is Decision.BREACHED and len(self.samples) == 1:
            self.samples.append(QuantileSample(limit=self.limit, q=self._q, most=self._most))
            self.at_pause = True
        else:
            agreed = len(self.samples) == 1 or said is Decision.BREACHED
            self.decision = said if agreed else Decision.INCONCLUSIVE
        return self.decision

    def close(self) -> Decision:
        """No more values will come: the decision by those that did.

        Without this an objective would be the safer from a breach the slower the calls are. Where
        no second sample was begun, the halves of the first have to say the same.
        """
        if self.decision is None:
            if self.at_pause:
                self.samples.pop()
                self.at_pause = False
            said = self.samples[-1].look()
            if said is Decision.BREACHED and len(self.samples) == 1:
                self.samples = list(self.samples[0].halves())
                agreed = all(half.look() is Decision.BREACHED for half in self.samples)
            else:
                agreed = len(self.samples) == 1 or said is Decision.BREACHED
            self.decision = said if said is not None and agreed else Decision.INCONCLUSIVE
        return self.decision


def _lag_1_design_effect(values: list[float], level: float) -> float:
    exceeding = [place for place, value in enumerate(values) if value > level]
    n, total = len(values), len(exceeding)
    mean = total / n
    if not 0 < mean < 1:
        return 1.0
    pairs = sum(b - a == 1 for a, b in pairwise(exceeding))
    ends = (exceeding[0] == 0) + (exceeding[-1] == n - 1)
    covariance = (pairs - mean * (2 * total - ends) + mean * mean * (n - 1)) / (n - 1)
    correlation = min(max(covariance / (mean * (1 - mean)), 0.0), _MOST_CORRELATION)
    return (1 + correlation) / (1 - correlation)


@lru_cache(maxsize=64)
def _looks(most: int) -> tuple[int, ...]:
    looks = list(range(_FIRST_LOOK, 200, 10))
    next_look = 200
    while next_look < most:
        looks.append(next_look)
        next_look = max(next_look + 1, int(next_look * 1.06))
    return (*(look for look in looks if look < most), most)
