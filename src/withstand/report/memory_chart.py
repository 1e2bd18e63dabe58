"""The server's memory over a soak test as a drawing: samples, window minima, the line. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from withstand.load.measurement import ServerSample
from withstand.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Tick
from withstand.slo import DriftVerdict, Quantity
from withstand.units import format_bytes

_MOST_POINTS: Final = 900
_TICKS: Final = 5
_LEAST_MARGIN_BYTES: Final = 1_000
_LEAST_SPAN: Final = 0.02  # of the level, so that a flat line is not stretched into a mountain
# Seconds between labels, as people divide time.
_STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChart:
    """`samples` and `line` are SVG polyline points, `minima` those of circles; what is left of
    `warm_up` was not judged."""

    samples: str
    minima: tuple[tuple[float, float], ...]
    line: str
    warm_up: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def memory_chart(
    drifts: Sequence[DriftVerdict], samples: Sequence[ServerSample]
) -> MemoryChart | None:
    """The chart of the memory's verdict; None when too little was sampled to judge."""
    growth = next((each.growth for each in drifts if each.quantity is Quantity.MEMORY), None)
    read = [(each.at_s, each.rss_bytes) for each in samples if each.rss_bytes is not None]
    if growth is None:
        return None
    step = math.ceil(len(read) / _MOST_POINTS)
    begins_s, ends_s = read[0][0], read[-1][0]
    judged_s = growth.minima[0][0], growth.minima[-1][0]
    line = [(at_s, growth.start_level + growth.slope_per_s * at_s) for at_s in judged_s]
    levels = [*(float(level) for _, level in read), *(level for _, level in line)]
    low, high = min(levels), max(levels)
    margin = max((high - low) * 0.08, high * _LEAST_SPAN / 2, _LEAST_MARGIN_BYTES)
    low, high = max(low - margin, 0.0), high + margin

    def x(at_s: float) -> float:
        return LEFT + (at_s - begins_s) / (ends_s - begins_s) * (WIDTH - LEFT - RIGHT)

    def y(level: float) -> float:
        return TOP + (1 - (level - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)

    return MemoryChart(
        samples=" ".join(f"{x(at_s):.1f},{y(level):.1f}" for at_s, level in read[::step]),
        minima=tuple((x(at_s), y(level)) for at_s, level in growth.minima),
        line=" ".join(f"{x(at_s):.1f},{y(level):.1f}" for at_s, level in line),
        warm_up=x(begins_s + (ends_s - begins_s) / 3),
        x_ticks=tuple(Tick(at=x(at_s), label=_time(at_s)) for at_s in _times(begins_s, ends_s)),
        y_ticks=tuple(Tick(at=y(level), label=format_bytes(level)) for level in _round(low, high)),
    )


def _times(begins_s: float, ends_s: float) -> list[float]:
    wanted_s = (ends_s - begins_s) / 8
    step_s = next((each for each in _STEPS_S if each >= wanted_s), None)
    if step_s is None:
        step_s = math.ceil(wanted_s / _DAY_S) * _DAY_S
    first = math.ceil(begins_s / step_s)
    return [step * float(step_s) for step in range(first, math.floor(ends_s / step_s) + 1)]


def _time(at_s: float) -> str:
    hours, rest_s = divmod(round(at_s), 3600)
    minutes, seconds = divmod(rest_s, 60)
    named = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in named if number) or "0"


def _round(low: float, high: float) -> list[float]:
    """A few round levels between two."""
    rough = (high - low) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
