"""Has requests itself make out what came over a connection of ours.

It goes the whole way that it always goes, to the adapter that would send; only the connection at
its end is a tape. Whatever it makes of that is what a user of Locust knows.
"""

from typing import Any

from locust.clients import LocustHttpAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from withstand.locust_plugin.client.address import Address
from withstand.locust_plugin.client.tape import Tape


class _TapeConnection:
    """A connection that is open already, or could not be opened."""

    outcome: Tape | Exception
    is_verified = True

    def __init__(self, host: str, port: int | None = None, **given: Any) -> None:
        super().__init__(host, port, timeout=given.get("timeout"))  # type: ignore[call-arg]

    def connect(self) -> None:
        """Be open."""
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.sock = self.outcome


class TapeAdapter(LocustHttpAdapter):
    """Sends nothing, and gives what came before: an answer, or why there is no connection."""

    def __init__(self, address: Address, outcome: Tape | Exception) -> None:
        super().__init__(pool_manager=None)
        is_tls = address.scheme == "https"
        kind = HTTPSConnectionPool if is_tls else HTTPConnectionPool
        base = HTTPSConnection if is_tls else HTTPConnection
        self._pool = kind(address.host, address.port)
        self._pool.ConnectionCls = type("Connection", (_TapeConnection, base), {"outcome": outcome})

    def init_poolmanager(self, *_: Any, **__: Any) -> None:
        """There is nothing to pool."""

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
        """The tape, to requests from 2.32 on."""
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> Any:
        """The tape, to earlier ones."""
        return self._pool

    def close(self) -> None:
        """There is nothing to close."""
