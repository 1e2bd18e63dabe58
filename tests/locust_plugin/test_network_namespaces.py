"""A master, two workers and the target on four machines, which are network namespaces.

Each worker keeps a list of its own of what its users waited for, beside Withstand's, and writes it
down whenever it reports to its master. So nothing here depends on how long anything takes.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.locust_plugin.namespaces import Machine, Program, machines, wait_until, why_not
from withstand.load.measurement import LoadMeasurement
from withstand.results_file import read_results
from withstand.stats.histogram import Histogram, merged

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="network namespaces are of Linux"),
]

PROGRAMS = Path(sys.executable).parent
SERVER = Path(__file__).with_name("counting_server.py")
OPERATIONS = {"GET /fast", "POST /orders", "GET /missing"}
LOCUSTFILE = """
import withstand.locust

import json
import os
from collections import defaultdict
from pathlib import Path

from locust import HttpUser, constant_pacing, events, task
from withstand.stats.histogram import Histogram

OWN = defaultdict(Histogram)
RUNNERS = []


class Visitor(HttpUser):
    wait_time = constant_pacing(0.1)

    @task
    def visit(self):
        self.note("GET /fast", self.client.get("/fast"))
        self.note("POST /orders", self.client.post("/orders", json={"items": ["teapot"]}))
        self.note("GET /missing", self.client.get("/missing"))

    def note(self, operation, answer):
        intended_ns, _, _, _, end_ns, _ = answer.withstand_timing
        OWN[operation].record(end_ns - intended_ns)


@events.init.add_listener
def on_init(runner, **_):
    RUNNERS.append(runner)


@events.report_to_master.add_listener
def on_report(client_id, **_):
    write(client_id)


@events.quit.add_listener
def on_quit(**_):
    if OWN:
        write(RUNNERS[0].client_id)


def write(client_id):
    line = {operation: waited.to_compact() for operation, waited in OWN.items()}
    folder = Path(os.environ["OWN_RECORDS"])
    with (folder / f"{client_id}.{os.getpid()}").open("a") as file:
        file.write(json.dumps(line) + "\\n")
"""


class Rehearsal:
    """A load on the way. Workers are known by the names that Locust gives them."""

    def __init__(self, made: dict[str, Machine], folder: Path) -> None:
        self.made = made
        self.results = folder / "results.json"
        self._records = folder / "records"
        self._records.mkdir()
        (folder / "locustfile.py").write_text(LOCUSTFILE)
        target = made["target"]
        self._server = target.ask(sys.executable, SERVER, target.address)
        assert self._server.stdout is not None
        self._host = f"http://{target.address}:{self._server.stdout.readline().strip()}"

    def begin(self, *flags: str) -> Program:
        """Start all three, and wait until the users are at work; the master."""
        target, hub = self.made["target"].address, self.made["master"].address
        environment = {"OWN_RECORDS": str(self._records)}
        master = self.made["master"].start(
            PROGRAMS / "withstand", "load", "-f", "locustfile.py", "--master",
            "--expect-workers", "2", "-u", "6", "-r", "6", "-H", self._host, "--allow", target,
            "--slo", "GET /fast: p95<10s", "--json", self.results, *flags,
        )  # fmt: skip
        worker = ("--worker", "--master-host", hub)
        self.made["worker1"].start(
            PROGRAMS / "withstand", "load", "-f", "-", *worker, environment=environment
        )
        self.made["worker2"].start(
            PROGRAMS / "locust", "-f", "locustfile.py", *worker, environment=environment
        )
        # Locust says one or the other, as its workers' reports come.
        master.wait_for("All users spawned", "Spawning is complete")
        return master

    def reports(self) -> dict[str, list[dict[str, Histogram]]]:
        """What each worker had recorded by its own account whenever it reported, by its name."""
        found = {}
        for file in self._records.iterdir():
            lines = file.read_text().split("\n")[:-1]  # the last one may be half-written
            found[file.stem] = [
                {name: Histogram.from_compact(text) for name, text in json.loads(line).items()}
                for line in lines
            ]
        return found

    def pid_of(self, worker: str) -> int:
        (file,) = self._records.glob(f"{worker}.*")
        return int(file.suffix.removeprefix("."))

    def worker_on(self, role: str) -> str:
        """The name of the worker on a machine."""
        pids = _pids_on(self.made[role])
        (name,) = (each for each in self.reports() if self.pid_of(each) in pids)
        return name

    def seen(self) -> dict[str, dict[str, int]]:
        """What the target has answered, by the client's address."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()
        counted: dict[str, dict[str, int]] = json.loads(self._server.stdout.readline())
        return counted

    def measured(self) -> LoadMeasurement:
        load = read_results(self.results).load
        assert load is not None
        return load

    def close(self) -> None:
        self._server.communicate()


def _pids_on(machine: Machine) -> set[int]:
    done = subprocess.run(
        ["ip", "netns", "pids", machine.namespace], capture_output=True, text=True, check=True
    )
    return {int(pid) for pid in done.stdout.split()}


@contextmanager
def _rehearsed(folder: Path) -> Iterator[Rehearsal]:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    with machines(["master", "worker1", "worker2", "target"], folder) as made:
        rehearsal = Rehearsal(made, folder)
        try:
            yield rehearsal
        finally:
            rehearsal.close()


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    with _rehearsed(tmp_path) as made:
        yield made


def _times(load: LoadMeasurement) -> dict[str, Histogram]:
    return {name: each.response_time for name, each in load.operations.items()}


def _sum(*parts: dict[str, Histogram]) -> dict[str, Histogram]:
    names = {name for part in parts for name in part}
    return {name: merged(part[name] for part in parts if name in part) for name in names}


def _counts(times: dict[str, Histogram]) -> dict[str, int]:
    return {name: each.count for name, each in times.items()}


def _answered(seen: dict[str, dict[str, int]]) -> dict[str, int]:
    return {name: sum(each.get(name, 0) for each in seen.values()) for name in sorted(OPERATIONS)}


@pytest.mark.parametrize("end", ["run time", "interrupt"])
def test_the_masters_results_are_the_sum_of_what_its_workers_recorded(
    rehearsal: Rehearsal, end: str
) -> None:
    timed = ("-t", "6s") if end == "run time" else ()
    master = rehearsal.begin("--stop-timeout", "20", *timed)
    if end == "interrupt":
        master.wait_until(lambda: sum(_answered(rehearsal.seen()).values()) > 100, "few came")
        os.kill(master.process.pid, signal.SIGINT)
    assert master.ended() == 0, master.said
    measured = rehearsal.measured()
    assert measured.generator.processes == 2
    reports = rehearsal.reports()
    assert len(reports) == 2
    # --stop-timeout lets users finish what they began, so that nothing is under way at the end.
    own = _sum(*(each[-1] for each in reports.values()))
    assert set(own) == OPERATIONS
    assert _times(measured) == own
    assert _counts(own) == _answered(rehearsal.seen())
    assert measured.operations["GET /missing"].errors == own["GET /missing"].count


def test_a_worker_that_is_killed_voids_the_run_and_loses_nothing_that_it_had_reported(
    rehearsal: Rehearsal,
) -> None:
    master = rehearsal.begin()
    wait_until(
        lambda: (
            len(reports := rehearsal.reports()) == 2
            and all(sum(bool(line) for line in each) >= 4 for each in reports.values())
        ),
        lambda: master.said,
    )
    killed, other = rehearsal.worker_on("worker2"), rehearsal.worker_on("worker1")
    os.kill(rehearsal.pid_of(killed), signal.SIGKILL)
    master.wait_for(f"Worker {killed} failed to send heartbeat")
    os.kill(master.process.pid, signal.SIGINT)
    assert master.ended() == 3, master.said
    assert killed in " ".join(master.said.split())
    measured = rehearsal.measured()
    assert killed in (measured.generator.lost or "")
    assert other not in (measured.generator.lost or "")
    reports = rehearsal.reports()
    # Its very last report may have been on its way when it was killed.
    possible = [_sum(reports[other][-1], last) for last in reports[killed][-2:]]
    assert _times(measured) in possible
    answered = _answered(rehearsal.seen())
    assert all(count <= answered[name] for name, count in _counts(_times(measured)).items())
