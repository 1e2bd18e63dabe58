"""The seam between deciding and doing: what the scanner needs of whatever carries requests.

`withstand.client.wire.Wire` carries them over sockets; `withstand.client.scripted.Scripted` hands
them to a function, for tests and for the examples of the checks.
"""

from collections.abc import Sequence
from typing import Protocol

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Request
from withstand.client.target import Target


class Transport(Protocol):
    """Carries requests to the target and never raises for what the network does."""

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        """One exchange; `fresh` opens a new connection, `to` names another target."""

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests released at the same instant, each on its own connection."""

    async def handshake(self) -> Handshake | None:
        """What the target's server agrees to in TLS; None where it speaks none."""

    async def pause(self, seconds: float) -> None:
        """Let time pass (a scripted transport only counts it)."""

    def unix_time_s(self) -> float:
        """The wall clock, Unix seconds."""

    async def close(self) -> None:
        """Close every connection."""
