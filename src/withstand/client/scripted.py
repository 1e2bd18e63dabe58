"""A transport over a function instead of sockets: for tests, and for the examples of checks.

    def api(request: Request) -> Response:
        return Response(status=401 if request.header("authorization") is None else 200)

    transport = Scripted(api)
    exchange = asyncio.run(transport.send(Request(method="GET", path="/users")))
    assert exchange.status == 401

Time is virtual: it passes only in `pause`, and in a `Late` response, so nothing waits and every run
is the same. A server that is more than a function may have `fetched`: the addresses that it went to
by itself, for `ScriptedListener`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response, Timing
from withstand.client.target import Target

MODERN: Final = Handshake(version="TLSv1.3")
START_UNIX_S: Final = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Late(Response):
    """A response for which the server needs some virtual time."""

    after_s: float


class Scripted:
    """A `Transport` whose server is a function from request to response.

    `plain`, where given, serves what is sent to another target; without it nobody listens there.
    `agrees_to` is what a handshake with it tells.
    Every exchange is appended to `exchanges`, in the order of sending.
    """

    def __init__(
        self,
        server: Callable[[Request], Response],
        *,
        plain: Callable[[Request], Response] | None = None,
        agrees_to: Handshake | None = MODERN,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self._server = server
        self._plain = plain
        self._agrees_to = agrees_to
        self._elapsed_ns = 0

    async def send(
        self,
        request: Request,
        *,
        fresh: bool = False,  # noqa: ARG002 - the contract's; a function has no connections
        to: Target | None = None,
    ) -> Exchange:
        """One exchange, which takes no time but that of a `Late` response."""
        if to is None:
            return self._record(request, self._server(request))
        if self._plain is not None:
            return self._record(request, self._plain(request))
        detail = f"{to.authority}: the script has no server there"
        return self._record(request, Failure(kind=FailureKind.REFUSED, detail=detail))

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """The requests one after the other, at one instant."""
        return tuple([await self.send(request) for request in requests])

    async def handshake(self) -> Handshake | None:
        """What the script says that its server agrees to."""
        return self._agrees_to

    async def pause(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._elapsed_ns += round(seconds * 1_000_000_000)

    def unix_time_s(self) -> float:
        """`START_UNIX_S` and the pauses since."""
        return START_UNIX_S + self._elapsed_ns / 1_000_000_000

    async def close(self) -> None:
        """Nothing is open."""

    def _record(self, request: Request, outcome: Response | Failure) -> Exchange:
        sent_ns = self._elapsed_ns
        if isinstance(outcome, Late):
            self._elapsed_ns += round(outcome.after_s * 1_000_000_000)
        timing = Timing(
            intended_ns=sent_ns,
            sent_ns=sent_ns,
            first_byte_ns=self._elapsed_ns if isinstance(outcome, Response) else None,
            end_ns=self._elapsed_ns,
        )
        exchange = Exchange(request=request, outcome=outcome, timing=timing)
        self.exchanges.append(exchange)
        return exchange


class ScriptedListener:
    """A `Listener` that is called by servers in memory: by whatever their `fetched` names."""

    def __init__(self, *servers: Callable[[Request], Response]) -> None:
        self._servers = servers

    async def address(self) -> str | None:
        """An address that no network has."""
        return "http://127.0.0.1:9090"

    async def calls(self, text: str, within_s: float) -> tuple[Request, ...]:  # noqa: ARG002 - the contract's; nobody is late here
        """The requests that the servers made for an address with this text in it."""
        fetched = [url for server in self._servers for url in getattr(server, "fetched", ())]
        return tuple(
            Request(method="GET", path=urlsplit(url).path, headers=(("User-Agent", "scripted"),))
            for url in fetched
            if text in url and url.startswith("http://127.0.0.1:9090/")
        )
