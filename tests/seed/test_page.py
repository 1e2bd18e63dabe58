"""Every snippet of the page runs as it stands there, against the demo API."""

import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.demo.running import RunningDemo
from withstand.demo.config import render

from .page import TEXT, python_blocks, shell_commands

_TESTS = 12


@pytest.fixture
def project(tmp_path: Path, demo: RunningDemo) -> Path:
    """The page's tests in files, with nothing beside them but the demo's configuration."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "withstand.toml").write_text(_configuration(demo), encoding="utf-8")
    for number, block in enumerate(_test_blocks()):
        (folder / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    return folder


def _configuration(demo: RunningDemo) -> str:
    port = urlsplit(demo.words["url"]).port
    assert port is not None
    return render(port=port)


def _test_blocks() -> list[str]:
    return [block for block in python_blocks() if "locust" not in block]


def _run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def quick_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the installed plugins that the runs do not name, which take a second each time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "withstand.pytest_plugin")


def _passed(run: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^(test_block\S+::.+) PASSED", run.stdout, flags=re.MULTILINE)


def test_the_text_is_the_page_byte_for_byte() -> None:
    digest = sha256(TEXT.encode()).hexdigest()

    assert digest == "bfe64fa8d497cf2c93e1dec6d45951fd4758981438275fd49fcd9190e9b5f405"


def test_the_page_has_five_python_blocks() -> None:
    firsts = [block.splitlines()[0] for block in python_blocks()]

    assert firsts == [
        "import time",
        "# tests/performance/locustfile.py",
        "import pytest",
        "import pytest",
        "import pytest",
    ]
    # Two of them got the one line that they lean on, the rest are as they stand.
    assert [block in TEXT + "\n" for block in python_blocks()] == [True, True, True, False, False]
    assert all(block.removeprefix("import pytest\n") in TEXT + "\n" for block in python_blocks())


@pytest.mark.slow
def test_the_tests_of_the_page_pass_with_every_plugin_loaded(project: Path) -> None:
    run = _run_pytest(project)

    assert run.returncode == 0, run.stdout + run.stderr
    assert len(_passed(run)) == _TESTS
    assert f" {_TESTS} passed" in run.stdout.splitlines()[-1]


@pytest.mark.slow
def test_the_tests_of_the_page_pass_on_two_workers(project: Path, quick_start: None) -> None:
    run = _run_pytest(project, "-p", "xdist", "-n2")

    assert run.returncode == 0, run.stdout + run.stderr
    assert f" {_TESTS} passed" in run.stdout.splitlines()[-1]


@pytest.mark.slow
def test_four_shards_run_every_test_of_the_page_exactly_once(
    project: Path, quick_start: None
) -> None:
    with ThreadPoolExecutor(4) as machines:
        shard_ids = [f"--shard-id={k}" for k in (1, 2, 3, 4)]
        runs = list(machines.map(lambda k: _run_pytest(project, k, "--num-shards=4"), shard_ids))

    assert [run.returncode for run in runs] == [0, 0, 0, 0], [run.stdout for run in runs]
    names = [name for run in runs for name in _passed(run)]
    assert len(names) == _TESTS
    assert len(set(names)) == _TESTS


@pytest.mark.slow
def test_the_locustfile_of_the_page_runs_under_locust_without_a_failure(
    tmp_path: Path, demo: RunningDemo
) -> None:
    (locustfile,) = (block for block in python_blocks() if "locust" in block)
    path = re.match(r"# (\S+)", locustfile)
    assert path is not None
    file = tmp_path / path[1]
    file.parent.mkdir(parents=True)
    file.write_text(locustfile, encoding="utf-8")
    (command,) = shell_commands()
    # As on the page but for how many, how long and where.
    shorter = command.replace("-u 50", "-u 5").replace("--run-time 60s", "--run-time 4s")
    words = shlex.split(shorter.replace("https://api.staging.example.com", demo.words["url"]))

    run = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    totals = re.findall(r"^ +Aggregated +(\d+) +(\d+)\(", run.stderr + run.stdout, re.MULTILINE)
    assert totals, run.stdout + run.stderr
    requests, failures = map(int, totals[-1])
    assert requests > 5
    assert failures == 0


@pytest.mark.slow
def test_the_tests_in_the_readme_pass_as_they_stand_there(
    tmp_path: Path, demo: RunningDemo
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    blocks = [block for block in blocks if "def test_" in block]  # the others are user scripts
    assert len(blocks) == 2
    (tmp_path / "withstand.toml").write_text(_configuration(demo), encoding="utf-8")
    for number, block in enumerate(blocks):
        (tmp_path / f"test_readme_{number}.py").write_text(block, encoding="utf-8")

    ran = _run_pytest(tmp_path)

    assert ran.returncode == 0, ran.stdout
    assert "10 passed" in ran.stdout
