"""The verb `soak` on servers whose memory follows a script; an hour takes as long as 10 seconds."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import Invoke, Outcome
from withstand.results import Results
from withstand.results_file import read_results
from withstand.slo import DriftVerdict, Quantity
from withstand.stats.drift import Movement

RUN_TIME_S = 10
TOLERANCE_MB = 10


@contextmanager
def _serving(shape: str) -> Iterator[tuple[str, str]]:
    """Its address and its process id."""
    script = Path(__file__).with_name("shaped_server.py")
    with subprocess.Popen(
        [sys.executable, script, shape, str(TOLERANCE_MB), str(RUN_TIME_S)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}/", str(process.pid)
        finally:
            process.communicate(timeout=20)


def _memory(results: Results) -> DriftVerdict:
    (found,) = (each for each in results.drifts() if each.quantity is Quantity.MEMORY)
    return found


def _arguments(url: str, pid: str) -> list[str]:
    # Windows of 0.2 s are to this server what 40 s are to others: longer than its sawtooth.
    return [
        *("soak", url, "-q", "--rate", "25/s", "-t", f"{RUN_TIME_S}s", "--pid", pid),
        *("--window", "0.2s", "--memory-tolerance", f"{TOLERANCE_MB}MB", "--report-dir", "out"),
    ]


def _decided(shape: str, invoke: Invoke, folder: Path) -> tuple[Outcome, DriftVerdict]:
    """A run that tells: by the rule's own figures one of ten or more leaves it open, and a busy
    machine bends the server's time. An open one is run again; a wrong one would be shown.
    """
    for _ in range(3):
        with _serving(shape) as (url, pid):
            outcome = invoke(*_arguments(url, pid))
        found = _memory(read_results(folder / "out" / "results.json"))
        if found.movement is not Movement.UNDECIDED:
            break
    return outcome, found


@pytest.mark.slow
def test_a_leak_of_twice_the_tolerance_is_called(invoke: Invoke, folder: Path) -> None:
    outcome, found = _decided("leak", invoke, folder)

    assert found.movement is Movement.GROWS, found.reason
    assert found.growth is not None
    # Twice the tolerance as the server's clock goes, which a busy machine bends.
    assert 1.4e6 * TOLERANCE_MB < found.growth.growth < 3e6 * TOLERANCE_MB
    assert outcome.code == 1
    assert "memory grows by" in outcome.said
    assert "per 1,000 requests" in outcome.said
    assert read_results(folder / "out" / "checkpoint.jsonl").load == (
        read_results(folder / "out" / "results.json").load
    )
    assert 'id="drift"' in (folder / "out" / "report.html").read_text()


@pytest.mark.slow
def test_a_server_that_warms_up_under_a_sawtooth_is_left_alone(
    invoke: Invoke, folder: Path
) -> None:
    _, found = _decided("warming", invoke, folder)

    results = read_results(folder / "out" / "results.json")
    assert found.movement is Movement.STEADY, found.reason
    assert results.load is not None
    levels = [each.rss_bytes or 0 for each in results.load.server_samples]
    assert max(levels) - min(levels) > 1e6 * TOLERANCE_MB, "it moved by more than is tolerated"


@pytest.fixture
def killed(folder: Path) -> Path:
    """The checkpoint of a soak test that was killed."""
    checkpoint = folder / "out" / "checkpoint.jsonl"
    with _serving("leak") as (url, pid):
        program = "from withstand.cli import main; main()"
        with subprocess.Popen(
            [sys.executable, "-c", program, *_arguments(url, pid)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        ) as soak:
            while not (checkpoint.exists() and checkpoint.read_bytes().endswith(b"\n")):
                assert soak.poll() is None, soak.communicate()[1]
                os.sched_yield()
            soak.send_signal(signal.SIGKILL)
            soak.communicate(timeout=20)
    return checkpoint


@pytest.mark.slow
def test_a_soak_that_is_killed_leaves_a_checkpoint_that_report_shows(
    killed: Path, invoke: Invoke
) -> None:
    outcome = invoke("report", str(killed))

    assert outcome.code == 130
    assert "the run was interrupted" in outcome.said
    assert "GET /" in outcome.said
    results = read_results(killed)
    assert results.load is not None
    assert results.load.operations["GET /"].requests >= 10
    assert results.load.server_samples


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--pid", "1", "--metrics", "http://127.0.0.1:1/metrics"), "watch the server both"),
        (("--metric", "memory=x"), "give the endpoint with --metrics"),
        (("--metrics", "http://127.0.0.1:1/", "--metric", "cores=x"), "WHAT=NAME"),
        (("--metrics", "http://example.com/metrics"), "example.com"),
        (("--memory-tolerance", "0"), "noise for a leak"),
        (("--memory-tolerance", "much"), "'much'"),
        (("--window", "0s"), "holds no time"),
        (("--probe-command", "false"), "cannot be watched"),
        (("--checkpoint", "/dev/null/x"), "cannot be written"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_run(
    invoke: Invoke, arguments: tuple[str, ...], why: str
) -> None:
    outcome = invoke("soak", "http://127.0.0.1:1/", "-q", *arguments)

    assert outcome.code == 2, outcome.said
    assert why in outcome.said
