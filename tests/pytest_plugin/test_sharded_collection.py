"""Shards of a suite: each test in exactly one, and what belongs together stays together."""

import re

import pytest

from .conftest import RunProject

_SUITE = """
    import pytest

    def test_alone(): pass

    @pytest.mark.parametrize("number", range(12))
    def test_many(number): pass

    class TestTogether:
        def test_first(self): pass
        def test_second(self): pass
        class TestWithin:
            def test_third(self): pass

    @pytest.mark.xdist_group("database")
    def test_grouped_one(): pass

    @pytest.mark.xdist_group(name="database")
    def test_grouped_two(): pass
"""
_MARKERS = "-o", "markers=xdist_group: runs on one worker"


def _passed(result: pytest.RunResult) -> list[str]:
    return re.findall(r"^(\S+::\S+) PASSED", result.stdout.str(), flags=re.MULTILINE)


def test_the_shards_together_run_every_test_exactly_once(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(_SUITE)

    everything = _passed(run("-v", *_MARKERS))
    parts = [_passed(run("-v", *_MARKERS, f"--shard={k}/3")) for k in (1, 2, 3)]

    assert len(everything) == 18
    assert sorted(name for part in parts for name in part) == sorted(everything)


def test_a_class_and_an_xdist_group_stay_in_one_shard(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(_SUITE)

    for shards in (2, 5):
        parts = [_passed(run("-v", *_MARKERS, f"--shard={k}/{shards}"))
                 for k in range(1, shards + 1)]  # fmt: skip
        for word in ("TestTogether", "grouped"):
            assert sum(any(word in name for name in part) for part in parts) == 1


def test_a_test_keeps_its_shard_when_other_tests_come_or_go(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(test_first="def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass\n")
    before = [set(_passed(run("-v", f"--shard={k}/3"))) for k in (1, 2, 3)]
    project.makepyfile(test_second="def test_d(): pass\n")

    after = [set(_passed(run("-v", f"--shard={k}/3"))) for k in (1, 2, 3)]

    assert all(old <= new for old, new in zip(before, after, strict=True))


def test_the_tests_keep_their_order_and_the_rest_is_reported_as_deselected(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(_SUITE)

    everything = _passed(run("-v", *_MARKERS))
    result = run("-v", *_MARKERS, "--shard=1/2")

    kept = _passed(result)
    assert kept == [name for name in everything if name in kept]
    assert result.parseoutcomes()["deselected"] == 18 - len(kept)
    result.stdout.fnmatch_lines([f"shard 1/2: kept {len(kept)} of 18"])


def _empty_shard(run: RunProject) -> str:
    for k in range(1, 9):
        if not _passed(run("-v", f"--shard={k}/8")):
            return f"--shard={k}/8"
    raise AssertionError("two tests cannot fill eight shards")


def test_an_empty_shard_succeeds_and_says_so(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile("def test_a(): pass\ndef test_b(): pass")
    empty = _empty_shard(run)

    result = run(empty)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*= withstand =*", "shard ?/8: kept 0 of 2"])


def test_a_selection_that_matches_nothing_still_exits_5(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(): pass")

    assert run("-k", "no_such_test", "--shard=1/2").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_listing_of_a_shard_has_nothing_but_the_listing(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(): pass")
    project.makepyfile(test_more="def test_b(): pass\ndef test_c(): pass")

    result = run("--collect-only", "-q", "--shard=1/1")

    lines = [line for line in result.outlines if line]
    assert [line for line in lines if "::" not in line] == [lines[-1]]
    assert "3 tests collected" in lines[-1]


def test_shards_work_with_xdist_and_the_summary_has_the_workers_counts(
    run_parallel: RunProject, run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile(
        "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_n(n): pass"
    )
    expected = len(_passed(run("-v", "--shard=2/3")))

    result = run_parallel("--shard=2/3")

    result.assert_outcomes(passed=expected)
    result.stdout.fnmatch_lines([f"shard 2/3: kept {expected} of 9"])


@pytest.mark.slow
def test_an_empty_shard_succeeds_under_xdist(
    run_parallel: RunProject, run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(): pass\ndef test_b(): pass")
    empty = _empty_shard(run)

    result = run_parallel(empty, "-n1")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["shard ?/8: kept 0 of 2"])


def test_a_run_without_anything_of_ours_has_no_section(
    run: RunProject, project: pytest.Pytester
) -> None:
    project.makepyfile("def test_a(): pass")

    assert "withstand" not in run("-q").stdout.str()
