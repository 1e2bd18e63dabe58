"""Waits on 127.0.0.1 for requests that a server on this machine makes."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from withstand.client.exchange import Request

_LONGEST_HEAD_BYTES: Final = 16 * 1024
_LONGEST_READ_S: Final = 2.0
_MOST_CALLS: Final = 1_000  # whoever calls more often tells nothing new
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n"
    b"Connection: close\r\n\r\nwithstand"
)


class LoopbackListener:
    """A `Listener` on an ephemeral port of 127.0.0.1, opened when it is first asked for.

    It answers every request with nine bytes of text and keeps its head. Used as an async context
    manager; not for more than one event loop.
    """

    def __init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._calls: list[Request] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def address(self) -> str | None:
        """Where it waits; None where this machine has no port left."""
        if self._server is None:
            try:
                self._server = await asyncio.start_server(
                    self._take, "127.0.0.1", 0, limit=_LONGEST_HEAD_BYTES
                )
            except OSError:
                return None
        port = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    async def calls(self, text: str, within_s: float) -> tuple[Request, ...]:
        """The requests so far with this text in their path; waits for the first one that long."""

        def fitting() -> tuple[Request, ...]:
            return tuple(call for call in self._calls if text in call.path)

        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: bool(fitting()))
        return fitting()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whatever calls may be any program: what is no HTTP, or comes too slowly, is let go.
        with suppress(
            OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
        ):
            async with asyncio.timeout(_LONGEST_READ_S):
                head = await reader.readuntil(b"\r\n\r\n")
            call = _request(head)
            if call is not None and len(self._calls) < _MOST_CALLS:
                async with self._changed:
                    self._calls.append(call)
                    self._changed.notify_all()
            writer.write(_ANSWER)
            await writer.drain()
        writer.close()


def _request(head: bytes) -> Request | None:
    """The request line and headers of a call; None when it is no HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")
    match first.split(" "):
        case [method, path, version] if version.startswith("HTTP/"):
            pairs = [line.partition(":") for line in lines if ":" in line]
            headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
            return Request(method=method, path=path, headers=headers)
    return None
