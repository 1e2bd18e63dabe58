"""The options, and how impossible ones are refused."""

import re
from pathlib import Path

import pytest

from .conftest import RunProject


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--shard-id=1"],
            r"--shard-id=1 needs --num-shards beside it\n.*write --shard-id=1 --num-shards=4",
        ),
        (["--num-shards=4"], r"--num-shards=4 needs --shard-id beside it"),
        (["--shard-id=0", "--num-shards=4"], r"shard 0 of 4 does not exist"),
        (["--shard-id=5", "--num-shards=4"], r"shard 5 of 4 does not exist"),
        (["--shard-id=x", "--num-shards=4"], r"--shard-id is 'x' and must be a whole number"),
        (["--shard", "half"], r"'half' is no shard"),
        (["--shard", "1/3", "--shard-id=2", "--num-shards=3"], r"disagree"),
        (["--api-url", "ftp://127.0.0.1"], r"'ftp://127.0.0.1' is no http or https address"),
        (["--api-url", "http://api.example.com"], r"api.example.com is not on this machine"),
        (["--withstand-config", "absent.toml"], r"absent.toml"),
    ],
)
def test_an_impossible_option_ends_the_run_with_one_sentence_and_exit_code_4(
    run: RunProject, project: pytest.Pytester, arguments: list[str], words: str
) -> None:
    project.makepyfile("def test_never_runs(): assert False")

    result = run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stderr.str()
    assert re.search(words, text)
    assert text.startswith("ERROR: ")
    assert "Traceback" not in text


def test_both_spellings_of_the_same_shard_agree(run: RunProject, project: pytest.Pytester) -> None:
    project.makepyfile("def test_one(): pass")

    result = run("--shard=1/1", "--shard-id=1", "--num-shards=1")

    assert result.ret == 0


_QUICK = [
    f"-pno:{name}" for name in ("asyncio", "hypothesispytest", "randomly", "syrupy", "locust")
]
_PYTEST_SHARD = """
def pytest_addoption(parser):
    group = parser.getgroup("shard")
    group.addoption("--shard-id", dest="shard_id", type=int, default=0)
    group.addoption("--num-shards", dest="num_shards", type=int, default=1)
"""


def test_another_plugin_that_holds_the_option_names_is_named_with_the_cure(
    project: pytest.Pytester,
) -> None:
    (project.path / "other_sharder.py").write_text(
        _PYTEST_SHARD.replace('dest="shard_id", ', "").replace('dest="num_shards", ', "")
    )
    project.syspathinsert()

    result = project.runpytest_subprocess("-p", "other_sharder", "-p", "withstand.pytest_plugin")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "add -p no:pytest-shard" in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_pytest_shard_that_would_load_later_is_named_with_the_cure(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install_pytest_shard(project.path)
    project.syspathinsert()
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")

    result = project.runpytest_subprocess(*_QUICK)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "pytest-shard is installed and owns --shard-id" in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_blocking_pytest_shard_frees_the_options(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install_pytest_shard(project.path)
    project.syspathinsert()
    project.makepyfile("def test_one(): pass")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")

    result = project.runpytest_subprocess(
        "-p", "no:pytest-shard", *_QUICK, "--shard-id=1", "--num-shards=1"
    )

    assert result.ret == 0
    result.stdout.fnmatch_lines(["shard 1/1: kept 1 of 1"])


def test_the_options_are_explained_in_the_help(run: RunProject) -> None:
    result = run("--help")

    result.stdout.fnmatch_lines(["withstand: load and security*", "*--shard-id=K*counted from 1*"])


def _install_pytest_shard(directory: Path) -> None:
    """A package of that name with the options of pytest-shard 0.1.2, found by its entry point."""
    package = directory / "pytest_shard"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "pytest_shard.py").write_text(_PYTEST_SHARD)
    metadata = directory / "pytest_shard-0.1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: pytest-shard\nVersion: 0.1.2\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[pytest11]\npytest-shard = pytest_shard.pytest_shard\n"
    )
