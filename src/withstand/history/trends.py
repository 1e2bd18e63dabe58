"""How operations, and sustainable rates, did over the comparable runs of a history."""

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from withstand.slo.trend import SUSTAINED, Series, Trend, TrendPoint
from withstand.stats.histogram import Histogram

MOST_POINTS: Final = 60
"""Of each trend the newest runs that are read: three times what the rule looks at."""

_POINTS: Final = """
    SELECT * FROM (
        SELECT runs.run, kind, target, shape, machine, description, started_at, commit_id,
            calibration_ns, {columns},
            row_number() OVER (
                PARTITION BY kind, target, shape, machine, {name}
                ORDER BY started_at DESC, runs.run DESC
            ) AS place
        FROM runs JOIN machines ON fingerprint = machine {join}
        WHERE flaw IS NULL AND {condition} {series}
    ) WHERE place <= {most} ORDER BY started_at, run
"""
_OF_ONE_SERIES: Final = (
    "AND (kind, target, shape, machine) = (SELECT kind, target, shape, machine FROM runs "
    "WHERE run = :run) AND (started_at, runs.run) <= (SELECT started_at, run FROM runs "
    "WHERE run = :run)"
)


def trends(connection: sqlite3.Connection, *, run: int | None = None) -> tuple[Trend, ...]:
    """Every trend of the history, that of the newest run first; with a `run`, those that it ends.

    Runs with a flaw are part of none.
    """
    points: dict[tuple[Series, str], list[TrendPoint]] = {}
    for series, name, point in (*_of_operations(connection, run), *_of_rates(connection, run)):
        points.setdefault((series, name), []).append(point)
    found = [
        Trend(name=name, series=series, points=tuple(those))
        for (series, name), those in points.items()
    ]
    if run is not None:  # an operation that this run did not send has no news
        found = [each for each in found if each.latest.run == run]
    newest: dict[Series, int] = {}
    for trend in found:
        newest[trend.series] = max(trend.latest.run, newest.get(trend.series, 0))
    return tuple(sorted(found, key=lambda each: (-newest[each.series], each.name)))


def _of_operations(
    connection: sqlite3.Connection, run: int | None
) -> Iterator[tuple[Series, str, TrendPoint]]:
    rows = _rows(
        connection,
        run,
        columns="operation, requests, errors, response_time",
        name="operation",
        join="JOIN operations ON operations.run = runs.run",
        condition="requests > 0",
    )
    for series, base, (name, requests, errors, text) in rows:
        times = Histogram.from_compact(text)
        p50, p95, p99 = (times.quantile(q) for q in (0.5, 0.95, 0.99))
        if p95:  # nothing takes no time at all
            yield (
                series,
                name,
                TrendPoint(
                    **base,
                    level=float(p95),
                    p50_ns=p50,
                    p99_ns=p99,
                    requests=requests,
                    errors=errors,
                ),
            )


def _of_rates(
    connection: sqlite3.Connection, run: int | None
) -> Iterator[tuple[Series, str, TrendPoint]]:
    rows = _rows(
        connection,
        run,
        columns="sustainable_per_s",
        name="kind",
        join="",
        condition="sustainable_per_s > 0",
    )
    for series, base, (rate,) in rows:
        yield series, SUSTAINED, TrendPoint(**base, level=rate)


def _rows(
    connection: sqlite3.Connection, run: int | None, **parts: str
) -> Iterator[tuple[Series, dict[str, Any], tuple[Any, ...]]]:
    """Of each point: its series, what all points have, and the columns that were asked for."""
    series_only = "" if run is None else _OF_ONE_SERIES
    query = _POINTS.format(series=series_only, most=MOST_POINTS, **parts)
    for row in connection.execute(query, {} if run is None else {"run": run}):
        number, kind, target, shape, machine, text, started_at, commit, calibration_ns = row[:9]
        yield (
            Series(kind=kind, target=target, shape=shape, machine=machine, machine_text=text),
            {
                "run": number,
                "started_at": started_at,
                "commit": commit,
                "calibration_ns": calibration_ns,
            },
            row[9:-1],
        )
