"""Trends join what is comparable and nothing else, and say when a run is slower than they were."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.remembered import (
    DAY_S,
    MACHINE,
    MS,
    NOW,
    OPERATION,
    kept,
    kept_levels,
    load_of,
    run_of,
)
from tests.report.stress_sample import stress_only
from withstand.history.database import opened
from withstand.history.runs import Kind
from withstand.history.trends import trends
from withstand.results import Results
from withstand.slo.trend import SUSTAINED, Standing, Trend

USUAL = [100.0 + index % 4 for index in range(20)]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


def all_trends(history: Path, *, run: int | None = None) -> tuple[Trend, ...]:
    with opened(history) as connection:
        return trends(connection, run=run)


def only_trend(history: Path) -> Trend:
    (trend,) = all_trends(history)
    return trend


def test_a_trend_has_the_levels_of_its_runs_in_order_without_their_warm_up(history: Path) -> None:
    kept(history, run_of(30, at=NOW + 2), commit="c2")
    kept(history, run_of(10, at=NOW, errors=18), commit="c1")
    trend = only_trend(history)
    assert [point.level / MS for point in trend.points] == pytest.approx([10, 30], rel=0.005)
    assert [point.commit for point in trend.points] == ["c1", "c2"]
    assert [point.error_share for point in trend.points] == [0.1, 0.0]
    assert (trend.name, trend.series.kind) == (OPERATION, "load")


def another_load(results: Results) -> Results:
    return replace(results, load=replace(load_of(results), profile="10/s for 10 s"))


@pytest.mark.parametrize(
    "other",
    [
        lambda path: kept(path, run_of(99), machine=replace(MACHINE, cores=64)),
        lambda path: kept(path, run_of(99), kind=Kind.SOAK),
        lambda path: kept(path, another_load(run_of(99))),
        lambda path: kept(path, replace(run_of(99), base_url="http://127.0.0.1:9")),
        lambda path: kept(path, run_of(99, operation="GET /other")),
    ],
    ids=["machine", "kind", "load", "target", "operation"],
)
def test_runs_of_another_kind_are_no_part_of_it(history: Path, other: object) -> None:
    assert callable(other)
    kept_levels(history, [10, 11])
    other(history)
    assert sorted(len(trend.points) for trend in all_trends(history)) == [1, 2]


def test_a_run_that_was_cut_short_is_part_of_no_trend(history: Path) -> None:
    kept_levels(history, [10, 11])
    run = kept(history, replace(run_of(99, at=NOW + 9 * DAY_S), interrupted=True))
    assert len(only_trend(history).points) == 2
    assert all_trends(history, run=run) == ()


def test_the_trends_of_a_run_end_with_it(history: Path) -> None:
    numbers = [kept(history, run_of(level, at=NOW + level)) for level in (10, 11, 12)]
    kept(history, run_of(13, at=NOW + 13, operation="GET /other"))
    (trend,) = all_trends(history, run=numbers[1])
    assert [point.run for point in trend.points] == numbers[:2]


def test_only_the_newest_runs_are_read(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withstand.history.trends.MOST_POINTS", 4)
    kept_levels(history, [10.0] * 7)
    points = only_trend(history).points
    assert [point.run for point in points] == [4, 5, 6, 7]


def test_the_newest_series_comes_first(history: Path) -> None:
    kept(history, run_of(10), kind=Kind.SOAK)
    kept(history, run_of(10, at=NOW - 1))
    assert [trend.series.kind for trend in all_trends(history)] == ["load", "soak"]


def test_sustainable_rates_have_a_trend(history: Path) -> None:
    for day in range(2):
        kept(history, replace(stress_only(), started_at=NOW + day), kind=Kind.STRESS)
    trend = only_trend(history)
    assert (trend.name, len(trend.points)) == (SUSTAINED, 2)


def test_two_slower_runs_after_twenty_others_are_slower_than_their_history(history: Path) -> None:
    kept_levels(history, [*USUAL, 150.0, 150.0])
    assert only_trend(history).standing() is Standing.CONFIRMED


def test_two_single_runs_never_fail_anything(history: Path) -> None:
    kept_levels(history, [10.0, 10_000.0])
    assert only_trend(history).standing() is Standing.UNKNOWN
