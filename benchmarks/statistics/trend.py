"""How the rules of a soak do on simulated servers: the tables behind `withstand.stats.leak` and
`withstand.stats.drift`.

    python -m benchmarks.statistics.trend [runs]

The fast subset of the same simulations stands in tests/stats/test_leak.py and test_drift.py.
"""

import sys
from collections import Counter
from collections.abc import Iterable

from tests.stats.simulated_drift import (
    filling_pools,
    leaked_counts,
    level_movements,
    share_movements,
)
from tests.stats.simulated_memory import HOUR_S, MINUTE_S, TOLERANCE_MB, Server, movements

from withstand.stats.drift import Movement

RUNS = 400
SEED = 424242
LENGTHS = {
    "10 min": 10 * MINUTE_S,
    "40 min": 40 * MINUTE_S,
    "1 h": HOUR_S,
    "3 h": 3 * HOUR_S,
    "8 h": 8 * HOUR_S,
}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    say(f"{runs} runs each; grows / steady / undecided in percent\n")
    say(f"Memory, tolerance {TOLERANCE_MB} MB\n")
    say(f"| server | {' | '.join(LENGTHS)} |\n|{'---|' * (1 + len(LENGTHS))}")
    for name in servers(HOUR_S):
        cells = [
            shares(movements(servers(lasts_s)[name], lasts_s, runs=runs, seed=SEED))
            for lasts_s in LENGTHS.values()
        ]
        say(f"| {name} | {' | '.join(cells)} |")
    latency(runs)
    errors(runs)
    descriptors(runs)


def servers(lasts_s: float) -> dict[str, Server]:
    return {
        "flat": Server(warm=0),
        "warm-up, tau T/15": Server(tau_s=lasts_s / 15),
        "warm-up, tau T/12": Server(tau_s=lasts_s / 12),
        "warm-up, tau T/5": Server(tau_s=lasts_s / 5),
        "warm-up, tau T/2.5": Server(tau_s=lasts_s / 2.5),
        "log creep 4 (0.4 tol)": Server(creep=4),
        "log creep 7 (0.7 tol)": Server(creep=7),
        "log creep 10 (1 tol)": Server(creep=10),
        "records of 3 MB": Server(records=3),
        "records of 6 MB": Server(records=6),
        "collector 30-120 s, 50 MB": Server(collector_s=(30, 120), sawtooth=50),
        "AR(1) 0.97, sd 2.5 MB": Server(phi=0.97, noise=2.5),
    } | {
        f"leak of {tolerances:g} tol": Server(leaked=tolerances * TOLERANCE_MB)
        for tolerances in (0.5, 1, 2, 3, 5, 10)
    }


def latency(runs: int) -> None:
    drifts = (0, 0.05, 0.1, 0.2, 0.4)
    say("\nLevel of 24 windows, tolerance 10 %\n")
    say(f"| noise sd, AR(1) | {' | '.join(f'+{drift:.0%}' for drift in drifts)} |")
    say(f"|{'---|' * (1 + len(drifts))}")
    for noise in (0.02, 0.05, 0.1):
        for phi in (0.0, 0.5):
            cells = [
                shares(level_movements(drift, noise=noise, phi=phi, runs=runs, seed=SEED))
                for drift in drifts
            ]
            say(f"| {noise}, {phi} | {' | '.join(cells)} |")


def errors(runs: int) -> None:
    rises = (
        (0, 0),
        (0.001, 0.001),
        (0.01, 0.01),
        (0.01, 0.015),
        (0.01, 0.02),
        (0.001, 0.005),
        (0, 0.005),
    )
    say("\nShare of errors\n")
    say(f"| window, dispersion | {' | '.join(f'{a:.1%} to {b:.1%}' for a, b in rises)} |")
    say(f"|{'---|' * (1 + len(rises))}")
    for size in (200, 2000):
        for dispersion in (0.0, 0.5):
            cells = [
                shares(
                    share_movements(
                        before, after, size=size, dispersion=dispersion, runs=runs, seed=SEED
                    )
                )
                for before, after in rises
            ]
            say(f"| {size}, {dispersion} | {' | '.join(cells)} |")


def descriptors(runs: int) -> None:
    say("\nDescriptors\n\n| lost for good | |\n|---|---|")
    for leaked in (0, 2.4, 6, 12, 24, 48):
        say(f"| {leaked} | {shares(leaked_counts(leaked, runs=runs, seed=SEED))} |")
    say(f"| none, a pool that fills up | {shares(filling_pools(runs=runs, seed=SEED))} |")


def shares(found: Iterable[Movement]) -> str:
    counted = Counter(found)
    return " / ".join(
        f"{100 * counted[state] / counted.total():.1f}"
        for state in (Movement.GROWS, Movement.STEADY, Movement.UNDECIDED)
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
