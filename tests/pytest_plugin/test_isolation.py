"""Performance tests under pytest-xdist: never two at once, and honest about company."""

import pytest

from withstand.pytest_plugin.isolation import contended
from withstand.pytest_plugin.run_record import Span

from .conftest import RunProject

_LOOKS_FOR_THE_OTHER = """
    import time
    from pathlib import Path
    import pytest

    @pytest.mark.performance
    @pytest.mark.parametrize(("mine", "other"), [("a", "b"), ("b", "a")])
    def test_alone(mine, other):
        inside, elsewhere = (Path(__file__).with_name(name) for name in (mine, other))
        inside.touch()
        deadline = time.monotonic() + 0.8
        while time.monotonic() < deadline and not elsewhere.exists():
            pass
        met = elsewhere.exists()
        while met and time.monotonic() < deadline:
            pass  # stays, so that the other sees it too
        inside.unlink()
        assert not met
"""


@pytest.mark.slow
def test_performance_tests_never_overlap_each_other(
    run_parallel: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(_LOOKS_FOR_THE_OTHER)

    run_parallel().assert_outcomes(passed=2)


@pytest.mark.slow
def test_without_the_marker_the_same_tests_do_overlap(
    run_parallel: RunProject, project: pytest.Pytester
) -> None:
    # The control: the test above could not fail if these never met.
    project.makepyfile(_LOOKS_FOR_THE_OTHER.replace("@pytest.mark.performance", ""))

    assert run_parallel().ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.slow
def test_every_test_about_time_with_a_busy_neighbour_is_tagged_in_its_own_line(
    run_parallel: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        meeting="""
        import time
        from pathlib import Path

        def meet(mine, other):
            here = Path(__file__).parent
            (here / mine).touch()
            deadline = time.monotonic() + 20
            while not (here / other).exists():
                assert time.monotonic() < deadline, "the other worker never came"
        """,
        test_timed="""
        import pytest
        from meeting import meet

        @pytest.mark.performance(p95="10min")
        def test_measured(): meet("a", "b")

        def test_latency(latency):
            latency(lambda: meet("c", "d"), p50="10min", p95="10min")

        @pytest.mark.performance
        def test_stopwatch(): meet("e", "f")
        """,
        test_neighbours="""
        from meeting import meet

        def test_neighbour():
            for mine, other in ("ba", "dc", "fe"):
                meet(mine, other)

        def test_last(): pass  # a worker begins a test when it knows the one after it
        """,
    )

    result = run_parallel("-n2", "--dist=loadfile")

    result.assert_outcomes(passed=5)
    lines = result.outlines
    for expected in (
        "test_measured: p95<600s: ",
        "test_latency: p50<600s: ",
        "test_latency: p95<600s: ",
    ):
        (line,) = (line for line in lines if expected in line)
        assert line.startswith("met: ")
        assert line.endswith("s); ran while another worker was busy")
    result.stdout.fnmatch_lines(
        [
            "disturbed: *::test_stopwatch ran while another worker was busy",
            "performance tests: 3 of 3 ran while another worker was busy; *",
        ]
    )


def test_without_workers_nothing_is_contended(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile(
        "import pytest\n@pytest.mark.performance\ndef test_a(): pass\ndef test_b(): pass\n"
    )

    assert "performance tests:" not in run().stdout.str()


def _span(worker: str, start_s: float, stop_s: float, *, timed: bool = False) -> Span:
    return Span(
        nodeid="test_a.py::test_a", start_s=start_s, stop_s=stop_s, worker=worker, timed=timed
    )


def test_only_a_span_of_another_worker_at_the_same_time_contends() -> None:
    measured = _span("gw0", 10, 20, timed=True)

    assert contended([measured, _span("gw0", 12, 13), _span("gw1", 0, 10)]) == ()
    assert contended([measured, _span("gw1", 20, 30)]) == ()
    assert contended([measured, _span("gw1", 19, 30)]) == (measured,)
    assert contended([measured, _span("gw1", 0, 99)]) == (measured,)
