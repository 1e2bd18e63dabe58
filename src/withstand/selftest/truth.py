"""What the latencies of the reference server are: in closed form, and from its own log. Pure.

Users who know nothing of each other come at a constant rate, and the server is blocked for `s` in
every `T` seconds. A share of s/T comes during a stall and waits for the rest of it, which is
uniform between 0 and s; nobody else waits. So

    P(L > x) = (s - x) / T    for 0 <= x <= s,

and the quantile q is s - (1 - q) T, or 0 below q = 1 - s/T. The time that the server takes for an
answer (0.1 ms) and for emptying its queue after a stall is neglected.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from withstand.errors import UsageError
from withstand.stats.histogram import quantile_rank


@dataclass(frozen=True, slots=True, kw_only=True)
class StallPattern:
    """Blocked for `stall_s` in every `every_s` seconds. Raises UsageError when that is no stall."""

    every_s: float = 5.0
    stall_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.stall_s < self.every_s:
            raise UsageError(
                f"a stall of {self.stall_s:g} s in every {self.every_s:g} s is not possible",
                hint="let the server stall for less than a whole period, such as 1s in every 5s",
            )

    @property
    def first_s(self) -> float:
        """When the first stall begins: the free time is halved around it, so that no stall
        touches a period's edges.
        """
        return (self.every_s - self.stall_s) / 2

    def share_longer(self, seconds: float) -> float:
        """P(L > x) over whole periods."""
        return max(0.0, self.stall_s - max(seconds, 0.0)) / self.every_s

    def quantile_s(self, q: float) -> float:
        """The latency at a quantile over whole periods."""
        return max(0.0, self.stall_s - (1 - q) * self.every_s)


def waits_ns(stalls_ns: Sequence[tuple[int, int]], starts_ns: Iterable[int]) -> list[int]:
    """How long users who start at these times wait for the end of a stall, ascending.

    The stalls (begin, end) are as the server logged them and ascend, so that a stall that came
    late or lasted long is not held against the generator.
    """
    begins = [begin for begin, _ in stalls_ns]
    waits = []
    for start_ns in starts_ns:
        index = bisect_right(begins, start_ns) - 1
        end_ns = stalls_ns[index][1] if index >= 0 else start_ns
        waits.append(max(0, end_ns - start_ns))
    return sorted(waits)


def longest_drain_ns(
    stalls_ns: Sequence[tuple[int, int]], starts_ns: Sequence[int], arrivals_ns: Sequence[int]
) -> int:
    """How long after a stall the last of those who had come by its end got to the server, at most.

    Starts and arrivals ascend and belong together by their order. What queued up is worked off by
    server and generator together, one request at a time, which no schedule knows of.
    """
    drains_ns = [0]
    for _, end_ns in stalls_ns:
        came = min(bisect_left(starts_ns, end_ns), len(arrivals_ns))
        if came:
            drains_ns.append(arrivals_ns[came - 1] - end_ns)
    return max(drains_ns)


def schedule_zero_ns(arrivals_ns: Sequence[int], offsets_ns: Iterable[int]) -> int:
    """When a schedule began, by the server's log of what arrived of it, in order.

    The n-th request cannot arrive before its time, and the promptest of all arrived a moment after
    it: that one tells, where the first may have been late. Raises ValueError without arrivals.
    """
    return min(
        arrival_ns - offset_ns
        for arrival_ns, offset_ns in zip(arrivals_ns, offsets_ns, strict=False)
    )


def quantile_of(ascending: Sequence[int], q: float) -> int:
    """The value at a quantile by nearest rank. Raises ValueError when there is none."""
    if not ascending:
        raise ValueError("no values have no quantiles")
    return ascending[quantile_rank(q, len(ascending)) - 1]
