"""The closed model: virtual users who wait for an answer before they ask again.

Each user has a connection of its own. Its clock starts when it is ready to ask: after the answer
before (and the think time), or after a back-off when the request before failed. A first connection
is opened before the clock starts; opening another one later is part of the wait.
"""

import asyncio
from collections.abc import Collection, Sequence
from time import perf_counter_ns
from typing import Final

from withstand.client.exchange import FailureKind
from withstand.load.engine_base import MAX_OPENING, NS_PER_S, Load, LoadConnection, Shot, Way
from withstand.load.profile import UserSchedule

# A user whose request failed waits before the next one, longer each time, up to the last.
BACK_OFF_S: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


class User(LoadConnection):
    """A virtual user's connection; `failures` in a row decide on the back-off."""

    __slots__ = ("failures", "load")

    def __init__(self, load: "ClosedLoad", failures: int = 0) -> None:
        super().__init__()
        self.load = load
        self.failures = failures

    def response_complete(self) -> None:
        """Count it and ask again."""
        self.shot.recorder.response(
            self.intended_ns,
            self.sent_ns,
            self.first_byte_ns or self.end_ns,
            self.end_ns,
            self.status,
            self.bytes_received,
        )
        load = self.load
        if self.reusable and load.asks_at_once:
            # `fire`, written out: this line of calls is what each request costs.
            self.shot = shot = next(load.shots)
            shot.sent += 1
            self.start(next(shot.variants), head=shot.head)
            self.intended_ns = self.sent_ns
        else:
            load.answered(self)

    def failed(self, kind: FailureKind, detail: str) -> None:  # noqa: ARG002 - the kind is counted
        """Count it; the user goes on over another connection."""
        self.record_failure(kind)
        self.load.disappointed(self, 0 if self.responses else self.failures)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the load's list."""
        super().connection_lost(exc)
        self.load.forget(self)


class ClosedLoad(Load):
    """Virtual users of a schedule.

    `asks_at_once` holds while users without think time may send; it is one attribute because it
    is read for every response.
    """

    def __init__(
        self,
        way: Way,
        shots: Sequence[Shot],
        order: Sequence[int],
        schedule: UserSchedule,
        *,
        think_time_s: float,
        user: type[User] = User,
    ) -> None:
        super().__init__(way, shots, order)
        self._user = user
        self._starts_ns = tuple(schedule.user_starts_ns())
        self._duration_s = schedule.duration_s
        self._think_time_s = think_time_s
        self._ready: list[User] = []
        self._users = 0
        self.asks_at_once = False

    @property
    def requested(self) -> int:
        """Those that went out, and those for which there was no connection."""
        return self.sent + self.offered

    @property
    def queued(self) -> Collection[object]:
        """Nobody waits for another's connection in the closed model."""
        return ()

    @property
    def users(self) -> int:
        """Users that have begun."""
        return self._users

    async def prepare(self) -> None:
        """Open the connections of the users who begin at once."""
        if not self.way.keep_alive:
            return
        at_once = sum(start_ns == 0 for start_ns in self._starts_ns)
        gate = asyncio.Semaphore(MAX_OPENING)

        async def open_one() -> None:
            async with gate:
                outcome = await self.way.open(lambda: self._user(self))
            if isinstance(outcome, User):
                self.connections.add(outcome)
                self._ready.append(outcome)

        await asyncio.gather(*(open_one() for _ in range(at_once)))

    def begin(self, origin_ns: int) -> None:
        """Let the users begin, each at its time."""
        self.running = True
        self.asks_at_once = self._think_time_s == 0
        now_ns = perf_counter_ns()
        self.loop.call_later((origin_ns - now_ns) / NS_PER_S + self._duration_s, self._end)
        for start_ns in self._starts_ns:
            wait_s = (origin_ns + start_ns - now_ns) / NS_PER_S
            self.loop.call_later(max(wait_s, 0), self._join)

    def _join(self) -> None:
        if not self.running:
            return
        self._users += 1
        ready = self._ready.pop() if self._ready else None
        if ready is not None and ready.reusable:
            self.ask(ready)
        else:
            intended_ns = None if self.way.keep_alive else perf_counter_ns()
            self.spawn(self._connect(intended_ns=intended_ns, failures=0))

    def wind_down(self) -> None:
        """Nobody asks again."""
        self._end()

    def _end(self) -> None:
        self.running = self.asks_at_once = False
        self.over = True
        self.finish_if_idle()

    def ask(self, user: User) -> None:
        """Send a user's next request, over another connection if it lost its own."""
        if self.running and user.reusable:
            user.fire(next(self.shots))
            user.intended_ns = user.sent_ns
            user.note_opening()
        elif self.running:  # the server closed the connection while the user thought
            self.spawn(self._connect(intended_ns=perf_counter_ns(), failures=0))

    def answered(self, user: User) -> None:
        """A user has an answer but does not ask again at once."""
        if not self.running:
            self.finish_if_idle()
        elif self._think_time_s > 0:
            due_ns = perf_counter_ns() + int(self._think_time_s * NS_PER_S)
            self.loop.call_later(self._think_time_s, self._ask_after_thinking, user, due_ns)
        else:
            self.spawn(self._connect(intended_ns=perf_counter_ns(), failures=0))

    def _ask_after_thinking(self, user: User, due_ns: int) -> None:
        self.send_lag.record(max(perf_counter_ns() - due_ns, 0))
        self.ask(user)

    def disappointed(self, user: User | None, failures: int) -> None:
        """A user's request failed: it tries again after a while."""
        if user is not None:
            self.forget(user)
        if not self.running:
            self.finish_if_idle()
            return
        wait_s = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
        self.loop.call_later(wait_s, self._retry, failures + 1)

    def _retry(self, failures: int) -> None:
        if self.running:
            self.spawn(self._connect(intended_ns=perf_counter_ns(), failures=failures))

    async def _connect(self, *, intended_ns: int | None, failures: int) -> None:
        """A new connection for a user, and its next request on it."""
        begun_ns = perf_counter_ns() if intended_ns is None else intended_ns
        outcome = await self.way.open(lambda: self._user(self, failures))
        if isinstance(outcome, User):
            self.connections.add(outcome)
            if not self.running:
                outcome.drop()
                return
            outcome.fire(next(self.shots))
            outcome.intended_ns = outcome.sent_ns if intended_ns is None else intended_ns
            outcome.note_opening()
            return
        if outcome.kind is FailureKind.EXHAUSTED:
            self.exhausted += 1
        elif self.running:
            next(self.shots).recorder.failure(begun_ns, perf_counter_ns(), outcome.kind)
            self.offered += 1
        self.disappointed(None, failures)
