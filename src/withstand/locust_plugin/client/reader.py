"""Reads an answer that is not known by its head: in several pieces, in chunks, until the end. Pure.

llhttp does the parsing (through httptools); what it does not know is whose answer it reads, and so
that an answer to HEAD has no body. It is shown only what it reads as the standard library does.
"""

import re
from typing import Any, Final

import httptools

from withstand.locust_plugin.client.head import HEAD_END, Head

_BODILESS: Final = frozenset((204, 304))
# No more headers than http.client reads, none longer than that, no character at which the email
# package sees the end of a line, no status of a conversation that changes its protocol.
_ORDINARY: Final = re.compile(
    rb"HTTP/1\.[01] (?:100|[2-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\x84\x86-\xff]*)?\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\x84\x86-\xff]*\r\n){0,99}\r\n"
)
_ABOUT_KEEPING: Final = frozenset(("connection", "keep-alive", "proxy-connection"))
_LONGEST: Final = 65_000  # bytes
_LENGTH: Final = re.compile(r"[0-9]{1,15}\Z")


class MalformedError(Exception):
    """What came is no HTTP, or none that is read alike by everybody. `rest` is the open socket
    that more may come from.
    """

    rest: Any = None


class Reader:
    """One answer. `received` has all its bytes in their pieces, for whoever must tell what was
    wrong with it; `head` is None until it is complete. `excess`: there were bytes after the end.
    """

    def __init__(self, method: str) -> None:
        self.received: list[bytes] = []
        self.head: Head | None = None
        self.keep = False
        self.done = False
        self.excess = False
        self._bodiless = method == "HEAD"
        self._body: list[bytes] = []
        self._begin()

    def _begin(self) -> None:
        self._unread = b""
        self._parser: Any = None
        self._until_end = False
        self._complete = False
        self._upgraded = False

    @property
    def body(self) -> bytes:
        """What has come of the body, as it was sent."""
        return self._body[0] if len(self._body) == 1 else b"".join(self._body)

    def feed(self, data: bytes) -> None:
        """Take in the next bytes. Raises MalformedError."""
        self.received.append(data)
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        if self._parser is None:
            self._unread += data
            end = self._unread.find(HEAD_END)
            if end < 0:
                if len(self._unread) > _LONGEST or not b"HTTP/1.".startswith(self._unread[:7]):
                    raise MalformedError("an unusual head")
                return
            raw, data = self._unread[: end + 4], self._unread[end + 4 :]
            if len(raw) > _LONGEST or not _ORDINARY.fullmatch(raw):
                raise MalformedError("an unusual head")
            self._parser = httptools.HttpResponseParser(self)
            self._parse(raw)
            if self._is_interim():  # the final answer follows
                self._begin()
                self._feed(data)
                return
            self._take_head(raw)
        if self.done:
            self._exceed(data)
        elif data:
            self._parse(data)
            self.done = self._complete

    def _is_interim(self) -> bool:
        return 100 <= self._parser.get_status_code() < 200 and not self._upgraded

    def _take_head(self, raw: bytes) -> None:
        head = Head(raw, self._parser.get_status_code())
        lengths = [value for name, value in head.fields if name == "content-length"]
        codings = [value for name, value in head.fields if name == "transfer-encoding"]
        length = lengths[0] if lengths else ""
        chunked = bool(codings)
        if len(lengths) + len(codings) > 1:
            raise MalformedError("a body of two lengths")
        if (lengths and not _LENGTH.match(length)) or (chunked and codings[0].lower() != "chunked"):
            raise MalformedError("a body of unknown length")
        self._bodiless = self._bodiless or head.status in _BODILESS
        self._until_end = not (self._bodiless or self._upgraded or chunked or length)
        self.keep = _keeps(raw, head) and not self._until_end
        if self.keep and length and not chunked and not self._bodiless:
            head.size = len(raw) + int(length)
        self.head = head
        self.done = self._bodiless or self._complete

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._complete = self._upgraded = True
        except httptools.HttpParserError as error:
            if not self._complete:
                raise MalformedError(str(error)) from None
            self._exceed(data)  # the answer itself was in order

    def _exceed(self, data: bytes) -> None:
        if data:
            self.keep = False
            self.excess = True

    def end(self) -> bool:
        """The server closed the connection; whether that was the end of the answer."""
        self.keep = False
        self.done = self.head is not None and self._until_end
        return self.done

    def on_body(self, body: bytes) -> None:
        """llhttp read a piece of the body."""
        if not self._complete:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """llhttp came to the end."""
        if self._complete:  # of a second answer, which nobody asked for
            self._exceed(b"?")
        self._complete = True


def _keeps(raw: bytes, head: Head) -> bool:
    """Whether the server keeps the connection, as http.client sees it. (llhttp knows only until it
    has read the whole answer, which may end with its head.)
    """
    if not any(name in _ABOUT_KEEPING for name, _ in head.fields):
        return not raw.startswith(b"HTTP/1.0")
    fields = dict(reversed(head.fields))
    connection = fields.get("connection", "").lower()
    if not raw.startswith(b"HTTP/1.0"):
        return "close" not in connection
    proxy = fields.get("proxy-connection", "").lower()
    return bool(fields.get("keep-alive")) or "keep-alive" in (connection + "," + proxy)
