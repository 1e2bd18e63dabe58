"""The closed model: virtual users who wait for an answer before they ask again.

Each user has a connection of its own. Its clock starts when it is ready to ask: after the answer
before (and the think time), or after a back-off when the request before failed; under pacing, when
the iteration is due. A first connection is opened before the clock starts; opening another one
later is part of the wait.
"""

import asyncio
from collections.abc import Collection, Sequence
from time import perf_counter_ns
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.engine.agenda import Agenda
from withstand.load.engine.base import MAX_OPENING, NS_PER_S, Load
from withstand.load.engine.closed_user import UserConnection, VirtualUser
from withstand.load.engine.shot import Shot
from withstand.load.engine.way import Way
from withstand.load.profile.profile import UserSchedule
from withstand.load.profile.rhythm import Iteration

# A user whose request failed waits before the next one, longer each time, up to the last.
BACK_OFF_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


class ClosedLoad(Load):
    """Virtual users of a schedule."""

    def __init__(
        self,
        way: Way,
        shots: Sequence[Shot],
        order: Sequence[int],
        schedule: UserSchedule,
        *,
        connection: type[UserConnection] = UserConnection,
    ) -> None:
        super().__init__(way, shots, order)
        self._connection = connection
        self._schedule = schedule
        self._rhythm = schedule.rhythm
        self._coming = [VirtualUser(stay) for stay in schedule.stays()]
        self._there: set[VirtualUser] = set()
        self._waiting: set[VirtualUser] = set()  # for a connection, with their clocks running
        self._agenda = Agenda()
        self._origin_ns = 0

    @property
    def requested(self) -> int:
        """Those that went out, those for which there was no connection, and those that wait."""
        return self.sent + self.offered + len(self.queued) + self.withdrawn

    @property
    def queued(self) -> Collection[object]:
        """Requests that wait for a connection: one that is being opened, or one that is busy with
        the iteration before."""
        overdue: list[object] = [*self._waiting]
        if self._rhythm is not None and self._rhythm.keeps_time:
            now_ns = perf_counter_ns()
            for user in self._there:
                past_ns = min(now_ns, user.leave_ns - 1) - user.due_ns
                begun = user.intended_ns is not None
                overdue += [user] * (past_ns // self._rhythm.period_ns + 1 - begun)
        return overdue

    @property
    def spun_ns(self) -> int:
        """How long the users' timer spun."""
        return self._agenda.spun_ns

    @property
    def users(self) -> int:
        """Users that are there."""
        return len(self._there)

    async def prepare(self) -> None:
        """Open the connections of the users who begin at once."""
        if not self.way.keep_alive:
            return
        gate = asyncio.Semaphore(MAX_OPENING)

        async def open_one(user: VirtualUser) -> None:
            async with gate:
                await self._open(user)

        at_once = (user for user in self._coming if user.stay.begin_ns == 0)
        await asyncio.gather(*(open_one(user) for user in at_once))

    def begin(self, origin_ns: int) -> None:
        """Let the users begin, each at its time."""
        self.running = True
        self._origin_ns = origin_ns
        for user in self._coming:
            user.leave_ns = origin_ns + user.stay.end_ns
            self._agenda.at(origin_ns + user.stay.begin_ns, self._join, user)
        self._coming = []
        self._agenda.at(origin_ns + int(self._schedule.duration_s * NS_PER_S), self._end)

    def _join(self, user: VirtualUser) -> None:
        if self.over:
            return
        self._there.add(user)
        stay = user.stay
        if self._rhythm is not None:
            first_ns = self._rhythm.first_ns(
                begin_ns=stay.begin_ns, phase=self._schedule.phase(stay.number)
            )
            user.due_ns = self._origin_ns + first_ns
            self._await_turn(user)
            if user.connection is None and self.way.keep_alive:
                self._connect(user)
        else:
            if stay.end_ns < self._schedule.duration_s * NS_PER_S:
                self._agenda.at(user.leave_ns, self._calm, user)
            self._ask(user)

    def wind_down(self) -> None:
        """Nobody asks again; iterations that are overdue are not begun."""
        self.withdrawn += len(self.queued) - len(self._waiting)
        for user in self._there:
            user.leave_ns = 0
        self._end()

    def _calm(self, user: VirtualUser) -> None:
        """The user's time is over: it waits for its answer, if for one, and goes."""
        connection = user.connection
        if connection is not None:
            connection.eager = False
            if connection.in_flight:
                return
        if user not in self._waiting:
            self._part(user)

    def _end(self, _: None = None) -> None:
        """Whoever is still there leaves, after the answer that it waits for."""
        self.end_schedule()
        now_ns = perf_counter_ns()
        for user in self._there:
            user.leave_ns = min(user.leave_ns, now_ns)
            if user.connection is not None:
                user.connection.eager = False
        self.finish_if_idle()

    def _await_turn(self, user: VirtualUser) -> None:
        """Wait for the iteration that is due next, or leave if the user will have left by then."""
        self._agenda.at(min(user.due_ns, user.leave_ns), self._turn, user)

    def _turn(self, user: VirtualUser) -> None:
        """An iteration is due, and the user is ready for it."""
        if user.due_ns >= user.leave_ns:
            self._part(user)
            return
        self.send_lag.record(perf_counter_ns() - user.due_ns)
        self._begin(user)

    def _begin(self, user: VirtualUser) -> None:
        user.turn += 1
        timed = self._rhythm is not None and self._rhythm.keeps_time
        user.intended_ns = user.due_ns if timed else None
        self._ask(user)

    def _ask(self, user: VirtualUser) -> None:
        """Send the user's next request, over a new connection where there is none."""
        connection = user.connection
        if connection is not None and connection.reusable:
            self._fire(user, connection)
            return
        if user.intended_ns is None and not (connection is None and self.way.keep_alive):
            # Only a first connection that is to be kept is no part of the wait.
            user.intended_ns = perf_counter_ns()
        self._waiting.add(user)
        self._connect(user)

    def _fire(self, user: VirtualUser, connection: UserConnection) -> None:
        connection.eager = self._rhythm is None and perf_counter_ns() < user.leave_ns
        connection.fire(next(self.shots))
        connection.intended_ns = (
            connection.sent_ns if user.intended_ns is None else user.intended_ns
        )
        connection.note_opening()

    def answered(self, user: VirtualUser) -> None:
        """A user has an answer but does not ask again at once."""
        user.failures = 0
        self._go_on(user, perf_counter_ns())

    def disappointed(self, user: VirtualUser) -> None:
        """A user's request failed: it tries again after a while."""
        wait_s = BACK_OFF_S[min(user.failures, len(BACK_OFF_S) - 1)]
        user.failures += 1
        self._go_on(user, perf_counter_ns() + int(wait_s * NS_PER_S))

    def _go_on(self, user: VirtualUser, ready_ns: int) -> None:
        """The present request has ended: on to the next, which may begin when the user is ready."""
        user.intended_ns = None
        rhythm = self._rhythm
        now_ns = perf_counter_ns()
        if rhythm is None:
            if ready_ns >= user.leave_ns:
                self._part(user)
            elif ready_ns <= now_ns:
                self._ask(user)
            else:
                self._agenda.at(ready_ns, self._retry, user)
            return
        user.due_ns = self._origin_ns + rhythm.next_ns(
            Iteration(
                user=user.stay.number,
                turn=user.turn,
                due_ns=user.due_ns - self._origin_ns,
                ended_ns=ready_ns - self._origin_ns,
            )
        )
        if user.due_ns > now_ns or user.due_ns >= user.leave_ns:
            self._await_turn(user)
            if self.over:
                self.finish_if_idle()
        else:
            self.late += 1
            # Not at once: the answers of others, and a stop, come in between.
            self._agenda.at(user.due_ns, self._catch_up, user)

    def _retry(self, user: VirtualUser) -> None:
        now_ns = perf_counter_ns()
        if now_ns >= user.leave_ns:
            self._part(user)
        else:
            user.intended_ns = now_ns
            self._ask(user)

    def _catch_up(self, user: VirtualUser) -> None:
        """Begin an iteration that was due while the user was busy, unless its time is up."""
        now_ns = perf_counter_ns()
        if user.due_ns >= user.leave_ns:
            self._part(user)
            return
        if now_ns - user.due_ns <= self.timeout_ns:
            self._begin(user)
            return
        next(self.shots).recorder.failure(user.due_ns, now_ns, FailureKind.TIMED_OUT)
        self.offered += 1
        self._go_on(user, now_ns)

    def _part(self, user: VirtualUser) -> None:
        """The user goes."""
        self._there.discard(user)
        self._waiting.discard(user)
        if user.connection is not None:
            user.connection.drop()
        if self.over:
            self.finish_if_idle()

    def _connect(self, user: VirtualUser) -> None:
        if not user.connecting:
            self.spawn(self._open(user))

    async def _open(self, user: VirtualUser) -> None:
        """A new connection for a user, and on it the request that waits for one."""
        user.connecting = True
        begun_ns = perf_counter_ns()
        outcome = await self.way.open(lambda: self._connection(self, user))
        user.connecting = False
        waited = user in self._waiting
        self._waiting.discard(user)
        if isinstance(outcome, UserConnection):
            user.connection = outcome
            self.connections.add(outcome)
            if not waited:
                return
            if user.intended_ns is None and perf_counter_ns() >= user.leave_ns:
                self._part(user)  # it never got as far as to ask
            else:
                self._fire(user, outcome)
            return
        if outcome.kind is FailureKind.EXHAUSTED:
            self.exhausted += 1
        elif waited:
            intended_ns = begun_ns if user.intended_ns is None else user.intended_ns
            next(self.shots).recorder.failure(intended_ns, perf_counter_ns(), outcome.kind)
            self.offered += 1
        if waited:
            self.disappointed(user)

    async def close(self) -> None:
        """Stop the users."""
        self._agenda.close()
        await super().close()
