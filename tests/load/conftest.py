"""An API in another process, which serves many tests and begins anew for each."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.load.engine import run as in_one_process
from withstand.load.scenario.scenario import Scenario, scenario_from_requests
from withstand.load.workers import run as in_several


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the server says it saw. `connections` has the engine's first look at it, too."""

    connections: int
    paths: dict[str, int]
    arrivals_ns: list[int]

    @property
    def requests(self) -> int:
        return len(self.arrivals_ns)


@contextmanager
def api_process(stall_s: float = 0.0) -> Iterator["subprocess.Popen[str]"]:
    """A process that can serve one API after another, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("api_process.py"), str(stall_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


class Api:
    """An API with a port and books of its own, until it is asked what it saw."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._is_open = True
        port = int(self._told("open"))
        self.target = Target(scheme="http", host="127.0.0.1", port=port)

    def scenario(self, *paths: str, method: str = "GET") -> Scenario:
        """One call for each path, of equal weight."""
        return scenario_from_requests(
            [(f"{method} {path}", Request(method=method, path=path)) for path in paths],
            self.target,
        )

    def seen(self) -> Seen:
        """End the API and read what it saw."""
        self._is_open = False
        return Seen(**json.loads(self._told("seen")))

    def close(self) -> None:
        if self._is_open:
            self.seen()

    def _told(self, order: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


@pytest.fixture
def frequent_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits to hear how far a load is hears it ten times as often as people do."""
    for each in (in_one_process, in_several):
        monkeypatch.setattr(each, "_PROGRESS_S", 0.05)


@pytest.fixture(scope="session")
def lasting_process() -> Iterator["subprocess.Popen[str]"]:
    with api_process() as process:
        yield process


@pytest.fixture
def api(lasting_process: "subprocess.Popen[str]", frequent_progress: None) -> Iterator[Api]:
    served = Api(lasting_process)
    yield served
    served.close()


@pytest.fixture
def mortal_api() -> Iterator[Api]:
    """One whose process no other test needs: it may be asked to `/die`."""
    with api_process() as process:
        yield Api(process)


@pytest.fixture
def stalling_api() -> Iterator[Api]:
    """Stalls for 0.3 s in every second."""
    with api_process(stall_s=0.3) as process:
        yield Api(process)
