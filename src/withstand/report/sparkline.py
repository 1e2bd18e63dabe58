"""A trend as a small drawing: points of an SVG line, or characters in a terminal. Pure."""

import math
from dataclasses import dataclass
from statistics import median
from typing import Final

from withstand.slo.trend import Trend
from withstand.stats.history_rule import RUNS

WIDTH: Final = 208.0
HEIGHT: Final = 40.0
_MARGIN: Final = 5.0
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LEAST_SPAN: Final = math.log(1.3)  # so that runs that vary by a few percent are no mountains


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """`points` is an SVG polyline's, `latest` its last point; at `usual` lies the median of the
    runs that it is compared with, None without any."""

    points: str
    latest: tuple[float, float]
    usual: float | None


def sparkline(trend: Trend) -> Sparkline:
    """The levels of a trend on a logarithmic scale."""
    heights = _heights(trend)
    step = (WIDTH - 2 * _MARGIN) / max(len(heights) - 1, 1)
    # A single run has no line: its point stands at the end, where the latest always is.
    first = WIDTH - _MARGIN - step * (len(heights) - 1)
    places = [
        (first + step * index, HEIGHT - _MARGIN - height * (HEIGHT - 2 * _MARGIN))
        for index, height in enumerate(heights)
    ]
    before = [y for _, y in places[:-1][-RUNS:]]
    return Sparkline(
        points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places),
        latest=places[-1],
        usual=median(before) if before else None,
    )


def blocks(trend: Trend, most: int) -> str:
    """The levels of its newest runs, a character each."""
    return "".join(
        _BLOCKS[min(int(height * len(_BLOCKS)), len(_BLOCKS) - 1)]
        for height in _heights(trend)[-most:]
    )


def _heights(trend: Trend) -> list[float]:
    """Each level between 0 and 1."""
    logs = [math.log(point.level) for point in trend.points]
    low, high = min(logs), max(logs)
    middle, half = (low + high) / 2, max(high - low, _LEAST_SPAN) / 2
    return [(each - middle + half) / (2 * half) for each in logs]
