"""Heads of answers, known again when they come again byte for byte. Pure.

A server gives most of its answers the heads of others. What a parser made of a head once is looked
up from then on, for all users of the process.
"""

from typing import Final

HEAD_END: Final = b"\r\n\r\n"
_MAX_KNOWN: Final = 4_096
_LONGEST_KNOWN: Final = 4_096  # bytes


class Head:
    """The status line and the headers of an answer, as they were sent.

    `size` is that of the whole answer where the head says how long it is and the connection is
    kept after it, else -1: such an answer is read by a parser each time. `is_plain` ones neither
    redirect nor set cookies. `fields` has names in
    lower case; the names and values as they came are in `raw`.
    """

    __slots__ = (
        "encoded",
        "fields",
        "is_plain",
        "raw",
        "reason",
        "redirects",
        "sets_cookies",
        "size",
        "status",
    )

    def __init__(self, raw: bytes, status: int, *, size: int = -1) -> None:
        self.raw = raw
        self.status = status
        self.size = size
        line, _, rest = raw.partition(b"\r\n")
        self.reason = line.decode("latin-1").partition(" ")[2].partition(" ")[2].strip()
        self.fields = tuple((name.lower(), value) for name, value in _pairs(rest))
        names = {name for name, _ in self.fields}
        self.sets_cookies = "set-cookie" in names or "set-cookie2" in names
        self.redirects = "location" in names
        self.is_plain = not self.redirects and not self.sets_cookies
        self.encoded = "content-encoding" in names

    def items(self) -> list[tuple[str, str]]:
        """The headers in their order, with their names as they were sent."""
        return _pairs(self.raw.partition(b"\r\n")[2])


def _pairs(block: bytes) -> list[tuple[str, str]]:
    lines = (line.partition(":") for line in block.decode("latin-1").split("\r\n") if line)
    # The standard library leaves spaces at the end where they are.
    return [(name, value.lstrip(" \t")) for name, _, value in lines]


NO_HEAD: Final = Head(b"\x00", 0)
"""Like nothing that a server sends."""

_known: dict[bytes, Head] = {}


def known_head(data: bytes) -> Head | None:
    """The head that these bytes begin with, if it came before."""
    return _known.get(data[: data.find(HEAD_END) + 4])


def learn(head: Head) -> None:
    """Know a head from now on."""
    if len(head.raw) > _LONGEST_KNOWN or head.size < 0:
        return
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    _known[head.raw] = head
