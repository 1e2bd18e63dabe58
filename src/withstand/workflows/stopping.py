"""Being told to stop, and stopping."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_CANCEL_AGAIN_S: Final = 1.0
_HANGUP: Final = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()  # Windows has none


async def cancel_for_good(work: "asyncio.Task[None]") -> None:
    """Cancels the work until it has ended: a wait that ends at that very moment may swallow the
    cancellation, as asyncio.wait_for does before Python 3.12. Raises what the work raised.
    """
    while not work.done():
        work.cancel()
        await asyncio.wait({work}, timeout=_CANCEL_AGAIN_S)
    with contextlib.suppress(asyncio.CancelledError):
        work.result()


@asynccontextmanager
async def told_to_stop() -> AsyncIterator[asyncio.Event]:
    """An event that Ctrl-C, SIGTERM and a terminal that is closed set. None of them ends the
    program in here, however often it comes: the servers are stopped first, which takes some seconds
    at most.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    heard = []
    on_sigterm = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL
    for number in (signal.SIGINT, signal.SIGTERM, *_HANGUP):
        try:
            loop.add_signal_handler(number, stopped.set)
        except (NotImplementedError, ValueError, RuntimeError):
            continue  # Windows, or not the main thread
        heard.append(number)
    try:
        yield stopped
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
            signal.signal(signal.SIGTERM, on_sigterm)  # removing it makes it the system's
