"""One HTTP/1.1 connection, as cheap as asyncio allows: the load engine and the scan share it.

A subclass overrides two hooks, `response_complete` and `failed`; exactly one of them is called for
each `start`, and never from inside the parser, so a hook may start the next request at once. What
the load path does not need (headers, body) costs it nothing: the parser is only given the
callbacks that were asked for. A subclass may override `data_received` for responses that it knows
without a parser, and then sees to everything itself: no hook is called for them, and the parser
stays where it was, between two messages.

    class Counting(Connection):
        __slots__ = ("count",)

        def response_complete(self) -> None:
            self.count += 1
            if self.reusable:
                self.start(REQUEST)
"""

import asyncio
from collections.abc import Callable
from time import perf_counter_ns
from typing import Final, cast

import httptools

from withstand.client.exchange import FailureKind
from withstand.client.raw_response import delimited_by_close

MAX_RESPONSE_BYTES: Final = 64_000_000


class Connection(asyncio.Protocol):
    """Writes one request at a time and reports what became of it.

    In `response_complete` these hold: `status`; `sent_ns`, `first_byte_ns`, `end_ns` (readings of
    `time.perf_counter_ns`); `bytes_received` of this response with its head; `raw_headers`,
    `reason` with `keep_headers`; `body` (content codings not undone) with `keep_body`; `reads`, all
    that came, with `keep_reads`, which is cheaper than the two for those who seldom look (whoever
    takes the list puts an empty one in its place); `reusable`, whether another request may be
    started here. In `failed` the times hold too, `first_byte_ns` being None when nothing came back.
    `has_answered` tells whether there was a complete one before. `connect_ns` and `tls_ns` say how
    long opening it took (see `withstand.client.connect`); None where that was not measured, or
    there is no TLS.

    A connection that cannot be reused is closed before the hook is called.
    """

    __slots__ = (
        "_bodyless",
        "_ended",
        "_head_bytes",
        "_headers_complete",
        "_keep_body",
        "_keep_headers",
        "_max_response_bytes",
        "_other_parser",
        "_parser",
        "_pieces",
        "_surplus",
        "_usual",
        "body",
        "bytes_received",
        "connect_ns",
        "end_ns",
        "first_byte_ns",
        "has_answered",
        "in_flight",
        "on_body",
        "on_header",
        "on_message_begin",
        "on_status",
        "raw_headers",
        "reads",
        "reason",
        "reusable",
        "sent_ns",
        "status",
        "tls_ns",
        "transport",
    )

    transport: asyncio.Transport
    on_header: Callable[[bytes, bytes], None]
    on_body: Callable[[bytes], None]
    on_status: Callable[[bytes], None]
    on_message_begin: Callable[[], None]
    _parser: httptools.HttpResponseParser

    def __init__(
        self,
        *,
        keep_headers: bool = False,
        keep_reads: bool = False,
        keep_body: bool = False,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._max_response_bytes = max_response_bytes
        self.reads: list[bytes] | None = [] if keep_reads else None
        self._bodyless = False
        self._ended = False
        self._surplus = False
        self._headers_complete = False
        self._head_bytes = b""
        self._pieces: list[bytes] = []
        self.in_flight = False
        self.reusable = False
        self.has_answered = False
        self.connect_ns: int | None = None
        self.tls_ns: int | None = None
        self.status = 0
        self.sent_ns = 0
        self.first_byte_ns: int | None = None
        self.end_ns = 0
        self.bytes_received = 0
        self.raw_headers: list[tuple[bytes, bytes]] = []
        self.reason = b""
        self.body = b""
        self._keep_headers = keep_headers
        self._keep_body = keep_body
        self._usual = self._keeps_nothing
        self._other_parser: httptools.HttpResponseParser | None = None

    # What a subclass overrides.

    def response_complete(self) -> None:
        """A complete final response has come (interim 1xx responses are skipped)."""

    def failed(self, kind: FailureKind, detail: str) -> None:
        """The request got no complete response; the connection is closed."""

    def came_whole(self, data: bytes) -> None:
        """The response that is complete now was all of this read, and the connection is kept.

        Called before `response_complete`, for one of which not just the head was asked for.
        """

    # What a user calls.

    def start(self, data: bytes, *, head: bool = False) -> None:
        """Write one request, or its beginning; `head` says that the response has no body.

        Only on a connection that is `reusable`.
        """
        self.in_flight = True
        self.reusable = False
        if head:
            self._bodyless = True
            self._usual = False
        self.first_byte_ns = None
        self.bytes_received = 0
        self.sent_ns = perf_counter_ns()
        self.transport.write(data)

    def keep(self, wanted: bool) -> None:
        """Say whether headers and body of the next response are kept; before its `start`.

        There is a parser for either case, so that a response that is not kept costs no more than
        on a connection that never keeps one.
        """
        if self._keep_headers is self._keep_body is wanted:
            return
        self._keep_headers = self._keep_body = wanted
        self.raw_headers = []
        self.reason = b""
        self.body = b""
        parser, self._other_parser = self._other_parser, self._parser
        self._parser = self._new_parser() if parser is None else parser
        self._usual = self._keeps_nothing

    def release(self, data: bytes) -> None:
        """Write the rest of a request whose beginning was given to `start`."""
        if self.in_flight:
            self.sent_ns = perf_counter_ns()
            self.transport.write(data)

    def give_up(self, kind: FailureKind, detail: str) -> None:
        """End the request in flight, if any, as failed (a timeout, say) and drop the connection."""
        was_in_flight, self.in_flight = self.in_flight, False
        self.end_ns = perf_counter_ns()
        self.drop()
        if was_in_flight:
            self.failed(kind, detail)

    def drop(self) -> None:
        """Close at once, unsent bytes and all."""
        self.reusable = False
        self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._parser = self._new_parser()
        self.reusable = True

    def _new_parser(self) -> httptools.HttpResponseParser:
        # It looks its callbacks up once and skips what it does not find: an empty slot is free.
        callbacks = (
            ("on_header", self._header, self._keep_headers),
            ("on_status", self._status_text, self._keep_headers),
            ("on_message_begin", self._message_begin, self._keep_headers),
            ("on_body", self._body_piece, self._keep_body),
        )
        for name, callback, wanted in callbacks:
            if wanted:
                setattr(self, name, callback)
            elif hasattr(self, name):
                delattr(self, name)
        return httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        if not self.in_flight:  # nobody asked: what follows could not be told from an answer
            self.drop()
            return
        # An answer that comes in one read has one time: its own parsing is no part of it.
        self.end_ns = now_ns = perf_counter_ns()
        self.bytes_received += len(data)
        if self.reads is not None:
            self.reads.append(data)
        if self.first_byte_ns is None:
            self.first_byte_ns = now_ns
        in_head = not self._headers_complete
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # 101: from here on it is another protocol
            self._surplus = True
        except httptools.HttpParserError as error:
            if not self._ended:
                self.give_up(FailureKind.MALFORMED, str(error))
                return
            self._surplus = True
        if self._ended:
            if (
                self.bytes_received == len(data)
                and self.reusable
                and not (self._surplus or self._bodyless)
            ):
                self.came_whole(data)
            if self._usual and not self._surplus:
                # `_finish`, written out for an answer of which nothing is kept.
                self.in_flight = self._ended = self._headers_complete = False
                self.has_answered = True
                if not self.reusable:
                    self.drop()
                self.response_complete()
            else:
                self._finish()
            return
        if in_head:
            self._head_bytes += data
            self._usual = False
        if self.bytes_received > self._max_response_bytes:
            detail = f"the response is longer than {self._max_response_bytes:,} bytes"
            self.give_up(FailureKind.TOO_LARGE, detail)

    def eof_received(self) -> bool:
        self.reusable = False
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if not self.in_flight:
            return
        if not isinstance(exc, ConnectionError) and self._ends_with_connection():
            self._surplus = True
            self.status = self._parser.get_status_code()
            self.end_ns = perf_counter_ns()
            self._finish()
            return
        if self.first_byte_ns is None:
            detail = "the connection was closed before any byte of the response"
        else:
            detail = (
                f"the connection was closed after {self.bytes_received:,} bytes of the response"
            )
        self.give_up(FailureKind.RESET, f"{detail} ({exc})" if exc and str(exc) else detail)

    # httptools callbacks. They run inside the parser, so they only take notes.

    def on_headers_complete(self) -> None:
        if self._ended:
            self._surplus = True
            return
        self._headers_complete = True
        if self._bodyless and (status := self._parser.get_status_code()) >= 200:
            # No body comes whatever Content-Length says, and the parser cannot know.
            self.status = status
            self._ended = True
            self.reusable = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        if self._ended:
            return
        parser = self._parser
        self.status = status = parser.get_status_code()
        if status < 200 and status != 101:
            self._headers_complete = False
            return
        self._ended = True
        self.reusable = parser.should_keep_alive()

    def _message_begin(self) -> None:
        if self._ended:
            self._surplus = True
        else:  # after an interim response too
            self.raw_headers = []
            self.reason = b""

    def _header(self, name: bytes, value: bytes) -> None:
        if not self._ended:
            self.raw_headers.append((name, value))

    def _status_text(self, text: bytes) -> None:
        if not self._ended:
            self.reason += text  # in pieces when it arrives so

    def _body_piece(self, piece: bytes) -> None:
        if self._ended:
            self._surplus = True
        else:
            self._pieces.append(piece)

    def _finish(self) -> None:
        """Settle the state for the next request, then tell."""
        self.in_flight = False
        self._ended = False
        self._headers_complete = False
        self.has_answered = True
        if self._head_bytes:
            self._head_bytes = b""
        pieces = self._pieces
        if pieces:
            self.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            self._pieces = []
        elif self.body:
            self.body = b""
        if self._bodyless:  # the parser may still wait for the body that Content-Length spoke of
            self._bodyless = False
            self._parser = self._new_parser()
        if self._surplus or not self.reusable:
            self._surplus = False
            self.drop()
        self._usual = self._keeps_nothing
        self.response_complete()

    @property
    def _keeps_nothing(self) -> bool:
        return not (self._keep_headers or self._keep_body or self.reads is not None)

    def _ends_with_connection(self) -> bool:
        return self._headers_complete and delimited_by_close(self._head_bytes)
