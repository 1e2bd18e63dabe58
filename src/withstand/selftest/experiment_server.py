"""The reference server as a child process, for as long as a `with` block lasts."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from withstand.client.target import Target
from withstand.errors import WithstandError

PATH: Final = "/users"  # it answers any
_END_WITHIN_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLog:
    """What the server saw, by its own clock. The times of arrivals are kept for the first 250,000
    requests; `requests` counts all.
    """

    requests: int
    arrivals_ns: tuple[int, ...]
    delays_ns: tuple[int, ...]
    stalls_ns: tuple[tuple[int, int], ...]
    lateness_ns: tuple[int, ...]

    @property
    def began_ns(self) -> int:
        """When the first request arrived."""
        return self.arrivals_ns[0]


class ReferenceServer:
    """Serves on a free port of this machine; `arguments` are those of `server.py`."""

    def __init__(self, *arguments: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="withstand-selftest-")
        self._log = Path(self._folder.name, "log.json")
        command = ["-m", "withstand.selftest.server", "--log", str(self._log), *arguments]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is ours: the server lives until it has told its log
        )
        self.target = Target(scheme="http", host="127.0.0.1", port=0)

    def __enter__(self) -> "ReferenceServer":
        assert self._process.stdout is not None, "it was asked for above"
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            self._end()
            raise WithstandError(
                f"the reference server did not start (it said {line.strip()!r})",
                hint="its own message stands above",
            )
        self.target = Target(scheme="http", host="127.0.0.1", port=int(line))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        """By the end of its input, or by force."""
        try:
            self._process.communicate(timeout=_END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

    def log(self) -> ServerLog:
        """End the server and read what it saw. Raises WithstandError when that is nothing."""
        try:
            self._process.communicate(timeout=_END_WITHIN_S)
            said = json.loads(self._log.read_text())
        except (subprocess.TimeoutExpired, OSError, ValueError) as problem:
            raise WithstandError(
                f"the reference server's log cannot be read: {problem}",
                hint="see that the folder of temporary files has space, and try again",
            ) from None
        if not said["requests"]:
            raise WithstandError(
                "no request reached the reference server",
                hint="something on this machine keeps programs from 127.0.0.1: a firewall or a "
                "sandbox",
            )
        return ServerLog(
            requests=said["requests"],
            arrivals_ns=tuple(said["arrivals_ns"]),
            delays_ns=tuple(said["delays_ns"]),
            stalls_ns=tuple((begin_ns, end_ns) for begin_ns, end_ns in said["stalls_ns"]),
            lateness_ns=tuple(said["lateness_ns"]),
        )
