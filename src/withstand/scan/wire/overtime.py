"""The courier for what a scan owes the API at its end: against no budget, and never asked twice."""

from collections.abc import Sequence

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Request
from withstand.client.target import Target
from withstand.scan.wire.courier import Courier


class Overtime:
    """A `Transport` over a courier, so that sessions which are renewed meanwhile are followed."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        courier.overtime = True
        courier.place = "the end"

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        """One exchange, whatever comes back."""
        return await self._courier.send(request, fresh=fresh, to=to, noise_is_answer=True)

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests at one instant."""
        return await self._courier.burst(requests)

    async def handshake(self) -> Handshake | None:
        """What the target's server agrees to."""
        return await self._courier.shake_hands()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await self._courier.pause(seconds)

    def unix_time_s(self) -> float:
        """The wall clock, Unix seconds."""
        return self._courier.now_s()

    async def close(self) -> None:
        """The courier's transport is closed by who opened it."""
