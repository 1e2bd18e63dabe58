"""The load engine in virtual time: hours pass in seconds, and every figure can be repeated.

`VirtualLoop` is an event loop whose clock stands still while code runs and jumps to the next timer
when there is nothing left to do. It connects to a `Station`, a server of known service times,
instead of to a socket. `in_virtual_time` puts the loop's clock and timer where the engine and the
connections read the time; the code that runs is the engine's own, to the last line.
"""

import asyncio
import heapq
import socket
import sys
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any, TypeVar

import pytest

from withstand.client.exchange import Request
from withstand.client.target import Target
from withstand.load.scenario.scenario import Scenario, scenario_from_requests

T = TypeVar("T")
TARGET = Target(scheme="http", host="127.0.0.1", port=80)
NS_PER_S = 1_000_000_000
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def scenario() -> Scenario:
    return scenario_from_requests([("GET /", Request(method="GET", path="/"))], TARGET)


class Station:
    """A server in the sense of queueing theory: first come, first served, by `servers` at once.

    `service_ns` gives each request's service time. `stalled` gives, for a moment of the run, when
    the stall that holds everything up then is over; the moment itself when there is none.
    """

    def __init__(
        self,
        service_ns: Callable[[], int],
        *,
        servers: int = 1,
        stalled: Callable[[int], int] = lambda now_ns: now_ns,
    ) -> None:
        self._service_ns = service_ns
        self._free_ns = [0] * servers
        self._stalled = stalled
        self.arrivals_ns: list[int] = []

    def ends_ns(self, now_ns: int) -> int:
        """When a request that comes now is answered."""
        self.arrivals_ns.append(now_ns)
        begin_ns = self._stalled(max(now_ns, self._free_ns[0]))
        end_ns = begin_ns + self._service_ns()
        heapq.heapreplace(self._free_ns, end_ns)
        return self._stalled(end_ns)


class _Transport(asyncio.Transport):
    def __init__(self, loop: "VirtualLoop", protocol: Any) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._open = True

    def write(self, data: Any) -> None:
        if self._open:
            self._loop.at_ns(self._loop.station.ends_ns(self._loop.now_ns), self._answer)

    def _answer(self) -> None:
        if self._open:
            self._protocol.data_received(_ANSWER)

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._loop.at_ns(self._loop.now_ns, lambda: self._protocol.connection_lost(None))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return (TARGET.host, TARGET.port) if name == "peername" else default


class VirtualTimer:
    """The engine's timer on the virtual clock: exact to the nanosecond."""

    spun_ns = 0

    def __init__(self, callback: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._loop = loop
        self._callback = callback
        self._setting = 0

    def set(self, at_ns: int) -> None:
        self._setting += 1
        setting = self._setting
        self._loop.at_ns(at_ns, lambda: self._callback() if setting == self._setting else None)

    def close(self) -> None:
        self._setting += 1


class VirtualLoop(asyncio.AbstractEventLoop):
    """Just what the engine asks of an event loop."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.now_ns = NS_PER_S
        self._agenda: list[tuple[int, int, Callable[[], object]]] = []
        self._order = count()

    def at_ns(self, at_ns: int, callback: Callable[[], object]) -> None:
        heapq.heappush(self._agenda, (max(at_ns, self.now_ns), next(self._order), callback))

    def run_until_complete(self, future: Any) -> Any:
        asyncio._set_running_loop(self)
        try:
            task = asyncio.ensure_future(future, loop=self)
            while not task.done():
                at_ns, _, callback = heapq.heappop(self._agenda)
                self.now_ns = max(self.now_ns, at_ns)  # code may have moved the clock on by itself
                callback()
            return task.result()
        finally:
            asyncio._set_running_loop(None)

    def time(self) -> float:
        return self.now_ns / NS_PER_S

    def call_soon(  # type: ignore[override] # typed less finely
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        return self._enter(self.now_ns, asyncio.Handle(callback, args, self, context))

    def call_later(  # type: ignore[override] # typed less finely
        self, delay: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override] # typed less finely
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._enter(round(when * NS_PER_S), handle)
        return handle

    def _enter(self, at_ns: int, handle: asyncio.Handle) -> asyncio.Handle:
        self.at_ns(at_ns, lambda: None if handle.cancelled() else handle._run())
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # it is skipped when its time comes

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        return asyncio.Task(coro, loop=self, **kwargs)

    def create_future(self) -> Any:
        return asyncio.Future(loop=self)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        raise AssertionError(context)

    def get_debug(self) -> bool:
        return False

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    async def create_connection(  # type: ignore[override] # typed less finely
        self, factory: Any, *_: Any, **__: Any
    ) -> Any:
        protocol = factory()
        transport = _Transport(self, protocol)
        protocol.connection_made(transport)
        return transport, protocol


def in_virtual_time(
    monkeypatch: pytest.MonkeyPatch, station: Station, work: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    """What the work gives, run on a loop of its own with `station` behind every connection."""
    loop = VirtualLoop(station)  # type: ignore[abstract] # the engine asks for no more
    with monkeypatch.context() as patch:
        for name, module in tuple(sys.modules.items()):
            if name.startswith("withstand.") and hasattr(module, "perf_counter_ns"):
                patch.setattr(module, "perf_counter_ns", lambda: loop.now_ns)
            if name.startswith("withstand.load.engine.") and hasattr(module, "open_timer"):
                patch.setattr(module, "open_timer", VirtualTimer)
        result: T = loop.run_until_complete(work())
    return result
