"""What is kept of a history, and what is forgotten."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.history.remembered import DAY_S, MACHINE, NOW, kept, run_of
from withstand.errors import UsageError
from withstand.history.database import opened
from withstand.history.machine import Machine
from withstand.history.retention import PATTERN, Retention, parse_retention
from withstand.history.runs import Kind, summaries


@pytest.fixture
def history(tmp_path: Path) -> Path:
    return tmp_path / "history.sqlite"


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        ("90 days", Retention(age_s=90 * DAY_S)),
        ("1 day", Retention(age_s=DAY_S)),
        ("12hours", Retention(age_s=DAY_S / 2)),
        ("2 weeks", Retention(age_s=14 * DAY_S)),
        ("6 months", Retention(age_s=180 * DAY_S)),
        ("500 runs", Retention(runs=500)),
        ("90 days, 500 runs", Retention(age_s=90 * DAY_S, runs=500)),
        ("1 run,1 hour", Retention(age_s=3_600.0, runs=1)),
    ],
)
def test_it_is_written_as_people_say_it(text: str, retention: Retention) -> None:
    assert parse_retention(text) == retention
    assert re.search(PATTERN, text)


@pytest.mark.parametrize(
    "text",
    ["", "90", "days", "0 days", "-1 runs", "90 days 500 runs", "1 day, 2 weeks", "1 fortnight"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="does not say how much to keep"):
        parse_retention(text)


def runs_in(history: Path) -> list[int]:
    with opened(history) as connection:
        return sorted(each.run for each in summaries(connection, most=100))


def test_runs_older_than_is_kept_are_forgotten_when_the_next_is_written(history: Path) -> None:
    old = kept(history, run_of(20, at=NOW - 91 * DAY_S))
    young = kept(history, run_of(20, at=NOW - 89 * DAY_S))
    assert runs_in(history) == [old, young]
    new = kept(history, run_of(20), retention=Retention(age_s=90 * DAY_S))
    assert runs_in(history) == [young, new]


def test_the_newest_runs_of_each_kind_are_kept(history: Path) -> None:
    soak = kept(history, run_of(20, at=NOW - 9 * DAY_S), kind=Kind.SOAK)
    loads = [kept(history, run_of(20, at=NOW - day * DAY_S)) for day in (4, 3, 2)]
    new = kept(history, run_of(20), retention=Retention(runs=2))
    assert runs_in(history) == [soak, loads[2], new]


def test_nothing_is_left_of_what_is_forgotten(history: Path) -> None:
    other = Machine(cpu="Old CPU", cores=1, kernel="Linux 5.4", python="CPython 3.11")
    kept(history, run_of(20, at=NOW - 91 * DAY_S), machine=other)
    new = kept(history, run_of(20), retention=Retention(age_s=90 * DAY_S))
    with sqlite3.connect(history) as connection:
        for table in ("operations", "windows"):
            assert connection.execute(f"SELECT DISTINCT run FROM {table}").fetchall() == [(new,)]
        assert connection.execute("SELECT fingerprint FROM machines").fetchall() == [
            (MACHINE.fingerprint,)
        ]
