"""How often the rules of `withstand compare` call a version slower, on simulated restarts: the
tables behind `withstand.stats.regression`.

    python -m benchmarks.statistics.regression [--runs N] [--gate]

`--gate` runs the rows of the design that fails builds alone, which are those that the page of
figures has. The whole takes some minutes with two processes.
The fast subset of the same simulations stands in tests/stats/test_regression.py.
"""

import argparse
import sys
from collections import Counter
from multiprocessing import Pool

from benchmarks.statistics.acceptance import Line, record
from tests.stats.simulated_restarts import Design, comparisons

from withstand.stats.regression import MARGIN, MARGIN_WITHOUT_RESTARTS, Change

RUNS = 2_000
SEED = 20_260_801
GATE = "10 x 4 x 100"
QUANTILES = (0.5, 0.95)
EFFECTS = (0.0, 0.05, 0.10, 0.20)
DESIGNS = {
    GATE: (Design(), MARGIN),
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS, help="comparisons without a change")
    parser.add_argument("--gate", action="store_true", help="only the design that fails builds")
    options = parser.parse_args()
    names = [GATE] if options.gate else list(DESIGNS)
    runs = options.runs
    say(f"{runs} runs without a change, {runs // 4} of each other; slower / not slower / undecided")
    say("in percent\n")
    say("| restarts x blocks x requests | | " + " | ".join(f"+{e:.0%}" for e in EFFECTS) + " |")
    say("|---|---|" + "---|" * len(EFFECTS))
    cells = [
        (name, q, effect, runs if effect == 0 else runs // 4)
        for name in names
        for q in QUANTILES
        for effect in EFFECTS
    ]
    shares: dict[tuple[str, float, float], float] = {}
    with Pool(2) as pool:
        found = pool.imap(_cell, cells)
        for name in names:
            for q in QUANTILES:
                texts = []
                for effect in EFFECTS:
                    shares[name, q, effect], text = next(found)
                    texts.append(text)
                say(f"| {name} | p{100 * q:g} | " + " | ".join(texts) + " |")
    if runs == RUNS:
        _record({(q, effect): shares[GATE, q, effect] for q in QUANTILES for effect in EFFECTS})


def _cell(asked: tuple[str, float, float, int]) -> tuple[float, str]:
    """The share that was called slower, and all shares as text."""
    name, q, effect, runs = asked
    design, margin = DESIGNS[name]
    found = Counter(
        each.state for each in comparisons(effect, q, design, runs=runs, seed=SEED, margin=margin)
    )
    text = " / ".join(
        f"{100 * found[state] / runs:.2f}" if effect == 0 else f"{100 * found[state] / runs:.1f}"
        for state in (Change.WORSE, Change.NO_WORSE, Change.UNDECIDED)
    )
    return found[Change.WORSE] / runs, text


def _record(slower: dict[tuple[float, float], float]) -> None:
    """What must hold of the gate, by quantile and change."""
    wanted = ((0.5, 0.0, 0.005), (0.95, 0.0, 0.005), (0.5, 0.1, 0.88), (0.5, 0.2, 0.99),
              (0.95, 0.2, 0.97))  # fmt: skip
    lines = []
    for q, effect, limit in wanted:
        share, clean = slower[q, effect], effect == 0
        lines.append(
            Line(
                scenario=f"p{100 * q:g}, " + ("no change" if clean else f"{effect:.0%} slower"),
                must=f"called slower in at {'most' if clean else 'least'} {limit:.1%}",
                measured=f"{share:.2%}",
                held=share <= limit if clean else share >= limit,
            )
        )
    record(
        "B1",
        command="python -m benchmarks.statistics.regression --gate",
        setup=f"{GATE} restarts, blocks and requests of each version, environment sd 5 %, instance "
        f"sd 2 %; {RUNS:,} comparisons without a change, {RUNS // 4:,} of each other",
        lines=lines,
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
