"""How well the search for the sustainable rate does on queues whose limit is known: the table
behind `withstand.stats.capacity` and `withstand.slo.step_verdict`.

    python -m benchmarks.statistics.capacity [searches]

Seeded. The queues are served first come, first served, by eight workers of 20 ms each (capacity
400 a second), with Poisson arrivals; the code that searches is that of `withstand stress`. The
fast subset of the same simulations stands in tests/slo/test_capacity.py.
"""

import math
import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean, median, stdev

from tests.slo.simulated_queue import Queue, search

from withstand.slo import parse_objective
from withstand.slo.capacity import Capacity, capacity
from withstand.stats.capacity import SearchPlan

SEARCHES = 60
SEED = 20260
SERVICE_S = 0.02
WORKERS = 8


def exponential(draw: random.Random) -> float:
    return draw.expovariate(1 / SERVICE_S)


def lognormal(draw: random.Random) -> float:
    return SERVICE_S * math.exp(0.8 * draw.gauss(0, 1) - 0.32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A server, an objective and a start. `true_per_s` None: it is measured in a long run."""

    name: str
    service_s: Callable[[random.Random], float]
    limit_ms: float
    start_per_s: float
    true_per_s: float | None = None
    freeze_every_s: float = 0.0
    freeze_s: float = 0.0

    def queue(self, seed: int) -> Queue:
        return Queue(
            random.Random(seed),  # noqa: S311 - a simulation, no secrets
            self.service_s,
            workers=WORKERS,
            freeze_every_s=self.freeze_every_s,
            freeze_s=self.freeze_s,
        )


def mmc_limit_per_s(limit_s: float) -> float:
    """The rate at which 5 % of an M/M/8 queue's customers stay longer than a limit (Erlang C)."""
    rate = 1 / SERVICE_S

    def exceeding(arrivals: float) -> float:
        load = arrivals / rate
        terms = [load**k / math.factorial(k) for k in range(WORKERS)]
        last = load**WORKERS / math.factorial(WORKERS) * WORKERS / (WORKERS - load)
        waits = last / (math.fsum(terms) + last)
        spare = WORKERS - 1 - load
        late = math.exp(-rate * limit_s)
        if abs(spare) < 1e-9:
            return late * (1 + waits * rate * limit_s)
        return late * (1 + waits * (1 - math.exp(-rate * limit_s * spare)) / spare)

    return _bisected(exceeding, 1.0, WORKERS * rate * 0.9999)


def measured_limit_per_s(case: Case) -> float:
    """The same of any queue, from runs of 100 minutes: within some 0.5 %."""

    def exceeding(arrivals: float) -> float:
        queue = case.queue(SEED)
        for _ in range(20):
            queue.second(arrivals)
        stays = [end - at for _ in range(6000) for at, end in queue.second(arrivals)]
        return sum(stay > case.limit_ms / 1000 for stay in stays) / len(stays)

    return _bisected(exceeding, 350.0, 396.0, steps=7)


def _bisected(
    exceeding: Callable[[float], float], low: float, high: float, *, steps: int = 60
) -> float:
    for _ in range(steps):
        middle = (low + high) / 2
        if exceeding(middle) > 0.05:
            high = middle
        else:
            low = middle
    return (low + high) / 2


CASES = (
    Case(
        name="M/M/8, p95<100 ms",
        service_s=exponential,
        limit_ms=100,
        start_per_s=20,
        true_per_s=mmc_limit_per_s(0.1),
    ),
    Case(
        name="M/M/8, p95<90 ms, from 50",
        service_s=exponential,
        limit_ms=90,
        start_per_s=50,
        true_per_s=mmc_limit_per_s(0.09),
    ),
    Case(name="M/G/8 log-normal, p95<150 ms", service_s=lognormal, limit_ms=150, start_per_s=20),
    Case(
        name="M/M/8 with freezes of 0.3 s in 10 s, p95<600 ms, from 10",
        service_s=exponential,
        limit_ms=600,
        start_per_s=10,
        freeze_every_s=10.0,
        freeze_s=0.3,
    ),
)


def main() -> None:
    searches = int(sys.argv[1]) if len(sys.argv) > 1 else SEARCHES
    say(f"{searches} searches each; low and high are the ends of the bracket, in percent\n")
    say(
        "| queue, objective | true | low: bias (sd) | error of low, 90 % | low > true (by 3 %) "
        "| bracket covers | high / low | held | steps | seconds (90 %) |"
    )
    say(f"|{'---|' * 10}")
    for case in CASES:
        say(row(case, searches))


def row(case: Case, searches: int) -> str:
    """One case's searches as a row of the table."""
    true = case.true_per_s or measured_limit_per_s(case)
    found = [searched(case, SEED + index) for index in range(searches)]
    low = [each.bracket.low_per_s or 0.0 for each in found]
    high = [each.bracket.high_per_s or math.inf for each in found]
    seconds = sorted(sum(step.step.duration_s for step in each.steps) for each in found)
    errors = sorted(abs(value / true - 1) for value in low)
    cells = (
        case.name,
        f"{true:.1f}",
        f"{100 * (fmean(low) / true - 1):+.1f} ({100 * stdev(low) / true:.1f})",
        f"{100 * errors[int(0.9 * searches)]:.1f}",
        f"{share(value > true for value in low)} ({share(value > 1.03 * true for value in low)})",
        share(a <= true <= b for a, b in zip(low, high, strict=True)),
        f"{median(b / a for a, b in zip(low, high, strict=True) if a):.3f}",
        share(each.bracket.held for each in found),
        f"{fmean(len(each.steps) for each in found):.1f}",
        f"{fmean(seconds):.0f} ({seconds[int(0.9 * searches)]:.0f})",
    )
    return f"| {' | '.join(cells)} |"


def searched(case: Case, seed: int) -> Capacity:
    """One search of a case."""
    objectives = (parse_objective(f"p95<{case.limit_ms:g}ms"),)
    measured = search(case.queue(seed), objectives, SearchPlan(start_per_s=case.start_per_s))
    return capacity(objectives, measured)


def share(holds: Iterable[bool]) -> str:
    """How many of them hold, in percent."""
    values = list(holds)
    return f"{100 * sum(values) / len(values):.0f}"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
