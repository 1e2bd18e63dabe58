"""The load engine: sends a scenario at a target as a profile says and measures it."""

import asyncio

from withstand.client.target import Target
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile import Profile
from withstand.load.progress import Observer
from withstand.load.scenario import Scenario


async def run_load(
    target: Target,
    scenario: Scenario,
    profile: Profile,
    *,
    connections: int | None = None,
    timeout_s: float = 10.0,
    think_time_s: float = 0.0,
    observer: Observer | None = None,
    stop: asyncio.Event | None = None,
    pid: int | None = None,
) -> LoadMeasurement:
    """Send the load and measure it."""
    raise NotImplementedError
