"""Starting a process that generates a share of a load, and the way to it.

It is a fresh interpreter and no fork, which would take over threads, event loops and locks in
whatever state they were.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from withstand.load.workers.messages import Generator, Message, Work, packed, received


class Worker:
    """One process and the way to it. `number` counts from 1."""

    def __init__(self, number: int, process: subprocess.Popen[bytes], ours: socket.socket) -> None:
        self.number = number
        self.process = process
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._socket = ours
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def employ(self, generator: Generator) -> None:
        """Hand the worker its work."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._socket)
        self.tell(Work(generator=generator))

    def tell(self, message: Message) -> None:
        """Send a message; one that does not arrive any more is not missed."""
        if self._writer is not None:
            self._writer.write(packed(message))

    async def heard(self) -> Message | None:
        """The worker's next message; None when it is gone."""
        return None if self._reader is None else await received(self._reader)

    async def end(self) -> str:
        """How the process ended, which it is about to: `was killed (SIGKILL)`."""
        code = await asyncio.to_thread(self.process.wait)
        if code < 0:
            with suppress(ValueError):
                return f"was killed ({signal.Signals(-code).name})"
        return f"ended with exit code {code}"

    def dismiss(self) -> None:
        """End the process, if it has not, and free what belongs to it."""
        if self._writer is not None:
            self._writer.close()
        else:
            self._socket.close()
        self.process.kill()
        self.process.wait()


def hire(number: int) -> Worker:
    """Start a worker's process.

    Ctrl-C in a terminal reaches it, too, but it is for this process to say what comes of it.
    """
    ours, theirs = socket.socketpair()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited
    try:
        process = subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-m", "withstand.load.workers.worker", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            # So that it finds the same modules as this process, however they were found here.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
    return Worker(number, process, ours)
