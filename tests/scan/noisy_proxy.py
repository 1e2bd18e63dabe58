"""A proxy that makes an API's network bad: slow answers, gateway errors, a rate limit. Seeded."""

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nConnection: close\r\n\r\nbusy\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How bad it is. Half of the gateway errors happen after the API did what it was asked."""

    slow: float = 0.05  # share of answers that come late …
    slow_s: float = 0.4  # … by this much at most
    unavailable: float = 0.01  # share of requests that are answered with 503
    refused: float = 0.0  # share of requests that are answered with 429 whatever the rate
    limit: int | None = 150  # requests in each window, beyond which there is a 429
    window_s: float = 1.0
    retry_after: bool = True
    seed: int = 1


@dataclass(slots=True)
class Proxy:
    """A proxy in a thread, in front of an API on this machine."""

    port: int = 0
    slow: int = 0
    unavailable: int = 0
    limited: int = 0
    passed: int = 0
    _began_s: float = field(default_factory=time.monotonic)
    _seen: int = 0

    def refuses(self, noise: Noise, dice: random.Random) -> bytes | None:
        """A 429 when the window is full, or by bad luck."""
        now_s = time.monotonic()
        if now_s - self._began_s >= noise.window_s:
            self._began_s, self._seen = now_s, 0
        self._seen += 1
        unlucky = dice.random() < noise.refused
        if not unlucky and (noise.limit is None or self._seen <= noise.limit):
            return None
        self.limited += 1
        wait = b"Retry-After: 1\r\n" if noise.retry_after else b""
        return (
            b"HTTP/1.1 429 Too Many Requests\r\n"
            + wait
            + b"Content-Length: 9\r\nConnection: close\r\n\r\nslow down"
        )


@contextmanager
def noisy(url: str, noise: Noise) -> Iterator[Proxy]:
    """The proxy in front of the API at this address."""
    upstream = urlsplit(url).port or 80
    proxy, dice = Proxy(), random.Random(noise.seed)
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    ready = threading.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _request(reader)
            writer.write(await _answer(request, upstream, noise, proxy, dice))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # somebody hung up
        finally:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=2**20)
        proxy.port = server.sockets[0].getsockname()[1]
        ready.set()
        await ended.wait()
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=5)

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_until_complete(asyncio.sleep(0.01))  # closed transports say so a little later
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((line[15:] for line in lines if line.startswith(b"content-length:")), b"0")
    body = await reader.readexactly(int(length))
    kept = [
        line
        for line in head.rstrip(b"\r\n").split(b"\r\n")
        if not line.lower().startswith(b"connection:")
    ]
    return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body


async def _answer(
    request: bytes, upstream: int, noise: Noise, proxy: Proxy, dice: random.Random
) -> bytes:
    refusal = proxy.refuses(noise, dice)
    if refusal is not None:
        return refusal
    luck, after = dice.random(), dice.random() < 0.5
    unavailable, slow = luck < noise.unavailable, luck > 1 - noise.slow
    if unavailable:
        proxy.unavailable += 1
        if not after:
            return _BUSY
    reader, writer = await asyncio.open_connection("127.0.0.1", upstream)
    try:
        writer.write(request)
        response = await reader.read(-1)
    finally:
        writer.close()
    if slow:
        proxy.slow += 1
        await asyncio.sleep(dice.uniform(0.25, 1.0) * noise.slow_s)
    proxy.passed += 1
    return _BUSY if unavailable else response
