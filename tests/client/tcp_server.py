"""A TCP server in the test's own loop that answers with exactly the bytes a test wants."""

import asyncio
import contextlib
import re
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET

from withstand.client.target import Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass(kw_only=True)
class Server:
    """What the test needs to know: where it is, and what has arrived, per connection."""

    target: Target
    close: Callable[[], None]  # listen no more
    connections: list[list[bytes]] = field(default_factory=list)

    @property
    def requests(self) -> list[bytes]:
        return [request for connection in self.connections for request in connection]


class Peer:
    """One accepted connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[bytes]
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._seen = seen

    async def request(self) -> bytes:
        """The next request with its body. Raises EOFError when the client has gone."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        data = head + await self.reader.readexactly(int(length[1]) if length else 0)
        self._seen.append(data)
        return data

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """End with RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Handler = Callable[[Peer], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, *, host: str = "127.0.0.1", ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve on a free port; every connection is closed when its handler returns."""
    tasks: set[asyncio.Task[None]] = set()
    connections: list[list[bytes]] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen: list[bytes] = []
        connections.append(seen)
        try:
            with contextlib.suppress(EOFError, ConnectionError):
                await handler(Peer(reader, writer, seen))
            writer.close()
        except asyncio.CancelledError:  # the test is over
            writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def spawn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(accept(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    listening = await asyncio.start_server(spawn, host, 0, ssl=ssl_context)
    port = listening.sockets[0].getsockname()[1]
    scheme = "http" if ssl_context is None else "https"
    target = Target(scheme=scheme, host=host, port=port)
    try:
        yield Server(target=target, close=listening.close, connections=connections)
    finally:
        listening.close()
        for _ in range(3):  # whoever is being accepted gets a reader, a writer and a task
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answering(*answers: bytes) -> Handler:
    """Answers each request of a connection with the next of these, then closes it."""

    async def handler(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.write(answer)

    return handler


async def always_ok(peer: Peer) -> None:
    """Answers every request with 200 and keeps the connection."""
    while True:
        await peer.request()
        await peer.write(OK)
