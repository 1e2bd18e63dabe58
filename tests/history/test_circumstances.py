"""Machine and commit: what a run is remembered with."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.remembered import MACHINE
from withstand.history.commit import VARIABLES, current_commit
from withstand.history.machine import calibration_ns, this_machine

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_machine_has_one_fingerprint_and_says_what_it_is() -> None:
    machine = this_machine()
    assert machine == this_machine()
    assert len(machine.fingerprint) == 12
    assert machine.cores >= 1
    for part in (machine.cpu, machine.kernel, machine.python):
        assert part
        assert part in machine.description


@pytest.mark.parametrize(
    "change", [{"cpu": "other"}, {"cores": 4}, {"kernel": "Linux 6.2"}, {"python": "CPython 3.12"}]
)
def test_another_processor_core_kernel_or_python_is_another_machine(
    change: dict[str, object],
) -> None:
    assert replace(MACHINE, **change).fingerprint != MACHINE.fingerprint  # type: ignore[arg-type]


def test_the_calibration_takes_some_time() -> None:
    assert calibration_ns() > 0


@pytest.mark.parametrize("name", VARIABLES)
def test_ci_says_which_commit_it_is(name: str, tmp_path: Path) -> None:
    assert current_commit({name: COMMIT.upper()}, here=tmp_path) == COMMIT


def test_what_is_no_hash_is_not_taken_for_a_commit(tmp_path: Path) -> None:
    assert current_commit({"GIT_COMMIT": "main; rm -rf", "GITHUB_SHA": ""}, here=tmp_path) is None


def test_git_says_which_commit_it_is(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout.strip()

    git("init", "-q")
    assert current_commit({}, here=tmp_path) is None
    git("commit", "-q", "--allow-empty", "-m", "first")
    assert current_commit({}, here=tmp_path) == git("rev-parse", "HEAD")
