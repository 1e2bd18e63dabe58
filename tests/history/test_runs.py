"""What goes into a history comes out of it: Results whole, figures by operation and window."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.history.remembered import MACHINE, NOW, OPERATION, kept, load_of, run_of
from tests.report import sample, scan_sample
from tests.report.stress_sample import stress_only
from tests.results_strategies import loads, results
from withstand.errors import UsageError
from withstand.history.database import opened
from withstand.history.runs import Circumstances, Kind, read_run, remember, summaries, summary
from withstand.load.window import unpacked
from withstand.results import Results
from withstand.stats.histogram import Histogram


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.mark.parametrize(
    "make",
    [lambda: run_of(20), sample.load_only, sample.soak, stress_only],
    ids=["short", "load", "soak", "stress"],
)
def test_a_run_comes_out_as_it_went_in(history: Path, make: Callable[[], Results]) -> None:
    given_results = make()
    run = kept(history, given_results)
    with opened(history) as connection:
        assert read_run(connection, run) == given_results


@settings(max_examples=8, deadline=None)
@given(results(st.none(), loads, st.none()))
def test_any_load_comes_out_as_it_went_in(given_results: Results) -> None:
    at = Circumstances(machine=MACHINE, calibration_ns=1, commit=None, now=NOW)
    with opened(Path(":memory:")) as connection:
        run = remember(connection, given_results, kind=Kind.LOAD, at=at)
        assert read_run(connection, run) == given_results


def test_an_operation_whose_name_is_no_unicode_is_remembered_as_well(history: Path) -> None:
    odd = run_of(20, operation="GET /\udc80\x00")
    run = kept(history, odd)
    with opened(history) as connection:
        assert read_run(connection, run) == odd


def test_the_scan_of_a_run_with_its_exchanges_is_not_remembered(history: Path) -> None:
    void = replace(scan_sample.scan(), void="an identity broke")
    run = kept(history, replace(sample.sample(), scan=void), kind=Kind.CHECK)
    with opened(history) as connection:
        assert read_run(connection, run) == sample.load_only()
        assert summary(connection, run).flaw is None  # the load is none the worse for it
    assert sample.load_only() == replace(sample.sample(), scan=None)


def test_a_scan_alone_is_nothing_to_remember(history: Path) -> None:
    with pytest.raises(ValueError, match="without load"):
        kept(history, sample.scan_only())


def test_every_window_has_its_histogram_its_requests_and_its_errors(history: Path) -> None:
    given_results = run_of(20, errors=3)
    kept(history, given_results)
    with opened(history) as connection:
        rows = connection.execute(
            "SELECT operation, second, requests, errors, counts FROM windows ORDER BY second"
        ).fetchall()
    windows = load_of(given_results).operations[OPERATION].windows
    assert [(name, second) for name, second, *_ in rows] == [(OPERATION, n) for n in range(10)]
    assert [row[2:4] for row in rows] == [(20, 3 if second == 5 else 0) for second in range(10)]
    assert tuple(unpacked(row[4]) for row in rows) == windows


def test_what_is_compared_is_without_the_warm_up(history: Path) -> None:
    kept(history, run_of(20, errors=3))
    with opened(history) as connection:
        ((requests, errors, text),) = connection.execute(
            "SELECT requests, errors, response_time FROM operations"
        ).fetchall()
    assert (requests, errors) == (180, 3)
    assert Histogram.from_compact(text) == Histogram([20_000_000] * 180)


def test_the_circumstances_of_a_run_are_told(history: Path) -> None:
    run = kept(history, run_of(20), kind=Kind.SOAK, commit="c0ffee1", calibration_ns=1234)
    with opened(history) as connection:
        told = summary(connection, run)
    assert (told.kind, told.commit, told.calibration_ns) == ("soak", "c0ffee1", 1234)
    assert (told.machine, told.machine_text) == (MACHINE.fingerprint, MACHINE.description)
    assert (told.offered_per_s, told.achieved_per_s, told.warm_up_s) == (20.0, 20.0, 1)
    assert (told.started_at, told.target) == (NOW, scan_sample.BASE_URL)
    assert told.flaw is None


def test_a_search_is_remembered_with_the_rate_that_it_found(history: Path) -> None:
    run = kept(history, stress_only(), kind=Kind.STRESS)
    found = stress_only().capacity()
    assert found is not None
    with opened(history) as connection:
        told = summary(connection, run)
        steps = connection.execute("SELECT count(DISTINCT step) FROM windows").fetchone()[0]
    assert told.sustainable_per_s == found.sustainable_per_s
    assert steps == len(found.steps)
    assert "p95<100ms, errors<5%" in told.shape


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"interrupted": True}, "it was interrupted"),
        ({"load": replace(load_of(run_of(20)), aborted="p95<1ms is breached")}, "it was aborted"),
    ],
)
def test_a_run_that_did_not_come_to_its_end_says_so(
    history: Path, change: dict[str, object], flaw: str
) -> None:
    run = kept(history, replace(run_of(20), **change))  # type: ignore[arg-type]
    with opened(history) as connection:
        assert (summary(connection, run).flaw or "").startswith(flaw)


def test_the_newest_runs_are_listed_first(history: Path) -> None:
    numbers = [kept(history, run_of(20, at=NOW + at)) for at in (5, 1, 3)]
    with opened(history) as connection:
        listed = [each.run for each in summaries(connection, most=2)]
    assert listed == [numbers[0], numbers[2]]


def test_a_run_that_is_not_there_is_a_sentence(history: Path) -> None:
    with opened(history) as connection:
        for read in (read_run, summary):
            with pytest.raises(UsageError, match="the history has no run 7"):
                read(connection, 7)


def test_nothing_is_left_of_a_run_that_could_not_be_written_whole(history: Path) -> None:
    kept(history, run_of(20))
    with opened(history) as connection:
        connection.execute(
            "CREATE TRIGGER spoilt BEFORE INSERT ON windows WHEN NEW.second = 7 "
            "BEGIN SELECT RAISE(ABORT, 'spoilt'); END"
        )
    with pytest.raises(UsageError, match="spoilt"):
        kept(history, run_of(30))
    with sqlite3.connect(history) as connection:
        for table in ("runs", "operations"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM windows").fetchone() == (10,)
