"""Loads that end badly, for processes that import them by name."""

import asyncio
import os
from collections.abc import Awaitable, Callable

from withstand.client.target import Target
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Profile
from withstand.load.progress import Observer
from withstand.load.scenario.scenario import Scenario


async def failing(
    target: Target,
    scenario: Scenario,
    profile: Profile,
    *,
    observer: Observer,
    stop: asyncio.Event,
    wind_down: asyncio.Event,
    start: Callable[[], Awaitable[int]],
    report: Callable[[LoadMeasurement], None],
) -> LoadMeasurement:
    """Fails as soon as it has reported something."""

    def report_and_stop(snapshot: LoadMeasurement) -> None:
        report(snapshot)
        stop.set()

    await run_load(
        target,
        scenario,
        profile,
        observer=observer,
        stop=stop,
        wind_down=wind_down,
        start=start,
        report=report_and_stop,
    )
    raise Unportable("the tank is empty")


class Unportable(Exception):  # noqa: N818 - nobody's error but the test's
    """Cannot be unpickled."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "and more")


async def exiting(**_: object) -> LoadMeasurement:
    """Ends the process before the load begins."""
    os._exit(7)
