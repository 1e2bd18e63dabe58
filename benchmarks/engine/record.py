"""What recording costs: nanoseconds of CPU per value, best of many batches."""

import random
import sys
import time
from collections.abc import Callable

from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # it has no stubs

from withstand.load.recorder import OperationRecorder
from withstand.load.tally import Tally
from withstand.stats.histogram import Histogram

BATCH, BATCHES = 20_000, 40


def best_ns(record: Callable[[int], object], values: list[int]) -> float:
    """The fastest batch."""
    best = float("inf")
    for _ in range(BATCHES):
        before = time.process_time_ns()
        for value in values:
            record(value)
        best = min(best, (time.process_time_ns() - before) / len(values))
    return best


def main() -> None:
    """Print one line for each recorder."""
    draw = random.Random(1)  # noqa: S311 - a repeatable draw
    values = [int(draw.lognormvariate(14.5, 0.7)) for _ in range(BATCH)]
    recorder = OperationRecorder("GET /")
    hdr = HdrHistogram(1, 3_600_000_000, 3)
    candidates: dict[str, Callable[[int], object]] = {
        "Tally.record (the hot path's histogram)": Tally().record,
        "Histogram.record": Histogram().record,
        "a whole response, closed model": lambda v: recorder.response(0, 0, v - 9, v, 200, 300),
        "a whole response, open model": lambda v: recorder.response(0, 5, v - 9, v, 200, 300),
        "hdrhistogram, in microseconds": lambda v: hdr.record_value(v // 1000),
    }
    for name, record in candidates.items():
        sys.stdout.write(f"{best_ns(record, values):7.0f} ns  {name}\n")


if __name__ == "__main__":
    main()
