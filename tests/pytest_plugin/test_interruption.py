"""A run that is cut off keeps what the tests before had measured."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import RunProject

_LONGEST_S = 60.0

_MEASURED_THEN_ENDLESS = """
    from pathlib import Path
    import pytest

    @pytest.mark.performance(p95="10min")
    def test_finished(): pass

    def test_finished_latency(latency):
        latency(lambda: None, p50="10min")

    @pytest.mark.performance(p95="10min")
    def test_endless():
        Path("inside").touch()
        while True:
            pass
"""


def _interrupted(project: pytest.Pytester, *arguments: str, group: bool) -> str:
    """What pytest prints when Ctrl-C comes while a call is measured.

    A terminal sends the signal to every process of the run, `kill -INT` to one.
    """
    project.makepyfile(test_cut=_MEASURED_THEN_ENDLESS)
    inside = project.path / "inside"
    # Whoever runs these tests in the background has SIGINT ignored, and so would the child.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "withstand.pytest_plugin", "-p", "no:cacheprovider",
         "--junitxml=results.xml", *arguments],
        cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(inside.exists)
        if group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=_LONGEST_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == pytest.ExitCode.INTERRUPTED, output
    return output


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONGEST_S
    while not condition():
        assert time.monotonic() < deadline, "the test that is to be cut off never began"
        time.sleep(0.02)


def _assert_kept(output: str, junit: Path) -> None:
    for expected in ("test_finished: p95<600s: ", "test_finished_latency: p50<600s: "):
        assert f"met: test_cut.py::{expected}" in output
    text = junit.read_text(encoding="utf-8")
    for name in ("verdict", "calls", "p95_ms", "p95_high_ms", "p50_ms"):
        assert f'<property name="withstand.{name}"' in text


def test_ctrl_c_amid_a_measured_test_keeps_the_verdicts_before(project: pytest.Pytester) -> None:
    output = _interrupted(project, group=True)

    _assert_kept(output, project.path / "results.xml")


@pytest.mark.slow
@pytest.mark.parametrize("group", [True, False])
def test_ctrl_c_keeps_the_verdicts_of_workers(project: pytest.Pytester, group: bool) -> None:
    output = _interrupted(project, "-p", "xdist", "-n1", group=group)

    _assert_kept(output, project.path / "results.xml")


@pytest.mark.slow
@pytest.mark.parametrize(
    "death", ["os._exit(1)", "os.kill(os.getpid(), signal.SIGKILL)"], ids=["exit", "kill"]
)
def test_a_worker_that_dies_keeps_the_verdicts_before_and_frees_the_lock(
    run_parallel: RunProject, project: pytest.Pytester, death: str
) -> None:
    project.makepyfile(
        test_cut=f"""
        import os, signal
        import pytest

        pytestmark = pytest.mark.performance

        @pytest.mark.performance(p95="10min")
        def test_finished(): pass

        def test_finished_latency(latency):
            latency(lambda: None, p50="10min")

        @pytest.mark.performance(p95="10min")
        def test_deadly(): {death}

        @pytest.mark.performance(p90="10min")
        def test_after(): pass
        """
    )

    result = run_parallel("-n1", "--junitxml=results.xml")

    result.assert_outcomes(passed=3, failed=1)
    _assert_kept(result.stdout.str(), project.path / "results.xml")
    result.stdout.fnmatch_lines(["met: test_cut.py::test_after: p90<600s: *"])
