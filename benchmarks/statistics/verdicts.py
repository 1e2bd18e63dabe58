"""What the verdicts on latency do on simulated services: rows A1 to A10 and F1 of
docs/statistics.md, and its tables.

    python -m benchmarks.statistics.verdicts              # all of it, about ten minutes
    python -m benchmarks.statistics.verdicts --runs 100   # a quick look, printed and not kept
    python -m benchmarks.statistics.verdicts --only A5
    python -m benchmarks.statistics.verdicts --page-only  # docs/statistics.md from results.json

Seeded run by run, so the number of processes changes nothing. The code that decides is the
project's own; the services and the bounds are those of tests/stats, which holds a part of it.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from functools import partial

from benchmarks.statistics import verdict_lines, verdict_tables
from benchmarks.statistics.acceptance import Line, record, recorded, save
from benchmarks.statistics.verdict_runs import Tallies, tally_all
from tests.stats.acceptance_of_verdicts import RUNS

COMMAND = "python -m benchmarks.statistics.verdicts"
Lines = Callable[[Tallies], list[Line]]


def main() -> None:
    """Run what is asked for, and say whether it held."""
    asked = _asked()
    if asked.page_only:
        save(recorded())
        return
    makers = _makers(asked.runs)
    wanted = asked.only or [*makers, "tables"]
    tables, full = "tables" in wanted, asked.runs == RUNS
    # What holds nothing to a bound needs no such precision, and p99 takes thousands of requests.
    runs_of = dict.fromkeys(verdict_tables.CASES if tables else (), max(asked.runs // 5, 1))
    runs_of |= {case: asked.runs for id in wanted for case in verdict_lines.cases(id)}
    tallies = tally_all(runs_of, processes=asked.processes, say=_say)
    failed = 0
    for id, lines_of in makers.items():
        if id not in wanted:
            continue
        lines = lines_of(tallies)
        for line in lines:
            _print(id, line)
        failed += sum(line.held is False for line in lines)
        if full:
            record(id, command=COMMAND, setup=verdict_lines.setup(id, asked.runs), lines=lines)
    if tables and full:
        save({**recorded(), "tables": verdict_tables.tables(tallies)})
    _say(f"{failed} lines do not hold" if failed else "all lines hold")


def _makers(runs: int) -> Mapping[str, Lines]:
    simulated = {
        f"A{number}": partial(verdict_lines.simulated, f"A{number}") for number in range(1, 8)
    }
    return {
        **simulated,
        "A8": lambda _: verdict_lines.smallest(),
        "A9": lambda tallies: verdict_lines.naive(tallies, runs),
        "A10": lambda _: verdict_lines.cost(),
        "F1": lambda _: verdict_lines.warm_up_rules(max(runs // 5, 10)),
    }


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS, help=f"of each case (default {RUNS})")
    parser.add_argument(
        "--only", action="append", choices=[*_makers(1), "tables"], help="may be repeated"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page-only", action="store_true", help="run nothing, write the page")
    return parser.parse_args()


def _print(id: str, line: Line) -> None:
    held = {True: "held", False: "NOT HELD", None: "-"}[line.held]
    sys.stdout.write(f"{id:4} {held:9} {line.scenario}: {line.must}: {line.measured}\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
