"""A server that counts who asked for what, in a process of its own.

Its one argument is the address to listen on. It prints its port, and a line of JSON with the counts
by client, method and path for each line that it reads. Answers take a little while, each another
one; `/missing` is answered with 404.
"""

import asyncio
import json
import os
import sys
from collections import Counter, defaultdict

BODY = b'{"id":1}'
ANSWER = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" + BODY


class Server:
    """Counts when an answer is written."""

    def __init__(self) -> None:
        self.seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.times = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")[0]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(_length(head))
                method, path, _ = head.split(b" ", 2)
                self.times += 1
                await asyncio.sleep(self.times * 7 % 40 / 1_000)
                status = b"404 Not Found" if path == b"/missing" else b"200 OK"
                self.seen[client][f"{method.decode()} {path.decode()}"] += 1
                writer.write(ANSWER % (status, len(BODY)))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


async def main(address: str) -> None:
    counting = Server()
    server = await asyncio.start_server(counting.serve, address, 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the test learns it
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(counting.seen), flush=True)  # noqa: T201 - how the test learns of it
    os._exit(0)  # whoever is still being answered is gone


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
