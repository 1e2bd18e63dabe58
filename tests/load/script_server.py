"""A server that answers as the path says and remembers what it was asked.

It runs in a thread with a loop of its own. The first segment of the path decides: `/status/404`,
`/redirect/303?to=/echo`, `/around` (redirects to itself), `/cookie?line=a=1`, `/echo`, `/gzip`,
`/chunked`, `/until-close`, `/close`, `/drop-second` (each connection's second request gets no
answer), `/silent`, `/stop` (and nobody listens any more), `/hold` (answered once somebody asks for
`/release` or calls `release`), `/hold/close` (closed then); anything else is answered with some
JSON.
"""

import asyncio
import gzip
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from withstand.client.target import Target

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(kw_only=True)
class ScriptServer:
    """What the server saw; read it when the run is over."""

    target: Target
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    stop: Callable[[], None] = lambda: None
    release: Callable[[], None] = lambda: None
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def counts(self) -> Counter[str]:
        """Requests by method and path without query."""
        return Counter(f"{each.method} {each.path.partition('?')[0]}" for each in self.asked)

    async def has_seen(self, *paths: str) -> None:
        """Wait, in a loop that is not the server's, until each of these was asked for."""
        while not set(paths) <= {each.path for each in tuple(self.asked)}:  # noqa: ASYNC110 - it runs in a thread
            await asyncio.sleep(0.005)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._converse(self.connections, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _converse(
        self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        served = 0
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            method, path, _ = first.split(" ")
            headers = {
                name.lower(): value for name, value in (line.split(": ", 1) for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            served += 1
            if path == "/drop-second" and served > 1:
                return
            asked = Asked(
                method=method, path=path, headers=headers, body=body, connection=connection
            )
            self.asked.append(asked)
            if path == "/stop":
                self.stop()
                return
            if path == "/silent":
                await reader.read()
                return
            if path == "/release":
                self.released.set()
            if path.startswith("/hold"):
                await self.released.wait()
                if path == "/hold/close":
                    return
            answer, last = _answer(asked)
            writer.write(answer)
            await writer.drain()
            if last:
                return


def _answer(asked: Asked) -> tuple[bytes, bool]:
    """The bytes of the answer, and whether the connection ends with it."""
    url = urlsplit(asked.path)
    kind, _, rest = url.path.strip("/").partition("/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    body = b'{"id": 7, "items": [{"token": "t-1"}]}'
    match kind:
        case "status":
            return _bytes(asked, int(rest), b"{}", JSON), False
        case "redirect":
            return _bytes(asked, int(rest), b"", {"Location": query.get("to", "")}), False
        case "cookie":
            lines = parse_qs(url.query).get("line", [])
            return _bytes(asked, 200, body, JSON, *(("Set-Cookie", line) for line in lines)), False
        case "echo":
            echo = {
                "method": asked.method,
                "path": asked.path,
                "headers": asked.headers,
                "body": asked.body.decode(),
            }
            return _bytes(asked, 200, json.dumps(echo).encode(), JSON), False
        case "gzip":
            packed = gzip.compress(body)
            return _bytes(asked, 200, packed, JSON | {"Content-Encoding": "gzip"}), False
        case "chunked":
            pieces = b"".join(b"%x\r\n%s\r\n" % (1, body[i : i + 1]) for i in range(len(body)))
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return head + pieces + b"0\r\n\r\n", False
        case "around":
            return _bytes(asked, 302, b"", {"Location": "/around"}), False
        case "until-close":
            return b"HTTP/1.1 200 OK\r\n\r\n" + body, True
        case "close":
            return _bytes(asked, 200, body, JSON | {"Connection": "close"}), True
    return _bytes(asked, 200, body, JSON), False


def _bytes(
    asked: Asked, status: int, body: bytes, headers: dict[str, str], *more: tuple[str, str]
) -> bytes:
    lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (*headers.items(), *more)]
    head = "\r\n".join((*lines, "", "")).encode()
    return head if asked.method == "HEAD" else head + body


@contextmanager
def script_server(base_path: str = "") -> Iterator[ScriptServer]:
    """A running server, until the end of the block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[ScriptServer, asyncio.Server]:
        seen: list[ScriptServer] = []

        def release() -> None:
            loop.call_soon_threadsafe(seen[0].released.set)

        server = await asyncio.start_server(
            lambda reader, writer: seen[0].serve(reader, writer), "127.0.0.1", 0, backlog=512
        )
        port = server.sockets[0].getsockname()[1]
        target = Target(scheme="http", host="127.0.0.1", port=port, base_path=base_path)
        seen.append(ScriptServer(target=target, stop=server.close, release=release))
        return seen[0], server

    running, server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)

    async def stop() -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close

    try:
        yield running
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
