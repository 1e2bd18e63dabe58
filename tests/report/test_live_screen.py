"""What the live view of a load draws from what it was shown."""

from dataclasses import replace

import pytest
from rich.console import Console

from tests.test_slo import measured, run_of, steady
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.progress import Progress
from withstand.report.live_screen import draw, sparkline
from withstand.report.live_tally import LiveTally
from withstand.slo import Outlook, Standing, parse_objective
from withstand.stats.histogram import Histogram

PROGRESS = Progress(
    elapsed_s=5.0,
    duration_s=20.0,
    completed=500,
    errors=10,
    rate_per_s=97.0,
    p50_ns=None,
    p95_ns=None,
    in_flight=3,
    queued=7,
)


def shown(
    tally: LiveTally,
    *outlooks: Outlook,
    progress: Progress = PROGRESS,
    width: int = 110,
    height: int = 30,
    keys: bool = True,
) -> list[str]:
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(draw(progress, tally, outlooks, width=width, height=height, keys=keys))
    return capture.get().splitlines()


def tally_of(*operations: OperationMeasurement) -> LiveTally:
    tally = LiveTally()
    run = run_of(*operations, duration_s=5.0)
    lag = replace(run.generator, send_lag=Histogram([200_000]))
    tally.take(replace(run, generator=lag))
    return tally


def failing(status: int | None) -> OperationMeasurement:
    return measured(lambda _, i: (50, status if i < 2 else 200), seconds=5)


def test_rate_queue_times_lag_and_errors_by_class_are_there() -> None:
    tally = tally_of(failing(503))
    tally.rates.extend([1.0, 50.0, 100.0])
    said = "\n".join(shown(tally))
    for part in (
        "5 s of 20 s",
        "q stops",
        "97/s answered",
        "▁▅█",
        "3 in flight, 7 waiting for a connection",
        "p50 50.",
        "p99 50.",
        "send lag p99 200 µs",
        "10 (2 %): 10 status 503",
    ):
        assert part in said, part
    assert "q stops" not in "\n".join(shown(tally, keys=False))
    assert "10 timed-out" in "\n".join(shown(tally_of(failing(None))))
    assert "none of 500 requests" in "\n".join(shown(tally_of(measured(steady(1), seconds=5))))


def test_until_the_start_the_time_left_is_shown() -> None:
    assert shown(tally_of(), progress=replace(PROGRESS, elapsed_s=-7.0))[0] == "load starts in 7 s"


def test_users_are_shown_in_the_closed_model_and_the_offered_rate_in_the_open_one() -> None:
    tally = tally_of(measured(steady(1), seconds=5))
    assert tally.newest is not None
    tally.take(replace(tally.newest, duration_s=7.0, offered=900, operations={}))
    assert "200/s offered" in shown(tally)[1]
    closed = shown(tally, progress=replace(PROGRESS, users=12))
    assert "offered" not in closed[1]
    assert "12 users, 3 in flight" in closed[2]


def test_objectives_stand_one_a_line_and_the_worst_operation_speaks() -> None:
    promise = parse_objective("p95<200ms")
    other = parse_objective("rps>100")

    def stands(operation: str, standing: Standing, objective: object = promise) -> Outlook:
        assert objective in {promise, other}
        chosen = promise if objective is promise else other
        return Outlook(objective=chosen, operation=operation, standing=standing, note="why")

    lines = shown(
        tally_of(),
        stands("GET /a", Standing.MET_SO_FAR),
        stands("GET /b", Standing.BREACHED),
        stands("*", Standing.TOO_EARLY, other),
    )
    assert lines[-2:] == [
        "✗ p95<200ms GET /b  breached: why",
        "· rps>100  too early: why",
    ]


@pytest.mark.parametrize(("width", "height"), [(40, 10), (60, 14), (110, 30), (200, 60)])
def test_the_view_fits_its_terminal(width: int, height: int) -> None:
    operations = [
        measured(steady(1), seconds=2, operation=f"GET /a/rather/long/path/{n}") for n in range(40)
    ]
    outlooks = [
        Outlook(
            objective=parse_objective(f"p95<{n + 1}ms"),
            operation="GET /a/rather/long/path",
            standing=Standing.NOT_MET_SO_FAR,
            note="a long note " * 9,
        )
        for n in range(2)
    ]
    lines = shown(tally_of(*operations), *outlooks, width=width, height=height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("more" in line for line in lines) is (
        10 < height < 50
    )  # none of the rows has room in ten lines


def test_what_the_server_sent_cannot_steer_the_terminal() -> None:
    evil = measured(steady(1), seconds=2, operation="GET /\x1b[2J")
    text = "\n".join(shown(tally_of(evil, measured(steady(1), seconds=2))))
    assert "\x1b" not in text
    assert "\\x1b" in text


def test_windows_that_are_reported_again_are_counted_once() -> None:
    tally = tally_of(failing(503))
    tally.take(run_of(failing(503)))
    assert tally.requests == 500
    assert tally.errors == {"status 503": 10}


def test_only_the_newest_ten_seconds_make_the_quantiles() -> None:
    tally = tally_of(measured(lambda second, _: (500 if second < 10 else 50, 200)))
    assert tally.recent.count == 1000
    assert tally.recent.maximum == 50_000_000
    assert isinstance(tally.newest, LoadMeasurement)
    assert tally.operations["GET /users"].rate_per_s(20.0) == 100


def test_a_sparkline_reaches_from_nothing_to_the_greatest() -> None:
    assert sparkline([]) == sparkline([0.0]) == ""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
