"""Work that is to stop does stop, also when a wait swallows the first cancellation."""

import asyncio
import contextlib

from withstand.workflows.stopping import cancel_for_good


def test_work_that_swallows_a_cancellation_is_cancelled_again() -> None:
    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    async def journey() -> bool:
        work = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(cancel_for_good(work), timeout=30)
        return work.cancelled()

    assert asyncio.run(journey())
