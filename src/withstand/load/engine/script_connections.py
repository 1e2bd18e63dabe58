"""A virtual user's connections: how its requests are sent, and wait for one that is free."""

import asyncio
from dataclasses import replace
from time import perf_counter_ns
from typing import Final

from withstand.client.exchange import Failure, FailureKind
from withstand.load.engine.base import NS_PER_S
from withstand.load.engine.script_connection import ConnectionWentStale, ScriptConnection
from withstand.load.engine.script_scene import Scene
from withstand.load.engine.way import Way
from withstand.load.script.count import OperationCount, Ticket
from withstand.load.script.request import ANY_SUCCESS
from withstand.load.script.response import RequestFailed, Response
from withstand.load.script.script import UserFunction

MAX_CONNECTIONS_PER_USER: Final = 6  # what browsers open to one host


class UserConnections:
    """The connections of one virtual user of a kind.

    `idle` are those at rest, `waiting` the requests that wait for one. `asked` counts its requests.
    `leaving` holds when the user is to stop as soon as nothing of it is in flight; `task` is what
    runs it then.
    """

    __slots__ = (
        "_connecting",
        "_delay_ns",
        "_open",
        "_opening",
        "_scene",
        "asked",
        "idle",
        "kind",
        "leaving",
        "task",
        "waiting",
    )

    def __init__(self, scene: Scene, kind: UserFunction | None) -> None:
        self._scene = scene
        self.kind = kind
        self.idle: list[ScriptConnection] = []
        self._open = 0
        self._opening = 0  # requests without a connection yet
        self._connecting = 0
        self.waiting: list[asyncio.Future[None]] = []
        self._delay_ns = 0
        self.asked = 0
        self.leaving = False
        self.task: asyncio.Task[None] | None = None

    def take_cookies(self, response: Response) -> None:
        """A response sets cookies."""
        raise NotImplementedError

    def arrive(self, delay_ns: int) -> None:
        """The iteration that begins now was due this long ago: its first request waited."""
        self._delay_ns = delay_ns

    async def connect_ahead(self) -> None:
        """Open the first connection before it is needed, if that works."""
        outcome = await self._connection()
        if isinstance(outcome, ScriptConnection):
            self.idle.append(outcome)
        elif outcome.kind is FailureKind.EXHAUSTED:
            self._scene.exhausted()

    def lost(self, connection: ScriptConnection) -> None:
        """A connection is closed."""
        self._scene.connections.discard(connection)
        self._open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if self.waiting:
            self.wake_one()
        if self.leaving:
            self.leave()

    def wake_one(self) -> None:
        """Let a request that waits for a connection look again."""
        waiter = self.waiting.pop(0)
        if not waiter.done():
            waiter.set_result(None)
        elif self.waiting:
            self.wake_one()

    def leave(self) -> None:
        """Stop the user as soon as nothing of it is in flight."""
        self.leaving = True
        if self._open == len(self.idle) and not self._opening and self.task is not None:
            self.task.cancel()

    def hang_up(self) -> None:
        """Close the connections that rest."""
        for connection in tuple(self.idle):
            connection.drop()

    async def exchange(
        self,
        ticket: Ticket,
        data: bytes,
        *,
        head: bool = False,
        timeout_s: float | None = None,
        resent: ScriptConnection | None = None,
    ) -> Response:
        """Send a request and wait for its response; `resent` is the connection that failed it."""
        scene = self._scene
        if self.leaving:
            if resent is not None:
                resent.not_resent()
            raise asyncio.CancelledError
        if resent is not None:
            intended_ns: int | None = resent.intended_ns
            deadline_ns = resent.deadline_ns
        else:
            delay_ns, self._delay_ns = self._delay_ns, 0
            called_ns = perf_counter_ns()
            timeout_ns = scene.timeout_ns if timeout_s is None else int(timeout_s * NS_PER_S)
            deadline_ns = called_ns + timeout_ns
            self.asked += 1
            # Without a delay the clock starts when the request leaves, if it can at once.
            intended_ns = called_ns - delay_ns if delay_ns else None
        connection = self._resting()
        if connection is None:
            intended_ns = perf_counter_ns() if intended_ns is None else intended_ns
            connection = await self._opened(
                ticket.count, intended_ns, deadline_ns, is_sent=resent is not None
            )
        if resent is None:
            ticket.count.sent += 1
            ticket.count.bytes_sent += len(data)
        connection.ticket = ticket
        connection.deadline_ns = deadline_ns
        future: asyncio.Future[Response] = scene.loop.create_future()
        connection.future = future
        usual = ticket.expected is ANY_SUCCESS and not head
        connection.swift = usual and connection.has_answered
        connection.start(data, head=head)
        connection.intended_ns = connection.sent_ns if intended_ns is None else intended_ns
        try:
            return await future
        except ConnectionWentStale:
            return await self.exchange(ticket, data, head=head, resent=connection)
        except asyncio.CancelledError:
            connection.abandon(future)
            raise

    def _resting(self) -> ScriptConnection | None:
        while self.idle:
            connection = self.idle.pop()
            if connection.reusable:
                return connection
        return None

    def _way(self) -> Way:
        way = self._scene.way
        limit_s = self.kind.connect_timeout_s if self.kind is not None else None
        return way if limit_s is None else replace(way, connect_timeout_s=limit_s)

    async def _opened(
        self, count: OperationCount, intended_ns: int, deadline_ns: int, *, is_sent: bool
    ) -> ScriptConnection:
        """Another connection, or one that is released before there may be another.

        `is_sent` tells of a request that was counted as sent before. Raises RequestFailed, after
        counting it, when there is none.
        """
        scene = self._scene
        if is_sent:
            scene.reopening += 1
        else:
            scene.opening += 1
        self._opening += 1
        try:
            left_s = (deadline_ns - perf_counter_ns()) / NS_PER_S
            async with asyncio.timeout(left_s):
                outcome = await self._connection()
        except TimeoutError:
            outcome = Failure(kind=FailureKind.TIMED_OUT, detail="no connection in time")
        except asyncio.CancelledError:
            if not self.leaving:  # the script's own time limit
                self._unopened(count, intended_ns, FailureKind.TIMED_OUT, is_sent=is_sent)
            raise
        finally:
            if is_sent:
                scene.reopening -= 1
            else:
                scene.opening -= 1
            self._opening -= 1
        if isinstance(outcome, ScriptConnection):
            return outcome
        if outcome.kind is not FailureKind.EXHAUSTED:
            self._unopened(count, intended_ns, outcome.kind, is_sent=is_sent)
        else:
            scene.exhausted()
            if is_sent:  # what the target did with it is all that can be told
                self._unopened(count, intended_ns, FailureKind.RESET, is_sent=True)
        if self.leaving:
            self.leave()
        raise RequestFailed(outcome)

    async def _connection(self) -> ScriptConnection | Failure:
        while self._open + self._connecting >= MAX_CONNECTIONS_PER_USER:
            waiter = self._scene.loop.create_future()
            self.waiting.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if self.waiting and not waiter.cancelled():
                    self.wake_one()  # this one had just been woken: the turn is the next one's
                raise
            if (connection := self._resting()) is not None:
                return connection
        self._connecting += 1
        outcome: ScriptConnection | Failure | None = None
        try:
            async with self._scene.gate:
                outcome = await self._way().open(lambda: ScriptConnection(self))
        finally:
            self._connecting -= 1
            if self.waiting and not isinstance(outcome, ScriptConnection):
                self.wake_one()  # there is room for another attempt
        if isinstance(outcome, ScriptConnection):
            self._open += 1
            self._scene.connections.add(outcome)
        return outcome

    def _unopened(
        self, count: OperationCount, intended_ns: int, kind: FailureKind, *, is_sent: bool
    ) -> None:
        if not is_sent:
            self._scene.unsent += 1
        count.recorder.failure(intended_ns, perf_counter_ns(), kind)
