"""A Locust in a process of its own, and what it reports while it runs.

Importing Locust patches sockets, threads and time in the whole process, so that nothing of it may
ever be imported here (docs/decisions/0002-locust-only-in-a-child-process.md). What it measured
comes through a pipe, a line of JSON about once a second: so whatever was reported outlives it.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final

from withstand.load.codec import read_measurement
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement

_READ_BYTES: Final = 1 << 16
_FAREWELL_S: Final = 30.0
_MODULE: Final = "withstand.locust"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """How far the test is, and what changed since the news before. `run` counts the tests of one
    Locust, whose web UI can start several; `host` is what it sends to, if it is one.
    """

    run: int
    users: int
    completed: int
    errors: int
    host: str | None
    run_time_s: float | None
    snapshot: LoadMeasurement


@dataclass(slots=True, kw_only=True)
class Told:
    """All that a Locust said. `exit_code` is its process's, None where a signal ended it;
    `own_code` what its locustfile asked for. Without `is_whole` it did not live to say its last
    word.
    """

    journal: Journal = field(default_factory=Journal)
    last: News | None = None
    exit_code: int | None = None
    own_code: int | None = None
    is_whole: bool = False
    interrupted: bool = False


def run_locust(
    arguments: Sequence[str],
    *,
    relay: Callable[[str, bytes], None] | None,
    heard: Callable[[News], None],
    tables: bool = True,
) -> Told:
    """Run it to its end; without `tables` Locust does not print its own.

    `relay` is given what it prints, with the name of the stream; without it Locust has the terminal
    to itself. Ctrl-C ends the test as it does under Locust, a second one ends Locust itself.
    """
    reading, writing = os.pipe()
    environment = dict(os.environ)
    if not tables:
        environment["WITHSTAND_WITHOUT_TABLES"] = "1"
    captured = subprocess.PIPE if relay is not None else None
    process = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", _MODULE, *arguments, "--withstand-pipe", str(writing)],
        pass_fds=(writing,),
        env=environment,
        stdin=subprocess.DEVNULL if relay is not None else None,
        stdout=captured,
        stderr=captured,
        start_new_session=relay is not None,
    )
    os.close(writing)
    told = Told()
    with _handing_on(process, told, forward=relay is not None or not _terminal_tells_both()):
        _listen(process, reading, told, relay, heard)
        code = process.wait()
    os.close(reading)
    told.exit_code = code if code >= 0 else None
    return told


def _listen(
    process: "subprocess.Popen[bytes]",
    reading: int,
    told: Told,
    relay: Callable[[str, bytes], None] | None,
    heard: Callable[[News], None],
) -> None:
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ, "news")
        streams: dict[str, IO[bytes] | None] = {"stdout": process.stdout, "stderr": process.stderr}
        for name, stream in streams.items():
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, _READ_BYTES)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.data == "news":
                    *lines, pending = (pending + data).split(b"\n")
                    for line in lines:
                        _take(json.loads(line), told, heard)
                elif relay is not None:
                    relay(key.data, data)


def _take(line: dict[str, Any], told: Told, heard: Callable[[News], None]) -> None:
    if "end" in line:
        told.is_whole, told.own_code = True, line["exit_code"]
        return
    news = News(
        run=line["run"],
        users=line["users"],
        completed=line["completed"],
        errors=line["errors"],
        host=line["host"],
        run_time_s=line["run_time_s"],
        snapshot=read_measurement(line["snapshot"], source="Locust"),
    )
    if told.last is not None and told.last.run != news.run:
        told.journal = Journal()
    told.journal.apply(news.snapshot)
    told.last = news
    heard(news)


def _terminal_tells_both() -> bool:
    """Whether Ctrl-C reaches all processes of this group at once, from a terminal they share."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:  # there is none
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


@contextmanager
def _handing_on(process: "subprocess.Popen[bytes]", told: Told, *, forward: bool) -> Iterator[None]:
    """Hand on the signals that end a test; the process does not outlive the block."""

    def hand_on(number: int, _: object) -> None:
        if told.interrupted:
            process.kill()
        elif forward or number == signal.SIGTERM:
            process.send_signal(signal.SIGTERM)  # on which Locust ends the test in good order
        told.interrupted = True

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, hand_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_FAREWELL_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
