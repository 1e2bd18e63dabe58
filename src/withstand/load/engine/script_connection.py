"""A virtual user's connection: carries one request at a time and hands its response over."""

import asyncio
from time import perf_counter_ns
from typing import Final, Protocol

from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.client.raw_response import may_set_cookies
from withstand.load.engine.shot import LoadConnection
from withstand.load.script.count import Ticket
from withstand.load.script.request import ANY_SUCCESS
from withstand.load.script.response import RequestFailed, Response

# Sending them twice is as good as once (RFC 9110, 9.2.2): what a user agent may do by itself.
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


class ConnectionWentStale(Exception):  # noqa: N818 - it tells what happened
    """A kept connection had been closed by the time it was used again: send the request anew."""


class Owner(Protocol):
    """Whose connection it is: `idle` are those that rest, `waiting` the requests that wait for
    one; `leaving` holds when it is to stop once nothing is in flight.
    """

    leaving: bool
    idle: "list[ScriptConnection]"
    waiting: list[asyncio.Future[None]]

    def wake_one(self) -> None:
        """Let a waiting request look again."""

    def lost(self, connection: "ScriptConnection") -> None:
        """The connection is closed."""

    def take_cookies(self, response: Response) -> None:
        """The response sets cookies."""

    def leave(self) -> None:
        """Stop, if nothing is in flight."""


class ScriptConnection(LoadConnection):
    """One of a virtual user's connections; `client` is the user's."""

    __slots__ = ("client", "deadline_ns", "future", "ticket")

    future: asyncio.Future[Response]
    ticket: Ticket

    def __init__(self, client: Owner) -> None:
        super().__init__(keep_reads=True)
        self.client = client
        self.deadline_ns = 0

    def data_received(self, data: bytes) -> None:
        """Look whether it is a known response, which needs no parser."""
        if self.swift:
            self.swift = False
            intended_ns, sent_ns, end_ns = self.intended_ns, self.sent_ns, perf_counter_ns()
            ticket = self.ticket
            known = ticket.count.recorder.repeated(data, intended_ns, sent_ns, end_ns)
            if known is not None:
                # `_hand_over`, written out: this is what each response costs.
                self.in_flight = False
                self.reusable = True
                client = self.client
                client.idle.append(self)
                if client.waiting:
                    client.wake_one()
                future = self.future
                if not future.done():
                    future.set_result(
                        Response(known.status, data, ticket, intended_ns, sent_ns, end_ns)
                    )
                if client.leaving:
                    client.leave()
                return
        Connection.data_received(self, data)

    def came_whole(self, data: bytes) -> None:
        """Know it again, unless there is more to do about it than to count it."""
        if (
            self.ticket.expected is ANY_SUCCESS
            and self.status in ANY_SUCCESS
            and not may_set_cookies(data)
        ):
            self.ticket.count.recorder.learn(data, self.intended_ns, self.status)

    def response_complete(self) -> None:
        """Count the response and wake who waits for it."""
        ticket = self.ticket
        status = self.status
        intended_ns = self.intended_ns
        end_ns = self.end_ns
        rejected = None if status in ticket.expected else ticket.count.reason(f"status {status}")
        ticket.count.recorder.response(
            intended_ns,
            self.sent_ns,
            self.first_byte_ns or end_ns,
            end_ns,
            status,
            self.bytes_received,
            rejected,
        )
        if self.connect_ns is not None:
            self.note_opening()
        reads = self.reads or ()
        self.reads = []  # a resting connection holds nothing
        raw = reads[0] if len(reads) == 1 else b"".join(reads)
        response = Response(status, raw, ticket, intended_ns, self.sent_ns, end_ns)
        if rejected is not None:
            response.ok = False
        if may_set_cookies(raw):
            self.client.take_cookies(response)
        self._hand_over(response)

    def _hand_over(self, response: Response) -> None:
        client = self.client
        if self.reusable:
            client.idle.append(self)
        if client.waiting:
            client.wake_one()
        future = self.future
        if not future.done():
            future.set_result(response)
        if client.leaving:
            client.leave()

    def failed(self, kind: FailureKind, detail: str) -> None:
        """Count the failure and wake who waits, unless the request can be sent again.

        A client that is leaving stops as soon as nothing is in flight, and sends nothing again.
        """
        future, client = self.future, self.client
        if (
            kind is FailureKind.RESET
            and self.first_byte_ns is None
            and self.has_answered
            and self.ticket.resendable
            and not client.leaving
            and not future.done()
        ):
            future.set_exception(ConnectionWentStale())
            return
        self.ticket.count.recorder.failure(self.intended_ns, self.end_ns, kind, self.bytes_received)
        self.note_opening()
        if not future.done():
            future.set_exception(RequestFailed(Failure(kind=kind, detail=detail)))
        if client.leaving:
            client.leave()

    def not_resent(self) -> None:
        """Count the request of a connection that went stale, which is not sent again after all."""
        self.ticket.count.recorder.failure(self.intended_ns, self.end_ns, FailureKind.RESET)

    def note_opening(self) -> None:
        """Count how long opening this connection took, once, with the request that uses it."""
        if self.connect_ns is not None:
            self.ticket.count.recorder.connected(self.intended_ns, self.connect_ns, self.tls_ns)
            self.connect_ns = None

    def abandon(self, future: "asyncio.Future[Response]") -> None:
        """Nobody waits for this answer any more: the script's own time limit, or the run's end.

        As a browser does, the connection is closed, unless the answer came all the same and the
        connection has gone on to another request.
        """
        if self.future is not future:
            return
        ended = future.done() and not future.cancelled()
        if ended and isinstance(future.exception(), ConnectionWentStale):
            self.not_resent()
        elif self.client.leaving:
            self.let_go()
        elif self.in_flight:
            self.give_up(FailureKind.TIMED_OUT, "the script gave up waiting")

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the lists."""
        super().connection_lost(exc)
        self.client.lost(self)
