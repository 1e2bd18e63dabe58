"""What a self-test runs. Pure."""

from dataclasses import dataclass, field

from withstand.selftest.peers import Peer
from withstand.selftest.truth import StallPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTest:
    """Runs under stalls last `periods` whole periods, once for each number of `connections`; the
    distribution and the evenness of the sends take `seconds` each, every lag `lag_seconds`, and
    every rung of the ladder to the highest rate `ladder_seconds`.
    """

    rate_per_s: float = 200.0
    pattern: StallPattern = field(default_factory=StallPattern)
    periods: int = 6
    connections: tuple[int, ...] = (10, 300)
    seconds: float = 10.0
    lag_rates_per_s: tuple[float, ...] = (200.0, 2_000.0, 20_000.0)
    lag_seconds: float = 3.0
    ladder_per_s: tuple[float, ...] = (
        1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 50_000, 70_000, 100_000,
    )  # fmt: skip
    ladder_seconds: float = 1.0
    peers: tuple[Peer, ...] = ()

    @property
    def duration_s(self) -> float:
        """How long a run under stalls lasts."""
        return self.periods * self.pattern.every_s

    def stall_arguments(self) -> tuple[str, ...]:
        """How the reference server is told to stall."""
        # Edges lie between two arrivals, so that it is certain which of them a stall catches.
        first_s = self.pattern.first_s + 0.5 / self.rate_per_s
        return (
            "--stall-s", f"{self.pattern.stall_s}",
            "--every-s", f"{self.pattern.every_s}",
            "--first-s", f"{first_s}",
        )  # fmt: skip
