"""The live view on a real terminal: a program in a process of its own under a pseudoterminal."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import config_of
from tests.demo.running import RunningDemo

PATIENCE_S = 60
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A terminal of 100 columns by 30 lines and the program that runs in it."""

    def __init__(self, pid: int, master: int) -> None:
        self.pid = pid
        self.master = master
        self.raw = ""

    @property
    def text(self) -> str:
        """All that was written, without escape sequences."""
        return _ESCAPES.sub("", self.raw)

    def read_until(self, wanted: str) -> None:
        """Read on until a text has come."""
        while wanted not in self.text:
            if not self._read():
                raise AssertionError(f"the program ended without {wanted!r}: {self.text}")

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def echoes(self) -> bool:
        """Whether the terminal is in the mode that a shell expects."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def _read(self) -> bool:
        ready, _, _ = select.select([self.master], [], [], PATIENCE_S)
        assert ready, f"nothing more came: {self.text}"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)


@contextmanager
def terminal(folder: Path, *words: str, **environment: str) -> Iterator[Terminal]:
    command = [sys.executable, "-c", "from withstand.cli import main; main()", *words]
    kept = {key: value for key, value in os.environ.items() if key not in {"CI", "NO_COLOR"}}
    pid, master = pty.fork()
    if pid == 0:  # pragma: no cover - becomes the program
        os.chdir(folder)
        os.execve(sys.executable, command, {**kept, "TERM": "xterm", **environment})
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    try:
        yield Terminal(pid, master)
    finally:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(master)


@pytest.fixture
def load(folder: Path, demo: RunningDemo) -> tuple[str, ...]:
    (folder / "withstand.toml").write_text(config_of(demo))
    return ("load", "-o", "GET /health", "--rate", "50/s", "-t", "10m", "--slo", "p95<9s over 2s")


@pytest.mark.slow
def test_q_stops_the_run_keeps_its_results_and_leaves_the_terminal_as_it_was(
    folder: Path, load: tuple[str, ...]
) -> None:
    with terminal(folder, *load, "--json", "run.json") as screen:
        screen.read_until("met so far")
        assert "q stops and keeps the results" in screen.text
        assert "/s answered" in screen.text
        assert not screen.echoes()
        os.write(screen.master, b"xq")
        screen.read_until("wrote run.json")
        assert screen.echoes()
        assert screen.end() == 130
    assert "The run was interrupted" in screen.text or "interrupted" in screen.text
    assert screen.raw.rindex("\x1b[?25h") > screen.raw.rindex("\x1b[?25l")  # the cursor is back
    assert (folder / "run.json").exists()


@pytest.mark.slow
def test_a_program_that_is_killed_leaves_the_terminal_as_it_was(
    folder: Path, load: tuple[str, ...]
) -> None:
    with terminal(folder, *load) as screen:
        screen.read_until("/s answered")
        assert not screen.echoes()
        os.kill(screen.pid, signal.SIGKILL)
        assert screen.end() == -signal.SIGKILL
        assert screen.echoes()
        assert "\x1b[?25h" in screen.raw


@pytest.mark.slow
def test_in_ci_and_on_a_dumb_terminal_plain_lines_are_written(
    folder: Path, load: tuple[str, ...]
) -> None:
    for environment in ({"CI": "true"}, {"TERM": "dumb"}):
        with terminal(folder, *load, **environment) as screen:
            screen.read_until("load: 0% ")
            assert screen.echoes()
            os.kill(screen.pid, signal.SIGINT)
            assert screen.end() == 130
        assert "q stops" not in screen.text
        assert "\x1b[?25l" not in screen.raw


@pytest.mark.slow
def test_no_colour_is_used_where_none_is_wanted(folder: Path, load: tuple[str, ...]) -> None:
    with terminal(folder, *load, NO_COLOR="1") as screen:
        screen.read_until("/s answered")
        os.write(screen.master, b"q")
        screen.end()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7][0-9;]*m", screen.raw)


def test_quiet_draws_nothing(folder: Path, load: tuple[str, ...]) -> None:
    with terminal(folder, *load, "-q", "-t", "300ms", "--slo", "p95<9s") as screen:
        screen.end()
    assert "answered" not in screen.text
