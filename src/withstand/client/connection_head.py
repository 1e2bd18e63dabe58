"""The head of a response as it came over the wire, for whoever looks at it later. Pure."""

import re
from typing import Final

_INTERIM: Final = re.compile(rb"\s*HTTP/[0-9.]+ 1(?!01)[0-9][0-9].*?\r?\n\r?\n", re.DOTALL)
_END: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"^(?:content-length|transfer-encoding)[ \t]*:", re.I | re.M)

RawHeaders = list[tuple[bytes, bytes]]


def head_text(data: bytes) -> bytes:
    """The final response's head, without its end, of what came up to it and a little beyond.

    Interim 1xx responses before it are skipped; 101 is final.
    """
    start = 0
    while (interim := _INTERIM.match(data, start)) is not None:
        start = interim.end()
    return _END.split(data[start:], maxsplit=1)[0]


def final_head(data: bytes) -> tuple[bytes, RawHeaders]:
    """The reason phrase and the headers of the final response; folded lines are joined."""
    first, *lines = re.split(rb"\r?\n", head_text(data))
    headers: RawHeaders = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:
            name, value = headers[-1]
            headers[-1] = (name, value + b" " + line.strip())
            continue
        name, _, value = line.partition(b":")
        headers.append((name.strip(), value.strip()))
    return b" ".join(first.split(b" ", 2)[2:]), headers


def delimited_by_close(data: bytes) -> bool:
    """Whether the final response that starts in `data` has neither a length nor chunks.

    Such a body ends with the connection (RFC 9112, 6.3, rule 8). `data` holds at least its head.
    """
    return _LENGTH.search(head_text(data)) is None
