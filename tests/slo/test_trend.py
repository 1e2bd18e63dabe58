"""What a history says of its latest run, from the levels alone."""

import pytest

from withstand.slo.trend import SUSTAINED, Series, Standing, Trend, TrendPoint, slower

SERIES = Series(kind="load", target="http://a", shape="10/s", machine="f", machine_text="a CPU")
USUAL = [100.0 + index % 4 for index in range(20)]


def trend_of(
    levels: list[float], *, name: str = "GET /users", calibration_ns: tuple[int, ...] = ()
) -> Trend:
    return Trend(
        name=name,
        series=SERIES,
        points=tuple(
            TrendPoint(
                run=number,
                started_at=float(number),
                commit=None,
                calibration_ns=calibration_ns[number] if calibration_ns else 1_000,
                level=level,
            )
            for number, level in enumerate(levels)
        ),
    )


@pytest.mark.parametrize(
    ("after", "standing"),
    [
        ([101.0], Standing.USUAL),
        ([150.0], Standing.SLOWER),
        ([50.0], Standing.USUAL),
        ([150.0, 101.0], Standing.USUAL),
        ([101.0, 150.0], Standing.SLOWER),
        ([150.0, 150.0], Standing.CONFIRMED),
        ([150.0, 150.0, 150.0], Standing.CONFIRMED),
        ([150.0] * 12, Standing.USUAL),  # accepted, or nobody cared
    ],
)
def test_one_slower_run_is_a_suspicion_and_the_second_confirms_it(
    after: list[float], standing: Standing
) -> None:
    trend = trend_of(USUAL + after)
    assert trend.standing() is standing
    assert slower([trend], standing) == (trend,)


@pytest.mark.parametrize("runs", [1, 2, 20])
def test_a_history_that_is_too_short_judges_nothing_however_slow_a_run_is(runs: int) -> None:
    trend = trend_of([*USUAL[: runs - 1], 10_000.0])
    assert trend.standing() is Standing.UNKNOWN
    assert trend.missing_runs() == 20 - runs


def test_two_slow_runs_need_twenty_before_both_of_them() -> None:
    # The second of them has twenty before it, but the first is one of these.
    assert trend_of([*USUAL[:19], 150.0, 150.0]).standing() is Standing.SLOWER


def test_the_change_is_told_from_the_second_run_on() -> None:
    assert trend_of([100.0]).comparison() is None
    comparison = trend_of([100.0, 120.0]).comparison()
    assert comparison is not None
    assert comparison.change == pytest.approx(0.2)


def test_a_rate_is_shown_and_not_judged() -> None:
    assert trend_of([*USUAL, 150.0, 150.0], name=SUSTAINED).standing() is Standing.UNKNOWN


@pytest.mark.parametrize(("latest_ns", "slowdown"), [(1_100, None), (1_300, 0.3), (700, None)])
def test_a_machine_that_is_slow_at_the_moment_is_seen_by_its_calibration(
    latest_ns: int, slowdown: float | None
) -> None:
    trend = trend_of([100.0] * 4, calibration_ns=(1_000, 1_010, 990, latest_ns))
    assert trend.machine_slowdown() == pytest.approx(slowdown)
