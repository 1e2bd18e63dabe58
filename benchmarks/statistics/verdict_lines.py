"""The rows A1 to A10 and F1: what must hold, in words, beside what was measured."""

import time
from collections.abc import Sequence
from itertools import islice
from random import Random
from statistics import fmean, median

from benchmarks.statistics.acceptance import Line
from benchmarks.statistics.verdict_runs import Tallies
from tests.stats.acceptance_of_verdicts import NAIVE, ROWS, RUNS, SMALLEST_TO_MEET, Bound
from tests.stats.simulated_durations import (
    COUNT,
    SHAPES,
    Simulated,
    steady_quantile,
)
from tests.stats.simulated_durations import (
    simulated as warm_ups,
)
from tests.stats.simulated_latencies import INDEPENDENT, SERVICES
from tests.stats.simulated_verdicts import Case, Tally, stopwatch_says_slow

from withstand.slo import parse_objective
from withstand.slo.trial import Trial
from withstand.stats.e_value import fewest_to_meet

_NAIVE_CASE = Case(service=INDEPENDENT, share=0.025)
_MOST_US = 5.0
_SEED = 61


def cases(id: str) -> list[Case]:
    """What has to be simulated for a row."""
    found = [row.case for row in ROWS if row.id == id]
    return [*found, _NAIVE_CASE] if id == "A9" else found


def setup(id: str, runs: int) -> str:
    """What one figure of a row is about."""
    if id == "A8":
        return "computed"
    if id == "A10":
        return "CPU time of the process, median of batches of 20,000 requests"
    if id == "F1":
        return f"{runs // 5:,} series of {COUNT:,} requests each"
    return f"{runs:,} runs each, p95 < 200 ms"


def simulated(id: str, tallies: Tallies) -> list[Line]:
    """The rows that are bounds on many runs."""
    return [
        Line(
            scenario=f"{row.case.service}; {100 * row.case.share:g} % slow",
            must="; ".join(_must(bound) for bound in row.bounds),
            measured="; ".join(_measured(bound, tallies[row.case]) for bound in row.bounds),
            held=all(_held(bound, tallies[row.case]) for bound in row.bounds),
        )
        for row in ROWS
        if row.id == id
    ]


def _held(bound: Bound, tally: Tally) -> bool:
    return bound.holds(tally) if tally.runs >= RUNS else bound.may_hold(tally)


def _must(bound: Bound) -> str:
    sign, value = ("≥", bound.least) if bound.least is not None else ("≤", bound.most or 0.0)
    if bound.of == "requests":
        return f"mean of requests {sign} {value:,.0f}"
    return f"{bound.of} {sign} {100 * value:g} %"


def _measured(bound: Bound, tally: Tally) -> str:
    value = bound.value(tally)
    return f"{value:,.0f}" if bound.of == "requests" else f"{100 * value:.4g} %"


def smallest() -> list[Line]:
    """A8: by arithmetic."""
    lines = []
    for q, sizes in SMALLEST_TO_MEET.items():
        found = tuple(fewest_to_meet(q, exceeding=slow) for slow in range(len(sizes)))
        lines.append(
            Line(
                scenario=f"p{100 * q:g}, least requests to meet it with 0, 1, 2, 3 slow ones",
                must=", ".join(map(str, sizes)),
                measured=", ".join(map(str, found)),
                held=found == sizes,
            )
        )
    return lines


def naive(tallies: Tallies, runs: int) -> list[Line]:
    """A9: what a stopwatch says of a service that keeps its promise, beside the verdict."""
    lines = []
    for requests, (least, most) in NAIVE.items():
        slow = sum(stopwatch_says_slow(_NAIVE_CASE, run, requests=requests) for run in range(runs))
        what = "one request" if requests == 1 else f"the p95 of {requests} requests"
        lines.append(
            Line(
                scenario=f"{what} is above the limit; 2.5 % slow, where 5 % may",
                must=f"{100 * least:g} to {100 * most:g} % of the runs",
                measured=f"{100 * slow / runs:.3g} %",
                held=least <= slow / runs <= most,
            )
        )
    false = tallies[_NAIVE_CASE].breached
    lines.append(
        Line(
            scenario="the verdict is breached, on the same service",
            must="≤ 0.1 % of the runs",
            measured=f"{100 * false / runs:.3g} %",
            held=false / runs <= 0.001,
        )
    )
    return lines


def cost() -> list[Line]:
    """A10: CPU time that a request costs, and a verdict. Told, and asserted nowhere."""
    lines = []
    for share in (0.0, 0.025, 0.05, 0.10):
        stream = SERVICES[INDEPENDENT](Random(_SEED), share)  # noqa: S311 - a simulation
        batches = [[1e6 * value for value in islice(stream, 20_000)] for _ in range(9)]
        spent = [_spent_us(batch) for batch in batches]
        found, verdict = (median(each) for each in zip(*spent, strict=True))
        lines.append(
            Line(
                scenario=f"{INDEPENDENT}; {100 * share:g} % slow",
                must=f"≤ {_MOST_US:g} µs of CPU per request",
                measured=f"{found:.1f} µs, and {verdict / 1000:.1f} ms for the verdict at the end",
                held=found <= _MOST_US,
            )
        )
    return lines


def _spent_us(latencies_ns: Sequence[float]) -> tuple[float, float]:
    """For each request with all that is asked of a trial beside it, and for each verdict."""
    objective = parse_objective("p95<200ms")
    requests_ns = verdicts_ns = verdicts = 0
    stream = iter(latencies_ns)
    left = True
    while left:
        began_ns = time.process_time_ns()
        trial = Trial("GET /users", [objective])
        while not trial.done:
            value = next(stream, None)
            if value is None:
                left = False
                break
            trial.add(value)
        ended_ns = time.process_time_ns()
        trial.verdicts()
        requests_ns += ended_ns - began_ns
        verdicts_ns += time.process_time_ns() - ended_ns
        verdicts += 1
    return requests_ns / 1000 / len(latencies_ns), verdicts_ns / 1000 / verdicts


def warm_up_rules(runs: int) -> list[Line]:
    """F1: how much is cut, and what is called unsteady."""
    steady, drift = "steady", "never steady, x3 to x1"
    found = list(warm_ups(steady, runs=runs, seed=_SEED))
    cut = sorted(run.found.dropped for run in found)[int(0.9 * runs)]
    flagged = _flagged(found)
    lines = [
        Line(
            scenario="a steady series",
            must=f"cut p90 ≤ {COUNT // 20}; called unsteady ≤ 2 %",
            measured=f"{cut}; {100 * flagged:.2g} %",
            held=cut <= COUNT // 20 and flagged <= 0.02,
        )
    ]
    truth = {q: steady_quantile(q, seed=_SEED) for q in (0.5, 0.95)}
    for shape in ("step x2 until 200", "two steps until 300"):
        length, _ = SHAPES[shape]
        found = list(warm_ups(shape, runs=runs, seed=_SEED))
        middle = median(run.found.dropped for run in found)
        bias = [_kept(found, q) / true - 1 for q, true in truth.items()]
        lines.append(
            Line(
                scenario=shape,
                must=f"median cut {length} ± 10 %; bias of p50, p95 ≤ 2 %",
                measured=f"{middle:.0f}; {100 * bias[0]:+.2f} %, {100 * bias[1]:+.2f} %",
                held=abs(middle / length - 1) <= 0.1 and max(map(abs, bias)) <= 0.02,
            )
        )
    flagged = _flagged(list(warm_ups(drift, runs=runs, seed=_SEED)))
    lines.append(
        Line(
            scenario=drift,
            must="called unsteady ≥ 95 %",
            measured=f"{100 * flagged:.3g} %",
            held=flagged >= 0.95,
        )
    )
    return lines


def _flagged(found: Sequence[Simulated]) -> float:
    return fmean(not run.found.steady for run in found)


def _kept(found: Sequence[Simulated], q: float) -> float:
    rests = (run.durations[run.found.dropped :] for run in found)
    return fmean(sorted(rest)[int(q * len(rest))] for rest in rests)
