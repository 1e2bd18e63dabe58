"""An API in another process, for the length of a test."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.load.scenario.scenario import Scenario, scenario_from_requests


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the server says it saw. `connections` has the engine's first look at it, too."""

    connections: int
    paths: dict[str, int]
    arrivals_ns: list[int]

    @property
    def requests(self) -> int:
        return len(self.arrivals_ns)


class Api:
    """A running API."""

    def __init__(self, stall_s: float = 0.0) -> None:
        script = Path(__file__).with_name("api_process.py")
        self.process = subprocess.Popen(
            [sys.executable, script, str(stall_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        self.target = Target(scheme="http", host="127.0.0.1", port=port)

    def scenario(self, *paths: str, method: str = "GET") -> Scenario:
        """One call for each path, of equal weight."""
        return scenario_from_requests(
            [(f"{method} {path}", Request(method=method, path=path)) for path in paths],
            self.target,
        )

    def seen(self) -> Seen:
        """End the server and read what it saw."""
        output, _ = self.process.communicate(timeout=20)
        return Seen(**json.loads(output))

    def close(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)


@pytest.fixture
def api() -> Iterator[Api]:
    running = Api()
    yield running
    running.close()


@pytest.fixture
def stalling_api() -> Iterator[Api]:
    """Stalls for 0.3 s in every second."""
    running = Api(stall_s=0.3)
    yield running
    running.close()
