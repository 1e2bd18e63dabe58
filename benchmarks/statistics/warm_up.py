"""How the warm-up rules do on simulated series: the table behind `withstand.stats.warm_up`.

    python -m benchmarks.statistics.warm_up [runs]

The fast subset of the same simulations stands in tests/stats/test_warm_up.py.
"""

import sys
from collections.abc import Iterable
from statistics import fmean, median

from tests.stats.simulated_durations import (
    SHAPES,
    Simulated,
    dependent,
    simulated,
    steady_quantile,
)

RUNS = 400
SEED = 61


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    truth = {q: steady_quantile(q, seed=SEED) for q in (0.5, 0.95)}
    say(f"{runs} runs each\n")
    say("| series | true warm-up | cut median (p90) | not steady | p50 bias | p95 bias |")
    say("|---|---|---|---|---|---|")
    for shape, (length, _) in SHAPES.items():
        show(shape, length, simulated(shape, runs=runs, seed=SEED), truth)
    show("steady, AR(1) 0.8", 0, dependent(runs=runs, seed=SEED), truth)


def show(name: str, length: int, runs: Iterable[Simulated], truth: dict[float, float]) -> None:
    series = list(runs)
    cuts = sorted(run.found.dropped for run in series)
    unsteady = fmean(not run.found.steady for run in series)
    bias = []
    for q, true in truth.items():
        kept = fmean(
            sorted(rest)[int(q * len(rest))]
            for run in series
            for rest in (run.durations[run.found.dropped :],)
        )
        bias.append(f"{100 * (kept / true - 1):+.1f} %")
    say(
        f"| {name} | {length} | {median(cuts):.0f} ({cuts[int(0.9 * len(cuts))]}) "
        f"| {100 * unsteady:.1f} % | {' | '.join(bias)} |",
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
