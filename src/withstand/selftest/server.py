"""The reference server: answers at once, stalls on a schedule, or answers after known delays.

A program of its own that imports nothing of the rest, so that what it says is not what the engine
says. It prints its port; when its standard input ends it writes what it saw as JSON.

    python -m withstand.selftest.server --log FILE
    python -m withstand.selftest.server --log FILE --stall-s 1 --every-s 5 --first-s 2
    python -m withstand.selftest.server --log FILE --median-ms 10 --sigma 0.7 --seed 1
"""

import argparse
import asyncio
import json
import math
import random
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns
from typing import Final, cast

BODY: Final = b'{"id":1,"email":"a@example.com","role":"user"}'
ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Connection: keep-alive\r\n\r\n%s" % (len(BODY), BODY)  # ab speaks HTTP/1.0 and must be told
)
END_OF_HEAD: Final = b"\r\n\r\n"  # requests are expected without a body
MAX_LOGGED: Final = 250_000  # times kept; counting never stops
BEAT_S: Final = 0.02
BACKLOG: Final = 4096


class Log:
    """What the server saw, by its own clock (the machine's monotonic one, in nanoseconds)."""

    def __init__(self) -> None:
        self.requests = 0
        self.arrivals_ns: list[int] = []
        self.delays_ns: list[int] = []  # from reading a request to writing its answer
        self.stalls_ns: list[tuple[int, int]] = []
        self.lateness_ns: list[int] = []  # how much too late the server itself woke up

    def arrived(self, requests: int) -> int:
        """Count requests that were just read; the time."""
        now_ns = perf_counter_ns()
        self.requests += requests
        if len(self.arrivals_ns) < MAX_LOGGED:
            self.arrivals_ns += [now_ns] * requests
        return now_ns

    def write(self, file: Path) -> None:
        """As JSON."""
        file.write_text(json.dumps(vars(self)))


class Answering(asyncio.Protocol):
    """One connection. `delay_s` draws how long an answer takes; None answers at once."""

    def __init__(
        self, log: Log, first: Callable[[], None], delay_s: Callable[[], float] | None
    ) -> None:
        self._log = log
        self._first = first
        self._delay_s = delay_s
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is here."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        *heads, self._rest = (self._rest + data).split(END_OF_HEAD)
        if not heads:
            return
        if not self._log.requests:
            self._first()
        now_ns = self._log.arrived(len(heads))
        if self._delay_s is None:
            self._transport.write(ANSWER * len(heads))
            return
        loop = asyncio.get_running_loop()
        for _ in heads:
            loop.call_later(self._delay_s(), self._answer, now_ns)

    def _answer(self, read_ns: int) -> None:
        self._log.delays_ns.append(perf_counter_ns() - read_ns)
        if not self._transport.is_closing():
            self._transport.write(ANSWER)


async def stall(log: Log, began_ns: int, first_s: float, every_s: float, stall_s: float) -> None:
    """Block the whole process on schedule: nothing is read, written or accepted."""
    due_ns = began_ns + round(first_s * 1e9)
    while True:
        await asyncio.sleep(max(0.0, (due_ns - perf_counter_ns()) / 1e9))
        from_ns = perf_counter_ns()
        time.sleep(max(0.0, (due_ns - from_ns) / 1e9 + stall_s))  # noqa: ASYNC251 - the point
        log.stalls_ns.append((from_ns, perf_counter_ns()))
        due_ns += round(every_s * 1e9)


async def beat(log: Log) -> None:
    """Sleep and see how late one wakes: the machine's part in what is measured."""
    while True:
        stalls, due_ns = len(log.stalls_ns), perf_counter_ns() + round(BEAT_S * 1e9)
        await asyncio.sleep(BEAT_S)
        late_ns = max(0, perf_counter_ns() - due_ns)
        if len(log.stalls_ns) == stalls and len(log.lateness_ns) < MAX_LOGGED:
            log.lateness_ns.append(late_ns)


async def serve(options: argparse.Namespace) -> Log:
    """Serve on a free port of the loopback interface until standard input ends."""
    loop = asyncio.get_running_loop()
    log, ended = Log(), asyncio.Event()
    tasks = [loop.create_task(beat(log))]

    def first() -> None:
        # The schedule begins with the first request, so that whole periods are loaded.
        if options.stall_s:
            schedule = (options.first_s, options.every_s, options.stall_s)
            tasks.append(loop.create_task(stall(log, perf_counter_ns(), *schedule)))

    draw = random.Random(options.seed)  # noqa: S311 - repeatable delays, no secrets
    mean = math.log(options.median_ms / 1e3) if options.median_ms else 0.0
    delay_s = (lambda: draw.lognormvariate(mean, options.sigma)) if options.median_ms else None
    server = await loop.create_server(
        lambda: Answering(log, first, delay_s), "127.0.0.1", 0, backlog=BACKLOG
    )

    def await_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=await_the_end, daemon=True).start()
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the port is learnt
    await ended.wait()
    for task in tasks:
        task.cancel()
    return log


def main() -> None:
    """Serve, then write the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--stall-s", type=float, default=0.0)
    parser.add_argument("--every-s", type=float, default=5.0)
    parser.add_argument("--first-s", type=float, default=2.0)
    parser.add_argument("--median-ms", type=float, default=0.0)
    parser.add_argument("--sigma", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        import uvloop
    except ImportError:  # Windows has none
        log = asyncio.run(serve(options))
    else:
        log = uvloop.run(serve(options))
    log.write(options.log)


if __name__ == "__main__":
    main()
