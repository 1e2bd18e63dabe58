"""How often the rules of `withstand compare` call a version slower, on simulated restarts: the
tables behind `withstand.stats.regression`.

    python -m benchmarks.statistics.regression [runs]

The fast subset of the same simulations stands in tests/stats/test_regression.py.
"""

import sys
from collections import Counter
from multiprocessing import Pool

from tests.stats.simulated_restarts import Design, comparisons

from withstand.stats.regression import MARGIN, MARGIN_WITHOUT_RESTARTS, Change

RUNS = 2_000
SEED = 20_260_801
EFFECTS = (0.0, 0.05, 0.10, 0.20)
DESIGNS = {
    "10 x 4 x 100": (Design(), MARGIN),
    "10 x 4 x 100, starts differ by t3 3 %": (
        Design(instance_sd=0.03, instance_tails=True),
        MARGIN,
    ),
    "10 x 4 x 100, starts differ by 5 %, environment 10 %": (
        Design(environment_sd=0.1, instance_sd=0.05),
        MARGIN,
    ),
    "5 x 4 x 100": (Design(restarts=5), MARGIN),
    "one start, 30 blocks x 100": (Design(restarts=1, blocks=30), MARGIN_WITHOUT_RESTARTS),
    "one start, 30 blocks x 100, starts differ by 5 %": (
        Design(restarts=1, blocks=30, instance_sd=0.05),
        MARGIN_WITHOUT_RESTARTS,
    ),
}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    say(f"{runs} runs without a change, {runs // 4} of each other; slower / not slower / undecided")
    say("in percent\n")
    say("| restarts x blocks x requests | | " + " | ".join(f"+{e:.0%}" for e in EFFECTS) + " |")
    say("|---|---|" + "---|" * len(EFFECTS))
    cells = [
        (name, q, effect, runs if effect == 0 else runs // 4)
        for name in DESIGNS
        for q in (0.5, 0.95)
        for effect in EFFECTS
    ]
    with Pool(2) as pool:
        found = iter(pool.imap(_cell, cells))
        for name in DESIGNS:
            for q in (0.5, 0.95):
                say(f"| {name} | p{100 * q:g} | " + " | ".join(next(found) for _ in EFFECTS) + " |")


def _cell(asked: tuple[str, float, float, int]) -> str:
    name, q, effect, runs = asked
    design, margin = DESIGNS[name]
    found = Counter(
        each.state for each in comparisons(effect, q, design, runs=runs, seed=SEED, margin=margin)
    )
    return " / ".join(
        f"{100 * found[state] / runs:.2f}" if effect == 0 else f"{100 * found[state] / runs:.1f}"
        for state in (Change.WORSE, Change.NO_WORSE, Change.UNDECIDED)
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
