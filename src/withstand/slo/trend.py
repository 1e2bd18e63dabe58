"""How something did over the runs of a history, and whether it is slower than it was. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from withstand.stats.history_rule import RUNS, Comparison, compare, confirmed

SUSTAINED: Final = "sustainable rate"
_SLOW_MACHINE: Final = 1.2  # times its usual time, which a neighbour alone seldom makes of it


class Standing(StrEnum):
    """What the history says of its latest run. Only `CONFIRMED` may fail anything."""

    UNKNOWN = "unknown"  # too few runs before it, or nothing that the rule is for
    USUAL = "usual"
    SLOWER = "slower"  # one run says so, which proves nothing: run it again
    CONFIRMED = "confirmed"  # the run before it, or a rerun, said the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What makes runs comparable: the same kind of run, against the same target, under the same
    load, on machines that are alike. `machine` is the fingerprint, `machine_text` what a person
    reads."""

    kind: str
    target: str
    shape: str
    machine: str
    machine_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One run's figures. `level` is the p95 of the response time in nanoseconds, or a sustainable
    rate in requests per second. `started_at` is in Unix seconds; `calibration_ns` is how long the
    machine took for a fixed piece of work.
    """

    run: int
    started_at: float
    commit: str | None
    calibration_ns: int
    level: float
    p50_ns: int | None = None
    p99_ns: int | None = None
    requests: int = 0
    errors: int = 0

    @property
    def error_share(self) -> float:
        """Errors among the requests; 0 without any."""
        return self.errors / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One operation (or the sustainable rate) over runs of one series, the oldest first. There is
    at least one, and every level is above zero."""

    name: str
    series: Series
    points: tuple[TrendPoint, ...]

    @property
    def latest(self) -> TrendPoint:
        """The newest run."""
        return self.points[-1]

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.name == SUSTAINED

    def comparison(self) -> Comparison | None:
        """The latest run against those before it; None for the first."""
        return _compared(self.points[:-1], self.latest)

    def standing(self) -> Standing:
        """What the history says of the latest run.

        A rate that was searched for moves in the steps of its bracket, for which the rule's
        spread says nothing: it is shown and not judged.
        """
        *before, latest = self.points
        comparison = _compared(before, latest)
        if self.is_rate or comparison is None or comparison.higher is None:
            return Standing.UNKNOWN
        if len(before) > RUNS and confirmed(
            [each.level for each in before[:-1]], before[-1].level, latest.level
        ):
            return Standing.CONFIRMED
        return Standing.SLOWER if comparison.higher else Standing.USUAL

    def missing_runs(self) -> int:
        """How many more runs it takes until the one after them is judged."""
        return max(RUNS - len(self.points), 0)

    def machine_slowdown(self) -> float | None:
        """By which share the machine itself took longer for its fixed piece of work than it usually
        did; None where it did not by much."""
        usual = [each.calibration_ns for each in self.points[:-1]]
        if not usual:
            return None
        ratio = self.latest.calibration_ns / median(usual)
        return ratio - 1 if ratio >= _SLOW_MACHINE else None


def slower(trends: Sequence[Trend], standing: Standing) -> tuple[Trend, ...]:
    """The trends whose latest run stands so."""
    return tuple(each for each in trends if each.standing() is standing)


def _compared(before: Sequence[TrendPoint], latest: TrendPoint) -> Comparison | None:
    return compare([each.level for each in before], latest.level) if before else None
