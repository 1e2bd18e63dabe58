"""The project's own CI: a valid workflow, pinned actions, and a script that says what failed."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
SCRIPT = ROOT / ".ci" / "run"


@pytest.fixture(scope="module")
def workflow() -> Any:
    return yaml.safe_load(WORKFLOW.read_text())


def test_every_action_is_pinned_to_a_commit_and_names_its_version() -> None:
    lines = [line for line in WORKFLOW.read_text().splitlines() if "uses:" in line]
    assert lines
    for line in lines:
        assert re.search(r"uses: \S+@[0-9a-f]{40} # v[0-9.]+$", line), line


def test_the_matrix_starts_at_the_oldest_python_that_is_promised(workflow: Any) -> None:
    promised = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    versions = workflow["jobs"]["everything"]["strategy"]["matrix"]["python"]
    assert promised == f">={versions[0]}"
    minors = [int(version.split(".")[1]) for version in versions]
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_no_job_may_write_to_the_repository_or_run_for_ever(workflow: Any) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_the_script_can_be_run_and_knows_its_steps() -> None:
    assert SCRIPT.stat().st_mode & 0o111
    done = subprocess.run([SCRIPT, "teh-tests"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no step teh-tests; steps are: system uv lint" in done.stderr


def test_the_script_runs_the_tests_as_the_readme_says() -> None:
    command = ".uv/bin/uv run pytest"
    assert f"{command};" in SCRIPT.read_text()
    assert f"`{command}`" in (ROOT / "README.md").read_text()


def test_a_failed_step_fails_the_run_after_the_other_steps(tmp_path: Path) -> None:
    # A copy in an empty place with a uv that fails for one step alone.
    (tmp_path / ".ci").mkdir()
    copy = tmp_path / ".ci" / "run"
    copy.write_text(SCRIPT.read_text())
    copy.chmod(0o755)
    uv = tmp_path / ".uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text('#!/bin/sh\ncase "$*" in *mypy*) exit 1;; esac\n')
    uv.chmod(0o755)
    done = subprocess.run(
        [copy, "lint", "types", "tests"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "=== tests: passed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("withstand: FAILED in ")
    assert done.stdout.splitlines()[-1].endswith(": types")
    whole = subprocess.run([copy, "lint", "tests"], capture_output=True, text=True, check=False)
    assert whole.returncode == 0
    assert whole.stdout.splitlines()[-1].startswith("withstand: all 2 steps passed in ")
