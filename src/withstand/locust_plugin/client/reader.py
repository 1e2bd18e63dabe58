"""Reads an answer that is not known by its head: in several pieces, in chunks, until the end. Pure.

llhttp does the parsing (through httptools); what it does not know is whose answer it reads, and so
that an answer to HEAD has no body.
"""

from typing import Any, Final

import httptools

from withstand.locust_plugin.client.head import HEAD_END, Head

_BODILESS: Final = frozenset((204, 304))


class MalformedError(Exception):
    """What came is no HTTP."""


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
        self._keeps_alive = False
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
                return
            raw, data = self._unread[: end + 4], self._unread[end + 4 :]
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
        names = dict(head.fields)
        length = names.get("content-length", "")
        if self._bodiless:  # llhttp thinks that a body without a length will follow
            options = names.get("connection", "").lower()
            is_11 = self._parser.get_http_version() == "1.1"
            self._keeps_alive = "close" not in options if is_11 else "keep-alive" in options
        self._bodiless = self._bodiless or head.status in _BODILESS
        chunked = "transfer-encoding" in names
        self._until_end = not (self._bodiless or self._upgraded or chunked or length)
        self.keep = self._keeps_alive and not self._until_end
        if self.keep and length.isdigit() and not chunked and not self._bodiless:
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

    def on_headers_complete(self) -> None:
        """llhttp read the head. After the end it has forgotten what the head said."""
        self._keeps_alive = self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """llhttp read a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """llhttp came to the end."""
        if self._complete:  # of a second answer, which nobody asked for
            self._exceed(b"?")
        self._complete = True
