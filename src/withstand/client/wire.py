"""Carries requests over sockets, exactly as told. The scan's transport; see also `connection`."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

from withstand import __version__
from withstand.client.certificate import Handshake
from withstand.client.connect import connect, tls_context
from withstand.client.connection import MAX_RESPONSE_BYTES, Connection
from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response, Timing
from withstand.client.handshake import handshake
from withstand.client.target import Target
from withstand.client.wire_format import as_forwarded, request_bytes, response_of

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})

# A request that must not be sent twice only takes a connection that was used this recently: the
# older one is, the likelier the server is just closing it.
_SURELY_ALIVE_NS: Final = 1_000_000_000

# Between the last but one byte of a burst and the last: time for the server to read all of it, so
# that only the last byte keeps each request from being handled.
_SETTLE_S: Final = 0.02

_MAX_IDLE: Final = 64


class Wire:
    """A `Transport` over HTTP/1.1, with or without TLS, of one event loop.

    Nothing of a request is normalised, escaped or reordered, and no redirect is followed;
    `Request.path` is the whole path, to which the target's base path is not added. Connections are
    kept alive and used again. Where one turns out to have been closed meanwhile, before any byte
    of a response, an idempotent request is sent once more on a new connection and the exchange
    shows the second sending only; anything else is sent once.

    Failures of the network are values in the exchange. Raises UsageError when the target's
    certificate authorities cannot be read.
    """

    def __init__(
        self,
        target: Target,
        *,
        connect_timeout_s: float = 5.0,
        response_timeout_s: float = 30.0,
        max_body_bytes: int = MAX_RESPONSE_BYTES,
        user_agent: str = f"withstand/{__version__}",
    ) -> None:
        self.target = target
        self._connect_timeout_s = connect_timeout_s
        self._response_timeout_s = response_timeout_s
        self._max_body_bytes = max_body_bytes
        self._user_agent = user_agent
        self._contexts: dict[Target, ssl.SSLContext | None] = {target: tls_context(target)}
        self._idle: dict[Target, list[_Carrier]] = {}
        self._open: set[_Carrier] = set()

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def send(
        self, request: Request, *, fresh: bool = False, to: Target | None = None
    ) -> Exchange:
        """One exchange; `fresh` opens a new connection, `to` names another target."""
        target = to or self.target
        intended_ns = perf_counter_ns()
        data = self._bytes(request, target)
        kept = None if fresh else self._kept(target, request.method)
        if kept is not None:
            outcome = await self._carry(kept, data, request)
            if not (_went_stale(kept, outcome) and request.method in _IDEMPOTENT):
                return self._exchange(kept, request, outcome, intended_ns)
        carrier = await self._connect(target)
        if isinstance(carrier, Failure):
            return _unsent(request, carrier, intended_ns)
        outcome = await self._carry(carrier, data, request)
        return self._exchange(carrier, request, outcome, intended_ns)

    async def burst(self, requests: Sequence[Request]) -> tuple[Exchange, ...]:
        """Several requests released at the same instant, each on its own connection.

        Last-byte synchronisation: all connections are opened, every request is sent but for its
        last byte, and the last bytes are written in one pass of the loop.
        """
        began_ns = perf_counter_ns()
        carriers: dict[int, _Carrier | Failure] = {}

        async def open_one(index: int) -> None:
            carriers[index] = await self._connect(self.target)

        try:
            await asyncio.gather(*(open_one(index) for index in range(len(requests))))
            return await self._burst(requests, carriers, began_ns)
        finally:
            for carrier in carriers.values():
                if isinstance(carrier, _Carrier) and carrier.in_flight:
                    carrier.drop()

    async def handshake(self) -> Handshake | None:
        """What the target's server agrees to in TLS; None where it speaks none."""
        return await handshake(self.target, timeout_s=self._connect_timeout_s)

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def unix_time_s(self) -> float:
        """The wall clock, Unix seconds."""
        return time.time()

    async def close(self) -> None:
        """Close every connection, those in use too."""
        self._idle.clear()
        gone = [carrier.gone for carrier in self._open]
        for carrier in tuple(self._open):
            carrier.drop()
        if gone:
            await asyncio.wait(gone)

    async def _connect(self, target: Target) -> "_Carrier | Failure":
        if target not in self._contexts:
            self._contexts[target] = tls_context(target)
        return await connect(
            lambda: _Carrier(self._open, target, self._max_body_bytes),
            target,
            ssl_context=self._contexts[target],
            timeout_s=self._connect_timeout_s,
        )

    def _kept(self, target: Target, method: str) -> "_Carrier | None":
        idle = self._idle.get(target, [])
        while idle:
            carrier = idle.pop()
            rested_ns = perf_counter_ns() - carrier.end_ns
            if carrier.reusable and (method in _IDEMPOTENT or rested_ns < _SURELY_ALIVE_NS):
                return carrier
            carrier.drop()
        return None

    async def _carry(
        self, carrier: "_Carrier", data: bytes, request: Request
    ) -> Response | Failure:
        carrier.begin(data, head=request.method == "HEAD")
        return await self._answer(carrier)

    async def _answer(self, carrier: "_Carrier") -> Response | Failure:
        limit_s = self._response_timeout_s
        timer = asyncio.get_running_loop().call_later(
            limit_s,
            carrier.give_up,
            FailureKind.TIMED_OUT,
            f"no complete response within {limit_s:g} s",
        )
        try:
            return await carrier.answer
        finally:
            timer.cancel()
            if carrier.in_flight:  # cancelled: the answer would be taken for the next one's
                carrier.drop()

    async def _burst(
        self,
        requests: Sequence[Request],
        carriers: "dict[int, _Carrier | Failure]",
        began_ns: int,
    ) -> tuple[Exchange, ...]:
        loop = asyncio.get_running_loop()
        ready: list[tuple[_Carrier, bytes]] = []
        for index, request in enumerate(requests):
            carrier = carriers[index]
            if isinstance(carrier, _Carrier):
                data = self._bytes(request, self.target)
                carrier.begin(data[:-1], head=request.method == "HEAD")
                ready.append((carrier, data[-1:]))
        deadline = loop.time() + self._response_timeout_s
        # asyncio has no event for "everything is sent" that would cost the load path nothing.
        while any(carrier.unsent for carrier, _ in ready) and loop.time() < deadline:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.001)
        await asyncio.sleep(_SETTLE_S)
        intended_ns = perf_counter_ns()
        for carrier, last in ready:
            carrier.release(last)
        outcomes = await asyncio.gather(*(self._answer(carrier) for carrier, _ in ready))
        answers = dict(zip((carrier for carrier, _ in ready), outcomes, strict=True))
        return tuple(
            _unsent(request, carrier, began_ns)
            if isinstance(carrier := carriers[index], Failure)
            else self._exchange(carrier, request, answers[carrier], intended_ns)
            for index, request in enumerate(requests)
        )

    def _bytes(self, request: Request, target: Target) -> bytes:
        return request_bytes(
            as_forwarded(request, target),
            authority=target.authority,
            user_agent=self._user_agent,
        )

    def _exchange(
        self,
        carrier: "_Carrier",
        request: Request,
        outcome: Response | Failure,
        intended_ns: int,
    ) -> Exchange:
        """The exchange that has just ended; its connection goes back to the idle ones."""
        timing = Timing(
            intended_ns=min(intended_ns, carrier.sent_ns),
            sent_ns=carrier.sent_ns,
            first_byte_ns=carrier.first_byte_ns,
            end_ns=carrier.end_ns,
        )
        if carrier.reusable and not carrier.unsent:
            idle = self._idle.setdefault(carrier.target, [])
            idle.append(carrier)
            if len(idle) > _MAX_IDLE:
                idle.pop(0).drop()
        else:
            carrier.drop()
        return Exchange(request=request, outcome=outcome, timing=timing)


class _Carrier(Connection):
    """A connection whose answers are awaited."""

    __slots__ = ("_max_body_bytes", "_registry", "answer", "gone", "target")

    def __init__(self, registry: "set[_Carrier]", target: Target, max_body_bytes: int) -> None:
        super().__init__(keep_headers=True, keep_body=True, max_response_bytes=max_body_bytes)
        loop = asyncio.get_running_loop()
        self.target = target
        self.answer: asyncio.Future[Response | Failure] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._registry = registry
        self._max_body_bytes = max_body_bytes

    def begin(self, data: bytes, *, head: bool) -> None:
        """Start a request whose answer `answer` will hold."""
        self.answer = asyncio.get_running_loop().create_future()
        self.start(data, head=head)

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for the kernel to take them."""
        return not self.gone.done() and self.transport.get_write_buffer_size() > 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._registry.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._registry.discard(self)
        if not self.gone.done():
            self.gone.set_result(None)

    def response_complete(self) -> None:
        self._settle(
            response_of(
                status=self.status,
                reason=self.reason,
                raw_headers=self.raw_headers,
                body=self.body,
                max_body_bytes=self._max_body_bytes,
            )
        )

    def failed(self, kind: FailureKind, detail: str) -> None:
        self._settle(Failure(kind=kind, detail=detail))

    def _settle(self, outcome: Response | Failure) -> None:
        if not self.answer.done():
            self.answer.set_result(outcome)


def _went_stale(carrier: _Carrier, outcome: Response | Failure) -> bool:
    """Whether a kept connection had been closed by the time it was used again."""
    return (
        isinstance(outcome, Failure)
        and outcome.kind is FailureKind.RESET
        and carrier.first_byte_ns is None
    )


def _unsent(request: Request, failure: Failure, began_ns: int) -> Exchange:
    timing = Timing(
        intended_ns=began_ns, sent_ns=began_ns, first_byte_ns=None, end_ns=perf_counter_ns()
    )
    return Exchange(request=request, outcome=failure, timing=timing)
