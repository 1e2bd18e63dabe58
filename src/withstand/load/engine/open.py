"""The open model: arrivals on schedule, whatever the server does.

An arrival takes a free connection. Where none is free it waits in a queue with its clock running
and is never dropped (dropping, or waiting to send, would hide exactly the time that users spend
waiting for a stalled server: coordinated omission), and a further connection is opened for it, up
to a cap.
"""

import asyncio
import math
from collections import deque
from collections.abc import Collection, Sequence
from time import perf_counter_ns
from typing import Final

from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind
from withstand.load.engine.agenda import MAX_BATCH
from withstand.load.engine.base import MAX_OPENING, NS_PER_S, Load
from withstand.load.engine.shot import LoadConnection, Shot
from withstand.load.engine.timer import open_timer
from withstand.load.engine.way import Way
from withstand.load.generator import MAX_LAG_NS
from withstand.load.profile.profile import ArrivalSchedule

MAX_CONNECTIONS: Final = 1_000
# To begin with: enough for answers that take this long, which most do.
_EXPECTED_RESPONSE_S: Final = 0.1
_MOST_AT_START: Final = 100


class OpenConnection(LoadConnection):
    """A connection of the pool."""

    __slots__ = ("load",)

    def __init__(self, load: "OpenLoad") -> None:
        super().__init__()
        self.load = load

    def data_received(self, data: bytes) -> None:
        """Look whether it is a known response, which needs no parser."""
        if self.swift:
            self.swift = False
            end_ns = perf_counter_ns()
            if self.shot.recorder.repeated(data, self.intended_ns, self.sent_ns, end_ns):
                self.in_flight = False
                self.reusable = True
                self.load.released(self)
                return
        Connection.data_received(self, data)

    def response_complete(self) -> None:
        """Count it and carry the next arrival that waits."""
        self.shot.recorder.response(
            self.intended_ns,
            self.sent_ns,
            self.first_byte_ns or self.end_ns,
            self.end_ns,
            self.status,
            self.bytes_received,
        )
        if self.connect_ns is not None:
            self.note_opening()
        self.load.released(self)

    def failed(self, kind: FailureKind, detail: str) -> None:  # noqa: ARG002 - the kind is counted
        """Count it; this connection is gone."""
        self.record_failure(kind)
        self.load.released(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the pool."""
        super().connection_lost(exc)
        self.load.forget(self)


class OpenLoad(Load):
    """Arrivals of a schedule over a pool of connections that grows on demand."""

    def __init__(
        self,
        way: Way,
        shots: Sequence[Shot],
        order: Sequence[int],
        schedule: ArrivalSchedule,
        *,
        connections: int | None,
        most_connections: int,
        connection: "type[OpenConnection] | None" = None,
    ) -> None:
        super().__init__(way, shots, order)
        self._connection = connection or OpenConnection
        self._offsets_ns = schedule.offsets_ns()
        at_start = math.ceil(schedule.peak * _EXPECTED_RESPONSE_S)
        self._at_start = min(at_start, _MOST_AT_START) if connections is None else connections
        if not way.keep_alive:
            self._at_start = 0
        self._cap = connections if connections is not None else most_connections
        self._short_of_descriptors = connections is None and most_connections < MAX_CONNECTIONS
        self._free: deque[LoadConnection] = deque()
        self._waiting: deque[tuple[int, Shot]] = deque()
        self._opening = 0
        self._timer = open_timer(self._tick)
        self._origin_ns = 0
        self._end_ns = 0
        self._duration_ns = int(schedule.duration_s * NS_PER_S)
        self._next_ns: int | None = None

    @property
    def queued(self) -> Collection[object]:
        """Arrivals that wait for a connection."""
        return self._waiting

    @property
    def spun_ns(self) -> int:
        """How long the schedule's timer spun."""
        return self._timer.spun_ns

    @property
    def users(self) -> None:
        """There are none in the open model."""
        return

    async def prepare(self) -> None:
        """Open the connections to begin with; those that fail are tried again on demand."""
        while (missing := self._at_start - len(self.connections)) > 0:
            before = len(self.connections)
            batch = min(missing, MAX_OPENING)
            self._opening += batch
            await asyncio.gather(*(self._open() for _ in range(batch)))
            if len(self.connections) == before:
                return

    def begin(self, origin_ns: int) -> None:
        """Arm the timer for the first arrival."""
        self.running = True
        self._origin_ns = origin_ns
        self._end_ns = origin_ns + self._duration_ns
        self._advance()
        self._arm(origin_ns)

    def _advance(self) -> None:
        offset_ns = next(self._offsets_ns, None)
        self._next_ns = None if offset_ns is None else self._origin_ns + offset_ns

    def _tick(self) -> None:
        now_ns = perf_counter_ns()
        for _ in range(MAX_BATCH):
            next_ns = self._next_ns
            if next_ns is None or next_ns > now_ns:
                break
            self.offered += 1
            self._dispatch(next_ns)
            self._advance()
        if now_ns < self._end_ns + MAX_LAG_NS:
            self.dispatched = self.offered
        self._arm(now_ns)

    def _arm(self, now_ns: int) -> None:
        if self._next_ns is not None:
            self._timer.set(self._next_ns)
        elif now_ns < self._end_ns:
            self._timer.set(self._end_ns)
        else:
            self.due = self.due or self.offered
            self._timer.close()
            self.end_schedule()
            self.finish_if_idle()

    def count_overdue(self) -> None:
        """Arrivals that have not been dealt with, so that a generator that lags behind cannot hide
        them."""
        self.over_ns = now_ns = perf_counter_ns()
        self.due = self.offered
        while self._next_ns is not None and self._next_ns <= now_ns:
            self.due += self._next_ns <= now_ns - MAX_LAG_NS
            self.offered += 1
            self.withdrawn += 1
            self._advance()

    def wind_down(self) -> None:
        """What waits for a connection has no more chance of being sent."""
        if self.over:
            return
        self.count_overdue()
        now_ns = perf_counter_ns()
        self._next_ns = None
        self._end_ns = min(now_ns, self._end_ns)
        self.withdrawn += len(self._waiting)
        self._waiting.clear()
        self._arm(now_ns)

    def _dispatch(self, intended_ns: int) -> None:
        shot = next(self.shots)
        free = self._free
        while free:
            connection = free.popleft()
            if connection.reusable:
                connection.intended_ns = intended_ns
                connection.fire(shot)
                self.send_lag.record(connection.sent_ns - intended_ns)
                return
        if self.way.keep_alive or not self._has_room:
            self.late += 1
        else:  # nothing to wait for: a connection of its own is opened at once
            self.send_lag.record(max(perf_counter_ns() - intended_ns, 0))
        self._waiting.append((intended_ns, shot))
        self._grow()

    @property
    def _has_room(self) -> bool:
        """Whether an arrival may open a connection without waiting for another to end."""
        return self._opening < MAX_OPENING and len(self.connections) + self._opening < self._cap

    def released(self, connection: LoadConnection) -> None:
        """The connection has no request any more: give it the next that waits, or let it rest."""
        if not connection.reusable:
            self.forget(connection)
            self._grow()
        elif self._waiting:
            connection.intended_ns, shot = self._waiting.popleft()
            connection.fire(shot)
            return
        else:
            self._free.append(connection)
        if self.over:
            self.finish_if_idle()

    def _grow(self) -> None:
        while (
            self._opening < min(len(self._waiting), MAX_OPENING)
            and len(self.connections) + self._opening < self._cap
        ):
            self._opening += 1
            self.spawn(self._open())
        if self._short_of_descriptors and len(self.connections) + self._opening >= self._cap:
            self.exhausted += len(self._waiting) > self._opening

    async def _open(self) -> None:
        outcome = await self.way.open(lambda: self._connection(self))
        self._opening -= 1
        if isinstance(outcome, LoadConnection):
            self.connections.add(outcome)
            self.released(outcome)
            return
        self.exhausted += outcome.kind is FailureKind.EXHAUSTED
        if outcome.kind is FailureKind.EXHAUSTED and self.connections:
            self._cap = len(self.connections)  # those that there are carry the rest
        else:
            self._refuse(outcome)
            self._grow()

    def _refuse(self, failure: Failure) -> None:
        # An attempt that timed out fails nobody: who waits has a deadline of its own.
        if self._waiting and failure.kind is not FailureKind.TIMED_OUT:
            intended_ns, shot = self._waiting.popleft()
            shot.recorder.failure(intended_ns, perf_counter_ns(), failure.kind)
        if self.over:
            self.finish_if_idle()

    def sweep(self) -> None:
        """Give up what has lasted longer than the timeout, sent or still waiting."""
        super().sweep()
        now_ns = perf_counter_ns()
        while self._waiting and now_ns - self._waiting[0][0] > self.timeout_ns:
            intended_ns, shot = self._waiting.popleft()
            shot.recorder.failure(intended_ns, now_ns, FailureKind.TIMED_OUT)
        if self.over:
            self.finish_if_idle()

    async def close(self) -> None:
        """Stop the schedule and drop the pool."""
        self._timer.close()
        await super().close()
