"""A server for user scripts, and the loads on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.engine.loaded_script import Load
from tests.load.script_server import ScriptServer, script_server


@pytest.fixture
def server() -> Iterator[ScriptServer]:
    with script_server() as running:
        yield running


@pytest.fixture
def load(server: ScriptServer, tmp_path: Path) -> Load:
    return Load(server, tmp_path)
