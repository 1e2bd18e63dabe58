"""What all clients of a running script share: the way to the target, the counts, the open ends."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from withstand.client.exchange import Headers
from withstand.client.identity import Credential
from withstand.client.wire_format import forwarded_headers
from withstand.load.engine.base import MAX_OPENING, NS_PER_S
from withstand.load.engine.script_connection import ScriptConnection
from withstand.load.engine.way import Way
from withstand.load.script.operations import Operations


class Scene:
    """The surroundings of the clients of one run.

    `exhausted` is called when this machine had no descriptor or port for a connection. `opening`
    counts the requests that wait for a connection, `unsent` those that failed for want of one, and
    `reopening` those that were sent, on a connection that had gone stale, and wait for another.
    `shared` is what `before_run` gave back.
    """

    __slots__ = (
        "connections",
        "credentials",
        "default_headers",
        "draw",
        "exhausted",
        "gate",
        "loop",
        "opening",
        "operations",
        "reopening",
        "shared",
        "timeout_ns",
        "unsent",
        "way",
    )

    def __init__(
        self, way: Way, operations: Operations, credentials: Mapping[str, Credential]
    ) -> None:
        self.way = way
        self.operations = operations
        self.credentials = credentials
        self.shared: Any = None
        self.loop = asyncio.get_running_loop()
        self.timeout_ns = int(way.timeout_s * NS_PER_S)
        self.connections: set[ScriptConnection] = set()
        self.gate = asyncio.Semaphore(MAX_OPENING)
        self.opening = 0
        self.reopening = 0
        self.unsent = 0
        self.draw = random.Random(1)  # noqa: S311 - think times, no secrets
        self.default_headers: Headers = (
            ("Host", way.target.authority),
            ("User-Agent", "withstand"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            *forwarded_headers(way.target),
        )
        self.exhausted: Callable[[], None] = lambda: None

    @property
    def in_flight(self) -> int:
        """Requests without an end yet."""
        in_flight = sum(connection.in_flight for connection in self.connections)
        return in_flight + self.opening + self.reopening

    def drop_measured(self) -> None:
        """Drop the connections whose requests are measured: nobody waits for them any more.

        Those of users who already say goodbye, and those at rest, stay as they are.
        """
        recorders = self.operations.recorders
        for connection in tuple(self.connections):
            if not connection.in_flight:
                continue
            recorder = connection.ticket.count.recorder
            if recorders.get(recorder.operation) is recorder:
                connection.let_go()  # neither answered nor failed
