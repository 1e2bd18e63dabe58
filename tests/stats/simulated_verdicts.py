"""Sequential verdicts on simulated services: what was decided, and after how many requests.

Every run has a seed of its own, made of its case and its number: it comes out the same alone, in a
test or in another process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from random import Random
from statistics import quantiles
from types import MappingProxyType
from typing import Final

from tests.stats.simulated_latencies import LIMIT_MS, SERVICES
from withstand.stats.sequential import Decision, QuantileTest

MOST: Final = MappingProxyType({0.5: 1_000, 0.9: 1_000, 0.95: 2_000, 0.99: 10_000})
"""Where `withstand.slo.trial` gives a sample up; tests/stats/test_acceptance_of_verdicts.py holds
the two together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A service of `SERVICES`, its share of slow requests, and the quantile it is judged by.

    `pause`: the sample that has to reproduce a breach sees the service some time later. Without,
    it sees the very next requests.
    """

    service: str
    share: float
    q: float = 0.95
    pause: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What many runs of one case came to."""

    met: int = 0
    breached: int = 0
    inconclusive: int = 0
    requests: int = 0

    @property
    def runs(self) -> int:
        return self.met + self.breached + self.inconclusive

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            met=self.met + other.met,
            breached=self.breached + other.breached,
            inconclusive=self.inconclusive + other.inconclusive,
            requests=self.requests + other.requests,
        )


def tallied(case: Case, numbers: Iterable[int]) -> Tally:
    """The runs of these numbers."""
    total = Tally()
    for number in numbers:
        total += _run(case, number)
    return total


def _run(case: Case, number: int) -> Tally:
    random = Random(f"{case} {number}")
    test = QuantileTest(limit=LIMIT_MS, q=case.q, most=MOST[case.q])
    requests = 0
    stream = SERVICES[case.service](random, case.share)
    while test.decision is None:
        for value in stream:
            requests += 1
            if test.add(value) is not None or (case.pause and test.at_pause):
                break
        stream = SERVICES[case.service](random, case.share)
    return Tally(
        met=test.decision is Decision.MET,
        breached=test.decision is Decision.BREACHED,
        inconclusive=test.decision is Decision.INCONCLUSIVE,
        requests=requests,
    )


def stopwatch_says_slow(case: Case, number: int, *, requests: int) -> bool:
    """What is done without statistics: the p95 of so many requests, interpolated as numpy does,
    is above the limit. Of one request: it is."""
    random = Random(f"{case} {number}")
    values = list(islice(SERVICES[case.service](random, case.share), requests))
    p95 = quantiles(values, n=20, method="inclusive")[-1] if requests > 1 else values[0]
    return p95 > LIMIT_MS
