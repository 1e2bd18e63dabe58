"""Objectives (SLOs): what is promised about the operations of an API. Pure."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from withstand.units import format_bytes, format_duration_ns, format_share

WHOLE_RUN: Final = "*"


class Indicator(StrEnum):
    """What an objective is about."""

    QUANTILE = "quantile"  # of the response time
    AVERAGE = "average"  # of the response time
    MAXIMUM = "maximum"  # of the response time
    ERRORS = "errors"  # share of requests that failed or got an unexpected status
    RATE = "rate"  # requests per second that came to a good end
    MEMORY_GROWTH = "memory-growth"  # of the server's resident memory after warm-up


class Unit(StrEnum):
    """What an objective's limit and a verdict's observed value count."""

    NANOSECONDS = "ns"
    SHARE = "share"  # 0 to 1
    PER_SECOND = "per_s"
    BYTES = "bytes"


_UNITS: Final = {
    Indicator.QUANTILE: Unit.NANOSECONDS,
    Indicator.AVERAGE: Unit.NANOSECONDS,
    Indicator.MAXIMUM: Unit.NANOSECONDS,
    Indicator.ERRORS: Unit.SHARE,
    Indicator.RATE: Unit.PER_SECOND,
    Indicator.MEMORY_GROWTH: Unit.BYTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One promise. `limit` counts in `unit`: a ceiling, for the rate a floor, both included.

    `operation` is a pattern: `GET /users`, `GET *`, `/orders/*` (any method) or `*`. `quantile`
    (0 to 1) belongs to Indicator.QUANTILE alone. `over_s` makes it a promise about every stretch
    of so many seconds instead of the run as a whole.
    """

    indicator: Indicator
    limit: float
    operation: str = WHOLE_RUN
    quantile: float | None = None
    over_s: int | None = None

    @property
    def unit(self) -> Unit:
        """What the limit counts."""
        return _UNITS[self.indicator]

    @property
    def name(self) -> str:
        """The indicator as people write it: `p95`, `errors`."""
        if self.quantile is not None:
            return f"p{self.quantile * 100:.10g}"
        return _NAMES[self.indicator]

    @property
    def text(self) -> str:
        """The objective as `parse_objective` reads it, in its canonical form: `p95<200ms`."""
        sign = ">" if self.indicator is Indicator.RATE else "<" if self.limit else "="
        over = "" if self.over_s is None else f" over {self.over_s}s"
        return f"{self.name}{sign}{_exact(self.limit, self.unit)}{over}"

    @property
    def subject(self) -> tuple[str, int | None]:
        """What a closer pattern's objective replaces: the same indicator over as many seconds."""
        return self.name, self.over_s

    @property
    def is_latency(self) -> bool:
        """Whether it is about the response time."""
        return self.unit is Unit.NANOSECONDS

    @property
    def whole_run(self) -> bool:
        """Whether it is judged once for the run instead of for each operation.

        Memory always is, and the rate unless an operation is named: people who promise 500
        requests per second mean all of them together.
        """
        if self.indicator is Indicator.MEMORY_GROWTH:
            return True
        return self.indicator is Indicator.RATE and self.operation == WHOLE_RUN

    def covers(self, operation: str) -> bool:
        """Whether the pattern matches a measured operation."""
        return matches(self.operation, operation)


_NAMES: Final = {
    Indicator.AVERAGE: "avg",
    Indicator.MAXIMUM: "max",
    Indicator.ERRORS: "errors",
    Indicator.RATE: "rps",
    Indicator.MEMORY_GROWTH: "memory_growth",
}


def format_value(value: float, unit: Unit) -> str:
    """An observed value or a limit as people read it."""
    match unit:
        case Unit.NANOSECONDS:
            return format_duration_ns(value)
        case Unit.SHARE:
            return format_share(value)
        case Unit.BYTES:
            return format_bytes(value)
        case Unit.PER_SECOND:
            return f"{value:.4g}/s"


def _exact(limit: float, unit: Unit) -> str:
    """A limit without rounding, in the largest unit that it reaches."""
    if unit is Unit.SHARE:
        return f"{_plain(limit * 100)}%"
    for size, suffix in _SCALES.get(unit, ()):
        if limit >= size:
            return f"{_plain(limit / size)}{suffix}"
    return _plain(limit)


def _plain(number: float) -> str:
    """Ten significant digits, without an exponent."""
    return format(Decimal(f"{number:.10g}"), "f")


_SCALES: Final = {
    Unit.NANOSECONDS: ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns")),
    Unit.BYTES: ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")),
}


def specificity(pattern: str) -> tuple[bool, int]:
    """How closely a pattern names an operation: exactly, or by how many literal characters."""
    return "*" not in pattern, len(pattern.replace("*", ""))


def matches(pattern: str, operation: str) -> bool:
    """Whether a pattern covers an operation: `*` is anything, a bare path has any method."""
    if " " not in pattern and pattern.startswith("/"):
        pattern = f"* {pattern}"
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), operation, re.DOTALL) is not None
