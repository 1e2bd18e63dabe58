"""Users of a script in the open model: every arrival begins an iteration, on schedule.

An arrival takes a user who is free, or a new one. Where there may be no more it waits with its
clock running, and is never dropped: the first request of its iteration counts from the time at
which the schedule wanted it.
"""

import asyncio
import math
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import count
from time import perf_counter_ns
from typing import Final

from withstand.load.engine.open import OpenLoad
from withstand.load.engine.script_client import EngineClient
from withstand.load.engine.script_load import ScriptLoad
from withstand.load.engine.script_run import ScriptRun
from withstand.load.profile.profile import ArrivalSchedule
from withstand.load.script.script import UserFunction, by_weight, share
from withstand.load.script_record import ScriptRecord

MAX_USERS: Final = 10_000
_EXPECTED_ITERATION_S: Final = 0.1
_MOST_AT_START: Final = 100
_GRACE_S: Final = 1.0

Arrival = tuple[int, UserFunction]


class _Visitor:
    """A virtual user of the open model: its client, and the arrival that it is given next."""

    __slots__ = ("client", "next")

    def __init__(self, client: EngineClient, first: "asyncio.Future[Arrival]") -> None:
        self.client = client
        self.next = first


class ArrivingUsers(ScriptLoad, OpenLoad):
    """Arrivals of a schedule, each an iteration of a user.

    After the schedule, iterations that have begun and arrivals that wait are given the time of a
    request's timeout; then users stop where they are.
    """

    def __init__(self, run: ScriptRun, schedule: ArrivalSchedule, *, most_users: int) -> None:
        super().__init__(
            run.scene.way, (), (), schedule, connections=None, most_connections=most_users
        )
        self._run = run
        self._most_users = most_users
        self._kinds: Iterator[UserFunction] = share(by_weight(run.script.users), schedule)
        self._numbers: Iterator[int] = share(count(), schedule)
        self._clients: list[EngineClient] = []
        self._resting: dict[UserFunction, deque[_Visitor]] = {
            kind: deque() for kind in run.script.users
        }
        self._queue: deque[Arrival] = deque()
        self._users = 0
        self._busy = 0
        self._closing = False  # the time that is left is running
        self._cut_off = False
        run.ended, run.broken = self._end_early, self._break
        run.scene.exhausted = self._exhaust
        self.recorders = run.scene.operations.recorders
        at_start = math.ceil(schedule.peak * _EXPECTED_ITERATION_S)
        self._first_users = min(at_start, _MOST_AT_START, most_users)

    @property
    def script(self) -> ScriptRecord:
        """What became of the script, and of arrivals that found no user."""
        record = super().script
        if not self.late:
            return record
        waited = (
            f"{self.late:,} arrivals waited, because all {self._users:,} virtual users that "
            f"there may be were in an iteration; allow more with --connections"
        )
        return replace(record, notes=(*record.notes, waited))

    @property
    def queued(self) -> Collection[object]:
        """Arrivals that wait for a user."""
        return self._queue

    @property
    def users(self) -> int:  # type: ignore[override]  # these arrivals are users, while they last
        """Users in an iteration."""
        return self._busy

    async def prepare(self) -> None:
        """Open the connections of some users to begin with."""
        await self._run.before()
        kinds = by_weight(self._run.script.users)
        visitors = [self._new(next(kinds)) for _ in range(self._first_users)]
        await asyncio.gather(*(visitor.client.connect_ahead() for visitor in visitors))
        for visitor in visitors:
            self._resting[self._kind(visitor)].append(visitor)

    def begin(self, origin_ns: int) -> None:
        """Arm the timer for the first arrival."""
        self._run.begin(origin_ns)
        super().begin(origin_ns)

    def sweep(self) -> None:
        """Give up requests that have lasted longer than their timeout."""
        self._run.sweep()

    async def close(self) -> None:
        """Stop everybody, and let them do what they do at the end."""
        self._timer.close()
        self.running = False
        await self._run.tear_down(self._clients)
        await self._run.after()
        self.connections.update(self._run.scene.connections)
        await super().close()

    def finish_if_idle(self) -> None:
        """Set `finished` when the schedule is over and no iteration is under way or waits."""
        if not self.over:
            return
        if not self._busy and (self._cut_off or not self._queue):
            self.finished.set()
        elif not self._closing:
            self._closing = True
            self.loop.call_later(self.way.timeout_s, self._cut)

    def _dispatch(self, intended_ns: int) -> None:
        kind = next(self._kinds)
        visitor = self._visitor_for(kind)
        if visitor is None:
            self.late += 1
            self._queue.append((intended_ns, kind))
            return
        self.send_lag.record(perf_counter_ns() - intended_ns)
        self._busy += 1
        visitor.next.set_result((intended_ns, kind))

    def _visitor_for(self, kind: UserFunction) -> _Visitor | None:
        """A user of this kind at rest, else a new one, else any one at rest."""
        if self._resting[kind]:
            return self._resting[kind].popleft()
        if self._users < self._most_users:
            return self._new(kind)
        return next((each.popleft() for each in self._resting.values() if each), None)

    def _new(self, kind: UserFunction) -> _Visitor:
        self._users += 1
        client = EngineClient(self._run.scene, next(self._numbers), kind)
        self._clients.append(client)
        visitor = _Visitor(client, self.loop.create_future())
        client.task = self.loop.create_task(self._live(visitor))
        client.task.add_done_callback(self._left)
        return visitor

    def _kind(self, visitor: _Visitor) -> UserFunction:
        kind = visitor.client.kind
        assert kind is not None
        return kind

    async def _live(self, visitor: _Visitor) -> None:
        while True:
            intended_ns, kind = await visitor.next
            try:
                await self._iterate(visitor, intended_ns, kind)
                while self._queue and not self._cut_off:
                    await self._iterate(visitor, *self._queue.popleft())
                visitor.next = self.loop.create_future()
                self._resting[self._kind(visitor)].append(visitor)
            finally:
                self._busy -= 1
                self.finish_if_idle()

    async def _iterate(self, visitor: _Visitor, intended_ns: int, kind: UserFunction) -> None:
        if visitor.client.kind is not kind:
            await self._change(visitor, kind)
        client = visitor.client
        client.arrive(perf_counter_ns() - intended_ns)
        if await self._run.set_up(client):
            await self._run.iterate(client, self._run.visit(kind))
        client.arrive(0)  # an iteration without a request leaves its delay to nobody

    async def _change(self, visitor: _Visitor, kind: UserFunction) -> None:
        """The user makes room for one of another kind, which has a queue and nobody to serve it."""
        former = visitor.client
        client = EngineClient(self._run.scene, next(self._numbers), kind)
        client.task, former.task = former.task, None
        self._clients.append(client)
        visitor.client = client
        await self._run.say_goodbye(former)
        self._clients.remove(former)

    def wind_down(self) -> None:
        """No arrival comes any more."""
        self._end_early()

    def _end_early(self) -> None:
        """The script ends the run: no arrival comes any more, and none that waits begins."""
        if not self.over:
            self._timer.close()
            self.count_overdue()
            self.end_schedule()
            self._closing = True
            self._cut()

    def _cut(self) -> None:
        self._cut_off = True
        for client in tuple(self._clients):
            client.leave()
        self.loop.call_later(self.way.timeout_s + _GRACE_S, self.finished.set)
        self.finish_if_idle()

    def _left(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)
