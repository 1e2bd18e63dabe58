"""Shards of whole suites in real runs: each test runs in exactly one of them, whatever is in the
way.
"""

import json
import random
from pathlib import Path

import pytest

from withstand.errors import UsageError
from withstand.results import Results, merge_shards
from withstand.results_file import read_results
from withstand.sharding.durations import durations_text, parse_durations
from withstand.sharding.member import ShardBy
from withstand.sharding.suite import SuiteRecord

from .conftest import RunProject
from .random_suites import write_suite

_MARKERS = "-o", "markers=xdist_group: runs on one worker"
_LINUX = "a machine"


def _journals(directory: Path) -> list[Results]:
    return [read_results(file) for file in sorted(directory.glob("*.jsonl"))]


def _suite(results: Results) -> SuiteRecord:
    assert results.suite is not None
    return results.suite


def _run_shards(run: RunProject, directory: Path, shards: int, *arguments: str) -> SuiteRecord:
    for number in range(1, shards + 1):
        result = run(
            *_MARKERS, f"--shard={number}/{shards}", f"--withstand-report-dir={directory}",
            *arguments,
        )  # fmt: skip
        assert result.ret == 0, result.outlines
    return _suite(merge_shards(_journals(directory)))


def _whole(run: RunProject, directory: Path) -> list[str]:
    assert run(*_MARKERS, f"--withstand-report-dir={directory}").ret == 0
    (whole,) = _journals(directory)
    return sorted(each.nodeid for each in _suite(whole).finished())


def _write_durations(project: pytest.Pytester, run: RunProject, seed: int) -> Path:
    """Made-up durations of two tests in three."""
    assert run(*_MARKERS, "--store-shard-durations").ret == 0
    file = project.path / "withstand.durations.json"
    document = json.loads(file.read_text())
    rng = random.Random(seed)
    (tests,) = document["machines"].values()
    kept = {name: {**each, "ms": rng.randint(1, 900)} for name, each in tests.items()
            if rng.random() < 0.67}  # fmt: skip
    document["machines"] = {_LINUX: kept}
    file.write_text(durations_text(parse_durations(json.dumps(document), source="x")))
    return file


def _assert_whole(suite: SuiteRecord, everything: list[str], by: ShardBy) -> None:
    assert suite.troubles() == ()
    assert sorted(each.nodeid for each in suite.finished()) == everything
    shards_by_key: dict[str, set[int]] = {}
    shard = {nodeid: part.shard.number for part in suite.parts for nodeid in part.kept}
    for member in suite.collected:
        shards_by_key.setdefault(member.key(by), set()).add(shard[member.nodeid])
    assert all(len(shards) == 1 for shards in shards_by_key.values())


@pytest.mark.parametrize("mode", ["stable", "collected"])
def test_the_shards_of_a_random_suite_run_what_the_whole_suite_runs(
    run: RunProject, project: pytest.Pytester, mode: str
) -> None:
    seed, by = 11, ShardBy.CLASS
    write_suite(project.path, seed)
    everything = _whole(run, project.path / "whole")
    _write_durations(project, run, seed)

    suite = _run_shards(run, project.path / "shards", 3, f"--shard-mode={mode}")

    _assert_whole(suite, everything, by)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "by", "arguments"),
    [
        (1, ShardBy.CLASS, ["-n2", "--dist=loadgroup"]),
        (2, ShardBy.MODULE, ["-n2", "-p", "pytest_randomly"]),
        (3, ShardBy.GROUP, ["-n0", "-p", "pytest_randomly"]),
        (4, ShardBy.TEST, ["-n2", "--dist=worksteal"]),
    ],
)
def test_so_do_they_with_xdist_and_in_random_order(
    run: RunProject,
    run_parallel: RunProject,
    project: pytest.Pytester,
    seed: int,
    by: ShardBy,
    arguments: list[str],
) -> None:
    write_suite(project.path, seed)
    everything = _whole(run, project.path / "whole")
    _write_durations(project, run, seed)

    suite = _run_shards(run_parallel, project.path / "shards", 2, f"--shard-by={by}", *arguments)

    _assert_whole(suite, everything, by)


_THIRTY = "import pytest\n@pytest.mark.parametrize('n', range(30))\ndef test_n(n): pass\n"


def _with_one_more_on_the_second(
    run: RunProject, project: pytest.Pytester, mode: str
) -> list[Results]:
    (project.path / "test_it.py").write_text(_THIRTY)
    _write_durations(project, run, 5)
    for number in (1, 2, 3):
        extra = project.path / "test_extra.py"
        extra.unlink(missing_ok=True)
        if number == 2:
            extra.write_text("import time\ndef test_one_more(): pass\n")
        run(f"--shard={number}/3", f"--shard-mode={mode}", "--withstand-report-dir=out")
    return _journals(project.path / "out")


def test_a_test_that_one_shard_alone_collects_costs_no_other_test(
    run: RunProject, project: pytest.Pytester
) -> None:
    suite = _suite(merge_shards(_with_one_more_on_the_second(run, project, "stable")))

    ran = [each.nodeid for each in suite.finished()]
    assert sorted(set(ran)) == sorted(ran)
    assert {f"test_it.py::test_n[{n}]" for n in range(30)} <= set(ran)
    # It belongs to one of the shards, which may not have seen it: then the merge says so.
    lost = "1 collected test was run by no shard (test_extra.py::test_one_more)"
    assert suite.troubles() == (() if "test_extra.py::test_one_more" in ran else (lost,))


def test_when_shards_are_cut_by_what_they_collected_and_collected_different_tests_merge_refuses(
    run: RunProject, project: pytest.Pytester
) -> None:
    journals = _with_one_more_on_the_second(run, project, "collected")

    with pytest.raises(UsageError, match="shard 2/3 was cut by another plan than shard 1/3"):
        merge_shards(journals)


def test_the_summary_says_what_this_shard_and_the_slowest_are_expected_to_take(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_it="def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass")
    (project.path / "withstand.durations.json").write_text(
        json.dumps(
            {
                "format": "withstand-durations",
                "version": 1,
                "machines": {
                    _LINUX: {
                        "test_it.py::test_a": {"ms": 4000, "seen": "2026-01-01"},
                        "test_it.py::test_b": {"ms": 2500, "seen": "2026-01-01"},
                    }
                },
            }
        )
    )

    result = run("--shard=2/2")

    # Of test_c nothing is known: it counts as the mean of the others, wherever it belongs.
    lines = [line for line in result.outlines if line.startswith("shard 2/2: ")]
    assert lines in (
        ["shard 2/2: kept 1 of 3, expected 2.50 s; the slowest shard 7.25 s"],
        ["shard 2/2: kept 2 of 3, expected 5.75 s; the slowest shard 5.75 s"],
    )


def test_durations_are_noted_with_set_up_and_teardown_and_only_of_tests_that_passed(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        test_it="""
        import time, pytest

        @pytest.fixture
        def slow():
            time.sleep(0.02)
            yield
            time.sleep(0.03)

        def test_with_fixture(slow): time.sleep(0.01)
        def test_fails(): assert False
        def test_skips(): pytest.skip("no")
        class TestX:
            def test_in_class(self): pass
        """
    )
    run("--store-shard-durations")

    document = json.loads((project.path / "withstand.durations.json").read_text())
    (tests,) = document["machines"].values()
    assert sorted(tests) == ["test_it.py::TestX::test_in_class", "test_it.py::test_with_fixture"]
    assert tests["test_it.py::test_with_fixture"]["ms"] >= 60
    assert tests["test_it.py::TestX::test_in_class"]["class"] == "test_it.py::TestX"


def test_the_listing_of_a_shard_with_durations_has_nothing_but_the_listing(
    run: RunProject, project: pytest.Pytester
) -> None:
    (project.path / "test_it.py").write_text(_THIRTY)
    _write_durations(project, run, 5)

    result = run("--co", "-q", "--shard=1/3", "--withstand-report-dir=out")

    lines = [line for line in result.outlines if line]
    assert [line for line in lines if not line.startswith("test_it.py::test_n[")] == [lines[-1]]
    assert "/30 tests collected" in lines[-1]
    assert not (project.path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shard=1/2", "--shard-by=file"], "invalid choice: 'file'"),
        (["--shard=1/2", "--shard-mode=best"], "invalid choice: 'best'"),
        (["--shard=1/2", "--shard-durations=none.json"], "there is no file of durations"),
        (["--shard=1/2", "--shard-durations=bad.json"], "bad.json is no file of durations"),
        (["--shard=1/2", "--store-shard-durations"], "needs the whole suite, and this is shard"),
        (["--withstand-report-dir=bad.json"], "no journal can be written to"),
    ],
)
def test_impossible_options_of_shards_end_the_run_with_one_sentence_and_exit_code_4(
    run: RunProject, project: pytest.Pytester, arguments: list[str], words: str
) -> None:
    project.makepyfile("def test_never_runs(): assert False")
    (project.path / "bad.json").write_text("<<<<<<< HEAD")

    result = run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
    assert "Traceback" not in result.stderr.str()
