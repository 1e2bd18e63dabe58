"""One server, as one user of FastHttpUser reaches it."""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Final

from geventhttpclient.client import HTTPClient
from geventhttpclient.url import URL
from locust import __version__ as _locusts_version

from withstand.locust_plugin.client.connection import Connection
from withstand.locust_plugin.client.fast_http_template import FastTemplate
from withstand.locust_plugin.versions import numbers_of

_MAX_TARGETS: Final = 8_192
_QUOTES: Final = numbers_of(_locusts_version) >= (2, 47)  # before, an address is sent as it is


class Target:
    """Where a request goes. `uri` is what stands in the request line, `path` what cookies mind."""

    __slots__ = ("origin", "path", "split", "uri")

    def __init__(self, split: URL) -> None:
        uri = split.quoted_uri if _QUOTES else split.request_uri
        if not uri.startswith("/"):
            uri = f"/{uri}"
        if split.scheme not in ("http", "https") or not split.host or "@" in split.netloc:
            raise ValueError("no plain address")
        if uri.startswith("//") or not uri.isascii():
            raise ValueError("no plain path")
        self.split = split
        self.uri = uri.encode("ascii")
        self.origin = f"{split.scheme}://{split.netloc}"
        self.path = split.request_uri.partition("?")[0]


_known: dict[str, Target | None] = {}


def target_of(url: str) -> Target | None:
    """The target that a URL names; None for what only geventhttpclient can make something of."""
    try:
        return _known[url]
    except KeyError:
        pass
    try:
        target = Target(URL(url))
    except Exception:  # it says best what is wrong
        target = None
    if len(_known) >= _MAX_TARGETS:
        _known.clear()
    _known[url] = target
    return target


class Place:
    """The connections to a server, in the slots that geventhttpclient has for it.

    A slot is taken for as long as a connection is used: by the user's short requests and by those
    that geventhttpclient serves. New connections are its own, or those it left unused.
    """

    __slots__ = (
        "_free",
        "_is_closed",
        "_pool",
        "_slots",
        "client",
        "connect_ns",
        "templates",
        "timeout_s",
    )

    def __init__(self, client: HTTPClient, on_close: Callable[[], object]) -> None:
        self.client = client
        self.templates: dict[tuple[Any, ...], FastTemplate | None] = {}
        self.connect_ns = 0
        self._pool: Any = client._connection_pool
        self.timeout_s: float | None = self._pool.network_timeout
        self._slots = self._pool._semaphore
        self._free: list[Connection] = []
        self._is_closed = False
        close_pool, create_socket = self._pool.close, self._pool._create_socket

        def close() -> None:
            on_close()
            self.close()
            close_pool()

        def create() -> Any:
            began_ns = perf_counter_ns()
            sock = create_socket()
            self.connect_ns = perf_counter_ns() - began_ns
            return sock

        self._pool.close = close  # type: ignore[method-assign]
        self._pool._create_socket = create  # type: ignore[method-assign]

    def take(self, now_ns: int) -> Connection:
        """A connection to use alone; `connect_ns` is how long opening it took, 0 if it was open."""
        self.connect_ns = 0
        self._slots.acquire()
        free = self._free
        while free:
            connection = free.pop()
            if connection.is_fresh(now_ns):
                return connection
        self._slots.release()
        sock = self._pool.get_socket()  # takes a slot
        try:
            return Connection(sock, self._closed)
        except BaseException:
            self._slots.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """The connection is used no more."""
        if connection.is_open:
            if self._is_closed:
                connection.close()
            else:
                self._free.append(connection)
        self._slots.release()

    def lend(self) -> None:
        """Let geventhttpclient have a connection, if it has none that is unused."""
        unused = self._pool._socket_queue
        if self._free and unused.empty():
            sock = self._free.pop().give_up_socket()
            sock.settimeout(self.timeout_s)
            unused.put(sock)

    def _closed(self, connection: Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)

    def close(self) -> None:
        """Close what nobody uses now, and the others after their use."""
        self._is_closed = True
        for connection in tuple(self._free):
            connection.close()
