"""What a comparison of two versions measured, side by side. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One version's part of a block: the service times (from the send to the last byte) of the
    requests that succeeded, in nanoseconds and in order, and how many others there were."""

    times_ns: tuple[int, ...]
    errors: int = 0

    @property
    def requests(self) -> int:
        """All requests, well or badly ended."""
        return len(self.times_ns) + self.errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch in which requests to both versions alternated."""

    a: Arm
    b: Arm


Restart = tuple[Block, ...]
"""The blocks of one operation between a start of both versions and the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonMeasurement:
    """Both versions' answers, by operation. Only what was measured to its end is in it: whole
    restarts, or whole blocks where nothing was `restarted`.

    `a` and `b` say what was compared: addresses or commands. `restarts`, `blocks` and `requests`
    (of each operation and version in a block) are what was asked for. `left_out` says of operations
    why they were not compared. `cut_short` says why less was measured than asked for, None when
    everything was.
    """

    a: str
    b: str
    restarted: bool
    restarts: int
    blocks: int
    requests: int
    started_at: float  # Unix seconds
    duration_s: float
    operations: Mapping[str, tuple[Restart, ...]]
    left_out: Mapping[str, str] = field(default_factory=dict)
    cut_short: str | None = None
    interrupted: bool = False
