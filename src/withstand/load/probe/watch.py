"""Looks at the server beside a load, without disturbing its schedule."""

import asyncio
import time
from dataclasses import asdict
from typing import Final

from withstand.errors import UsageError
from withstand.load.measurement import ServerSample
from withstand.load.probe.sample import Probe, ProbeError
from withstand.units import format_duration_ns

_NS_PER_S: Final = 1_000_000_000


class ServerWatch:
    """Takes samples with a probe. A reading that fails is counted, and tried again the next time:
    the load goes on whatever becomes of the probe.
    """

    def __init__(self, probe: Probe, every_s: float) -> None:
        self._probe = probe
        self._every_s = every_s
        self._failures = 0
        self._first_failure = ""
        self.samples: list[ServerSample] = []

    @property
    def trouble(self) -> str | None:
        """Why the server could not be looked at, if that happened."""
        if not self._failures:
            return None
        times = "once" if self._failures == 1 else f"{self._failures:,} times"
        return f"the server could not be looked at {times}, first {self._first_failure}"

    async def first(self) -> None:
        """Try the probe before the load. Raises UsageError when it can read nothing."""
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._probe.read)
        except ProbeError as failure:
            raise UsageError(
                f"the server's memory cannot be watched: {failure}", hint=self._probe.hint
            ) from None

    async def run(self, origin_ns: int) -> None:
        """Take samples until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                # In a thread: it reads files or waits for answers, for which the schedule has no
                # time.
                reading = await loop.run_in_executor(None, self._probe.read)
            except ProbeError as failure:
                self._fail(str(failure), _after_s(origin_ns))
            else:
                self.samples.append(ServerSample(at_s=_after_s(origin_ns), **asdict(reading)))
            # A probe that takes long is asked less often, never twice at once.
            await asyncio.sleep(max(began_s + self._every_s - loop.time(), self._every_s / 10))

    def _fail(self, why: str, at_s: float) -> None:
        self._failures += 1
        if self._failures == 1:
            after = format_duration_ns(max(at_s, 0.0) * _NS_PER_S)
            self._first_failure = f"after {after} ({why})"


def _after_s(origin_ns: int) -> float:
    return (time.perf_counter_ns() - origin_ns) / _NS_PER_S
