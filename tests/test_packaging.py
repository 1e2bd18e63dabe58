"""What is installed: dependencies in step, entry points that exist, a wheel that is whole."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "withstand"
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", ["demo", "locust"])
def test_an_extra_and_the_group_of_its_name_are_in_step(name: str) -> None:
    extra = PYPROJECT["project"]["optional-dependencies"][name]
    assert PYPROJECT["dependency-groups"][name] == extra


def test_a_checkout_gets_every_group_by_default() -> None:
    groups = dict(PYPROJECT["dependency-groups"])
    assert {entry["include-group"] for entry in groups.pop("dev")} == set(groups)


def test_every_dependency_has_a_lower_bound() -> None:
    # It is what CI installs with the lowest-direct resolution.
    for requirement in PYPROJECT["project"]["dependencies"]:
        assert re.match(r"[A-Za-z0-9_-]+>=[0-9]", requirement), requirement


def test_the_package_imports_just_what_it_declares() -> None:
    apart = ("withstand.demo", "withstand.locust")
    rest = (module for module in _graph().modules if not module.startswith(apart))
    assert _imported(rest) == _modules(PYPROJECT["project"]["dependencies"])


def test_the_demo_imports_just_what_its_extra_declares() -> None:
    demo = (module for module in _graph().modules if module.startswith("withstand.demo"))
    extra = _modules(PYPROJECT["project"]["optional-dependencies"]["demo"])
    assert _imported(demo) == extra


def test_what_runs_in_locusts_processes_imports_nothing_else_than_its_extra_declares() -> None:
    plugin = (each for each in _graph().modules if each.startswith("withstand.locust"))
    project = PYPROJECT["project"]
    beside = _imported(plugin) - _modules(project["dependencies"])
    assert beside == _modules(project["optional-dependencies"]["locust"])


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("withstand", include_external_packages=True, cache_dir=None)


def _modules(requirements: list[str]) -> set[str]:
    """The modules that requirements install, under the names they are imported by."""
    renamed = {"pyjwt": "jwt", "pyyaml": "yaml"}
    names = (re.split(r"[^A-Za-z0-9_-]", requirement)[0] for requirement in requirements)
    return {renamed.get(name, name) for name in names}


def _imported(modules: Iterable[str]) -> set[str]:
    """What our modules import that neither we nor Python's library hold."""
    # Their classes are part of the interface of what is declared, and come with it.
    part_of = {"markupsafe": "jinja2", "pydantic": "fastapi", "starlette": "fastapi"}
    part_of |= dict.fromkeys(("brotli", "gevent", "requests"), "locust")
    return {
        part_of.get(name, name)
        for module in modules
        if module.startswith("withstand")
        for name in _graph().find_modules_directly_imported_by(module)
        if not name.startswith("withstand") and name not in sys.stdlib_module_names
    }


@pytest.mark.parametrize(
    "entry_point",
    [
        *PYPROJECT["project"]["scripts"].values(),
        *PYPROJECT["project"]["entry-points"]["pytest11"].values(),
    ],
)
def test_an_entry_point_exists(entry_point: str) -> None:
    module, _, name = entry_point.partition(":")
    found = importlib.import_module(module)
    assert not name or callable(getattr(found, name))


def test_everything_vendored_carries_its_licence() -> None:
    folders = [path for path in (PACKAGE / "report" / "vendor").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert (folder / "LICENSE").is_file(), folder.name
        assert list(ROOT.glob("src/withstand/report/vendor/*/LICENSE"))


def _uv() -> str | None:
    in_checkout = ROOT / ".uv" / "bin" / "uv"
    known = os.environ.get("UV") or shutil.which("uv")
    return known or (str(in_checkout) if in_checkout.is_file() else None)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    uv = _uv()
    if uv is None:
        pytest.skip("needs uv: python3 -m pip install --target .uv uv")
    place = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [uv, "build", "--wheel", "--out-dir", place, ROOT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (path,) = place.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    here = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - set(wheel.namelist()) == set()
    assert "withstand/py.typed" in here


def test_the_wheel_holds_nothing_but_the_package_and_its_metadata(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {"withstand", f"withstand-{PYPROJECT['project']['version']}.dist-info"}


def test_the_wheel_holds_the_licences(wheel: zipfile.ZipFile) -> None:
    licences = {name for name in wheel.namelist() if "/licenses/" in name}
    assert any(name.endswith("/licenses/LICENSE") for name in licences)
    assert any("uplot" in name for name in licences)
