"""What both models of load share: connections, counts, and the end of the schedule."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Coroutine, Iterator, Sequence
from itertools import cycle
from time import perf_counter_ns
from typing import Any, Final

from withstand.client.exchange import FailureKind
from withstand.load.engine.shot import LoadConnection, Shot
from withstand.load.engine.way import Way
from withstand.load.script_record import ScriptRecord
from withstand.load.tally import Tally

NS_PER_S: Final = 1_000_000_000
MAX_OPENING: Final = 64  # connects under way at once, below the usual listen backlog of 128


class Load(ABC):
    """A load under way.

    It is `running` from `begin` until the schedule is `over`; `finished` is set when, after that,
    nothing is in flight. `due` counts the arrivals whose time had come when the schedule ended or
    was cut short, `dispatched` those that had been dealt with by then; `withdrawn` were still
    waiting to be sent when it was cut short.
    """

    def __init__(self, way: Way, shots: Sequence[Shot], order: Sequence[int]) -> None:
        self.way = way
        self.shots: Iterator[Shot] = cycle([shots[index] for index in order])
        self.recorders = {shot.recorder.operation: shot.recorder for shot in shots}
        self._all_shots = tuple(shots)
        self.loop = asyncio.get_running_loop()
        self.finished = asyncio.Event()
        self.send_lag = Tally()
        self.connections: set[LoadConnection] = set()
        self.running = False
        self.over = False
        self.over_ns: int | None = None
        self.offered = 0
        self.late = 0
        self.withdrawn = 0
        self.due = 0
        self.dispatched = 0
        self.exhausted = 0
        self.timeout_ns = int(way.timeout_s * NS_PER_S)
        self.error: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def sent(self) -> int:
        """Requests that went out."""
        return sum(shot.sent for shot in self._all_shots)

    def bytes_sent(self, operation: str) -> int:
        """What the requests of an operation amount to."""
        return sum(
            shot.bytes_sent for shot in self._all_shots if shot.recorder.operation == operation
        )

    @property
    def requested(self) -> int:
        """Requests that were due: in the open model one for each arrival."""
        return self.offered

    @property
    def script(self) -> ScriptRecord | None:
        """What became of the user script; None where there is none."""
        return None

    @property
    def in_flight(self) -> int:
        """Requests that were sent and have no end yet."""
        return sum(connection.in_flight for connection in self.connections)

    @property
    @abstractmethod
    def queued(self) -> Collection[object]:
        """Arrivals that wait for a connection."""

    @property
    @abstractmethod
    def spun_ns(self) -> int:
        """Processor time spent on nothing but waiting for the next moment of the schedule."""

    @property
    @abstractmethod
    def users(self) -> int | None:
        """Virtual users under way; None in the open model."""

    @abstractmethod
    async def prepare(self) -> None:
        """Open the connections that are known to be needed."""

    @abstractmethod
    def begin(self, origin_ns: int) -> None:
        """Start the schedule, whose zero is this reading of the clock."""

    @abstractmethod
    def wind_down(self) -> None:
        """End the schedule now. What was sent is awaited, nothing more is sent."""

    def count_overdue(self) -> None:  # noqa: B027 - only schedules have any
        """The run ends now: take account of arrivals that were due and not dealt with yet."""

    def sweep(self) -> None:
        """Give up what has lasted longer than the timeout, counted from its intended start."""
        now_ns = perf_counter_ns()
        for connection in tuple(self.connections):
            if connection.in_flight and now_ns - connection.intended_ns > self.timeout_ns:
                connection.give_up(FailureKind.TIMED_OUT, "no complete response in time")

    def forget(self, connection: LoadConnection) -> None:
        """The connection is closed."""
        self.connections.discard(connection)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the load; what it raises ends the run."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.error = error
            self.finished.set()

    def end_schedule(self) -> None:
        """Nothing is due any more: from here on the run only waits for answers."""
        self.running, self.over = False, True
        self.over_ns = perf_counter_ns()

    def finish_if_idle(self) -> None:
        """Set `finished` when the schedule is over and nothing is left to wait for."""
        if not self.over or any(connection.in_flight for connection in self.connections):
            return  # looked at first, as it takes no time while many are in flight
        if not self.queued:
            self.finished.set()

    async def close(self) -> None:
        """Drop every connection and whatever is under way."""
        self.running = False
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        # Before anything is waited for: the books are closed, and an answer that came now would be
        # counted twice, as itself and among the unanswered.
        self._drop_all()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._drop_all()

    def _drop_all(self) -> None:
        for connection in tuple(self.connections):
            connection.let_go()  # neither answered nor failed
