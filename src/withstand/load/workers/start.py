"""Beginning at a moment of the wall clock, so that several machines begin together."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from withstand.errors import RunVoid
from withstand.load.engine.base import NS_PER_S
from withstand.load.profile.profile import Profile
from withstand.load.progress import Observer, Progress

# Time to start processes and open connections; some servers close those that idle for 5 s.
PREPARATION_S: Final = 3.0
_LEAD_S: Final = 0.05  # from the go to the schedule's zero
_PROGRESS_S: Final = 1.0


async def almost(start_at_s: float, profile: Profile, observer: Observer | None) -> None:
    """Wait until a load that starts at this Unix time is to be prepared.

    The observer hears of the seconds to the start as a time elapsed that is negative.
    """
    while (left_s := start_at_s - time.time()) > PREPARATION_S:
        if observer is not None:
            observer(_waiting(left_s, profile))
        await asyncio.sleep(min(left_s - PREPARATION_S, _PROGRESS_S))


def starting_at(start_at_s: float, stop: asyncio.Event) -> Callable[[], Awaitable[int]]:
    """What `run_load` and `run_workers` await to begin at a Unix time, unless `stop` comes first.

    Raises RunVoid when everything is ready only after that time.
    """

    async def start() -> int:
        late_s = time.time() - start_at_s
        if late_s > 0:
            raise RunVoid(
                f"this machine was ready {late_s:.1f} s after the start that --start-at names",
                hint="give a later start, such as half a minute ahead",
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(-late_s - _LEAD_S, 0))
        return time.perf_counter_ns() + int((start_at_s - time.time()) * NS_PER_S)

    return start


def _waiting(left_s: float, profile: Profile) -> Progress:
    return Progress(
        elapsed_s=-left_s,
        duration_s=profile.duration_s,
        completed=0,
        errors=0,
        rate_per_s=0.0,
        p50_ns=None,
        p95_ns=None,
        in_flight=0,
    )
