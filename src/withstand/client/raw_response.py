"""A response as it came over the wire, for whoever looks at it later. Pure.

The connection has parsed it already, so what it says of itself can be trusted here.
"""

import re
from dataclasses import dataclass
from typing import Final

_INTERIM: Final = re.compile(rb"\s*HTTP/[0-9.]+ 1(?!01)[0-9][0-9].*?\r?\n\r?\n", re.DOTALL)
_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^(?:content-length|transfer-encoding)[ \t]*:", re.I | re.M)
_PLAIN_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]{1,18})(?:\r|$)")
_SHORT_BYTES: Final = 2_000  # of which a look at all is cheaper than one for the head's end
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r?\n")

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """The final response's parts; `body` without chunks, content codings not undone."""

    reason: bytes
    headers: RawHeaders
    body: bytes


def parsed(raw: bytes) -> RawResponse:
    """The parts of a response that was read as a whole, surplus or not."""
    start, end, body_start = _bounds(raw)
    first, *lines = re.split(rb"\r?\n", raw[start:end])
    headers: RawHeaders = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:  # folded
            name, value = headers[-1]
            headers[-1] = (name, value + b" " + line.strip())
            continue
        name, _, value = line.partition(b":")
        headers.append((name.strip(), value.strip()))
    framing = {name.lower(): value for name, value in headers}
    body = raw[body_start:]
    if b"chunked" in framing.get(b"transfer-encoding", b"").lower():
        body = _without_chunks(body)
    elif (length := framing.get(b"content-length", b"")).isdigit():
        body = body[: int(length)]
    return RawResponse(reason=b" ".join(first.split(b" ", 2)[2:]), headers=headers, body=body)


def plain_body(raw: bytes) -> bytes | None:
    """The body of a response of the usual kind: with a length, without codings, chunks or interim
    responses. None for others, for which `parsed` has to look closer."""
    end = raw.find(b"\r\n\r\n")
    head = raw[:end].lower()
    length = _PLAIN_LENGTH.search(head)
    if length is None or b"-encoding:" in head or b"http/1.1 1" in head or end < 0:
        return None
    return raw[end + 4 : end + 4 + int(length[1])]


def may_set_cookies(raw: bytes) -> bool:
    """Whether a response has something like a Set-Cookie header."""
    glance = raw if len(raw) <= _SHORT_BYTES else head_text(raw)
    return b"set-cookie:" in glance.lower()


def head_text(raw: bytes) -> bytes:
    """The final response's head, without its end, of what came up to it and a little beyond.

    Interim 1xx responses before it are skipped; 101 is final.
    """
    start, end, _ = _bounds(raw)
    return raw[start:end]


def delimited_by_close(raw: bytes) -> bool:
    """Whether the final response that starts in `raw` has neither a length nor chunks.

    Such a body ends with the connection (RFC 9112, 6.3, rule 8). `raw` holds at least its head.
    """
    return _LENGTH.search(head_text(raw)) is None


def _bounds(raw: bytes) -> tuple[int, int, int]:
    """Where the final head begins and ends, and where the body begins."""
    start = 0
    while (interim := _INTERIM.match(raw, start)) is not None:
        start = interim.end()
    end = _END.search(raw, start)
    return (start, end.start(), end.end()) if end is not None else (start, len(raw), len(raw))


def _without_chunks(data: bytes) -> bytes:
    """The content of a chunked body (RFC 9112, 7.1)."""
    pieces, position = [], 0
    while (head := _CHUNK.match(data, position)) is not None and (size := int(head[1], 16)):
        pieces.append(data[head.end() : head.end() + size])
        position = head.end() + size
        position += 2 if data[position : position + 2] == b"\r\n" else 1
    return b"".join(pieces)
