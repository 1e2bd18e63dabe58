"""A scan's way to the wire that does not outlast Ctrl-C, however long the target is silent."""

import asyncio
from collections.abc import Sequence
from typing import Final

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Request
from withstand.client.target import Target
from withstand.client.transport import Transport
from withstand.scan.wire.courier import Stopped

_GRACE_S: Final = 2.0  # for the answer that is on its way: it may name what was created


class Interruptible:
    """A `Transport` over another one, until `stopped` is set: then for what has to be cleaned up.

    Raises Stopped where that happens during a request that is not answered soon.
    """

    def __init__(self, transport: Transport, stopped: asyncio.Event) -> None:
        self._transport = transport
        self._stopped = stopped

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        """One exchange."""
        sending = asyncio.ensure_future(self._transport.send(request, fresh=fresh, to=to))
        if self._stopped.is_set():
            return await sending
        stopping = asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not sending.done():
            await asyncio.wait({sending}, timeout=_GRACE_S)
        if not sending.done():
            sending.cancel()
            raise Stopped("the scan was interrupted")
        return sending.result()

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests at one instant, all of them answered."""
        return await self._transport.burst(requests)

    async def handshake(self) -> Handshake | None:
        """What the target's server agrees to."""
        return await self._transport.handshake()

    async def pause(self, seconds: float) -> None:
        """Let time pass, to its end."""
        await self._transport.pause(seconds)

    def unix_time_s(self) -> float:
        """The wall clock, Unix seconds."""
        return self._transport.unix_time_s()

    async def close(self) -> None:
        """The transport is closed by who opened it."""
