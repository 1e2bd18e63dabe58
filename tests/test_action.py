"""The action at the root of the repository: its script does what its inputs say, and no more."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.scan.served_example import CHECK, served

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
PROGRAMS = Path(sys.executable).parent
_STUB = """#!/bin/sh
printf '%s\\n' "$(basename "$0")" "$@" >> called
exit ${CODE:-0}
"""


class Ran:
    """What the step `Run` did in a folder of its own."""

    def __init__(self, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.folder, self.code, self.said = folder, done.returncode, done.stdout + done.stderr

    @property
    def called(self) -> list[str]:
        return (self.folder / "called").read_text().splitlines()

    @property
    def outputs(self) -> dict[str, str]:
        lines = (self.folder / "outputs").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


Run = Callable[..., Ran]


def step(name: str) -> dict[str, Any]:
    (found,) = (each for each in ACTION["runs"]["steps"] if each["name"] == name)
    return dict(found)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run({"shard": "2/4"}, programs=…)` plays the runner: inputs, files, the shell that it uses.

    Without `programs`, withstand, pytest and uv are stubs that write down how they were called.
    """

    def ran(inputs: dict[str, str], *, programs: Path | None = None, code: int = 0) -> Ran:
        stubs = tmp_path / "stubs"
        stubs.mkdir(exist_ok=True)
        for name in ("withstand", "pytest", "uv"):
            (stubs / name).write_text(_STUB)
            (stubs / name).chmod(0o755)
        defaults = {name: each["default"] for name, each in ACTION["inputs"].items()}
        values = {**defaults, "version": "project", **inputs}
        assert values.keys() == defaults.keys()
        environment = {
            key: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: values[match[1]], text)
            for key, text in step("Run")["env"].items()
        }
        script = tmp_path / "script.sh"
        script.write_text(step("Run")["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            env={
                **os.environ,
                **environment,
                "PATH": f"{programs or stubs}:{os.environ['PATH']}",
                "CODE": str(code),
                "GITHUB_ACTIONS": "true",
                "GITHUB_OUTPUT": str(tmp_path / "outputs"),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
                "RUNNER_TEMP": str(tmp_path),
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(tmp_path, done)

    return ran


def test_every_step_of_the_script_has_its_shell_and_takes_inputs_by_the_environment() -> None:
    for each in ACTION["runs"]["steps"]:
        if "run" in each:
            assert each["shell"] == "bash"
            assert "${{" not in each["run"]
        else:
            assert re.fullmatch(r"\S+@[0-9a-f]{40}", each["uses"])


def test_without_inputs_it_checks_what_withstand_toml_says(run: Run) -> None:
    done = run({})
    assert done.code == 0, done.said
    assert done.called == ["withstand", "check", "--report-dir=withstand-report"]
    assert done.outputs == {"artifact": "withstand-report", "exit-code": "0"}


def test_a_shard_has_an_artifact_of_its_own(run: Run) -> None:
    done = run({"command": "withstand scan", "shard": "2/4", "config": "api/my withstand.toml"})
    assert done.called == [
        *("withstand", "scan", "--report-dir=withstand-report"),
        *("--config=api/my withstand.toml", "--shard=2/4"),
    ]
    assert done.outputs["artifact"] == "withstand-shard-2"
    assert run({"shard": "2/4", "artifact": "mine"}).outputs["artifact"] == "mine"


@pytest.mark.parametrize("launcher", ["", "uv run "])
def test_pytest_gets_the_options_of_the_plugin(run: Run, launcher: str) -> None:
    done = run({"command": f"{launcher}pytest -k 'a or b'", "shard": "1/2", "config": "c.toml"})
    assert done.called == [
        *launcher.split(),
        *("pytest", "-k", "a or b", "--withstand-report-dir=withstand-report"),
        *("--withstand-config=c.toml", "--shard=1/2"),
    ]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("uv run --with withstand pytest", "--withstand-report-dir"),
        ("uv run --group pytest --package withstand pytest", "--withstand-report-dir"),
        ("uv run --with pytest withstand merge t", "--report-dir"),
        ("uv run withstand scan --with pytest", "--report-dir"),
    ],
)
def test_what_a_launcher_is_told_to_install_is_not_what_runs(
    run: Run, command: str, option: str
) -> None:
    done = run({"command": command})
    assert done.called == [*command.split(), f"{option}=withstand-report"]


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("uv run --with withstand pytest", "suite.jsonl"),
        ("uv run --with pytest withstand check", "results.json"),
    ],
)
def test_what_a_whole_run_leaves_is_shown_by_the_same_launcher(
    run: Run, tmp_path: Path, command: str, left: str
) -> None:
    (tmp_path / "withstand-report").mkdir()
    (tmp_path / "withstand-report" / left).write_text("{}")
    done = run({"command": command}, code=1)
    assert done.code == 1, done.said
    assert done.called[len(command.split()) + 1 :] == [
        *(*command.split()[:4], "withstand", "report", f"withstand-report/{left}"),
        *("--annotations", "github", "--markdown", str(tmp_path / "summary")),
    ]


def test_a_star_stands_for_files_and_nothing_else_is_expanded(run: Run, tmp_path: Path) -> None:
    for name in ("shard-1", "shard-2 b"):
        (tmp_path / "shards" / name).mkdir(parents=True)
    done = run({"command": 'withstand merge shards/* "$HOME" `id` $(id) ; id'})
    assert done.called[1:-1] == [
        *("merge", "shards/shard-1", "shards/shard-2 b"),
        *("$HOME", "`id`", "$(id)", ";", "id"),
    ]


@pytest.mark.parametrize("code", [1, 3])
def test_the_exit_code_is_that_of_the_command(run: Run, code: int) -> None:
    done = run({}, code=code)
    assert (done.code, done.outputs["exit-code"]) == (code, str(code))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"version": "1.2"}, "::error::The input version is 1.2: write action or project"),
        ({"command": "make"}, "::error::The input command names neither withstand nor pytest"),
        ({"command": "pytest -k 'a"}, "unmatched single quote"),
    ],
)
def test_a_mistake_in_an_input_is_said(run: Run, inputs: dict[str, str], said: str) -> None:
    done = run(inputs)
    assert done.code != 0
    assert said in done.said
    assert not (done.folder / "called").exists()


@pytest.mark.slow
def test_a_run_that_fails_leaves_report_summary_annotations_and_sarif(
    run: Run, tmp_path: Path
) -> None:
    with served() as api:
        api.write_project(tmp_path)
        inputs = {"command": f"withstand scan -q --check {CHECK}"}
        whole = run(inputs, programs=PROGRAMS)
    assert whole.code == 1, whole.said
    assert whole.outputs["sarif"] == "withstand-report/results.sarif"
    assert (tmp_path / "withstand-report" / "report.html").is_file()
    assert (tmp_path / "summary").read_text().startswith("## ✗ Failed")
    assert len(re.findall(r"^::error file=openapi\.json,line=\d+", whole.said, re.M)) == 1


@pytest.mark.slow
def test_tests_that_fail_leave_a_summary_and_annotations(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert 1 == 2\n")
    whole = run({"command": "pytest -p no:cacheprovider"}, programs=PROGRAMS)
    assert whole.code == 1, whole.said
    assert "test_it.py::test_it" in (tmp_path / "summary").read_text()
    assert len(re.findall(r"^::error", whole.said, re.M)) == 1
