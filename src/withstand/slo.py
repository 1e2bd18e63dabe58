"""Objectives (SLOs), their text form, and verdicts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from withstand.load.measurement import LoadMeasurement


class Indicator(StrEnum):
    """What an objective is about."""

    QUANTILE = "quantile"  # of the response time
    AVERAGE = "average"  # of the response time
    MAXIMUM = "maximum"  # of the response time
    ERRORS = "errors"  # share of requests that failed or got an unexpected status
    RATE = "rate"  # completed requests per second
    MEMORY_GROWTH = "memory-growth"  # of the server's resident memory over the run


class Unit(StrEnum):
    """What an objective's limit and a verdict's observed value count."""

    NANOSECONDS = "ns"
    SHARE = "share"  # 0 to 1
    PER_SECOND = "per_s"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One promise about an operation. `limit` counts in `unit`; `operation` may have wildcards."""

    indicator: Indicator
    limit: float
    operation: str = "*"
    quantile: float | None = None  # 0 to 1, for Indicator.QUANTILE alone


class VerdictState(StrEnum):
    """What the measurement says of an objective."""

    MET = "met"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An objective held against one operation's measurement.

    `operation` is the measured operation, `*` for the run as a whole. `observed` and `interval`
    count in `unit`; an open end of the interval, and an observation that there is none of, are
    None. `reason` is one sentence.
    """

    objective: Objective
    operation: str
    state: VerdictState
    observed: float | None
    unit: Unit
    interval: tuple[float | None, float | None] | None
    samples: int
    reason: str


def parse_objective(text: str, *, operation: str = "*") -> Objective:
    """The objective of a text."""
    raise NotImplementedError


def judge(objectives: Sequence[Objective], measurement: LoadMeasurement) -> tuple[Verdict, ...]:
    """The verdicts of objectives on a measurement."""
    raise NotImplementedError
