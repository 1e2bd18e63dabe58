"""Whether a rate is a rate: how evenly requests arrived, by the server's log. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Final

WINDOW_NS: Final = 50_000_000
BACK_TO_BACK_NS: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spacing:
    """The gaps between arrivals.

    `variation` is their standard deviation over their mean (the coefficient of variation): 0 for
    perfect pacing, 1 for Poisson arrivals. `least` and `most` count arrivals in windows of 50 ms,
    where `ideal` is what the rate promises. `back_to_back` is the share of gaps below 0.2 ms.
    """

    variation: float
    ideal: float
    least: int
    most: int
    back_to_back: float


def spacing_of(arrivals_ns: Sequence[int], *, rate_per_s: float) -> Spacing:
    """The spacing of ascending arrivals that were meant to come at a rate.

    Raises ValueError for arrivals that fill less than one window.
    """
    gap_ns = 1e9 / rate_per_s
    # Windows begin half a gap before the first arrival, so that none lies on an edge.
    zero_ns = arrivals_ns[0] - gap_ns / 2 if arrivals_ns else 0
    windows = int((arrivals_ns[-1] + gap_ns / 2 - zero_ns) / WINDOW_NS) if arrivals_ns else 0
    if windows < 1 or len(arrivals_ns) < 2:
        raise ValueError(f"{len(arrivals_ns)} arrivals fill no window of 50 ms")
    counts = [0] * windows
    for arrival_ns in arrivals_ns:
        index = math.floor((arrival_ns - zero_ns) / WINDOW_NS)
        if index < windows:
            counts[index] += 1
    gaps = [later - earlier for earlier, later in pairwise(arrivals_ns)]
    mean = fmean(gaps)
    return Spacing(
        variation=pstdev(gaps) / mean if mean else 0.0,
        ideal=rate_per_s * WINDOW_NS / 1e9,
        least=min(counts),
        most=max(counts),
        back_to_back=sum(gap < BACK_TO_BACK_NS for gap in gaps) / len(gaps),
    )
