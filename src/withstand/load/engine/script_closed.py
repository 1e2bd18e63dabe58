"""Users of a script in the closed model: each repeats its iteration until it leaves."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from time import perf_counter_ns
from typing import Final

from withstand.load.engine.agenda import Agenda
from withstand.load.engine.base import NS_PER_S
from withstand.load.engine.closed import BACK_OFF_S
from withstand.load.engine.script_client import EngineClient
from withstand.load.engine.script_load import ScriptLoad
from withstand.load.engine.script_run import ScriptRun
from withstand.load.profile.profile import Stay, UserSchedule
from withstand.load.profile.rhythm import Iteration, Rhythm

# After the end every request has its timeout; what lasts longer is no request.
_GRACE_S: Final = 1.0


class ClosedUsers(ScriptLoad):
    """The virtual users of a schedule, each a Task with connections of its own.

    Users who leave, and all of them when the run ends, stop where they are: requests in flight are
    waited for, and the rest of the iteration is left out. What was due of a paced user by then and
    had not begun counts as withdrawn.
    """

    def __init__(self, run: ScriptRun, schedule: UserSchedule) -> None:
        super().__init__(run.scene.way, (), ())
        self._run = run
        self._schedule = schedule
        self._rhythm = schedule.rhythm
        self._stays = tuple(schedule.stays())
        self._agenda = Agenda()
        self._origin_ns = 0
        self._clients: list[EngineClient] = []
        self._ready: list[EngineClient] = []
        self._kinds = run.script.kinds(schedule)
        self._due_ns: dict[EngineClient, int] = {}  # of those who keep time: the next iteration
        self._alive = 0
        run.ended, run.broken = self._end, self._break
        run.scene.exhausted = self._exhaust
        self.recorders = run.scene.operations.recorders

    @property
    def queued(self) -> Collection[object]:
        """Iterations that are due while their users are busy with the one before."""
        rhythm = self._rhythm
        if rhythm is None or self.over:
            return ()
        now_ns = perf_counter_ns()
        overdue: list[object] = []
        for client, due_ns in self._due_ns.items():
            overdue += [client] * ((now_ns - due_ns) // rhythm.period_ns + 1)
        return overdue

    @property
    def spun_ns(self) -> int:
        """How long the users' timer spun."""
        return self._agenda.spun_ns

    @property
    def users(self) -> int:
        """Users under way."""
        return self._alive

    async def prepare(self) -> None:
        """Open the connections of the users who begin at once."""
        await self._run.before()
        at_once = sum(stay.begin_ns == 0 for stay in self._stays)
        self._ready = [self._new() for _ in range(at_once)]
        await asyncio.gather(*(client.connect_ahead() for client in self._ready))
        self._ready.reverse()

    def begin(self, origin_ns: int) -> None:
        """Let the users begin, each at its time."""
        self.running = True
        self._origin_ns = origin_ns
        self._run.begin(origin_ns)
        for stay in self._stays:
            self._agenda.at(origin_ns + stay.begin_ns, self._join, stay)
        self._agenda.at(origin_ns + self._duration_ns, self._end)

    def sweep(self) -> None:
        """Give up what has lasted longer than its timeout."""
        self._run.sweep()

    def wind_down(self) -> None:
        """Users stop where they are."""
        self._end()

    async def close(self) -> None:
        """Stop everybody, and let them do what they do at the end."""
        self.running = False
        self._agenda.close()
        await self._run.tear_down(self._clients)
        await self._run.after()
        self.connections.update(self._run.scene.connections)
        await super().close()

    @property
    def _duration_ns(self) -> int:
        return int(self._schedule.duration_s * NS_PER_S)

    def _new(self) -> EngineClient:
        number, kind = next(self._kinds)
        client = EngineClient(self._run.scene, number, kind)
        self._clients.append(client)
        return client

    def _join(self, stay: Stay) -> None:
        if not self.running:
            return
        client = self._ready.pop() if self._ready else self._new()
        self._alive += 1
        client.task = self.loop.create_task(self._live(client, stay))
        client.task.add_done_callback(partial(self._left, client))
        if stay.end_ns < self._duration_ns:
            end_ns = self._origin_ns + stay.end_ns
            self._agenda.at(end_ns, partial(self._leave, end_ns), client)

    async def _live(self, client: EngineClient, stay: Stay) -> None:
        run, kind = self._run, client.kind
        assert kind is not None
        failures = 0
        while not await run.set_up(client):
            failures = await _back_off(failures)
        visit, failures = run.visit(kind), 0
        due_ns = turn = 0
        rhythm = self._rhythm
        if rhythm is not None:
            phase = self._schedule.phase(stay.number)
            due_ns = rhythm.first_ns(begin_ns=stay.begin_ns, phase=phase)
        while True:
            if rhythm is not None:
                await self._turn(client, self._origin_ns + due_ns, rhythm)
            # `ScriptRun.iterate`, written out: a coroutine less for each iteration.
            asked = client.asked
            try:
                await visit(client)
            except (Exception, SystemExit) as error:
                failures = 0 if run.cut_short(client, error) else await _back_off(failures)
            else:
                run.iterations += 1
                if client.asked == asked:
                    await run.rest(client)
                failures = 0
            if rhythm is not None:
                turn += 1
                ended_ns = perf_counter_ns() - self._origin_ns
                due_ns = rhythm.next_ns(
                    Iteration(user=stay.number, turn=turn, due_ns=due_ns, ended_ns=ended_ns)
                )

    async def _turn(self, client: EngineClient, due_ns: int, rhythm: Rhythm) -> None:
        """Wait until an iteration is due; one that keeps time and is late begins at once."""
        now_ns = perf_counter_ns()
        if due_ns > now_ns:
            if rhythm.keeps_time:
                self._due_ns[client] = due_ns
            waked = self.loop.create_future()
            self._agenda.at(due_ns, _wake, waked)
            await waked
            now_ns = perf_counter_ns()
            self.send_lag.record(now_ns - due_ns)
        elif rhythm.keeps_time:
            self.late += 1
        if rhythm.keeps_time:
            client.arrive(now_ns - due_ns)
            self._due_ns[client] = due_ns + rhythm.period_ns

    def _leave(self, end_ns: int, client: EngineClient) -> None:
        self._withdraw(client, end_ns)
        client.leave()

    def _withdraw(self, client: EngineClient, end_ns: int) -> None:
        """The user begins no further iteration, not even one that was due before this time."""
        due_ns = self._due_ns.pop(client, None)
        if due_ns is not None and self._rhythm is not None:
            self.withdrawn += max((end_ns - 1 - due_ns) // self._rhythm.period_ns + 1, 0)

    def _end(self, _: None = None) -> None:
        if self.over:
            return
        end_ns = min(perf_counter_ns(), self._origin_ns + self._duration_ns)
        for client in tuple(self._due_ns):
            self._withdraw(client, end_ns)
        self.end_schedule()
        for client in tuple(self._clients):
            client.leave()
        self.loop.call_later(self.way.timeout_s + _GRACE_S, self.finished.set)
        self.finish_if_idle()

    def _left(self, client: EngineClient, task: asyncio.Task[None]) -> None:
        self._alive -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)
        if self.running:
            with suppress(ValueError):
                self._clients.remove(client)
            self.spawn(self._run.say_goodbye(client))
        self.finish_if_idle()

    def finish_if_idle(self) -> None:
        """Set `finished` when the schedule is over and every user has stopped."""
        if self.over and not self._alive:
            self.finished.set()


def _wake(waked: "asyncio.Future[None]") -> None:
    if not waked.done():  # the user has left
        waked.set_result(None)


async def _back_off(failures: int) -> int:
    """Wait, longer after each failure in a row; the number of them from here on."""
    await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
    return failures + 1
