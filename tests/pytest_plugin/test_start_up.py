"""What every pytest run on the machine pays for the plugin."""

import subprocess
import sys


def _imported(program: str) -> set[str]:
    output = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return set(output.split())


def test_the_plugin_imports_nothing_heavy() -> None:
    of_the_plugin = _imported("import pytest, withstand.pytest_plugin") - _imported("import pytest")

    heavy = {
        "httpx2", "jinja2", "rich", "sqlite3", "asyncio", "attrs", "attr", "cattrs", "filelock",
        "uvloop", "ssl", "psutil", "yaml", "jwt", "locust", "click",
    }  # fmt: skip
    assert of_the_plugin & heavy == set()
    ours = {name for name in of_the_plugin if name.startswith("withstand.")}
    assert {name for name in ours if not name.startswith("withstand.pytest_plugin")} == {
        "withstand.errors",
        "withstand.sharding",
        "withstand.sharding.shard",
    }
    on_demand = ("lookups", "latency", "repetition", "measurement", "objectives")
    assert ours & {f"withstand.pytest_plugin.{name}" for name in on_demand} == set()


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    import withstand

    assert withstand.__version__ == version("withstand")
    assert not hasattr(withstand, "no_such_name")
