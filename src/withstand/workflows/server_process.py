"""A server that is started for a comparison and surely stopped after it."""

import asyncio
import os
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from withstand.client.exchange import Failure, Request, Response
from withstand.client.target import Target
from withstand.client.wire import Wire
from withstand.errors import RunVoid, TargetUnreachable, UsageError
from withstand.workflows.compare_plan import PORT
from withstand.workflows.masking import masked_command

_ASK_EVERY_S: Final = 0.05
_ANSWER_WITHIN_S: Final = 5.0
_STOP_WITHIN_S: Final = 5.0
_LAST_LINES: Final = 10


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def words_of(command: str, *, option: str) -> list[str]:
    """The words of a command line, which no shell reads. Raises UsageError."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            f"{option} {command!r} is no command line: {error}", hint="close the quotes"
        ) from None
    if not words:
        raise UsageError(
            f"{option} is empty", hint=f'such as {option} "python -m shop --port {PORT}"'
        )
    return words


class ServerProcess:
    """A command in a process group of its own, whose output is kept for the case that it fails."""

    def __init__(self, words: list[str], port: int, *, name: str) -> None:
        """Starts it; `{port}` in its words is the port, which PORT in its environment is too.

        Raises UsageError when there is no such program.
        """
        self.name = name
        self._words = [word.replace(PORT, str(port)) for word in words]
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, asked for
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=self._output,  # a pipe that nobody empties would stop the server
                stderr=subprocess.STDOUT,
                env={**os.environ, "PORT": str(port)},
                start_new_session=True,  # Ctrl-C is ours, and all of its children have its group
            )
        except OSError as error:
            self._output.close()
            raise UsageError(
                f"version {name} cannot be started: {self._words[0]}: {error.strerror}",
                hint="the command is run without a shell; for what a shell does, write "
                "sh -c '…' with the whole line in quotes",
            ) from None

    async def until_it_answers(self, target: Target, *, within_s: float) -> None:
        """Waits for any HTTP answer. Raises RunVoid with the last lines of its output."""
        deadline_s = time.monotonic() + within_s
        request = Request(method="GET", path=f"{target.base_path}/")
        # What it begins with may take long; a connection is only accepted once it listens.
        async with Wire(target, connect_timeout_s=within_s, response_timeout_s=within_s) as wire:
            while isinstance((await wire.send(request)).outcome, Failure):
                if self._process.poll() is not None:
                    raise self._failed(f"ended with {self._process.returncode}")
                if time.monotonic() > deadline_s:
                    raise self._failed(f"does not answer at {target.base_url} in {within_s:g} s")
                await asyncio.sleep(_ASK_EVERY_S)
        if self._process.poll() is not None:
            raise self._failed(
                f"ended with {self._process.returncode}, and something else answers at "
                f"{target.base_url}"
            )

    def ask_to_stop(self) -> None:
        """Sends SIGTERM to all of its processes and does not wait."""
        self._signal(signal.SIGTERM)

    def stop(self, *, within_s: float) -> None:
        """Ends all of its processes: at the latest after this time, whatever they make of SIGTERM.

        Returns when the first of them is gone.
        """
        self.ask_to_stop()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Its children, too, even if it did not see to them itself.
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._output.close()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):  # the second: macOS, of those just ended
            return

    def _failed(self, why: str) -> RunVoid:
        self._output.seek(0)
        lines = self._output.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:]
        said = "".join(f"\n    {line}" for line in lines) if lines else " nothing"
        return TargetUnreachable(
            f"version {self.name} {why}; it said:{said}",
            hint=f"try the command by itself: {masked_command(shlex.join(self._words))}",
        )


@contextmanager
def started_servers() -> Iterator[list[ServerProcess]]:
    """Takes in servers that are stopped at the end, whatever it is."""
    started: list[ServerProcess] = []
    try:
        yield started
    finally:
        for server in started:
            server.ask_to_stop()
        deadline_s = time.monotonic() + _STOP_WITHIN_S
        for server in started:
            server.stop(within_s=max(deadline_s - time.monotonic(), 0.0))


async def refuse_occupied(target: Target, *, name: str) -> None:
    """Raises UsageError when somebody answers where a server is to be started."""
    if not isinstance(await _answer(target), Failure):
        raise UsageError(
            f"something answers at {target.base_url} before version {name} is started",
            hint=f"stop it, or write {PORT} for a free port in the command and the address",
        )


async def refuse_silent(target: Target, *, name: str) -> None:
    """Raises TargetUnreachable when nobody answers where a version is said to be."""
    outcome = await _answer(target)
    if isinstance(outcome, Failure):
        raise TargetUnreachable(
            f"version {name} does not answer at {target.base_url} ({outcome})",
            hint="start it, or correct the address",
        )


async def _answer(target: Target) -> Response | Failure:
    async with Wire(target, response_timeout_s=_ANSWER_WITHIN_S) as wire:
        return (await wire.send(Request(method="GET", path=f"{target.base_path}/"))).outcome
