"""`withstand load` of a locustfile, and Locust's own command with the plug-in line, end to end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demo.running import RunningDemo
from tests.seed.page import python_blocks
from withstand import cli
from withstand.history.database import opened_to_read
from withstand.history.runs import read_run
from withstand.results import Results
from withstand.results_file import read_results

_LIMIT_S = 120
_WITHSTAND = Path(sys.executable).with_name("withstand")

_SHOP = """
from locust import FastHttpUser, HttpUser, constant_pacing, task


class Reader(HttpUser):
    wait_time = constant_pacing(0.1)

    @task(2)
    def health(self):
        self.client.get("/health", name="health")

    @task
    def missing(self):
        with self.client.get("/nowhere", catch_response=True) as response:
            if response.status_code == 404:
                response.success()

    @task
    def picky(self):
        with self.client.get("/health", name="picky", catch_response=True) as response:
            response.failure("not what was wanted")

    @task
    def encoded(self):
        self.client.get("/health?q=a b", name="encoded")


class Fast(FastHttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def health(self):
        self.client.get("/health", name="fast health")
"""


@pytest.fixture
def address(demo: RunningDemo) -> str:
    """Where the demo API is."""
    return demo.words["url"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A locustfile."""
    file = tmp_path / "locustfile.py"
    file.write_text(_SHOP)
    return file


def _run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )


def _load(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return _run(_WITHSTAND, "load", *arguments, folder=folder)


@pytest.fixture
def refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """`withstand load` in this process, as nothing is started; what it says of the mistake."""
    monkeypatch.chdir(tmp_path)

    def refuse(*arguments: str | Path) -> str:
        assert cli.run(["load", *map(str, arguments)]) == 2
        return capfd.readouterr().err

    return refuse


def _counts(results: Results) -> dict[str, tuple[int, int]]:
    assert results.load is not None
    return {name: (each.requests, each.errors) for name, each in results.load.operations.items()}


def _locusts_counts(file: Path) -> dict[str, tuple[int, int]]:
    rows = json.loads(file.read_text())
    return {
        f"{row['method']} {row['name']}": (row["num_requests"], row["num_failures"]) for row in rows
    }


@pytest.mark.parametrize(
    "processes",
    [
        pytest.param((), id="alone"),
        pytest.param(("--processes", "2"), id="two workers", marks=pytest.mark.slow),
    ],
)
def test_what_is_recorded_is_what_locust_counts(
    processes: tuple[str, ...], shop: Path, address: str, tmp_path: Path
) -> None:
    done = _load(
        "-f", shop, "-u", "8", "-r", "8", "-t", "2s", "-H", address, *processes, "--explain",
        "--json", "r.json", "--json-file", "locust", "--slo", "GET health: errors<50%",
        "--history", "h.sqlite",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = read_results(tmp_path / "r.json")
    with opened_to_read(tmp_path / "h.sqlite") as connection:
        assert read_run(connection, 1) == results
    assert _counts(results) == _locusts_counts(tmp_path / "locust.json")
    assert results.load is not None
    assert set(results.load.operations) == {
        "GET health", "GET /nowhere", "GET picky", "GET encoded", "GET fast health",
    }  # fmt: skip
    picky = results.load.operations["GET picky"]
    assert picky.rejected == {"not what was wanted": picky.requests}
    missing = results.load.operations["GET /nowhere"]
    assert (missing.errors, missing.statuses) == (0, {404: missing.requests})
    if not processes:  # what a worker has to explain it says on its own terminal, at its own end
        assert re.search(r"locustfile.py:\d+  \d+ by Withstand's client", done.stderr)
        assert "because of an address that has to be encoded" in done.stderr


@pytest.mark.slow
def test_the_pages_locustfile_runs_as_it_stands(address: str, tmp_path: Path) -> None:
    (block,) = [each for each in python_blocks() if "HttpUser" in each]
    (tmp_path / "locustfile.py").write_text(block)
    done = _load(
        "-f", "locustfile.py", "--headless", "-u", "5", "-r", "5", "--run-time", "2s",
        "--host", address, "--report-dir", "out", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    counts = _counts(read_results(tmp_path / "out" / "results.json"))
    assert counts["POST /auth/token"] == (5, 0)
    assert counts["GET /users"][0] > 0
    assert "Load test user authenticated" in done.stderr
    assert "POST /auth/token" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.slow
def test_locusts_own_command_judges_with_the_plug_in_line(
    shop: Path, address: str, tmp_path: Path
) -> None:
    shop.write_text(f"import withstand.locust\n{shop.read_text()}")
    locust = Path(sys.executable).with_name("locust")
    done = subprocess.run(
        [
            locust, "-f", shop, "--headless", "-u", "4", "-r", "4", "-t", "2s", "-H", address,
            "--only-summary", "--exit-code-on-error", "0", "--withstand-json", "r.json",
            "--withstand-slo", "GET picky: errors<1%", "Reader",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=_LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "GET picky" in _counts(read_results(tmp_path / "r.json"))
    assert "1 of 1 objective is breached" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("listener", "told"),
    [("", "unheard: True"), ("events.request.add_listener(lambda **_: None)", "unheard: False")],
    ids=["nobody", "somebody"],
)
def test_events_that_nobody_listens_to_are_not_fired(
    listener: str, told: str, shop: Path, address: str, tmp_path: Path
) -> None:
    shop.write_text(
        f"""{shop.read_text()}
from locust import events
{listener}

@events.test_stopping.add_listener
def tell(environment, **_):
    from withstand.locust_plugin.watch import WATCH
    print("unheard:", WATCH.unheard is environment.events.request)
"""
    )
    done = _load("-f", shop, "-t", "1s", "-H", address, "Reader", folder=tmp_path)
    assert told in done.stdout, done.stdout + done.stderr


def test_an_objective_that_cannot_be_read_is_refused_before_the_test(
    refused: Callable[..., str], shop: Path, address: str
) -> None:
    said = refused("-f", shop, "-t", "1s", "-H", address, "--slo", "p95<soon")
    assert "p95<soon" in said
    assert "Starting Locust" not in said


def test_a_host_that_nobody_allowed_is_refused(refused: Callable[..., str], shop: Path) -> None:
    assert "--allow 192.0.2.7" in refused("-f", shop, "-t", "1s", "-H", "http://192.0.2.7")


def test_a_file_that_is_not_there_is_named(refused: Callable[..., str]) -> None:
    assert "-f gone.py: there is no such file" in refused("-f", "gone.py")


def test_a_locustfile_is_not_run_by_the_own_engine(refused: Callable[..., str], shop: Path) -> None:
    said = refused("-f", shop, "--engine", "withstand")
    assert "Withstand's own engine does not run Locust's users" in said


@pytest.mark.slow
def test_a_test_that_sends_nothing_is_void(shop: Path, tmp_path: Path) -> None:
    done = _load("-f", shop, "-t", "1s", folder=tmp_path)  # no host anywhere
    assert done.returncode == 3, done.stderr
    assert "no request was made" in done.stderr


@pytest.mark.slow
def test_nothing_of_locust_is_imported_beside_the_child(
    shop: Path, address: str, tmp_path: Path
) -> None:
    program = (
        "import sys; from withstand.cli import run;"
        f"code = run(['load', '-f', {str(shop)!r}, '-t', '1s', '-H', {address!r}, '-q']);"
        "assert not {'locust', 'gevent'} & set(sys.modules); sys.exit(code)"
    )
    done = _run("-c", program, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def _started(shop: Path, address: str, folder: Path, *more: str) -> "subprocess.Popen[str]":
    """A test of a minute, as soon as its users are there and something was reported."""
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                sys.executable, _WITHSTAND, "load", "-f", shop, "-u", "4", "-r", "4",
                "-t", "60s", "-H", address, "--json", "r.json", *more,
            ],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,  # so there is no terminal that tells the child, too
        )  # fmt: skip
    deadline_s = time.monotonic() + _LIMIT_S
    seen = r"load: .* [1-9][\d,]*/s" if not more else "All users spawned"
    while not re.search(seen, log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        time.sleep(0.1)
    return process


_SHAPE = """
from locust import LoadTestShape


class Level(LoadTestShape):
    def tick(self):
        return 4, 4
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "shape"),
    [((), ""), ((), _SHAPE), (("--autostart", "--web-port", "0"), "")],
    ids=["alone", "with a shape", "web UI"],
)
def test_a_test_that_is_stopped_keeps_its_results(
    more: tuple[str, ...], shape: str, shop: Path, address: str, tmp_path: Path
) -> None:
    shop.write_text(shop.read_text() + shape)
    process = _started(shop, address, tmp_path, *more)
    time.sleep(1.5 if more else 0)  # something is reported
    process.send_signal(signal.SIGINT)
    assert process.wait(_LIMIT_S) == 130
    results = read_results(tmp_path / "r.json")
    assert results.interrupted
    assert results.load is not None
    assert results.load.generator.lost is None
    assert sum(requests for requests, _ in _counts(results).values()) > 0


@pytest.mark.slow
def test_what_locust_had_reported_outlives_it(shop: Path, address: str, tmp_path: Path) -> None:
    process = _started(shop, address, tmp_path)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    )
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    assert process.wait(_LIMIT_S) == 3
    results = read_results(tmp_path / "r.json")
    assert results.load is not None
    assert "Locust was killed" in (results.load.generator.lost or "")
    assert sum(requests for requests, _ in _counts(results).values()) > 0


@pytest.mark.slow
def test_reports_that_a_worker_could_not_send_are_not_lost(address: str, tmp_path: Path) -> None:
    """For some seconds; Locust's own statistics lose them."""
    (tmp_path / "locustfile.py").write_text("""
from pathlib import Path

import time

from locust import HttpUser, constant_pacing, events, task
from locust.exception import RPCError
from locust.runners import WorkerRunner

SENT = [0]


class Reader(HttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def health(self):
        self.client.get("/health", name="health")
        SENT[0] += 1


@events.test_start.add_listener
def break_off(environment, **_):
    if isinstance(environment.runner, WorkerRunner):
        client = environment.runner.client
        send, begin = client.send, time.monotonic()

        def broken(message):
            if message.type == "stats" and 1.5 < time.monotonic() - begin < 4:
                raise RPCError("no way")
            send(message)

        client.send = broken


@events.quitting.add_listener
def say(environment, **_):
    if isinstance(environment.runner, WorkerRunner):
        Path("sent").write_text(str(SENT[0]))
""")
    done = _load(
        "-f", "locustfile.py", "-u", "1", "-t", "5s", "-s", "1", "-H", address, "--processes", "1",
        "--json", "r.json", folder=tmp_path,
    )  # fmt: skip
    assert "Temporary connection lost to master" in done.stderr
    sent = int((tmp_path / "sent").read_text())
    assert sent > 40
    assert _counts(read_results(tmp_path / "r.json")) == {"GET health": (sent, 0)}


@pytest.mark.slow
def test_more_names_than_the_pipe_holds_are_all_reported(address: str, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("""
from itertools import count

from locust import HttpUser, constant, task

NUMBERS = count()


class Wanderer(HttpUser):
    wait_time = constant(0)

    @task
    def wander(self):
        self.client.get(f"/nowhere/{next(NUMBERS) % 700}")
""")
    done = _load(
        "-f", "locustfile.py", "-u", "20", "-r", "20", "-t", "4s", "-H", address,
        "--json", "r.json", "--json-file", "locust", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    counts = _counts(read_results(tmp_path / "r.json"))
    assert counts == _locusts_counts(tmp_path / "locust.json")
    assert len(counts) > 300


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["HttpUser", "FastHttpUser"])
def test_a_user_whose_requests_never_begin_lets_others_go_on(kind: str, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(f"""
from locust import {kind}, task


class Mistaken({kind}):
    @task
    def nowhere(self):
        self.client.get("/", timeout="soon")
""")
    done = _run(
        "-m", "withstand.locust", "-f", "locustfile.py", "--headless", "-u", "2", "-r", "2",
        "-t", "1s", "-H", "127.0.0.1:9", "--only-summary", "-L", "CRITICAL", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr


@pytest.mark.slow
def test_an_exit_code_for_errors_that_is_asked_for_is_given(
    shop: Path, address: str, tmp_path: Path
) -> None:
    done = _load(
        "-f", shop, "-u", "2", "-r", "2", "-t", "2s", "-H", address, "--exit-code-on-error", "5",
        folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 5, done.stdout + done.stderr
