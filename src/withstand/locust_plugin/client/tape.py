"""What came over a connection, to be heard again by another client.

Locust's own clients know best what to make of an answer that is not plain: a redirect, a cookie, a
connection that broke half-way. They are given what came as if it came to them just now, and say so
in their own words: the same exception, the same response, the same event.
"""

import io
from collections.abc import Iterable
from typing import Any

from withstand.locust_plugin.client.reader import MalformedError


class Tape:
    """Stands in for a connected socket: swallows what is sent, gives what was received, and then
    raises `error`, or says that the connection is closed where that is None. After an answer that
    our own reader did not understand it goes on with the connection itself.
    """

    def __init__(self, received: Iterable[bytes], error: Exception | None = None) -> None:
        self._rest = b"".join(received)
        self._error = error
        self._is_closed = False
        self._file: _RawTape | None = None

    def recv(self, size: int, *_: object) -> bytes:
        """The next bytes."""
        data, self._rest = self._rest[:size], self._rest[size:]
        if not data and isinstance(self._error, MalformedError):
            more: bytes = self._error.rest.recv(size)
            return more
        if not data and self._error is not None:
            raise self._error
        return data

    def recv_into(self, buffer: Any, size: int = 0, *_: object) -> int:
        """The next bytes, into a buffer; how many."""
        data = self.recv(min(size or len(buffer), len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def sendall(self, data: object, *_: object) -> None:
        """It was sent before."""

    def sendfile(self, *_: object, **__: object) -> int:
        """It was sent before."""
        return 0

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """What was received, as a file."""
        self._file = _RawTape(self)
        return io.BufferedReader(self._file)

    def fileno(self) -> int:
        """There is none."""
        return -1

    def settimeout(self, seconds: float | None) -> None:
        """Nothing is waited for."""

    def gettimeout(self) -> float | None:
        """Nothing is waited for."""
        return None

    def setsockopt(self, *_: object) -> None:
        """There is no socket."""

    def shutdown(self, how: int) -> None:
        """There is no socket."""

    def close(self) -> None:
        """Close the connection, if it is open still and no file of it is."""
        self._is_closed = True
        if isinstance(self._error, MalformedError) and (self._file is None or self._file.closed):
            self._error.rest.close()

    def file_closed(self) -> None:
        """A socket stays open for the sake of the files made of it."""
        if self._is_closed:
            self.close()


class _RawTape(io.RawIOBase):
    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._tape.recv_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._tape.file_closed()
