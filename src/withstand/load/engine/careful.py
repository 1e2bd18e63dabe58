"""Connections that look at what they receive: expectations, redirects, one request a connection.

They stand in for the plain ones only where a run asks for any of that, so that all other runs pay
nothing for it; and of the requests of such a run only those that need it keep headers and body.
"""

from time import perf_counter_ns
from typing import Any

from withstand.client.connection import MAX_RESPONSE_BYTES, Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.client.redirect import MAX_REDIRECTS, REDIRECTS
from withstand.client.wire_format import response_of
from withstand.load.engine.base import Load
from withstand.load.engine.closed import ClosedLoad
from withstand.load.engine.closed_user import UserConnection, VirtualUser
from withstand.load.engine.open import OpenConnection, OpenLoad
from withstand.load.engine.shot import LoadConnection
from withstand.load.scenario.redirect import redirected


class _Journey:
    """A request on its way: possibly over several hops, possibly between two connections."""

    __slots__ = ("began_ns", "carried_bytes", "hops", "moving", "request")

    def __init__(self) -> None:
        self.began_ns = 0
        self.carried_bytes = 0
        self.hops = 0
        self.moving = False
        self.request = b""


class _Careful(LoadConnection):
    """What both models' careful connections do. Its slots are theirs: Python allows but one base
    that has any.

    The times of a redirected request run from its first hop. Where the next hop needs another
    connection, this one stays `in_flight`, its journey `moving`, until that one takes over.
    """

    __slots__ = ()

    load: Any
    journey: _Journey

    def go_on(self) -> None:
        """The request has its end: on to the next."""
        raise NotImplementedError

    def successor(self) -> "_Careful":
        """A connection of the same kind, for the same journey."""
        raise NotImplementedError

    def start(self, data: bytes, *, head: bool = False) -> None:
        """Write a request, and keep of its response what is needed."""
        self.swift = False  # its response may not be the last
        self.keep(self.shot.is_inspected)
        journey = self.journey
        journey.request = data
        journey.hops = journey.carried_bytes = 0
        super().start(data, head=head)
        journey.began_ns = self.sent_ns

    def came_whole(self, data: bytes) -> None:
        """Nothing is looked up here."""

    def response_complete(self) -> None:
        """Follow a redirect, or count the response and go on."""
        shot = self.shot
        rejected = None
        if shot.follow_redirects and self.status in REDIRECTS:
            step = self._next_hop()
            if isinstance(step, bytes):
                self._follow(step)
                return
            rejected = step
        elif shot.expectation is not None:
            rejected = self._unmet()
        shot.recorder.response(
            self.intended_ns,
            self.journey.began_ns,
            self.first_byte_ns or self.end_ns,
            self.end_ns,
            self.status,
            self.bytes_received + self.journey.carried_bytes,
            rejected,
        )
        self.note_opening()
        if self.reusable and not self.load.way.keep_alive:
            self.drop()  # the server would have kept it
        self.go_on()

    def _unmet(self) -> str | None:
        if not self.shot.recorder.expects(self.status):
            return None  # the status says it all: a page of errors lacks everything else, too
        response = response_of(
            status=self.status,
            reason=self.reason,
            raw_headers=self.raw_headers,
            body=self.body,
            max_body_bytes=MAX_RESPONSE_BYTES,
        )
        if isinstance(response, Failure):
            return response.detail
        expectation = self.shot.expectation
        return None if expectation is None else expectation.unmet(response)

    def _next_hop(self) -> bytes | str:
        if self.journey.hops == MAX_REDIRECTS:
            return f"more than {MAX_REDIRECTS} redirects"
        location = next(
            (value for name, value in self.raw_headers if name.lower() == b"location"), b""
        )
        target = self.load.way.target
        step = redirected(self.journey.request, self.status, location.decode("latin-1"), target)
        return "a redirect that leads off the target is not followed" if step is None else step

    def _follow(self, data: bytes) -> None:
        journey = self.journey
        journey.hops += 1
        journey.carried_bytes += self.bytes_received
        journey.request = data
        if self.reusable and self.load.way.keep_alive:
            super().start(data, head=self.shot.head)
        else:
            self.drop()
            self.in_flight = journey.moving = True
            self.load.spawn(self._move())

    async def _move(self) -> None:
        load: Load = self.load
        outcome = await load.way.open(self.successor)
        if not self.in_flight:  # given up meanwhile
            if isinstance(outcome, Connection):
                outcome.drop()
            return
        self.in_flight = self.journey.moving = False
        load.forget(self)
        if isinstance(outcome, Failure):
            load.exhausted += outcome.kind is FailureKind.EXHAUSTED
            self.end_ns = perf_counter_ns()
            self.failed(outcome.kind, outcome.detail)
            return
        load.connections.add(outcome)
        outcome.take_over(self)

    def take_over(self, former: "_Careful") -> None:
        """Carry on with another connection's request."""
        self.shot = former.shot
        self.intended_ns = former.intended_ns
        self.keep(self.shot.is_inspected)
        super().start(self.journey.request, head=self.shot.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the load's list, unless the request lives on."""
        if not self.journey.moving:
            super().connection_lost(exc)


class CarefulConnection(_Careful, OpenConnection):
    """A connection of the open model's pool."""

    __slots__ = ("journey",)

    load: OpenLoad

    def __init__(self, load: OpenLoad, journey: _Journey | None = None) -> None:
        super().__init__(load)
        self.journey = journey or _Journey()

    def go_on(self) -> None:
        """Carry the next arrival that waits."""
        self.load.released(self)

    def successor(self) -> "CarefulConnection":
        """Another connection of the pool."""
        return CarefulConnection(self.load, self.journey)


class CarefulUserConnection(_Careful, UserConnection):
    """A virtual user's connection."""

    __slots__ = ("journey",)

    load: ClosedLoad

    def __init__(
        self, load: ClosedLoad, user: VirtualUser, journey: _Journey | None = None
    ) -> None:
        super().__init__(load, user)
        self.journey = journey or _Journey()

    def go_on(self) -> None:
        """Ask again, when the user does."""
        self.load.answered(self.user)

    def take_over(self, former: _Careful) -> None:
        """Carry on with another connection's request, as the user's connection."""
        self.user.connection = self
        super().take_over(former)

    def successor(self) -> "CarefulUserConnection":
        """Another connection of the same user."""
        return CarefulUserConnection(self.load, self.user, self.journey)
