"""Runs are remembered when somebody asks for it, and what is slower fails only when confirmed."""

import json
import re
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, Outcome
from tests.demo.running import RunningDemo
from tests.history.remembered import DAY_S, NOW, kept, kept_levels, run_of
from withstand.history import database
from withstand.history.database import opened
from withstand.history.runs import read_run
from withstand.results_file import read_results
from withstand.stats.histogram import Histogram

FILE = ".withstand/history.sqlite"
MS = 1_000_000


def load(demo: RunningDemo, *more: str) -> tuple[str, ...]:
    return ("load", "-q", f"{demo.words['url']}/health", "--rate", "80/s", "-t", "200ms", *more)


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute(query).fetchall()


def with_twenty_before(folder: Path, level_ns: int) -> None:
    """Gives the only run of the history twenty predecessors, whose p95 is about that."""
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        names = [name for _, name, *_ in connection.execute("PRAGMA table_info(runs)")][1:]
        columns = ", ".join(names)
        for back in range(1, 21):
            moved = columns.replace("started_at", f"started_at - {back * DAY_S}")
            run = connection.execute(
                f"INSERT INTO runs ({columns}) SELECT {moved} FROM runs WHERE run = 1"
            ).lastrowid
            times = Histogram([level_ns + level_ns * (back % 5) // 100] * 40).to_compact()
            connection.execute(
                "INSERT INTO operations VALUES (?, 'GET /health', 40, 0, ?)", (run, times)
            )
        connection.execute("DELETE FROM runs WHERE run = 1")


@pytest.fixture
def slower(invoke: Invoke, folder: Path, demo: RunningDemo) -> Path:
    """A history of runs that took next to no time, so that every real one is slower."""
    invoke(*load(demo, "--history", FILE))
    with_twenty_before(folder, 1_000)
    return folder


def test_nothing_is_written_unasked(invoke: Invoke, folder: Path, demo: RunningDemo) -> None:
    outcome = invoke(*load(demo))
    assert outcome.code == 0, outcome.said
    assert {path.name for path in folder.iterdir()} == {".git"}
    assert "History" not in outcome.out


def test_a_run_is_remembered_where_the_configuration_says_and_its_trend_is_shown(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text(f'[history]\nfile = "{FILE}"\n')
    invoke(*load(demo))
    outcome = invoke(*load(demo, "--html", "report.html", "--json", "run.json"))
    assert rows(folder, "SELECT run, kind, flaw FROM runs") == [
        (1, "load", None),
        (2, "load", None),
    ]
    assert "nothing is called slower before there are 20 runs: 18 runs to go" in outcome.said
    page = (folder / "report.html").read_text()
    assert 'id="history"' in page
    assert len(re.findall(r'<svg class="spark"', page)) == 1
    with opened(folder / FILE) as connection:
        assert read_run(connection, 2) == read_results(folder / "run.json")


def test_a_flag_wins_over_the_configuration(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    (folder / "withstand.toml").write_text('[history]\nfile = "other.sqlite"\n')
    invoke(*load(demo, "--history", FILE))
    assert (folder / FILE).exists()
    assert not (folder / "other.sqlite").exists()


def test_what_is_not_kept_is_forgotten_when_a_run_is_written(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    kept(folder / FILE, run_of(10, at=1_000_000.0))
    (folder / "withstand.toml").write_text(f'[history]\nfile = "{FILE}"\nkeep = "90 days"\n')
    invoke(*load(demo))
    assert rows(folder, "SELECT run FROM runs") == [(2,)]


@pytest.mark.slow
def test_a_search_and_a_soak_test_are_remembered_as_such(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    url = f"{demo.words['url']}/health"
    soak = invoke("soak", "-q", url, "--rate", "20/s", "-t", "2s", "--history", FILE)
    stress = invoke(
        *("stress", "-q", url, "--slo", "p50<2s", "--start-rate", "40/s", "--max-rate", "40/s"),
        *("--warm-up", "0s", "--step-time", "3s", "--longest-step", "3s", "--hold-time", "3s"),
        *("--history", FILE),
    )
    assert rows(folder, "SELECT kind FROM runs ORDER BY run") == [("soak",), ("stress",)], (
        soak.said + stress.said
    )
    assert rows(folder, "SELECT count(*) > 5 FROM windows WHERE run = 2") == [(1,)]
    assert "History" in soak.out


@pytest.mark.slow
def test_without_confirm_neither_one_slower_run_nor_the_one_after_it_fails_anything(
    invoke: Invoke, slower: Path, demo: RunningDemo
) -> None:
    outcome = invoke(*load(demo, "--history", FILE))
    assert outcome.code == 0
    assert "? GET /health is slower than its history" in outcome.said
    assert "one run proves nothing, so run it again" in outcome.said
    outcome = invoke(*load(demo, "--history", FILE))
    assert outcome.code == 0
    assert "✗ GET /health is slower than its history" in outcome.said
    assert "in two runs one after the other" in outcome.said


def test_with_confirm_a_rerun_that_is_slower_as_well_fails_the_run(
    invoke: Invoke, slower: Path, demo: RunningDemo
) -> None:
    outcome = invoke(*load(demo, "--history", FILE, "--confirm", "--exit-code-on-slo", "99"))
    assert outcome.code == 99
    assert "the load is run once more" in outcome.err
    assert "Failed: slower than the history, confirmed: GET /health" in outcome.err
    assert rows(slower, "SELECT count(*) FROM runs") == [(22,)]


@pytest.mark.slow
def test_with_confirm_nothing_is_run_again_that_is_as_usual(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    invoke(*load(demo, "--history", FILE))
    with_twenty_before(folder, 20_000 * MS)
    outcome = invoke(*load(demo, "--history", FILE, "--confirm"))
    assert outcome.code == 0
    assert "once more" not in outcome.err
    assert rows(folder, "SELECT count(*) FROM runs") == [(21,)]


def test_confirm_needs_a_history(invoke: Invoke, demo: RunningDemo) -> None:
    outcome = invoke(*load(demo, "--confirm"))
    assert outcome.code == 2
    assert "--confirm asks the history whether the run is slower, and there is none" in outcome.said


def newer(file: Path) -> None:
    kept(file, run_of(10))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (newer, "is of version 99, and this Withstand knows versions up to"),
        (lambda file: file.write_text("no database " * 99), "it is no SQLite database"),
        (lambda file: file.mkdir(), "it cannot be opened"),
    ],
    ids=["newer", "no database", "folder"],
)
def test_a_history_that_cannot_be_used_is_refused_before_anything_is_sent(
    invoke: Invoke, folder: Path, spoil: Any, sentence: str
) -> None:
    (folder / FILE).parent.mkdir()
    spoil(folder / FILE)
    # Nothing listens there, which a run would have found out.
    outcome = invoke("load", "-q", "http://127.0.0.1:9/", "-t", "1s", "--history", FILE)
    assert outcome.code == 2
    assert sentence in outcome.said


def test_a_history_that_somebody_else_keeps_to_himself_costs_no_report(
    invoke: Invoke, folder: Path, demo: RunningDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(folder / FILE, run_of(10))
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcome = invoke(*load(demo, "--history", FILE, "--json", "run.json"))
    assert outcome.code == 0
    assert "Warning: this run is not remembered: the history" in outcome.err
    assert "MEASURED" in outcome.out
    assert read_results(folder / "run.json").load is not None


@pytest.mark.slow
def test_a_disk_that_takes_no_more_costs_no_report(folder: Path, demo: RunningDemo) -> None:
    kept(folder / FILE, run_of(10))
    run = load(demo, "--history", FILE, "--json", "run.json")
    most = 36_864  # a report fits, and what SQLite needs to read; what it writes does not

    def little_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    done = subprocess.run(
        [Path(sys.executable).with_name("withstand"), *run],
        cwd=folder, capture_output=True, text=True, check=False, preexec_fn=little_disk,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning: this run is not remembered: the history" in done.stderr
    assert read_results(folder / "run.json").load is not None
    assert rows(folder, "PRAGMA integrity_check") == [("ok",)]
    assert rows(folder, "SELECT count(*) FROM runs") == [(1,)]


def shown(invoke: Invoke, *arguments: str) -> Outcome:
    outcome = invoke("history", *arguments, "--history", FILE)
    assert outcome.code == 0, outcome.said
    return outcome


def test_trends_are_drawn_with_the_latest_level_its_change_and_its_errors(
    invoke: Invoke, folder: Path
) -> None:
    kept_levels(folder / FILE, [100.0 + index % 4 for index in range(20)] + [200.0])
    text = shown(invoke).said
    assert "load of http://127.0.0.1:8000" in text
    assert "21 runs on Example CPU, 2 cores, Linux 6.1, CPython 3.11" in text
    assert re.search(r"GET /users +[▁▂▃▄▅▆▇█]{8,} +200 ms +\+97 % +0 % +\+\d", text)
    assert "? GET /users is slower than its history: p95 200 ms" in text


def test_an_operation_is_shown_run_by_run(invoke: Invoke, folder: Path) -> None:
    kept_levels(folder / FILE, [100.0, 110.0])
    kept(folder / FILE, run_of(50, operation="GET /other", at=NOW - 1))
    outcome = shown(invoke, "GET /users")
    lines = [line.split() for line in outcome.out.splitlines()]
    assert "GET /other" not in outcome.out
    (newest,) = [line for line in lines if line[:1] == ["2"] and "ms" in line]
    assert newest[1:7] == ["110", "ms", "110", "ms", "110", "ms"]
    assert newest[-1] == "0" * 10


def test_an_operation_that_no_run_had_is_a_sentence(invoke: Invoke, folder: Path) -> None:
    kept(folder / FILE, run_of(10))
    outcome = invoke("history", "GET /user", "--history", FILE)
    assert outcome.code == 2
    assert "has no run of 'GET /user'" in outcome.said
    assert "it has GET /users" in outcome.said


def test_the_same_figures_are_there_for_programs(invoke: Invoke, folder: Path) -> None:
    kept_levels(folder / FILE, [100.0] * 20 + [200.0, 200.0])
    (trend,) = json.loads(shown(invoke, "--json").out)
    assert (trend["name"], trend["kind"], trend["unit"]) == ("GET /users", "load", "ns")
    assert trend["standing"] == "confirmed"
    assert trend["change"] == pytest.approx(1.0, abs=0.01)
    assert [point["run"] for point in trend["points"]] == list(range(1, 23))
    assert trend["points"][-1]["level"] == pytest.approx(200 * MS, rel=0.005)


def test_a_run_of_the_history_is_shown_and_exported_as_it_was(invoke: Invoke, folder: Path) -> None:
    kept(folder / FILE, run_of(10), commit="c0ffee1")
    kept(folder / FILE, run_of(20, at=NOW + 1))
    assert "c0ffee1" in shown(invoke, "runs").out
    text = shown(invoke, "show", "2", "--html", "report.html").out
    assert "180" not in text  # all 200 requests, not only those that are judged
    assert "200" in text
    assert "History" in text
    assert 'class="spark"' in (folder / "report.html").read_text()
    shown(invoke, "export", "2", "exported.json")
    assert read_results(folder / "exported.json") == run_of(20, at=NOW + 1)


def test_pruning_forgets_and_gives_the_space_back(invoke: Invoke, folder: Path) -> None:
    kept_levels(folder / FILE, [10.0] * 30)
    size = (folder / FILE).stat().st_size
    assert "forgot 29 runs" in shown(invoke, "prune", "--keep", "1 run").out
    assert rows(folder, "SELECT run FROM runs") == [(30,)]
    assert (folder / FILE).stat().st_size < size


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "no history is named"),
        (("--history", "gone.sqlite"), "there is no history"),
        (("prune", "--history", "gone.sqlite", "--keep", "1 run"), "there is no history"),
        (("prune", "--history", "gone.sqlite"), "nothing says how much of the history to keep"),
        (("prune", "--history", "x", "--keep", "a while"), "'a while' does not say how much"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    invoke: Invoke, folder: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    outcome = invoke("history", *arguments)
    assert outcome.code == 2
    assert sentence in outcome.said
    assert not list(folder.glob("*.sqlite"))


def test_a_check_is_remembered_with_what_it_tried(
    invoke: Invoke, folder: Path, demo: RunningDemo
) -> None:
    wanted = ("check", "-q", "--only", "slo", "--base-url", demo.words["url"], "--history", FILE)
    promise = ("--slo", "GET /health: p95<10s")
    for number in ("1", "2"):
        done = invoke(*wanted, *promise, "--json", f"{number}.json")
        assert done.code == 0, done.err
    assert "History" in done.out
    (name, requests, errors), again = rows(
        folder, "SELECT operation, requests, errors FROM operations"
    )
    assert (name, errors) == ("GET /health", 0)
    assert requests >= 85
    assert again[0] == name
    with opened(folder / FILE) as connection:
        remembered = read_run(connection, 2)
    results = read_results(folder / "2.json")
    assert remembered.trials == results.trials
    assert remembered.verdicts() == results.verdicts()
