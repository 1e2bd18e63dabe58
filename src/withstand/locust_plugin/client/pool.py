"""The connections that one user keeps open to one server."""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any
from weakref import WeakMethod

from withstand.locust_plugin.client.connection import Connection

Connect = Callable[[float | None], Any]
"""Within so many seconds, opens a socket of gevent's, plain or TLS, and raises what Locust's own
client would."""


class ConnectionPool:
    """Hands out a connection that nobody uses, or a new one.

    At most `kept` stay open unused. Those are closed when nobody has the pool any more, as when
    Locust lets go of a user: the loop watches connections, and so keeps them, but they do not keep
    their pool.
    """

    __slots__ = (
        "__weakref__",
        "_connect",
        "_free",
        "_kept",
        "connect_ns",
    )

    def __init__(self, connect: Connect, *, kept: int) -> None:
        self._connect = connect
        self._free: list[Connection] = []
        self._kept = kept
        self.connect_ns = 0

    def take(self, now_ns: int, timeout_s: float | None = None) -> Connection:
        """A connection to use alone; `connect_ns` is how long opening it took, 0 if it was open."""
        self.connect_ns = 0
        while self._free:
            connection = self._free.pop()
            if connection.is_fresh(now_ns):
                return connection
        began_ns = perf_counter_ns()
        connection = Connection(self._connect(timeout_s), _tell(WeakMethod(self._closed)))
        self.connect_ns = perf_counter_ns() - began_ns
        return connection

    def give_back(self, connection: Connection) -> None:
        """The connection is used no more."""
        if connection.is_open:
            if len(self._free) < self._kept:
                self._free.append(connection)
            else:
                connection.close()

    def _closed(self, connection: Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)

    def close(self) -> None:
        """Close what nobody uses."""
        for connection in tuple(self._free):
            connection.close()

    def __del__(self) -> None:
        self.close()


def _tell(closed: WeakMethod[Callable[[Connection], None]]) -> Callable[[Connection], None]:
    """Tell a pool of a connection that was closed, if the pool is still there."""

    def tell(connection: Connection) -> None:
        method = closed()
        if method is not None:
            method(connection)

    return tell
