"""What every journey needs around it: the wire, and an end by Ctrl-C or SIGTERM."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from withstand.client.allocator import tune_allocator
from withstand.client.connection import MAX_RESPONSE_BYTES
from withstand.client.listener import Listener, Unreachable
from withstand.client.loopback_listener import LoopbackListener
from withstand.client.target import Target
from withstand.client.wire import Wire


@asynccontextmanager
async def open_wire(
    target: Target,
    timeout_s: float = 30.0,
    connect_timeout_s: float = 5.0,
    max_body_bytes: int = MAX_RESPONSE_BYTES,
) -> AsyncIterator[Wire]:
    tune_allocator()
    wire = Wire(
        target,
        response_timeout_s=timeout_s,
        connect_timeout_s=connect_timeout_s,
        max_body_bytes=max_body_bytes,
    )
    try:
        yield wire
    finally:
        await wire.close()


@asynccontextmanager
async def open_listener(target: Target) -> AsyncIterator[Listener]:
    """Where the target may call the scan: another machine's 127.0.0.1 is not ours."""
    async with LoopbackListener() as loopback:
        yield loopback if target.is_loopback else Unreachable()


@asynccontextmanager
async def stoppable() -> AsyncIterator[asyncio.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends the program as usual.

    CI ends a job that was cancelled or takes too long by SIGTERM: what was created is deleted, too.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard: list[signal.Signals] = []
    on_sigterm = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def deaf() -> None:
        while heard:
            loop.remove_signal_handler(heard.pop())
            signal.signal(signal.SIGTERM, on_sigterm)  # removing it makes it the system's

    def stop() -> None:
        stopped.set()
        deaf()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except (NotImplementedError, ValueError, RuntimeError):
            continue  # Windows, or not the main thread: it then ends the program at once
        heard.append(number)
    try:
        yield stopped
    finally:
        deaf()
