"""How often the rule for histories errs, and what it finds: the tables behind
`withstand.stats.history_rule`.

    python -m benchmarks.statistics.history [commits]

Seeded. Runs are lognormal with the deviation said, alone or like the one before (AR 0.4); one in
fifty is odd by up to 35 %. The fast subset stands in tests/stats/test_history_rule.py.
"""

import sys

from benchmarks.statistics.acceptance import Line, record
from tests.stats.simulated_history import false_alarms, found

COMMITS = 40_000
SEED = 424242
DEVIATIONS = (0.02, 0.05, 0.1)
CHANGES = (0.05, 0.1, 0.2, 0.4)


def main() -> None:
    commits = int(sys.argv[1]) if len(sys.argv) > 1 else COMMITS
    say("Alarms in 100 commits that are no slower\n")
    say("| run sd, AR(1) | unconfirmed | confirmed by a rerun | by the next commit's run |")
    say("|---|---|---|---|")
    for sd in DEVIATIONS:
        for phi in (0.0, 0.4):
            cells = [
                f"{false_alarms(sd=sd, phi=phi, commits=commits, seed=SEED, confirm=confirm):.3f}"
                for confirm in ("never", "rerun", "next")
            ]
            say(f"| {sd}, {phi} | {' | '.join(cells)} |")
    say("\nFound of commits that are slower, in percent: in one run / confirmed\n")
    say(f"| run sd | {' | '.join(f'+{change:.0%}' for change in CHANGES)} |")
    say(f"|{'---|' * (1 + len(CHANGES))}")
    for sd in DEVIATIONS:
        cells = [
            " / ".join(
                f"{100 * found(change, sd=sd, runs=commits // 10, seed=SEED, confirm=confirm):.1f}"
                for confirm in (False, True)
            )
            for change in CHANGES
        ]
        say(f"| {sd} | {' | '.join(cells)} |")
    if commits == COMMITS:
        _record(commits)


def _record(commits: int) -> None:
    alarms = false_alarms(sd=0.05, phi=0.0, commits=commits, seed=SEED, confirm="rerun")
    share = found(0.2, sd=0.02, runs=commits // 10, seed=SEED, confirm=True)
    record(
        "B3",
        command="python -m benchmarks.statistics.history",
        setup=f"a history of 20 runs, confirmed by a rerun; {commits:,} commits, "
        f"{commits // 10:,} of those that are slower",
        lines=[
            Line(
                scenario="no slower, run sd 5 %",
                must="at most 0.3 alarms in 100 commits",
                measured=f"{alarms:.3f}",
                held=alarms <= 0.3,
            ),
            Line(
                scenario="20 % slower, run sd 2 %",
                must="at least 98 % found",
                measured=f"{share:.1%}",
                held=share >= 0.98,
            ),
        ],
    )


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
