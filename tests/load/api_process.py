"""A small API in a process of its own, so that its stalls and its clock are not the generator's.

The path says how a request is answered: `/ok` at once, `/close` with the connection's end, `/fail`
with 500, `/silent` never, `/die` by the end of the process, `/head` with a length and no body.

It obeys the lines of its standard input. `open`: it listens on a port that it prints. `seen`: it
stops listening there and prints what it saw since, as JSON. So one process serves many tests, each
on a port and with books of its own.
"""

import asyncio
import json
import sys
import time
from functools import partial

BODY = b'{"id":1}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
ANSWERS = {
    b"/ok": OK,
    b"/close": OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"),
    b"/fail": OK.replace(b"200 OK", b"500 Oops"),
    b"/head": OK.removesuffix(BODY),
}


class Seen:
    """What has arrived since one `open`."""

    def __init__(self) -> None:
        self.connections = 0
        self.open: set[asyncio.Transport] = set()
        self.paths: dict[str, int] = {}
        self.arrivals_ns: list[int] = []

    def as_json(self) -> str:
        return json.dumps(
            {
                "connections": self.connections,
                "paths": self.paths,
                "arrivals_ns": self.arrivals_ns,
            }
        )


class Answering(asyncio.Protocol):
    """Answers by path."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.seen.connections += 1
        self.seen.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.seen.open.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        *requests, self.rest = (self.rest + data).split(b"\r\n\r\n")
        for request in requests:
            self.seen.arrivals_ns.append(time.perf_counter_ns())
            target = request.split(b" ", 2)[1]
            text = target.decode()
            self.seen.paths[text] = self.seen.paths.get(text, 0) + 1
            path = target.split(b"?")[0]
            if path == b"/die":
                print(self.seen.as_json(), flush=True)  # noqa: T201 - how the test learns of it
                raise SystemExit
            answer = ANSWERS.get(path)
            if answer is not None:
                self.transport.write(answer)
            if path == b"/close":
                self.transport.close()


async def main(stall_s: float) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    stalls = asyncio.create_task(stalling(stall_s))
    async for order in orders:
        if order == b"open\n":
            seen = Seen()
            answering = partial(Answering, seen)
            server = await loop.create_server(answering, "127.0.0.1", 0, backlog=1024)
            print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - for the test
        else:
            server.close()
            for transport in tuple(seen.open):
                transport.abort()
            print(seen.as_json(), flush=True)  # noqa: T201 - for the test
    stalls.cancel()


async def stalling(stall_s: float) -> None:
    """Stalled from x.5 to x.5 + stall_s of every second: nothing is read, nothing accepted."""
    begun = time.monotonic()
    while stall_s:
        phase = (time.monotonic() - begun) % 1
        await asyncio.sleep((0.5 - phase) % 1)
        time.sleep(stall_s)  # noqa: ASYNC251 - blocking the loop is the point


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
