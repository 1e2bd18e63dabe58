"""A process that generates a share of a load, as the one that started it says.

`python -m withstand.load.workers.worker DESCRIPTOR`; the descriptor is one end of a socket pair.
"""

import asyncio
import os
import pickle
import socket
import sys
import traceback
from contextlib import suppress
from dataclasses import replace

from withstand.client.loop import run
from withstand.load.measurement import LoadMeasurement
from withstand.load.workers.messages import (
    Begin,
    Broke,
    Finished,
    Message,
    Progressed,
    Ready,
    Report,
    Stop,
    WindDown,
    Work,
    packed,
    received,
)


async def serve(connection: socket.socket) -> None:
    """Do the work that comes over a connection; ends when it is done or the other end is gone."""
    reader, writer = await asyncio.open_connection(sock=connection)
    work = await received(reader)
    if not isinstance(work, Work):
        return
    service = Service(writer)
    generating = asyncio.create_task(service.generate(work))
    beside = (
        asyncio.create_task(service.obey(reader, generating)),
        asyncio.create_task(service.pass_on()),
    )
    with suppress(ConnectionError, asyncio.CancelledError):
        await generating
        await writer.drain()
    for task in beside:
        task.cancel()
    writer.close()


class Service:
    """A load that is generated for another process."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._stop = asyncio.Event()
        self._wind_down = asyncio.Event()
        self._origin: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._snapshots: asyncio.Queue[LoadMeasurement] = asyncio.Queue()

    async def generate(self, work: Work) -> None:
        """Run the load, and say how it ended once everything is reported."""
        last: Finished | Broke = Finished()
        try:
            await work.generator(
                observer=lambda progress: self._say(Progressed(progress=progress)),
                stop=self._stop,
                wind_down=self._wind_down,
                start=self._begin,
                report=self._snapshots.put_nowait,
            )
        except Exception as error:
            if os.environ.get("WITHSTAND_DEBUG"):
                traceback.print_exc()
            last = Broke(error=_portable(error))
        await self._snapshots.join()
        self._say(last)

    async def obey(self, reader: asyncio.StreamReader, generating: asyncio.Task[None]) -> None:
        """Follow orders until whoever gives them is gone, which ends the load."""
        while (order := await received(reader)) is not None:
            match order:
                case Begin(origin_ns=origin_ns):
                    self._origin.set_result(origin_ns)
                case Stop():
                    self._stop.set()
                case WindDown():
                    self._wind_down.set()
        generating.cancel()

    async def pass_on(self) -> None:
        """Report, one operation after another: packing takes a while, and requests go first."""
        while True:
            snapshot = await self._snapshots.get()
            if not snapshot.operations:  # what became of a script is told all the same
                self._say(Report(snapshot=snapshot))
            for name, operation in snapshot.operations.items():
                self._say(Report(snapshot=replace(snapshot, operations={name: operation})))
                await asyncio.sleep(0)
            self._snapshots.task_done()

    async def _begin(self) -> int:
        self._say(Ready())
        return await self._origin

    def _say(self, message: Message) -> None:
        self._writer.write(packed(message))


def _portable(error: Exception) -> Exception:
    """The error, or one that tells of it where it cannot travel."""
    with suppress(Exception):
        if isinstance(pickle.loads(pickle.dumps(error)), type(error)):  # noqa: S301 - our own error
            return error
    return RuntimeError(f"{type(error).__name__}: {error}")


def main() -> None:
    """Serve the connection whose descriptor is the one argument."""
    run(serve(socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    main()
