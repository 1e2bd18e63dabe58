"""The journal of a run: every outcome, and all that was known when the run was killed."""

import re
from pathlib import Path

import pytest

from withstand.results_file import read_results
from withstand.sharding.suite import Outcome, SuiteRecord

from .conftest import RunProject

_EVERY_END = """
    import pytest

    @pytest.fixture
    def broken(): raise OSError("no disk")

    @pytest.fixture
    def breaks_after():
        yield
        assert False, "left a mess"

    def test_passes(): pass
    def test_fails(): assert 1 == 2, "one is not two\\nat all"
    def test_errors(broken): pass
    def test_errors_after(breaks_after): pass
    def test_skips(): pytest.skip("not today")
    @pytest.mark.xfail
    def test_xfails(): assert False
    @pytest.mark.xfail
    def test_xpasses(): pass
"""


def _suite(directory: Path, name: str = "suite.jsonl") -> SuiteRecord:
    suite = read_results(directory / name).suite
    assert suite is not None
    return suite


def _outcomes(suite: SuiteRecord) -> dict[str, tuple[Outcome, str]]:
    return {
        each.nodeid.rpartition("::")[2]: (each.outcome, each.message) for each in suite.finished()
    }


_EXPECTED = {
    "test_passes": (Outcome.PASSED, ""),
    "test_fails": (Outcome.FAILED, "AssertionError: one is not two"),
    "test_errors": (Outcome.FAILED, "OSError: no disk"),
    "test_errors_after": (Outcome.FAILED, "AssertionError: left a mess"),
    "test_skips": (Outcome.SKIPPED, "Skipped: not today"),
    "test_xfails": (Outcome.XFAILED, "assert False"),
    "test_xpasses": (Outcome.XPASSED, ""),
}


def test_every_way_in_which_a_test_can_end_is_in_the_journal(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it=_EVERY_END)

    assert run("--withstand-report-dir=out").ret == 1

    suite = _suite(project.path / "out")
    assert _outcomes(suite) == _EXPECTED
    assert suite.troubles() == ()
    assert suite.parts[0].exit_code == 1


def test_what_cannot_be_imported_is_in_the_journal(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it="def test_a(): pass", test_broken="import no_such_module")

    run("--withstand-report-dir=out")
    stopped = _suite(project.path / "out")
    run("--withstand-report-dir=out", "--continue-on-collection-errors")
    went_on = _suite(project.path / "out")

    assert stopped.uncollected() == went_on.uncollected() == ("test_broken.py",)
    assert stopped.without_result() == ("test_it.py::test_a",)
    assert [each.outcome for each in went_on.finished()] == [Outcome.PASSED]


def test_a_run_that_is_killed_leaves_every_test_that_had_ended(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import os, signal

        def test_first(): pass
        def test_kills(): os.kill(os.getpid(), signal.SIGKILL)
        def test_last(): pass
        """
    )

    project.runpytest_subprocess(
        "-p", "withstand.pytest_plugin", "--shard=1/1", "--withstand-report-dir=out", timeout=60
    )

    suite = _suite(project.path / "out", "suite-1-of-1.jsonl")
    assert [each.nodeid for each in suite.finished()] == ["test_it.py::test_first"]
    (trouble,) = suite.troubles()
    assert trouble == (
        "shard 1/1 was cut off: 2 of its 3 tests have no result "
        "(test_it.py::test_kills, test_it.py::test_last)"
    )


def test_a_run_that_never_comes_to_its_tests_leaves_a_journal_without_a_line(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # that of the run of this test
    journal = project.path / "out" / "suite-2-of-3.jsonl"
    journal.parent.mkdir()
    journal.write_text("what an earlier run left")
    project.makepyfile(test_it="def test_a(): pass")
    project.makeconftest("import no_such_module")
    options = ("-p", "withstand.pytest_plugin", "--shard=2/3", "--withstand-report-dir=out")

    assert project.runpytest_subprocess(*options, "--co").ret == pytest.ExitCode.USAGE_ERROR
    assert journal.read_text() == "what an earlier run left", "a listing is no run"
    assert project.runpytest_subprocess(*options).ret == pytest.ExitCode.USAGE_ERROR
    assert journal.read_text() == ""


@pytest.mark.slow
def test_a_disk_that_is_full_ends_the_run_with_one_sentence(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it="def test_one(): pass")
    (project.path / "out").mkdir()
    (project.path / "out" / "suite.jsonl").symlink_to("/dev/full")

    ended = run("--withstand-report-dir=out")

    said = f"{ended.outlines}{ended.errlines}"
    assert (ended.ret, "INTERNALERROR" in said) == (3, False), said
    assert said.count("out/suite.jsonl cannot be written: No space left on device") == 1


@pytest.mark.slow
def test_a_worker_that_dies_fails_its_test_in_the_journal_and_the_others_have_results(
    run_parallel: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        test_it="""
        import os
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_n(n):
            if n == 2:
                os._exit(1)
        """
    )

    run_parallel("--withstand-report-dir=out")

    suite = _suite(project.path / "out")
    assert suite.troubles() == ()
    assert suite.counts() == {Outcome.PASSED: 5, Outcome.FAILED: 1}
    (failed,) = suite.failed()
    assert failed.nodeid == "test_it.py::test_n[2]"
    assert re.search(r"worker 'gw\d' crashed", failed.message)


def test_a_run_that_stops_at_its_first_failure_has_tests_without_a_result(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it="def test_a(): assert 0\ndef test_b(): pass")

    run("-x", "--withstand-report-dir=out")

    suite = _suite(project.path / "out")
    assert suite.without_result() == ("test_it.py::test_b",)
    assert "1 of its 2 tests has no result" in suite.troubles()[0]


def test_an_empty_shard_leaves_a_journal_that_ended_well(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it="def test_a(): pass")
    for number in (1, 2):
        assert run(f"--shard={number}/2", "--withstand-report-dir=out").ret == 0

    parts = [_suite(project.path / "out", f"suite-{n}-of-2.jsonl").parts[0] for n in (1, 2)]
    assert sorted(len(part.finished) for part in parts) == [0, 1]
    assert [part.trouble() for part in parts] == [None, None]


def test_what_a_test_measured_is_in_the_journal(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile(
        test_it="""
        import pytest

        @pytest.mark.performance(p50="10s")
        def test_quick(): pass
        """
    )

    run("--withstand-report-dir=out")

    (quick,) = _suite(project.path / "out").finished()
    ((state, sentence),) = quick.verdicts
    assert (quick.outcome, state) == (Outcome.PASSED, "met")
    assert sentence.startswith("p50<10")


_RERUNS = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for attempt in (1, 2, 3):
            item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed and attempt < 3:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
            item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
            if len(item.module.tries) > 2:
                break
        return True
"""


def test_of_a_test_that_is_repeated_the_last_attempt_counts(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makeconftest(_RERUNS)
    project.makepyfile(
        test_it="tries = []\ndef test_a():\n    tries.append(1)\n    assert len(tries) > 2\n"
    )

    run("--withstand-report-dir=out")

    suite = _suite(project.path / "out")
    assert _outcomes(suite) == {"test_a": (Outcome.PASSED, "")}
    assert len(suite.finished()) == 1
