"""Machines for tests: network namespaces on one bridge, which nothing leads out of.

The first machine holds the bridge. The addresses are of a range that belongs to nobody (RFC 5737).
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

DEADLINE_S = 120.0


def why_not() -> str | None:
    """Why this machine cannot have namespaces; None if it can."""
    if shutil.which("ip") is None:
        return "there is no ip (iproute2)"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    name = f"ws-{uuid4().hex[:8]}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    _ip("netns", "del", name)
    return None


class Program:
    """A program on one of the machines. What it prints is kept in one file."""

    def __init__(self, process: "subprocess.Popen[str]", output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for something, as long as the program runs."""
        wait_until(
            lambda: holds() or self.process.poll() is not None, lambda: f"{what}:\n{self.said}"
        )
        assert holds(), f"{what}, and it ended:\n{self.said}"

    def wait_for(self, *texts: str) -> None:
        """Wait until it has said one of them."""
        self.wait_until(
            lambda: any(text in self.said for text in texts), f"it never said {texts[0]!r}"
        )

    def ended(self) -> int:
        """Its exit code."""
        wait_until(
            lambda: self.process.poll() is not None, lambda: f"it does not end:\n{self.said}"
        )
        return self.process.wait()


def wait_until(holds: Callable[[], bool], what: Callable[[], str]) -> None:
    """Poll for something that comes about in another process."""
    until = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < until, what()
        time.sleep(0.05)


@dataclass(frozen=True)
class Machine:
    """A namespace with an address."""

    namespace: str
    address: str
    folder: Path
    programs: list[Program] = field(default_factory=list)

    def start(self, *command: str | Path, environment: Mapping[str, str] | None = None) -> Program:
        """Run a program here."""
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=f"{self.namespace}-")
        with os.fdopen(handle, "wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.namespace, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                text=True,
                start_new_session=True,
            )
        program = Program(process, Path(name))
        self.programs.append(program)
        return program

    def ask(self, *command: str | Path) -> "subprocess.Popen[str]":
        """Run a program here that is talked to through its pipes."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@contextmanager
def machines(roles: Sequence[str], folder: Path) -> Iterator[dict[str, Machine]]:
    """A machine for each role; they and all that runs on them are gone afterwards."""
    run = uuid4().hex[:8]
    made: dict[str, Machine] = {}
    try:
        for number, role in enumerate(roles, 1):
            machine = Machine(f"ws-{run}-{role}", f"192.0.2.{number}", folder)
            _ip("netns", "add", machine.namespace)
            made[role] = machine
            _ip("-n", machine.namespace, "link", "set", "lo", "up")
        hub = made[roles[0]]
        _ip("-n", hub.namespace, "link", "add", "br0", "type", "bridge")
        _ip("-n", hub.namespace, "address", "add", f"{hub.address}/24", "dev", "br0")
        _ip("-n", hub.namespace, "link", "set", "br0", "up")
        for number, role in enumerate(roles[1:], 2):
            there, port = made[role].namespace, f"port{number}"
            _ip("-n", there, "link", "add", "eth0", "type", "veth", "peer", port, "netns",
                hub.namespace)  # fmt: skip
            _ip("-n", there, "address", "add", f"{made[role].address}/24", "dev", "eth0")
            _ip("-n", there, "link", "set", "eth0", "up")
            _ip("-n", hub.namespace, "link", "set", port, "master", "br0")
            _ip("-n", hub.namespace, "link", "set", port, "up")
        yield made
    finally:
        for machine in made.values():
            _clear(machine)


def _clear(machine: Machine) -> None:
    """End whatever runs on a machine, whoever started it there, and take the machine away."""
    pids = _ip("netns", "pids", machine.namespace).split()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    for program in machine.programs:
        program.process.wait()
    _ip("netns", "del", machine.namespace)


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout
