"""The live view of a load on a terminal: drawn by a process of its own, stopped by a key.

Drawing takes milliseconds, which the engine's schedule has not, and a thread would share the
interpreter with it. So the view is a fork of this process, made before the load begins: the engine
hands it what it knows and never waits for it. It also outlives the engine, whatever becomes of
that, and so leaves the terminal as it was.
"""

import os
import pickle
import select
import signal
import socket
import sys
import termios
import time
import tty
from collections import deque
from types import TracebackType
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from withstand.cli.progress import ProgressLine, drawable
from withstand.load.measurement import LoadMeasurement
from withstand.load.progress import Progress
from withstand.report.live_screen import draw
from withstand.report.live_tally import LiveTally
from withstand.slo import Outlook

_DRAW_EVERY_S: Final = 0.5
_BUFFER_BYTES: Final = 4_000_000  # a snapshot of hundreds of operations
_LENGTH_BYTES: Final = 4
_READ_BYTES: Final = 1 << 16


def shown_load(*, quiet: bool) -> "LiveView | ProgressLine":
    """What shows a load: the live view where it can be drawn, else lines, or nothing."""
    console = Console(file=sys.stderr)
    if drawable(console) and not quiet:
        return LiveView(console)
    return ProgressLine(quiet=quiet)


class LiveView:
    """Shows a load while it runs. As a context manager it leaves the terminal as it was."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waiting: deque[bytes] = deque()
        self._wire: socket.socket | None = None
        self._child = 0

    def __enter__(self) -> "LiveView":
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        self._child = os.fork()
        if self._child == 0:
            ours.close()
            _be_the_view(self._console, theirs)
        theirs.close()
        ours.setblocking(False)
        self._wire = ours
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._wire is not None:
            self._wire.close()
        os.waitpid(self._child, 0)

    def load(self, progress: Progress) -> None:
        """Hands on how far the load is."""
        self._send(progress)

    def watch(self, snapshot: LoadMeasurement, outlooks: tuple[Outlook, ...]) -> None:
        """Hands on a snapshot, and how the objectives stand with it."""
        self._send((snapshot, outlooks))

    def _send(self, news: object) -> None:
        if self._wire is None:
            return
        data = pickle.dumps(news, pickle.HIGHEST_PROTOCOL)
        self._waiting.append(len(data).to_bytes(_LENGTH_BYTES) + data)
        try:
            while self._waiting:
                sent = self._wire.send(self._waiting[0])
                rest = self._waiting.popleft()[sent:]
                if rest:
                    self._waiting.appendleft(rest)
        except BlockingIOError:
            return  # it is busy drawing; next time
        except OSError:  # the view is gone, which is no reason to stop the load
            self._wire.close()
            self._wire = None


def _be_the_view(console: Console, wire: socket.socket) -> None:
    """The life of the child; it never returns."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the load, whose end is ours
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        with Keyboard() as keyboard:
            Screen(console, wire, keyboard).show()
    finally:
        os._exit(0)  # what else the parent has begun is not the child's to finish


class Screen:
    """Draws what arrives until nothing more can."""

    def __init__(self, console: Console, wire: socket.socket, keyboard: "Keyboard") -> None:
        self._console = console
        self._wire = wire
        self._keyboard = keyboard
        self._tally = LiveTally()
        self._progress: Progress | None = None
        self._outlooks: tuple[Outlook, ...] = ()
        self._data = bytearray()

    def show(self) -> None:
        """Until the load is over."""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            due_s = 0.0
            while True:
                if (now_s := time.monotonic()) >= due_s:
                    due_s = now_s + _DRAW_EVERY_S
                    live.update(self._drawn(), refresh=True)
                sources: list[Any] = [self._wire, *self._keyboard.files]
                ready, _, _ = select.select(sources, [], [], max(due_s - now_s, 0.0))
                if self._wire in ready and not self._read():
                    return
                if len(ready) > (self._wire in ready) and self._keyboard.key() == "q":
                    os.kill(os.getppid(), signal.SIGINT)  # as Ctrl-C: there is one way to stop

    def _read(self) -> bool:
        """Take in what has arrived; False when the load is over."""
        data = self._wire.recv(_READ_BYTES)
        self._data += data
        while len(self._data) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._data[:_LENGTH_BYTES])
            if len(self._data) < end:
                break
            news = pickle.loads(self._data[_LENGTH_BYTES:end])  # noqa: S301 - our own parent's
            del self._data[:end]
            if isinstance(news, Progress):
                self._progress = news
                self._tally.rates.append(news.rate_per_s)
            else:
                snapshot, self._outlooks = news
                self._tally.take(snapshot)
        return bool(data)

    def _drawn(self) -> Any:
        if self._progress is None:
            return Text("preparing the requests", style="dim")
        return draw(
            self._progress,
            self._tally,
            self._outlooks,
            width=self._console.size.width,
            height=self._console.size.height,
            keys=bool(self._keyboard.files),
        )


class Keyboard:
    """Single keys from the terminal, without echo, where there is one to read from."""

    def __init__(self) -> None:
        self.files: list[int] = []
        self._mode: list[Any] = []

    def __enter__(self) -> "Keyboard":
        file = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
        # Reading would stop a job in the background.
        if os.isatty(file) and os.getpgrp() == os.tcgetpgrp(file):
            self._mode = termios.tcgetattr(file)
            tty.setcbreak(file, termios.TCSADRAIN)
            self.files = [file]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self.files:
            termios.tcsetattr(file, termios.TCSADRAIN, self._mode)

    def key(self) -> str:
        """The key that was pressed; empty when the terminal is gone."""
        data = os.read(self.files[0], 1)
        if not data:
            self.files = []
        return data.decode("latin-1")
