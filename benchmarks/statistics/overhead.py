"""What the procedure of a verdict costs for each call, beyond the call itself, in CPU time.

    python -m benchmarks.statistics.overhead [rounds]

The values hug the limit, so that no sample is decided before its end. `Trial` alone is what a
command that sends the requests pays; `repeat` is the loop of the pytest plugin around it, with the
warm-up, the clocks and what api_client notes. Promised are less than 5 µs a call.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

from withstand.pytest_plugin.objectives import parse_objectives
from withstand.pytest_plugin.repetition import repeat
from withstand.pytest_plugin.run_record import RunRecord
from withstand.slo.trial import Trial

ROUNDS = 5
PROMISED_US = 5.0
# What is promised, how many values there are, and every how many-th of them is too slow.
CASES: Sequence[tuple[dict[str, object], int, int]] = (
    ({"p95": 200}, 2_000, 20),
    ({"p99": 200}, 5_000, 100),
    ({"p99": 200}, 10_000, 100),
    ({"p95": 200, "p99": 310}, 2_000, 20),
)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    say(f"CPU µs a call, the least of {rounds} rounds (what a busy machine adds is not ours)\n")
    say("| objectives | calls | Trial | repeat | of that the verdict at the end |")
    say("|---|---|---|---|---|")
    worst = 0.0
    for keywords, size, every in CASES:
        alone = min(of_the_trial(keywords, size, every) for _ in range(rounds))
        loop_us = min(of_the_loop(keywords, size, every) for _ in range(rounds))
        worst = max(worst, sum(alone), loop_us)
        text = ", ".join(each.text for each in parse_objectives(keywords).values())
        say(f"| {text} | {size:,} | {alone[0]:.2f} | {loop_us:.2f} | {alone[1]:.2f} |")
    say(f"\nthe dearest: {worst:.2f} µs a call; promised: less than {PROMISED_US:g}")
    sys.exit(0 if worst < PROMISED_US else 1)


def of_the_trial(keywords: dict[str, object], size: int, every: int) -> tuple[float, float]:
    """CPU µs for each value, until the verdict and for the verdict itself."""
    trial = Trial("benchmark", tuple(parse_objectives(keywords).values()), noun="call")
    values = values_ns(every)
    drawn = [next(values) for _ in range(size)]
    started_ns = time.process_time_ns()
    for value in drawn:
        if not trial.done and not trial.at_pause:
            trial.add(value)
    spent_ns = time.process_time_ns() - started_ns
    assert trial.requests == size, "decided before its end"
    started_ns = time.process_time_ns()
    trial.close()
    trial.verdicts()
    verdict_ns = time.process_time_ns() - started_ns
    return spent_ns / size / 1_000, verdict_ns / size / 1_000


def of_the_loop(keywords: dict[str, object], size: int, every: int) -> float:
    """CPU µs for each call of the plugin's loop, less what the same calls take without it."""
    values, run = values_ns(every), RunRecord(shard=None)

    def call() -> None:
        run.note_request(next(values))

    trial = LimitedTrial(keywords, size)
    started_ns = time.process_time_ns()
    measurement, _ = repeat(call, trial, run=run, budget_s=600, tolerant=True)
    spent_ns = time.process_time_ns() - started_ns
    assert measurement.calls == size, "decided before its end"
    return (spent_ns - bare_ns(call, size)) / size / 1_000


class LimitedTrial(Trial):
    """Ends after so many values, as a budget would, but always at the same place."""

    def __init__(self, keywords: dict[str, object], size: int) -> None:
        super().__init__("benchmark", tuple(parse_objectives(keywords).values()), noun="call")
        self._size = size

    @property
    def done(self) -> bool:
        return self.requests >= self._size or super().done


def bare_ns(call: Callable[[], None], size: int) -> int:
    started_ns = time.process_time_ns()
    for _ in range(size):
        call()
    return time.process_time_ns() - started_ns


def values_ns(every: int) -> Iterator[int]:
    """50 to 150 ms and, every so often, 300: exactly the share that may be too slow."""
    quick = [50_000_000 + index * 7_919 % 100_000_000 for index in range(every - 1)]
    return cycle([*quick, 300_000_000])


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
