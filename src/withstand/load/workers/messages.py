"""What the processes of one load say to each other, and how it travels between them.

Both ends are this program, started by itself and joined by a socket pair that nobody else can
reach: so a message is a pickle, which would be no way to talk to strangers.
"""

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from withstand.load.measurement import LoadMeasurement
from withstand.load.progress import Progress

Generator = Callable[..., Coroutine[Any, Any, LoadMeasurement]]
"""A load that waits to be run: `run_load` and what it sends, as a `functools.partial`.

It is called with `observer`, `stop`, `wind_down`, `start` and `report` by name (and with the probe,
when it is alone). To run in a process of its own it must be one that can be pickled: whatever
cannot be, such as a user's own functions, it has to load when it is called.
"""

_LENGTH_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """To a worker, first of all: what it is to send."""

    generator: Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """From a worker: its connections are open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """To a worker: this reading of `time.perf_counter_ns` is the schedule's zero."""

    origin_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """To a worker: end at once with what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindDown:
    """To a worker: end the schedule, and wait for the answers to what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """From a worker: what it counted since its last report, as a journal takes it in."""

    snapshot: LoadMeasurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """From a worker: how far it is."""

    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """From a worker, last of all: everything is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """From a worker, last of all: the error that ended it."""

    error: Exception


Message = Work | Ready | Begin | Stop | WindDown | Report | Progressed | Finished | Broke


def packed(message: Message) -> bytes:
    """The bytes that `received` reads."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


async def received(reader: asyncio.StreamReader) -> Message | None:
    """The next message; None when the other end is gone."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        data = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    message: Message = pickle.loads(data)  # noqa: S301 - from our own process, see above
    return message
