"""When the peak of the universal scalability law is told, and how true it is: the table behind
`withstand.stats.usl`.

    python -m benchmarks.statistics.scalability [sweeps]

Seeded. The noise is that of a plotted point, the mean of three runs. The fast subset of the same
simulations stands in tests/stats/test_usl.py.
"""

import math
import random
import sys
from collections.abc import Callable

from tests.stats.test_usl import KAPPA, PEAK, SIGMA, law, plain_queue, swept

from withstand.stats.usl import Scalability

SWEEPS = 500
SEED = 31337
MODELS: dict[str, Callable[[int], float]] = {
    f"the law, peak at {PEAK:.1f} users": law,
    "a plain queue, which has no peak": plain_queue,
}


def main() -> None:
    sweeps = int(sys.argv[1]) if len(sys.argv) > 1 else SWEEPS
    draw = random.Random(SEED)  # noqa: S311 - a simulation, no secrets
    say(f"{sweeps} sweeps each, 1, 2, 4 … users; shares in percent\n")
    say(
        "| throughput | up to | noise | sigma covered | kappa covered | N*, 10 % to 90 % "
        "| N* told |"
    )
    say(f"|{'---|' * 7}")
    for name, model in MODELS.items():
        for doublings in (5, 6, 7, 8):
            levels = [2**power for power in range(doublings)]
            for noise in (0.01, 0.02, 0.05):
                fits = [swept(draw, model, levels, noise=noise) for _ in range(sweeps)]
                say(f"| {name} | {levels[-1]} | {100 * noise:.0f} | {row(fits, model is law)} |")


def row(fits: list[Scalability], is_law: bool) -> str:
    """What the fits of one kind come to."""
    told = f"{100 * sum(each.peak_users is not None for each in fits) / len(fits):.1f}"
    if not is_law:
        return f"- | - | - | {told}"
    covered = [
        f"{100 * sum(value.low <= truth <= value.high for value in values) / len(fits):.0f}"
        for truth, values in (
            (SIGMA, [each.sigma for each in fits]),
            (KAPPA, [each.kappa for each in fits]),
        )
    ]
    peaks = sorted(
        math.sqrt((1 - each.sigma.value) / each.kappa.value) if each.kappa.value else math.inf
        for each in fits
    )
    low, high = peaks[len(peaks) // 10], peaks[9 * len(peaks) // 10]
    return f"{covered[0]} | {covered[1]} | {low:.1f} to {high:.1f} | {told}"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
