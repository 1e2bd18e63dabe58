"""The pipe to the `withstand` that started this process: a line of JSON for each piece of news."""

import json
import os
import signal
from typing import Any

from gevent.lock import RLock
from gevent.os import make_nonblocking, nb_write

from withstand.load.codec import measurement_text
from withstand.load.measurement import LoadMeasurement


class Parent:
    """Is told, and never waited for longer than the pipe takes."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._turn = (
            RLock()
        )  # a full pipe lets others go on, and a line is not to be cut by another
        os.set_inheritable(pipe, False)
        make_nonblocking(pipe)

    def tell(
        self,
        run: int,
        environment: Any,
        snapshot: LoadMeasurement,
        *,
        host: str | None,
        run_time_s: float | None,
    ) -> None:
        """Hand on how far the run is, and what changed since the last time."""
        news = {
            "run": run,
            "users": environment.runner.user_count,
            "completed": environment.stats.num_requests,
            "errors": environment.stats.num_failures,
            "host": host,
            "run_time_s": run_time_s,
            "snapshot": measurement_text(snapshot),
        }
        self._send(json.dumps(news, separators=(",", ":")))

    def end(self, exit_code: int | None) -> None:
        """The last word; `exit_code` is what the locustfile itself set, if it did."""
        self._send(json.dumps({"end": True, "exit_code": exit_code}))

    def _send(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        try:
            with self._turn:
                while rest:
                    rest = rest[nb_write(self._pipe, rest) :]
        except OSError:  # it is gone, and nobody is left who would end the load
            os.kill(os.getpid(), signal.SIGTERM)
