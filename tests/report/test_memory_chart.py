"""The drawing of a server's memory stays within its frame, whatever the memory does."""

import re
from dataclasses import replace

import pytest

from tests.report import sample
from withstand.load.measurement import ServerSample
from withstand.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from withstand.report.memory_chart import MemoryChart, memory_chart
from withstand.slo import DriftVerdict, SoakRules, judge_soak


def _chart(levels: list[int], every_s: float) -> MemoryChart:
    results = sample.soak()
    assert results.load is not None
    samples = tuple(
        ServerSample(at_s=index * every_s, rss_bytes=level) for index, level in enumerate(levels)
    )
    drifts: tuple[DriftVerdict, ...] = judge_soak(
        SoakRules(), replace(results.load, server_samples=samples)
    )
    chart = memory_chart(drifts, samples)
    assert chart is not None
    return chart


def _points(polyline: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.-]+),([\d.-]+)", polyline)]


@pytest.mark.parametrize(
    ("levels", "every_s"),
    [
        ([100_000_000] * 200, 1.0),
        ([0] * 200, 1.0),
        ([100_000_000 + 200_000 * index for index in range(2_880)], 10.0),
        ([900_000_000 - 100_000 * index for index in range(1_000)], 900.0),
    ],
    ids=["flat", "nothing", "a leak", "ten days"],
)
def test_everything_lies_within_the_frame(levels: list[int], every_s: float) -> None:
    chart = _chart(levels, every_s)

    points = [*_points(chart.samples), *chart.minima, *_points(chart.line)]
    assert all(LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1 for x, _ in points)
    assert all(TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1 for _, y in points)
    assert len(_points(chart.samples)) <= 900
    assert 3 <= len(chart.x_ticks) <= 10
    assert 2 <= len(chart.y_ticks) <= 8
    assert len({tick.label for tick in chart.x_ticks}) == len(chart.x_ticks)


def test_the_warm_up_ends_at_a_third() -> None:
    chart = _chart([100_000_000] * 301, 1.0)

    assert chart.warm_up == pytest.approx(LEFT + (WIDTH - LEFT - RIGHT) / 3)


def test_what_cannot_be_judged_is_not_drawn() -> None:
    results = sample.load_only()
    assert results.load is not None

    drifts = judge_soak(SoakRules(), results.load)

    assert memory_chart(drifts, results.load.server_samples) is None
