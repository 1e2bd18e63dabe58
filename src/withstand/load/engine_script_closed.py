"""Users of a script in the closed model: each repeats its iteration until the run ends."""

import asyncio
from collections.abc import Collection, Sequence
from time import perf_counter_ns
from typing import Final

from withstand.load.engine_base import NS_PER_S, Load
from withstand.load.engine_closed import BACK_OFF_S
from withstand.load.engine_script_client import EngineClient
from withstand.load.engine_script_run import ScriptRun
from withstand.load.profile import UserSchedule
from withstand.load.script_record import ScriptRecord

# After the end every request has its timeout; what lasts longer is no request.
_GRACE_S: Final = 1.0


class ClosedUsers(Load):
    """The virtual users of a schedule, each a Task with connections of its own.

    When the run ends, users stop where they are: requests in flight are waited for, and the rest
    of the iteration is left out.
    """

    def __init__(self, run: ScriptRun, schedule: UserSchedule, *, think_time_s: float) -> None:
        super().__init__(run.scene.way, (), ())
        self._run = run
        self._starts_ns: Sequence[int] = tuple(schedule.user_starts_ns())
        self._duration_s = schedule.duration_s
        self._think_time_s = think_time_s
        self._clients: list[EngineClient] = []
        self._ready: list[EngineClient] = []
        self._kinds = run.script.kinds(schedule)
        self._alive = 0
        run.ended, run.broken = self._end, self._break
        run.scene.exhausted = self._exhaust
        self.recorders = run.scene.operations.recorders

    @property
    def sent(self) -> int:
        """Requests that went out."""
        return self._run.scene.operations.sent

    def bytes_sent(self, operation: str) -> int:
        """What the requests of an operation amount to."""
        return self._run.scene.operations.bytes_sent(operation)

    @property
    def requested(self) -> int:
        """Requests that the users wanted to make."""
        return self.sent + self._run.scene.unsent + self._run.scene.opening

    @property
    def in_flight(self) -> int:
        """Requests without an end yet."""
        return self._run.scene.in_flight

    @property
    def queued(self) -> Collection[object]:
        """Nobody waits for another in the closed model."""
        return ()

    @property
    def users(self) -> int:
        """Users under way."""
        return self._alive

    @property
    def script(self) -> ScriptRecord:
        """What became of the script."""
        return self._run.record()

    async def prepare(self) -> None:
        """Open the connections of the users who begin at once."""
        await self._run.before()
        at_once = sum(start_ns == 0 for start_ns in self._starts_ns)
        self._ready = [self._new() for _ in range(at_once)]
        await asyncio.gather(*(client.connect_ahead() for client in self._ready))
        self._ready.reverse()

    def begin(self, origin_ns: int) -> None:
        """Let the users begin, each at its time."""
        self.running = True
        self._run.begin(origin_ns)
        now_ns = perf_counter_ns()
        self.loop.call_later((origin_ns - now_ns) / NS_PER_S + self._duration_s, self._end)
        for start_ns in self._starts_ns:
            wait_s = (origin_ns + start_ns - now_ns) / NS_PER_S
            self.loop.call_later(max(wait_s, 0), self._join)

    def sweep(self) -> None:
        """Give up what has lasted longer than its timeout."""
        self._run.sweep()

    def wind_down(self) -> None:
        """Users stop where they are."""
        self._end()

    async def close(self) -> None:
        """Stop everybody, and let them do what they do at the end."""
        self.running = False
        await self._run.tear_down(self._clients)
        await self._run.after()
        self.connections.update(self._run.scene.connections)
        await super().close()

    def _new(self) -> EngineClient:
        number, kind = next(self._kinds)
        client = EngineClient(self._run.scene, number, kind)
        self._clients.append(client)
        return client

    def _join(self) -> None:
        if not self.running:
            return
        client = self._ready.pop() if self._ready else self._new()
        self._alive += 1
        client.task = self.loop.create_task(self._live(client))
        client.task.add_done_callback(self._left)

    async def _live(self, client: EngineClient) -> None:
        run, kind = self._run, client.kind
        assert kind is not None
        failures = 0
        while not await run.set_up(client):
            failures = await _back_off(failures)
        visit, failures = run.visit(kind), 0
        while True:
            # `ScriptRun.iterate`, written out: a coroutine less for each iteration.
            asked = client.asked
            try:
                await visit(client)
            except (Exception, SystemExit) as error:
                if not run.cut_short(client, error):
                    failures = await _back_off(failures)
                    continue
            else:
                run.iterations += 1
                if client.asked == asked:
                    await run.rest(client)
            failures = 0
            if self._think_time_s:
                due_ns = perf_counter_ns() + int(self._think_time_s * NS_PER_S)
                await asyncio.sleep(self._think_time_s)
                self.send_lag.record(max(perf_counter_ns() - due_ns, 0))

    def _end(self) -> None:
        if self.over:
            return
        self.running, self.over = False, True
        for client in self._clients:
            client.leave()
        self.loop.call_later(self.way.timeout_s + _GRACE_S, self.finished.set)
        self.finish_if_idle()

    def _left(self, task: asyncio.Task[None]) -> None:
        self._alive -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)
        self.finish_if_idle()

    def finish_if_idle(self) -> None:
        """Set `finished` when the schedule is over and every user has stopped."""
        if self.over and not self._alive:
            self.finished.set()

    def _break(self, error: BaseException) -> None:
        self.error = self.error or error
        self.finished.set()

    def _exhaust(self) -> None:
        self.exhausted += 1


async def _back_off(failures: int) -> int:
    """Wait, longer after each failure in a row; the number of them from here on."""
    await asyncio.sleep(BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)])
    return failures + 1
