"""Geometry of the charts over the rate: how much is answered, and how fast. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from withstand.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Tick, decades
from withstand.report.stress_view import StepRow
from withstand.slo.capacity_text import rate_text
from withstand.stats.capacity import Bracket
from withstand.units import format_duration_ns

_HEADROOM: Final = 1.08
_STEPS: Final = (1, 2, 5)
_FEWEST_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A step on a chart; `title` is what it says when pointed at."""

    x: float
    y: float
    state: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChart:
    """A curve over the rate. `line` and `reference` are SVG polyline points; `band` is where the
    true limit lies, from left to right; None where one end is open.
    """

    points: tuple[Point, ...]
    line: str
    reference: str
    band: tuple[float, float] | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def answered_chart(rows: Sequence[StepRow], bracket: Bracket) -> RateChart:
    """Good answers a second over the rate; the reference is all that was asked."""
    most = _HEADROOM * max(row.rate_per_s for row in rows)
    x, y = _linear(most, LEFT, WIDTH - RIGHT), _linear(most, HEIGHT - BOTTOM, TOP)
    return RateChart(
        points=tuple(_point(row, x, y(min(row.answered_per_s, most))) for row in rows),
        line=_line([(x(row.rate_per_s), y(min(row.answered_per_s, most))) for row in rows]),
        reference=_line([(x(0), y(0)), (x(most), y(most))]),
        band=_band(bracket, x),
        x_ticks=_rate_ticks(most, x),
        y_ticks=_rate_ticks(most, y),
    )


def quantile_chart(
    rows: Sequence[StepRow], bracket: Bracket, limit_ns: float | None
) -> RateChart | None:
    """The quantile of the response time over the rate, logarithmic; the reference is its limit."""
    timed = [(row, row.quantile_ns) for row in rows if row.quantile_ns]
    if not timed:
        return None
    most = _HEADROOM * max(row.rate_per_s for row in rows)
    values = [value for _, value in timed] + ([limit_ns] if limit_ns else [])
    low, high = math.log10(min(values)) - 0.15, math.log10(max(values)) + 0.15
    x = _linear(most, LEFT, WIDTH - RIGHT)

    def y(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    return RateChart(
        points=tuple(_point(row, x, y(value)) for row, value in timed),
        line=_line([(x(row.rate_per_s), y(value)) for row, value in timed]),
        reference=_line([(x(0), y(limit_ns)), (x(most), y(limit_ns))]) if limit_ns else "",
        band=_band(bracket, x),
        x_ticks=_rate_ticks(most, x),
        y_ticks=tuple(
            Tick(at=y(value), label=format_duration_ns(value)) for value in decades(low, high)
        ),
    )


def _point(row: StepRow, x: Callable[[float], float], y: float) -> Point:
    time = "-" if row.quantile_ns is None else format_duration_ns(row.quantile_ns)
    return Point(
        x=x(row.rate_per_s),
        y=y,
        state=row.state.value,
        title=f"{row.rate} {row.state.value}: {rate_text(row.answered_per_s)} answered, {time}",
    )


def _band(bracket: Bracket, x: Callable[[float], float]) -> tuple[float, float] | None:
    if bracket.low_per_s is None or bracket.high_per_s is None:
        return None
    return x(bracket.low_per_s), x(bracket.high_per_s)


def _linear(most: float, start: float, end: float) -> Callable[[float], float]:
    return lambda value: start + value / most * (end - start)


def _rate_ticks(most: float, place: Callable[[float], float]) -> tuple[Tick, ...]:
    """Round rates, four of them or more."""
    exponent = math.floor(math.log10(most))
    steps = [step * 10.0**power for power in (exponent, exponent - 1) for step in _STEPS[::-1]]
    step = next(each for each in steps if most / each >= _FEWEST_TICKS)
    return tuple(
        Tick(at=place(index * step), label=rate_text(index * step) if index else "0")
        for index in range(int(most / step) + 1)
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
