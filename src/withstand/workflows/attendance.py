"""Somebody who looks on while a load runs, without getting in its way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from withstand.load.measurement import LoadMeasurement
from withstand.slo import Outlook, Watch

Watcher = Callable[[LoadMeasurement, tuple[Outlook, ...]], None]
"""Is shown each snapshot of a run, and how the objectives stand with it."""


@asynccontextmanager
async def attended(
    watch: Watch,
    *,
    abort: asyncio.Event | None,
    watcher: Watcher | None,
    also: Callable[[LoadMeasurement], None] | None = None,
) -> AsyncIterator[Callable[[LoadMeasurement], None] | None]:
    """What a running load reports its snapshots to; None where nobody wants them.

    They are judged step by step between requests. `abort` is set when an objective is breached.
    `also` is handed each snapshot as it comes.
    """
    if abort is None and watcher is None:
        yield also
        return
    waiting: asyncio.Queue[LoadMeasurement | None] = asyncio.Queue()

    async def attend() -> None:
        while (snapshot := await waiting.get()) is not None:
            for _ in watch.take(snapshot):
                await asyncio.sleep(0)
            if watcher is not None:
                watcher(snapshot, watch.outlooks)
            if abort is not None and watch.abort is not None:
                abort.set()

    def report(snapshot: LoadMeasurement) -> None:
        if also is not None:
            also(snapshot)
        waiting.put_nowait(snapshot)

    attending = asyncio.create_task(attend())
    try:
        yield report
    finally:
        waiting.put_nowait(None)  # the last snapshot is judged before the end
        await attending
