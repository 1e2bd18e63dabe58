"""Whether a quantile lies below a limit, decided while the values come in.

One value is an exceedance when it is above the limit. "The q-quantile is below the limit" says that
the share p of exceedances is below p0 = 1 - q. Two mixture e-processes test p <= p0 and p >= p0; by
Ville's inequality (1939) one of them ever reaches 1/alpha with probability at most alpha, so the
test may be looked at after every value (Howard, Ramdas, McAuliffe & Sekhon 2021; the mixture is a
betting martingale in the sense of Waudby-Smith & Ramdas 2024).

That holds for independent values. For dependent ones the counts are divided by the lag-1 design
effect, and a breach counts only when a second sample reproduces it.
"""

from bisect import insort
from enum import StrEnum
from functools import cache
from itertools import islice
from math import ceil, exp, inf, lgamma, log
from operator import and_
from typing import Final

ALPHA: Final = 0.02  # a breach where there is none, in one sample
BETA: Final = 0.05  # no breach where there is one
_ANYTIME: Final = 0.8  # share of both that the e-processes spend; the look at the end has the rest
_FIRST_LOOK: Final = 40
# (odds of the alternative over the odds of p0, weight)
_ABOVE: Final = ((1.4, 2), (2.0, 4), (4.0, 2), (16.0, 1))
_BELOW: Final = ((0.0, 2), (0.2, 2), (0.5, 4), (0.75, 2))
_MOST_CORRELATION: Final = 0.98
_MOST_WORTH_NAMING: Final = 1_000_000

_Mixture = list[tuple[float, float, float]]


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
        "_log_need_breached",
        "_log_need_met",
        "_looks",
        "_sorted",
        "_tail_alpha",
        "_tail_beta",
        "_values",
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
        self._log_need_breached = log(1 / (_ANYTIME * alpha))
        self._log_need_met = log(1 / (_ANYTIME * beta))
        self._tail_alpha, self._tail_beta = (1 - _ANYTIME) * alpha, (1 - _ANYTIME) * beta
        self._above = _known_mixture(_ABOVE, self.tail)
        self._below = _known_mixture(_BELOW, self.tail)
        self._looks = _looks(most)
        self._values: list[float] = []
        self._sorted: list[float] = []
        self.exceeding = 0

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self._values)

    def quantile(self, q: float) -> float:
        """The value at rank ceil(q n). Infinite where that call failed. Needs a value."""
        return self._sorted[max(ceil(q * self.count) - 1, 0)]

    def add(self, value: float) -> Decision | None:
        """Takes the next value, infinite for a failure; None while the sample must go on."""
        self._values.append(value)
        insort(self._sorted, value)
        self.exceeding += value > self.limit
        if self.count not in self._looks:
            return None
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
        while n and _log_e_value(mixture, high * n / deflation, high * k / deflation) < need:
            low, high = high, high * 2
            if high * n > _MOST_WORTH_NAMING:
                return None
        while high - low > 0.01 * low:
            middle = (low + high) / 2
            enough = _log_e_value(mixture, middle * n / deflation, middle * k / deflation) >= need
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
        decided = _log_e_value(mixture, n, k) >= need
        exact = not decided and n >= self.most and self._exact_tail(upper=breached)
        if not decided and not exact:
            return False
        deflation = self.design_effect
        if deflation <= 1:
            return True
        # The exact look is valid for independent values only.
        return _log_e_value(mixture, n / deflation, k / deflation) >= need

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
        return self._sorted

    @property
    def design_effect(self) -> float:
        """(1 + r) / (1 - r), r the lag-1 correlation of the exceedances, never below 1.

        Of the limit and of the sample's own quantile the larger, since far from the limit there
        are too few exceedances to show how they cluster.
        """
        if not self.count:
            return 1.0
        levels = (self.limit, self.quantile(1 - self.tail))
        return max(_lag_1_design_effect([value > level for value in self._values])
                   for level in levels)  # fmt: skip


class QuantileTest:
    """A sample, and after a breach a second one that has to say the same.

    `decision` is None while values are wanted.
    """

    __slots__ = ("_most", "_q", "decision", "limit", "samples")

    def __init__(self, *, limit: float, q: float, most: int) -> None:
        self.limit, self._q, self._most = limit, q, most
        self.samples = [QuantileSample(limit=limit, q=q, most=most)]
        self.decision: Decision | None = None

    @property
    def at_pause(self) -> bool:
        """Whether a second sample is about to start: a pause makes it more independent."""
        return len(self.samples) == 2 and self.samples[1].count == 0

    def add(self, value: float) -> Decision | None:
        """Takes the next value; the decision once there is one."""
        if self.decision is not None:
            return self.decision
        said = self.samples[-1].add(value)
        if said is Decision.BREACHED and len(self.samples) == 1:
            self.samples.append(QuantileSample(limit=self.limit, q=self._q, most=self._most))
        elif said is not None:
            agreed = len(self.samples) == 1 or said is Decision.BREACHED
            self.decision = said if agreed else Decision.INCONCLUSIVE
        return self.decision

    def close(self) -> Decision:
        """No more values will come: the decision by those that did.

        Without this an objective would be the safer from a breach the slower the calls are. Where
        no second sample was begun, the halves of the first have to say the same.
        """
        if self.decision is None:
            said = self.samples[-1].look()
            if said is Decision.BREACHED and len(self.samples) == 1:
                self.samples = list(self.samples[0].halves())
                agreed = all(half.look() is Decision.BREACHED for half in self.samples)
            else:
                agreed = len(self.samples) == 1 or said is Decision.BREACHED
            self.decision = said if said is not None and agreed else Decision.INCONCLUSIVE
        return self.decision


def surely_above(n: float, k: float, tail: float, *, alpha: float = ALPHA) -> bool:
    """Whether `k` exceedances of `n` show that more than the share `tail` of all values exceed."""
    return _log_e_value(_known_mixture(_ABOVE, tail), n, k) >= log(1 / (_ANYTIME * alpha))


def surely_below(n: float, k: float, tail: float, *, beta: float = BETA) -> bool:
    """Whether `k` exceedances of `n` show that less than the share `tail` of all values exceed."""
    return _log_e_value(_known_mixture(_BELOW, tail), n, k) >= log(1 / (_ANYTIME * beta))


def fewest_to_meet(q: float, *, exceeding: int = 0, beta: float = BETA) -> int:
    """The size of the smallest sample that meets a limit with so many exceedances in it."""
    mixture = _mixture(_BELOW, 1 - q)
    count = exceeding
    while _log_e_value(mixture, count, exceeding) < log(1 / (_ANYTIME * beta)):
        count += 1
    return count


def _mixture(alternatives: tuple[tuple[float, int], ...], p0: float) -> _Mixture:
    """For each alternative the log of its weight, and of its bet on an exceedance and on none."""
    total = sum(weight for _, weight in alternatives)
    mixture: _Mixture = []
    for odds_ratio, weight in alternatives:
        odds = odds_ratio * p0 / (1 - p0)
        p = odds / (1 + odds)
        mixture.append(
            (log(weight / total), log(p / p0) if p > 0 else -inf, log((1 - p) / (1 - p0)))
        )
    return mixture


_known_mixture = cache(_mixture)


def _log_e_value(mixture: _Mixture, n: float, k: float) -> float:
    terms = [
        weight + (k * exceeding if k else 0.0) + (n - k) * below
        for weight, exceeding, below in mixture
    ]
    greatest = max(terms)
    if greatest == -inf:
        return greatest
    return greatest + log(sum(exp(term - greatest) for term in terms))


def _lag_1_design_effect(exceeds: list[bool]) -> float:
    n, total = len(exceeds), sum(exceeds)
    mean = total / n
    if not 0 < mean < 1:
        return 1.0
    # Without a loop, since every look comes here.
    pairs: int = sum(map(and_, exceeds, islice(exceeds, 1, None)))
    ends = exceeds[0] + exceeds[-1]
    covariance = (pairs - mean * (2 * total - ends) + mean * mean * (n - 1)) / (n - 1)
    correlation = min(max(covariance / (mean * (1 - mean)), 0.0), _MOST_CORRELATION)
    return (1 + correlation) / (1 - correlation)


@cache
def _looks(most: int) -> frozenset[int]:
    looks = list(range(_FIRST_LOOK, 200, 10))
    next_look = 200
    while next_look < most:
        looks.append(next_look)
        next_look = max(next_look + 1, int(next_look * 1.06))
    return frozenset([*(look for look in looks if look < most), most])
