"""A server whose memory follows a script in compressed time: `leak MB SECONDS` keeps so much more
by the end of so many seconds; `warming MB SECONDS` warms up by so much, early, under a sawtooth.

Its time begins with the first request. It answers every one with 200, prints its port, and ends
with its standard input.
"""

import asyncio
import math
import mmap
import sys
import time

BLOCK_BYTES = 100_000
STEP_S = 0.01
SAWTOOTH_S = 0.15
SAWTOOTH_MB = 8.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Memory:
    """Resident memory of a wanted size: pages that were written to, given back when not wanted."""

    def __init__(self) -> None:
        self.blocks: list[mmap.mmap] = []

    def resize(self, size_bytes: float) -> None:
        wanted = int(size_bytes // BLOCK_BYTES)
        while len(self.blocks) > wanted:
            self.blocks.pop().close()
        while len(self.blocks) < wanted:
            block = mmap.mmap(-1, BLOCK_BYTES)
            block.write(b"\xa5" * BLOCK_BYTES)
            self.blocks.append(block)


def wanted_mb(shape: str, amount_mb: float, lasts_s: float, at_s: float) -> float:
    sawtooth = SAWTOOTH_MB * (at_s % SAWTOOTH_S) / SAWTOOTH_S
    warm_up = amount_mb * (1 - math.exp(-at_s / (lasts_s / 20)))
    leaked = 2 * amount_mb * min(at_s / lasts_s, 5.0) if shape == "leak" else 0.0
    return warm_up + sawtooth + leaked


async def remember(shape: str, amount_mb: float, lasts_s: float) -> None:
    memory = Memory()
    while True:
        at_s = time.monotonic() - Answering.began_s if Answering.began_s is not None else 0.0
        memory.resize(wanted_mb(shape, amount_mb, lasts_s, at_s) * 1e6)
        await asyncio.sleep(STEP_S)


class Answering(asyncio.Protocol):
    began_s: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if Answering.began_s is None:
            Answering.began_s = time.monotonic()
        self.transport.write(OK * data.count(b"\r\n\r\n"))


async def serve() -> None:
    shape, amount_mb, lasts_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    remembering = loop.create_task(remember(shape, amount_mb, lasts_s))
    await loop.run_in_executor(None, sys.stdin.read)
    remembering.cancel()


asyncio.run(serve())
