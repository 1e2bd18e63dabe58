"""The seam to whoever waits for calls: requests that the target makes by itself.

`withstand.client.loopback_listener.LoopbackListener` waits on a socket of this machine;
`withstand.client.scripted.ScriptedListener` is told by servers in memory.
"""

from typing import Protocol

from withstand.client.exchange import Request


class Listener(Protocol):
    """Waits at an address of its own for requests that the target makes."""

    async def address(self) -> str | None:
        """Where it waits, as `http://host:port`; None where the target could not reach it."""

    async def calls(self, text: str, within_s: float) -> tuple[Request, ...]:
        """The requests so far with this text in their path; waits for the first one that long."""


class Unreachable:
    """A `Listener` for targets that no listener of this machine can be reached from."""

    async def address(self) -> str | None:
        """None."""
        return None

    async def calls(self, text: str, within_s: float) -> tuple[Request, ...]:  # noqa: ARG002 - the contract's; nobody comes
        """None at all."""
        return ()
