"""Counts values by bucket: how the engine records times, before they are a Histogram. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from withstand.stats.histogram import Histogram, bucket_bounds


class Tally:
    """Counts by bucket with the exact extremes and total: what becomes a Histogram."""

    __slots__ = ("counts", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.counts: defaultdict[int, int] = defaultdict(int)
        self.total = 0
        self.minimum = 1 << 63
        self.maximum = -1

    def record(self, value: int) -> None:
        """Count a non-negative value."""
        shift = value.bit_length() - 8
        self.counts[value if shift <= 0 else (shift << 7) + (value >> shift)] += 1
        self.total += value
        if not self.minimum <= value <= self.maximum:
            self.widen(value)

    def widen(self, value: int) -> None:
        """Move the extremes to take in a value."""
        self.minimum = min(value, self.minimum)
        self.maximum = max(value, self.maximum)

    def histogram(self) -> Histogram:
        """The values so far."""
        if not self.counts:
            return Histogram()
        return Histogram.from_counts(
            self.counts, minimum=self.minimum, maximum=self.maximum, total=self.total
        )


def quantiles_of(tallies: Iterable[Tally], *wanted: float) -> tuple[int | None, ...]:
    """Quantiles of several tallies together; None each when nothing was counted.

    Within a bucket of the truth: for a live display, where exact extremes do not matter and time
    does.
    """
    counts: defaultdict[int, int] = defaultdict(int)
    for tally in tallies:
        for key, times in tally.counts.items():
            counts[key] += times
    if not counts:
        return (None,) * len(wanted)
    least, greatest = min(counts), max(counts)
    together = Histogram.from_counts(
        counts,
        minimum=bucket_bounds(least)[0],
        maximum=bucket_bounds(greatest)[1],
        total=sum(bucket_bounds(key)[0] * times for key, times in counts.items()),
    )
    return tuple(together.quantile(q) for q in wanted)
