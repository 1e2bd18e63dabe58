"""The layers hold: the contracts of pyproject.toml, and purity module by module.

Every module is pure unless `SHELLS` names it, so a new one is held to it without being listed.
"""

import ast
import fnmatch
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src"

SHELLS = (
    "withstand",  # asks the installed package for its version
    "withstand.cli*",
    "withstand.client.allocator",
    "withstand.client.connect",
    "withstand.client.connection",
    "withstand.client.handshake",
    "withstand.client.loop",
    "withstand.client.loopback_listener",
    "withstand.client.wire",
    "withstand.demo*",
    "withstand.history*",
    "withstand.load.engine*",
    "withstand.load.probe.command",
    "withstand.load.probe.metrics",
    "withstand.load.probe.process",
    "withstand.load.probe.watch",
    "withstand.load.workers.division",
    "withstand.load.workers.hire",
    "withstand.load.workers.messages",
    "withstand.load.workers.run",
    "withstand.load.workers.start",
    "withstand.load.workers.worker",
    "withstand.locust*",
    "withstand.pytest_plugin*",
    "withstand.results_file",
    "withstand.scan.catalogue",  # finds the checks by listing a package
    "withstand.selftest.experiment*",
    "withstand.selftest.server",
    "withstand.settings*",
    "withstand.workflows*",
)
"""Modules that may do I/O, read a clock or start processes: names, `*` for any text."""

_CLOCK_OF_DATETIME = frozenset({"now", "today", "utcnow"})
_BUILTIN_IO = frozenset({"open", "input", "print"})


@cache
def _contract() -> dict[str, Any]:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (pure,) = (contract for contract in tables["contracts"] if contract.get("id") == "pure")
    return dict(pure)


def _forbidden() -> frozenset[str]:
    return frozenset(_contract()["forbidden_modules"])


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("withstand", include_external_packages=True, cache_dir=None)
    for line in _contract()["ignore_imports"]:
        importer, _, imported = line.partition(" -> ")
        graph.remove_import(importer=importer, imported=imported)
    return graph


def _is_shell(module: str) -> bool:
    return any(fnmatch.fnmatchcase(module, pattern) for pattern in SHELLS)


def _pure_modules() -> tuple[str, ...]:
    return tuple(
        module
        for module in sorted(_graph().modules)
        if module.startswith("withstand.") and not _is_shell(module)
    )


def _file(module: str) -> Path:
    path = SOURCES.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def impure_calls(source: str) -> Iterator[str]:
    """What no import betrays: built-in I/O, the clock in datetime, the shared random generator."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in _BUILTIN_IO:
                yield f"line {node.lineno}: {name}()"
            case ast.Attribute(
                value=ast.Name(id="datetime" | "date") | ast.Attribute(attr="datetime" | "date"),
                attr=name,
            ) if name in _CLOCK_OF_DATETIME:
                yield f"line {node.lineno}: datetime.{name}()"
            case ast.Attribute(value=ast.Name(id="random"), attr=name) if name != "Random":
                yield f"line {node.lineno}: random.{name}() is seeded by nobody"


def test_the_contracts_of_the_import_linter_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_pure_module_reaches_the_outside_world_however_far_around() -> None:
    graph = _graph()
    outside = _forbidden() & graph.modules
    reached = {
        " → ".join(chain)
        for module in _pure_modules()
        for name in sorted(outside)
        if (chain := graph.find_shortest_chain(module, name)) is not None
    }
    assert reached == set()


@pytest.mark.parametrize("module", _pure_modules())
def test_a_pure_module_calls_nothing_impure(module: str) -> None:
    assert list(impure_calls(_file(module).read_text())) == []


def test_every_shell_is_there_and_does_something_impure() -> None:
    # An entry that has become needless would let impurity back in unseen.
    graph = _graph()
    outside = _forbidden()
    for pattern in SHELLS:
        modules = fnmatch.filter(graph.modules, pattern)
        used = {
            name for module in modules for name in graph.find_modules_directly_imported_by(module)
        }
        assert used & outside, pattern


@pytest.mark.parametrize(
    "line",
    [
        "open('x')",
        "print('x')",
        "datetime.now(UTC)",
        "datetime.date.today()",
        "datetime.datetime.now()",
        "random.choice(x)",
    ],
)
def test_an_impure_call_is_seen(line: str) -> None:
    assert len(list(impure_calls(f"def f():\n    return {line}\n"))) == 1


@pytest.mark.parametrize("line", ["random.Random(7)", "date(2027, 6, 30)", "self.open()", "now()"])
def test_a_pure_call_is_left_alone(line: str) -> None:
    assert list(impure_calls(f"def f():\n    return {line}\n")) == []


@pytest.mark.parametrize(
    ("module", "must_not"),
    [
        ("withstand.settings", {"asyncio", "attr", "cattrs", "httpx2", "jinja2", "rich", "ssl"}),
        ("withstand.errors", {"asyncio", "attr", "click", "httpx2", "rich", "ssl"}),
    ],
)
def test_importing_a_module_loads_nothing_heavy(module: str, must_not: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & must_not == set()


def test_reading_the_settings_needs_neither_event_loop_nor_client(tmp_path: Path) -> None:
    (tmp_path / "withstand.toml").write_text('[target]\nbase_url = "http://127.0.0.1:1"\n')
    program = (
        "import sys; from withstand.settings import load_settings; load_settings(environ={});"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    heavy = {"asyncio", "httpx2", "jinja2", "rich", "ssl"}
    assert set(done.stdout.split()) & heavy == set()
