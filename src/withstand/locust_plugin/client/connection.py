"""One connection of a user, on gevent's own event loop.

The loop watches the connection from its first day to its last, and switches straight to the
greenlet that waits for the answer. That is all that an exchange costs beside one send and one
receive.
"""

import ssl
from collections.abc import Callable
from time import perf_counter, perf_counter_ns
from typing import Any, Final

import gevent
import gevent.socket
from gevent import monkey
from greenlet import getcurrent

from withstand.locust_plugin.client.head import NO_HEAD, Head, known_head, learn
from withstand.locust_plugin.client.reader import MalformedError, Reader

_plain_socket: Final = monkey.get_original("socket", "socket")
_poll: Final = monkey.get_original("select", "poll")
_READ_BYTES: Final = 1 << 16
_READABLE, _WRITABLE = 1, 2
_STALE_NS: Final = 50_000
_WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError)
_WOULD_BLOCK_SENDING: Final = (*_WOULD_BLOCK, ssl.SSLWantWriteError)


class BrokenError(Exception):
    """An exchange that came to no good end. `received` is what came until then, `error` what came
    instead of the rest; None: the server closed the connection.
    """

    def __init__(self, received: list[bytes], error: Exception | None) -> None:
        super().__init__(error)
        self.received = received
        self.error = error


class Connection:
    """`sock` is a connected socket of gevent's, plain or TLS, whose owner this is from now on.

    After an exchange `head`, `body` (as it was sent) and the times of its first byte and its end
    say what came. `reader` has the answer piece by piece where it was not known by its head.
    """

    __slots__ = (
        "_deadline",
        "_free_since_ns",
        "_hub",
        "_method",
        "_missing",
        "_pieces",
        "_plain",
        "_poller",
        "_receive",
        "_send",
        "_sock",
        "_timeout_s",
        "_timer",
        "_timer_due",
        "_user",
        "_watcher",
        "body",
        "end_ns",
        "error",
        "first_byte_ns",
        "head",
        "is_open",
        "on_close",
        "reader",
    )

    def __init__(self, sock: Any, on_close: Callable[["Connection"], None]) -> None:
        self._hub = gevent.get_hub()
        self.on_close = on_close
        self._poller = _poll()
        self._plain = not hasattr(sock, "context")
        if self._plain:
            sock = _plain_socket(fileno=sock.detach())
            sock.setblocking(False)
            self._send, self._receive = sock.send, sock.recv
        else:
            sock.settimeout(0)
            self._send, self._receive = sock.send, sock.read
        self._sock = sock
        self._poller.register(sock.fileno(), _READABLE)
        self.is_open = True
        self.head: Head = NO_HEAD
        self.body = b""
        self.reader: Reader | None = None
        self.error: Exception | None = None
        self.first_byte_ns = self.end_ns = self._free_since_ns = 0
        self._missing = 0
        self._pieces: list[bytes] = []
        self._user: Any = None
        self._method = ""
        self._timer: Any = None
        self._timer_due = self._deadline = 0.0
        self._timeout_s: float | None = None
        self._watcher = self._hub.loop.io(sock.fileno(), _READABLE)
        self._watcher.start(self._readable)

    def is_fresh(self, now_ns: int) -> bool:
        """Whether the server has not closed it meanwhile.

        The loop would know, unless it had no chance to look since the answer before.
        """
        if now_ns - self._free_since_ns > _STALE_NS and self._poller.poll(0):
            self.close()
        return self.is_open

    def exchange(self, method: str, request: bytes, timeout_s: float | None) -> bool:
        """Send a request and wait for its answer; whether it was a known one.

        `timeout_s` is how long the server may say nothing. The connection is closed afterwards
        unless both sides keep it. Raises BrokenError.
        """
        self._method = method
        self._user = getcurrent()
        self.reader = None
        self._timeout_s = timeout_s
        try:
            if timeout_s is not None:
                self._set_deadline(timeout_s)
            # Written out, here and where the answer is taken: a call costs as much as its lines.
            try:
                sent = self._send(request)
            except _WOULD_BLOCK_SENDING:
                sent = 0
            if sent < len(request) and not self._send_rest(memoryview(request)[sent:]):
                return self._answered_early()
            self._hub.switch()
        except OSError as error:  # the request could not be sent
            return self._read_last_words(error)
        except BaseException:  # killed, or out of a gevent.Timeout of the user's own
            self._user = None
            self.close()
            raise
        return self._finished()

    def _finished(self) -> bool:
        self._free_since_ns = self.end_ns
        if self.reader is None:
            return True
        if not self.reader.done:
            self._give_up()
        if not self.reader.keep:
            self.close()
        return False

    def _answered_early(self) -> bool:
        """The server did not wait for the whole request, whose rest nobody wants."""
        try:
            return self._finished()
        finally:
            self.close()

    def _sent(self, request: bytes) -> int:
        try:
            return int(self._send(request))
        except _WOULD_BLOCK_SENDING:
            return 0

    def _send_rest(self, rest: memoryview) -> bool:
        """Send what the network did not take at once; False when the answer came before."""
        watcher = self._hub.loop.io(self._sock.fileno(), _WRITABLE)
        try:
            while rest:
                watcher.start(self._writable)
                self._hub.switch()
                watcher.stop()
                if self._user is None:
                    return False
                rest = rest[self._sent(bytes(rest)) :]
            return True
        finally:
            watcher.stop()
            watcher.close()

    def _writable(self) -> None:
        if self._user is not None:
            self._user.switch()

    def _read_last_words(self, error: OSError) -> bool:
        """A server that refuses a long request answers before it closes: look for that."""
        self.reader = self.reader or Reader(self._method)
        try:
            while not self.reader.done and (data := self._receive(_READ_BYTES)):
                self.reader.feed(data)
        except (OSError, MalformedError):
            pass
        self.first_byte_ns = self.end_ns = perf_counter_ns()
        self._user = None
        self.close()
        if not self.reader.done or self.reader.head is None:
            raise BrokenError(self.reader.received, error)
        self.head, self.body = self.reader.head, self.reader.body
        return False

    def _give_up(self) -> None:
        error, self.error = self.error, None
        assert self.reader is not None
        if isinstance(error, MalformedError):
            error.rest = self.give_up_socket()
            error.rest.settimeout(self._timeout_s)
            self.on_close(self)
        self.close()
        raise BrokenError(self.reader.received, error)

    def _readable(self) -> None:
        """The loop says that there is something to read."""
        try:
            data = self._receive(_READ_BYTES)
        except _WOULD_BLOCK:
            return
        except OSError as error:
            if self._user is None:
                self.close()
            else:
                self._over(error)
            return
        user = self._user
        if user is None:  # closed while nobody asked, or bytes that nobody asked for
            self.close()
            return
        head = self.head
        if (
            len(data) == head.size
            and data.startswith(head.raw)
            and self.reader is None
            and not self._missing
            and self._method != "HEAD"
        ):
            self.body = data[len(head.raw) :]
            self.first_byte_ns = self.end_ns = perf_counter_ns()
            self._user = None
            user.switch()
        elif self.reader is not None:
            self._take(self.reader, data)
        elif self._missing:
            self._take_more(data)
        else:
            self._take_first(data)

    def _take_first(self, data: bytes) -> None:
        """The first bytes of an answer."""
        self.first_byte_ns = perf_counter_ns()
        head = self.head
        if not data.startswith(head.raw):
            found = known_head(data)
            head = NO_HEAD if found is None else found
        if len(data) == head.size and self._method != "HEAD":
            self.head = head
            self.body = data[len(head.raw) :]
            self.end_ns = self.first_byte_ns
            user, self._user = self._user, None
            user.switch()
        elif len(data) < head.size and self._method != "HEAD":
            self.head = head
            self._missing = head.size - len(data)
            self._pieces = [data]
            if not self._plain:
                self._readable()  # TLS may have more that the loop cannot see
            elif self._timeout_s is not None:
                self._deadline = perf_counter() + self._timeout_s
        else:
            self.reader = Reader(self._method)
            self._take(self.reader, data)

    def _take_more(self, data: bytes) -> None:
        """More of an answer whose head is known."""
        self._missing -= len(data)
        self._pieces.append(data)
        if not data or self._missing < 0:
            self._take(self._reread(), data)
        elif not self._missing:
            self.body = b"".join(self._pieces)[len(self.head.raw) :]
            self._wake()
        elif not self._plain:
            self._readable()
        elif self._timeout_s is not None:
            self._deadline = perf_counter() + self._timeout_s

    def _reread(self) -> Reader:
        """A reader of what has come so far, but for the last piece."""
        self.reader = Reader(self._method)
        for piece in self._pieces[:-1]:
            self.reader.feed(piece)
        self._missing, self._pieces = 0, []
        return self.reader

    def _take(self, reader: Reader, data: bytes) -> None:
        """The next bytes of an answer that is not known."""
        while True:
            if not data:
                self._over(None)
                return
            try:
                reader.feed(data)
            except MalformedError as error:
                self._over(error)
                return
            if reader.done:
                self._answered(reader)
                return
            if self._plain:
                break
            try:  # TLS may have more that the loop cannot see
                data = self._receive(_READ_BYTES)
            except _WOULD_BLOCK:
                break
            except OSError as error:
                self._over(error)
                return
        if self._timeout_s is not None:
            self._deadline = perf_counter() + self._timeout_s

    def _answered(self, reader: Reader) -> None:
        assert reader.head is not None
        self.head, self.body = reader.head, reader.body
        if reader.keep:
            learn(reader.head)
        self._wake()

    def _over(self, error: Exception | None) -> None:
        """Nothing more will come."""
        if self._missing:
            self._pieces.append(b"")
            self._reread()
        elif self.reader is None:
            self.first_byte_ns = perf_counter_ns()
            self.reader = Reader(self._method)
        assert self.reader is not None
        if error is None and self.reader.end():
            self._answered(self.reader)
            return
        self.error = error
        self._watcher.stop()
        self._wake()

    def _wake(self) -> None:
        self.end_ns = perf_counter_ns()
        user, self._user = self._user, None
        user.switch()

    def _set_deadline(self, timeout_s: float) -> None:
        """Let the timer run out no earlier than this; it is seldom started anew."""
        self._deadline = due = perf_counter() + timeout_s
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.stop()
            self._timer.close()
        self._start_timer(timeout_s, due)

    def _start_timer(self, seconds: float, due: float) -> None:
        self._timer_due = due
        self._timer = self._hub.loop.timer(seconds)
        self._timer.start(self._timer_ran_out)

    def _timer_ran_out(self) -> None:
        self._timer.close()
        self._timer = None
        if self._user is None or self._timeout_s is None:
            return
        left_s = self._deadline - perf_counter()
        if left_s > 0:
            self._start_timer(left_s, self._deadline)
        else:
            self._over(TimeoutError("timed out" if self._plain else "The read operation timed out"))

    def close(self) -> None:
        """Close it, once."""
        if not self.is_open:
            return
        self._watch_no_more()
        self._sock.close()
        self.on_close(self)

    def give_up_socket(self) -> Any:
        """The socket, gevent's again and open: whoever asks for it is its owner from now on."""
        self._watch_no_more()
        if self._plain:
            return gevent.socket.socket(fileno=self._sock.detach())
        return self._sock

    def _watch_no_more(self) -> None:
        self.is_open = False
        self._watcher.stop()
        self._watcher.close()
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None
