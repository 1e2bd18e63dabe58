"""A probe that asks a command."""

import shlex
import subprocess
from typing import Final

from withstand.errors import UsageError
from withstand.load.measurement import ServerReading
from withstand.load.probe.sample import ProbeError, reading_from_output

_TIMEOUT_S: Final = 10.0  # `docker stats --no-stream` takes two


class CommandProbe:
    """Runs a command line, without a shell, and reads the last line that it prints.

    Raises UsageError for a command line with an open quote, or an empty one.
    """

    hint = (
        "the command has to print the memory last, in bytes or as 123.4MiB, or a JSON object with "
        "rss_bytes, descriptors, threads or cpu_s"
    )

    def __init__(self, command: str) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise UsageError(
                f"--probe-command {command!r} is no command line: {error}",
                hint="close the quotes",
            ) from None
        if not self._arguments:
            raise UsageError("--probe-command is empty", hint=self.hint)

    def read(self) -> ServerReading:
        """What the command says now. Raises ProbeError."""
        name = self._arguments[0]
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command, asked for
                self._arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ProbeError(f"{name} takes more than {_TIMEOUT_S:g} s") from None
        except OSError as error:
            raise ProbeError(f"{name} cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            why = f": {said[-1][:200]}" if said else ""
            raise ProbeError(f"{name} ended with {done.returncode}{why}")
        return reading_from_output(done.stdout.decode("utf-8", "replace"))
