"""A load generator as a process on its own core: its CPU time, its memory, its end."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import IO

import psutil

GENERATOR_CPU = 1
# With 3 Withstand says that a closed load at saturation says nothing about the API, which is so; no
# other generator here ends with it.
FINE_CODES = (0, 3)


class GeneratorFailed(Exception):  # noqa: N818 - it tells of a run
    """It did not start, ended early or badly, or did not end in time."""


class Generator:
    """Started on the generators' core, with everything it starts itself.

    Ended, with all its children, at the end of a `with` block.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.command = tuple(command)
        self._files = ExitStack()  # no pipes: nobody empties them while it runs
        self._out = self._file()
        self._errors = self._file()
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - commands of this folder
                ["taskset", "-c", str(GENERATOR_CPU), *command],  # noqa: S607 - as installed
                stdin=subprocess.DEVNULL,
                stdout=self._out,
                stderr=self._errors,
                start_new_session=True,
                env=environment,
            )
        except OSError as error:
            raise GeneratorFailed(str(error)) from None
        self._root = psutil.Process(self._process.pid)

    def _file(self) -> IO[str]:
        return self._files.enter_context(tempfile.TemporaryFile("w+"))

    def __enter__(self) -> "Generator":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._files.close()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []

    def cpu_s(self) -> float:
        """User and system time so far, of the whole tree as it is now."""
        total = 0.0
        for process in self._tree():
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def pss_bytes(self) -> int:
        """Proportional set size of the whole tree: what it would free by ending."""
        total = 0
        for process in self._tree():
            with suppress(psutil.Error):
                total += int(process.memory_full_info().pss)
        return total

    def rss_bytes(self) -> int:
        """Resident set size of the whole tree."""
        total = 0
        for process in self._tree():
            with suppress(psutil.Error):
                total += int(process.memory_info().rss)
        return total

    def terminate(self) -> None:
        """Ask it to end and to say what it has to say."""
        self._process.terminate()

    def output(self, within_s: float) -> str:
        """What it printed, once it has ended. Raises GeneratorFailed."""
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise GeneratorFailed(f"it did not end within {within_s:g} s") from None
        if code not in FINE_CODES:
            raise GeneratorFailed(f"it ended with {code}: {self.complaint()}")
        self._out.seek(0)
        return self._out.read()

    def complaint(self) -> str:
        """The end of what it said on stderr, or on stdout when that is nothing."""
        for stream in (self._errors, self._out):
            stream.seek(0)
            if text := stream.read().strip():
                return text[-400:]
        return "it said nothing"
