"""Several processes write one history, and one that is killed leaves no half run."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.history.remembered import kept, load_of, run_of
from withstand.history.database import opened
from withstand.history.runs import read_run

WRITERS = 2
RUNS_OF_EACH = 4

_WRITER = """
import sys
from pathlib import Path
from tests.history.remembered import kept, run_of
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    kept(Path(sys.argv[1]), run_of(20 + number))
    print(number, flush=True)
"""
# Kills itself amid the transaction: when half of the windows of its run are in.
_KILLED_WITHIN = """
import os, signal, sys
from pathlib import Path
from tests.history.remembered import MACHINE, NOW, run_of
from withstand.history.database import opened
from withstand.history.runs import Circumstances, Kind, remember
seen = []
def watch(statement):
    seen.append(statement)
    if sum("INTO windows" in each for each in seen) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
with opened(Path(sys.argv[1])) as connection:
    connection.set_trace_callback(watch)
    at = Circumstances(machine=MACHINE, calibration_ns=1, commit=None, now=NOW)
    remember(connection, run_of(99), kind=Kind.LOAD, at=at)
"""


def writer(history: Path, runs: int, program: str = _WRITER) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program, str(history), str(runs)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def complete_runs(history: Path) -> int:
    """How many runs there are, each of them whole, in a file that is sound."""
    with opened(history) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        numbers = [run for (run,) in connection.execute("SELECT run FROM runs")]
        for run in numbers:
            (operation,) = load_of(read_run(connection, run)).operations.values()
            assert len(operation.windows) == 10
            assert sum(each.requests for each in operation.windows) == operation.requests
        (windows,) = connection.execute("SELECT count(*) FROM windows").fetchone()
        assert windows == 10 * len(numbers)
    return len(numbers)


def test_writers_at_once_lose_nothing_when_one_of_them_is_killed(tmp_path: Path) -> None:
    history = tmp_path / "history.sqlite"  # which they all want to make at once
    writers = [writer(history, RUNS_OF_EACH) for _ in range(WRITERS)]
    doomed = writer(history, 100_000)
    assert doomed.stdout is not None
    said = [doomed.stdout.readline() for _ in range(4)]
    assert said == ["ready\n", "0\n", "1\n", "2\n"]
    doomed.send_signal(signal.SIGKILL)
    rest, _ = doomed.communicate()
    assert doomed.returncode == -signal.SIGKILL
    for each in writers:
        each.communicate()
        assert each.returncode == 0
    of_the_doomed = complete_runs(history) - WRITERS * RUNS_OF_EACH
    # What it said it had written is there, and at most the one that it had no time to say.
    assert of_the_doomed - (3 + rest.count("\n")) in {0, 1}


def test_a_writer_that_is_killed_amid_its_transaction_leaves_nothing_and_no_lock(
    tmp_path: Path,
) -> None:
    history = tmp_path / "history.sqlite"
    kept(history, run_of(20))
    doomed = writer(history, 1, _KILLED_WITHIN)
    doomed.communicate()
    assert doomed.returncode == -signal.SIGKILL
    assert complete_runs(history) == 1
    kept(history, run_of(21))
    assert complete_runs(history) == 2
