"""Geometry of the HTML report's charts: numbers in, positions and labels out. Pure."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from withstand.load.measurement import OperationMeasurement
from withstand.load.window import Window
from withstand.slo import Verdict
from withstand.stats.histogram import Histogram, merged
from withstand.units import format_duration_ns

WIDTH: Final = 1000.0
HEIGHT: Final = 340.0
LEFT: Final = 64.0
RIGHT: Final = 16.0
TOP: Final = 12.0
BOTTOM: Final = 32.0
_NS_PER_MS: Final = 1_000_000
_HIGHEST_NINES: Final = 5.0  # p99.999: nothing beyond can be read off


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A labelled position along an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileCurve:
    """Latency (logarithmic, upwards) by percentile (by the number of nines, to the right).

    `response` and `service` are SVG polyline points; the longer the tail, the further right they
    go. None of an operation without a single response.
    """

    response: str
    service: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def percentile_curve(response: Histogram, service: Histogram) -> PercentileCurve | None:
    """The curve of a distribution, response and service time on the same axes."""
    bounds = [
        value
        for histogram in (response, service)
        for value in (histogram.minimum, histogram.maximum)
        if value is not None
    ]
    if not bounds:
        return None
    low = math.log10(max(min(bounds), 1))
    high = math.log10(max(*bounds, 1))
    # At least half a decade, so that a flat line is not stretched into a mountain.
    middle, half = (low + high) / 2, max((high - low) / 2 * 1.08, 0.25)
    low, high = middle - half, middle + half
    nines = max(min(math.log10(max(response.count, service.count, 2)), _HIGHEST_NINES), 1.0)

    def x(quantile: float) -> float:
        position = min(-math.log10(1 - quantile) if quantile < 1 else nines, nines)
        return LEFT + position / nines * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        share = (math.log10(max(value, 1)) - low) / (high - low)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    return PercentileCurve(
        response=_polyline(_cumulative(response), x, y),
        service=_polyline(_cumulative(service), x, y),
        x_ticks=tuple(
            Tick(at=x(quantile), label=label)
            for quantile, label in _PERCENTILES
            if -math.log10(1 - quantile) <= nines
        ),
        y_ticks=tuple(
            Tick(at=y(value), label=format_duration_ns(value)) for value in decades(low, high)
        ),
    )


_PERCENTILES: Final = (
    (0.0, "min"),
    (0.5, "p50"),
    (0.9, "p90"),
    (0.95, "p95"),
    (0.99, "p99"),
    (0.999, "p99.9"),
    (0.9999, "p99.99"),
    (0.99999, "p99.999"),
)


def _cumulative(histogram: Histogram) -> list[tuple[float, float]]:
    seen = 0
    points = []
    for least, greatest, count in histogram.buckets():
        points.append((seen / histogram.count, (least + greatest) / 2))
        seen += count
    if histogram.maximum is not None:
        points.append((1.0, histogram.maximum))
    return points


def decades(low: float, high: float) -> list[float]:
    """Round values for the ticks of a logarithmic axis between two powers of ten."""
    exponents = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        values = [step * 10.0**exponent for exponent in exponents for step in steps]
        inside = [value for value in values if low <= math.log10(value) <= high]
        if len(inside) <= _MOST_TICKS:
            return inside
    return inside


_MOST_TICKS: Final = 7


def _polyline(
    points: Iterable[tuple[float, float]],
    x: Callable[[float], float],
    y: Callable[[float], float],
) -> str:
    return " ".join(f"{x(quantile):.1f},{y(value):.1f}" for quantile, value in points)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalBar:
    """An interval against its limit, in percent of the bar's width; open ends reach its edges."""

    low: float
    high: float
    observed: float | None
    limit: float
    open_low: bool
    open_high: bool


def interval_bar(verdict: Verdict) -> IntervalBar | None:
    """The bar of a verdict; None when nothing was observed."""
    low, high = verdict.interval or (None, None)
    known = [value for value in (low, high, verdict.observed) if value is not None]
    if not known:
        return None
    end = max(*known, verdict.objective.limit) * 1.2 or 1.0

    def percent(value: float) -> float:
        return round(min(max(value / end, 0.0), 1.0) * 100, 2)

    return IntervalBar(
        low=0.0 if low is None else percent(low),
        high=100.0 if high is None else percent(high),
        observed=None if verdict.observed is None else percent(verdict.observed),
        limit=percent(verdict.objective.limit),
        open_low=low is None,
        open_high=high is None,
    )


def time_series(operations: Iterable[OperationMeasurement]) -> dict[str, list[float | None]]:
    """Columns for a chart by second: arrivals and errors per second, p50 and p95 in milliseconds.

    Seconds in which nothing was due have a rate of 0 and no quantiles.
    """
    by_second: dict[int, list[Window]] = {}
    for measurement in operations:
        for window in measurement.windows:
            by_second.setdefault(window.second, []).append(window)
    columns: dict[str, list[float | None]] = {
        name: [] for name in ("second", "rate", "errors", "p50", "p95")
    }
    if not by_second:
        return columns
    width_s = max(window.width_s for windows in by_second.values() for window in windows)
    for second in range(0, max(by_second) + 1, width_s):
        windows = by_second.get(second, [])
        times = merged(window.response_time for window in windows)
        columns["second"].append(float(second))
        columns["rate"].append(times.count / width_s)
        columns["errors"].append(sum(window.errors for window in windows) / width_s)
        columns["p50"].append(_ms(times.quantile(0.5)))
        columns["p95"].append(_ms(times.quantile(0.95)))
    return columns


def _ms(value_ns: int | None) -> float | None:
    return None if value_ns is None else round(value_ns / _NS_PER_MS, 3)
