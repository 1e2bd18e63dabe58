"""How a load reaches its target."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from withstand.client.connect import connect
from withstand.client.connection import Connection
from withstand.client.exchange import Failure
from withstand.client.target import Target

C = TypeVar("C", bound=Connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to reach the target: looked up once, used for every connection.

    Without `keep_alive` a connection carries one request, whose wait begins with opening it.
    """

    target: Target
    addresses: Sequence[str]
    ssl_context: ssl.SSLContext | None
    timeout_s: float
    connect_timeout_s: float
    keep_alive: bool = True

    @property
    def conditions(self) -> tuple[str, ...]:
        """What is not usual about the way, in words for a report."""
        proxy = self.target.proxy
        return (
            *(() if proxy is None else (f"through the proxy {proxy}",)),
            *(() if self.keep_alive else ("a new connection for each request",)),
        )

    async def open(self, factory: Callable[[], C]) -> C | Failure:
        """A connection, or why there is none."""
        return await connect(
            factory,
            self.target,
            ssl_context=self.ssl_context,
            timeout_s=self.connect_timeout_s,
            addresses=self.addresses,
        )
