"""The compare verb against servers whose latencies are known."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke
from tests.demo.running import running
from withstand.load.measurement import GeneratorHealth, LoadMeasurement, OperationMeasurement
from withstand.load.window import Window
from withstand.results import Results
from withstand.results_file import write_results
from withstand.stats.histogram import Histogram

SERVER = Path(__file__).parent / "timed_server.py"
FEW = ("--restarts", "4", "--blocks", "1", "--requests", "10")


def serving(milliseconds: float, *more: str) -> str:
    """The command that serves the tiny API on a free port."""
    return shlex.join([sys.executable, str(SERVER), "{port}", str(milliseconds), *more])


def differences(folder: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((folder / "found.json").read_text())
    return {each["indicator"]: each for each in document["differences"]}


def assert_gone(pids: Path, *, least: int) -> None:
    """All of these processes have ended, as many as there must have been."""
    started = [int(line) for line in pids.read_text().split()]
    assert len(started) >= least
    deadline = time.monotonic() + 10
    alive = started
    while alive and time.monotonic() < deadline:
        alive = [pid for pid in alive if runs(pid)]
        time.sleep(0.02)
    assert not alive


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # the child's own parent is gone, and nobody here may wait for it


def test_a_slower_version_is_found_and_every_process_of_every_start_is_stopped(
    invoke: Invoke, folder: Path
) -> None:
    more = ("--has-child", "--pids", "pids")
    outcome = invoke(
        *("compare", "--start-a", serving(2, *more), "--start-b", serving(24, *more), *FEW),
        *("--json", "found.json", "--markdown", "found.md"),
    )
    assert outcome.code == 1, outcome.said
    assert "B is worse: GET /item p50 is" in outcome.said
    assert "restart 1 of 4" in outcome.err
    found = differences(folder)
    assert (found["p50"]["state"], found["p50"]["units"]) == ("worse", 4)
    assert found["p50"]["low"] > 0.02
    assert "p95" not in found  # ten requests in a block cannot tell
    assert "**✗ B is worse: GET /item p50 is" in (folder / "found.md").read_text()
    assert_gone(folder / "pids", least=16)


@pytest.mark.slow
def test_a_version_in_which_an_operation_is_broken_from_the_start_is_worse(
    invoke: Invoke, folder: Path
) -> None:
    versions = ("--start-a", serving(2), "--start-b", serving(2, "--broken"))
    outcome = invoke(*("compare", *versions, *FEW), "--json", "found.json")
    assert outcome.code == 1, outcome.said
    assert "B is worse: GET /item errors" in outcome.said
    assert differences(folder)["errors"]["b"] == 1
    back = invoke("compare", "--start-a", versions[3], "--start-b", versions[1], *FEW)
    assert back.code == 0, back.said


@pytest.mark.slow
def test_a_terminal_that_is_closed_leaves_no_server_behind(folder: Path) -> None:
    with comparing(folder, started=4) as process:
        process.send_signal(signal.SIGHUP)
        process.wait(30)
    assert_gone(folder / "pids", least=4)


@pytest.mark.slow
def test_a_version_that_fails_more_requests_is_found_however_fast_it_is(
    invoke: Invoke, folder: Path
) -> None:
    outcome = invoke(
        *("compare", "-q", "--start-a", serving(1), "--start-b", serving(1, "--fails")),
        *("--restarts", "4", "--blocks", "1", "--requests", "20", "--json", "found.json"),
    )
    assert outcome.code == 1, outcome.said
    assert differences(folder)["errors"]["state"] == "worse"
    assert differences(folder)["errors"]["b"] == pytest.approx(0.5, abs=0.1)


def test_a_version_that_does_not_come_up_is_shown_with_what_it_said(
    invoke: Invoke, folder: Path
) -> None:
    dying = shlex.join([sys.executable, "-c", "print('no database'); raise SystemExit(7)"])
    outcome = invoke(
        "compare", "-q", "--start-a", serving(1, "--pids", "pids"), "--start-b", dying, *FEW
    )
    assert outcome.code == 3
    assert "version B ended with 7; it said: no database" in outcome.said
    if (folder / "pids").exists():  # A, where it was the first of the two
        assert_gone(folder / "pids", least=1)


def test_a_version_that_never_answers_is_given_up(invoke: Invoke) -> None:
    asleep = shlex.join([sys.executable, "-c", "import time; time.sleep(60)"])
    outcome = invoke(
        *("compare", "-q", "--start-a", asleep, "--start-b", asleep, "--start-timeout", "200ms")
    )
    assert outcome.code == 3
    assert "does not answer at http://127.0.0.1:" in outcome.said


@pytest.mark.slow
def test_what_was_measured_when_the_time_is_up_is_judged(invoke: Invoke, folder: Path) -> None:
    outcome = invoke(
        *("compare", "-q", "--start-a", serving(2), "--start-b", serving(2), "--strict"),
        *("--restarts", "1000", "--blocks", "1", "--requests", "10", "--max-time", "5s"),
        *("--json", "found.json"),
    )
    assert outcome.code in {0, 3}, outcome.said
    assert "of 1000 restarts were measured to their end (the time was up)" in outcome.said
    assert 2 <= differences(folder)["p50"]["units"] < 1000


@contextlib.contextmanager
def comparing(folder: Path, *more: str, started: int) -> Iterator["subprocess.Popen[str]"]:
    """A comparison without end that has started so many processes, two for each server."""
    command = serving(1, "--has-child", "--pids", "pids", *more)
    with subprocess.Popen(
        [
            *(sys.executable, "-c", "from withstand.cli import main; main()", "compare"),
            *("--start-a", command, "--start-b", command, "--restarts", "1000"),
            *("--blocks", "1", "--requests", "10", "--json", "found.json"),
        ],
        cwd=folder,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(lines_of(folder / "pids")) < started:
            time.sleep(0.02)
        yield process


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_is_there_and_stops_the_servers(
    folder: Path, number: signal.Signals
) -> None:
    with comparing(folder, started=10) as process:  # so two restarts are through
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "(interrupted)" in out
    assert differences(folder)["p50"]["units"] >= 2
    assert_gone(folder / "pids", least=10)


@pytest.mark.slow
def test_no_impatience_leaves_a_server_behind(folder: Path) -> None:
    with comparing(folder, "--stays", started=4) as process:
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.01)
    assert_gone(folder / "pids", least=4)


def lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def stored(folder: Path, name: str, milliseconds: float) -> str:
    """A results file of a load whose responses all took about so long."""
    times = Histogram(round(milliseconds * 1e6 * (1 + i % 10 / 100)) for i in range(1_000))
    window = Window(second=0, response_time=times, service_time=times, statuses={200: 1_000})
    load = LoadMeasurement(
        model="open",
        profile="100/s for 10s",
        started_at=0.0,
        duration_s=10.0,
        offered=1_000,
        sent=1_000,
        late=0,
        unanswered=0,
        operations={"GET /item": OperationMeasurement.of("GET /item", [window])},
        generator=GeneratorHealth(cpu_share=0.1, send_lag=Histogram()),
    )
    results = Results(
        started_at=0.0, duration_s=10.0, version="1", command="", base_url="http://a", load=load
    )
    write_results(folder / name, results)
    return name


@pytest.mark.parametrize("strict", [(), ("--strict",)])
def test_two_stored_runs_never_fail_a_build_and_say_why(
    invoke: Invoke, folder: Path, strict: Sequence[str]
) -> None:
    files = stored(folder, "a.json", 10), stored(folder, "b.json", 1_000)
    outcome = invoke("compare", *files, *strict, "--json", "found.json", "--markdown", "f.md")
    assert outcome.code == 0
    assert "Two stored runs fail nothing" in outcome.said
    assert differences(folder)["p50"]["change"] == pytest.approx(99, rel=0.02)
    assert differences(folder)["p50"]["detectable"] > 0.2
    assert "no verdict" in (folder / "f.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "needs two versions"),
        (("http://127.0.0.1:1",), "needs two versions"),
        (("http://127.0.0.1:1", "http://127.0.0.1:1"), "A and B are both"),
        (("http://127.0.0.1:1", "after.json"), "is no address"),
        (("before.json", "after.json"), "cannot be read"),
        (("http://127.0.0.1:{port}", "http://127.0.0.1:1"), "a port that nobody chooses"),
        (("http://api.example.com", "http://127.0.0.1:1"), "not in the list of allowed hosts"),
        (("http://127.0.0.1:1", "http://127.0.0.1:2", "-H", "http://127.0.0.1:3"), "has two"),
        (("http://127.0.0.1:1", "http://127.0.0.1:2", "--blocks", "1"), "without restarts"),
        (("--start-a", "serve"), "--start-b is missing"),
        (("--start-a", "'", "--start-b", "serve"), "no command line"),
        (("--start-a", "/no/such", "--start-b", "/no/such"), "cannot be started"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_next_step(
    invoke: Invoke, arguments: tuple[str, ...], said: str
) -> None:
    outcome = invoke("compare", "-q", *arguments)
    assert outcome.code == 2
    assert said in outcome.said
    assert "→" in outcome.err


def test_an_address_where_nobody_answers_is_named(invoke: Invoke) -> None:
    outcome = invoke("compare", "-q", "http://127.0.0.1:1", "http://127.0.0.1:2")
    assert outcome.code == 3
    assert "version" in outcome.said
    assert "does not answer at http://127.0.0.1:" in outcome.said


def demo(*more: str) -> str:
    latency = ("--latency", "GET /products: lognormal 60ms 0.05")
    return shlex.join([sys.executable, "-m", "withstand.demo", "--port", "{port}", *latency, *more])


@pytest.mark.slow
def test_a_demo_that_is_slower_by_a_fifth_is_found_and_the_same_demo_is_not(
    invoke: Invoke, folder: Path
) -> None:
    amount = ("--blocks", "1", "--requests", "15", "-o", "GET /products")
    slower = invoke(
        *("compare", "-q", "--start-a", demo(), "--start-b", demo("--slower", "20%"), *amount),
        *("--restarts", "4", "--json", "found.json"),
    )
    assert slower.code == 1, slower.said
    # Within some percent: what the server does besides is no slower.
    assert 0.1 < differences(folder)["p50"]["change"] < 0.3
    same = invoke(
        "compare", "-q", "--start-a", demo(), "--start-b", demo(), *amount, "--restarts", "2"
    )
    assert same.code == 0, same.said


@pytest.mark.slow
def test_two_hosts_are_compared_by_block_with_the_larger_margin(
    invoke: Invoke, folder: Path
) -> None:
    latency = ("--latency", "GET /products: lognormal 20ms 0.1")
    with running(*latency) as a, running(*latency, "--slower", "50%") as b:
        urls = (a.words["url"], b.words["url"])
        amount = ("-o", "GET /products", "--blocks", "6", "--requests", "20")
        outcome = invoke("compare", "-q", *urls, *amount, "--json", "found.json")
    assert outcome.code == 1, outcome.said
    assert "were not restarted" in outcome.said
    document = json.loads((folder / "found.json").read_text())
    assert (document["margin"], document["restarted"]) == (0.05, False)
    assert differences(folder)["p50"]["units"] == 6
