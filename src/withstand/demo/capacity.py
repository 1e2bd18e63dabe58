"""A known capacity for the demo: what a search for the sustainable rate has to find."""

import asyncio
import heapq
import random
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """So many requests a second, by so many workers, each of which serves one at a time.

    Every request takes `workers / per_s` seconds of a worker: always, or with `random_times` on
    average, exponentially distributed. Raises ValueError for numbers that are not above zero.
    """

    per_s: float
    workers: int = 4
    random_times: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.per_s < float("inf") and self.workers > 0):
            raise ValueError(
                f"A capacity of {self.per_s:g} a second by {self.workers} workers serves nobody; "
                "give numbers above zero."
            )

    @property
    def service_s(self) -> float:
        """The seconds that a request takes of a worker, on average."""
        return self.workers / self.per_s


class LimitedCapacity:
    """Lets requests through as fast as the workers would, first come, first served.

    Nobody works: a request sleeps until a worker would have served it, which is reckoned in
    advance, so that neither a busy machine nor a late timer lowers the capacity. GET /health is
    let through at once, as a health check that queued would say nothing.
    """

    def __init__(self, app: ASGIApp, capacity: Capacity) -> None:
        self._app = app
        self._capacity = capacity
        self._free_s = [0.0] * capacity.workers
        # No small number: who sends requests at random times by the same generator and seed would
        # find service times that fit them like a glove.
        self._draw = random.Random("service times of the demo")  # noqa: S311 - no secrets

    def wait_s(self, now_s: float) -> float:
        """How long a request that comes now waits for a worker and is served by it."""
        service_s = self._capacity.service_s
        if self._capacity.random_times:
            service_s = self._draw.expovariate(1 / service_s)
        end_s = max(now_s, self._free_s[0]) + service_s
        heapq.heapreplace(self._free_s, end_s)
        return end_s - now_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            await asyncio.sleep(self.wait_s(asyncio.get_running_loop().time()))
        await self._app(scope, receive, send)
