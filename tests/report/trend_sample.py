"""Trends of a made-up shop over thirty nights: steady, slower once, slower twice, and a young one.

Seeded.
"""

import math
from random import Random

from tests.report import scan_sample
from withstand.slo.trend import SUSTAINED, Series, Trend, TrendPoint

MS = 1_000_000
SERIES = Series(
    kind="load",
    target=scan_sample.BASE_URL,
    shape="200/s for 30s, open model",
    machine="0123456789ab",
    machine_text="Example CPU, 2 cores, Linux 6.1, CPython 3.11",
)
STRESS = Series(
    kind="stress",
    target=scan_sample.BASE_URL,
    shape="search for the rate that meets p95<100ms",
    machine=SERIES.machine,
    machine_text=SERIES.machine_text,
)
SLOWER_TWICE = "POST /orders"
SLOWER_ONCE = "GET /orders/{id}"


def trend(name: str, levels_ms: list[float], *, errors: int = 0, slow_by: float = 1.0) -> Trend:
    """One operation, whose last run was made on a machine that took `slow_by` times as long."""
    last = len(levels_ms) - 1
    return Trend(
        name=name,
        series=SERIES,
        points=tuple(
            TrendPoint(
                run=number + 1,
                started_at=1_790_000_000.0 + 86_400.0 * number,
                commit=f"{number:040x}",
                calibration_ns=round(1_000_000 * (slow_by if number == last else 1)),
                level=level * MS,
                p50_ns=round(level * MS / 3),
                p99_ns=round(level * MS * 2),
                requests=1_000,
                errors=errors,
            )
            for number, level in enumerate(levels_ms)
        ),
    )


def nights(count: int, level_ms: float, *last: float) -> list[float]:
    """So many nights that vary by 4 %, and then those."""
    random = Random(count + int(level_ms))
    return [level_ms * math.exp(random.gauss(0, 0.04)) for _ in range(count)] + list(last)


def trends() -> tuple[Trend, ...]:
    """Of the operations of a load."""
    return (
        trend("GET /health", nights(30, 12.0)),
        trend(SLOWER_ONCE, nights(29, 80.0, 130.0)),
        trend(SLOWER_TWICE, nights(28, 140.0, 220.0, 231.0), errors=12),
        trend("GET /products", nights(15, 41.0) + nights(15, 29.0)),
        trend("GET /users/{id}/settings", nights(3, 35.0)),
    )


def rates() -> tuple[Trend, ...]:
    """Of a search for the sustainable rate."""
    points = tuple(
        TrendPoint(
            run=number,
            started_at=1_790_000_000.0 + number,
            commit=None,
            calibration_ns=1_000_000,
            level=level,
        )
        for number, level in enumerate((350.0, 361.0, 340.0, 290.0))
    )
    return (Trend(name=SUSTAINED, series=STRESS, points=points),)
