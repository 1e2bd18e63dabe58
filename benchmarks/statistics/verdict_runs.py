"""Many runs of many cases, in several processes."""

import random
from collections.abc import Callable, Mapping
from multiprocessing import get_context

from tests.stats.simulated_verdicts import Case, Tally, tallied

_CHUNK = 50

Tallies = Mapping[Case, Tally]


def tally_all(
    runs_of: Mapping[Case, int], *, processes: int, say: Callable[[str], None]
) -> Tallies:
    """So many runs of every case: the same, whatever the number of processes."""
    tasks = [
        (case, start, min(start + _CHUNK, runs))
        for case, runs in sorted(runs_of.items(), key=str)
        for start in range(0, runs, _CHUNK)
    ]
    # Costly cases lie side by side; shuffled, the time that is left can be told from the progress.
    random.Random(1).shuffle(tasks)  # noqa: S311 - an order, no secret
    if not tasks:
        return {}
    total = dict.fromkeys(runs_of, Tally())
    with get_context("spawn").Pool(processes) as pool:
        for done, (case, tally) in enumerate(pool.imap_unordered(_tallied, tasks), start=1):
            total[case] += tally
            if done % max(len(tasks) // 20, 1) == 0:
                say(f"{done} of {len(tasks)} parts")
    return total


def _tallied(task: tuple[Case, int, int]) -> tuple[Case, Tally]:
    case, start, end = task
    return case, tallied(case, range(start, end))
