"""The next request of a call that is redirected, in bytes. Pure."""

from typing import Final
from urllib.parse import quote

from withstand.client.redirect import Hop, hop
from withstand.client.target import Target

_CONTENT: Final = (b"content-", b"transfer-encoding:", b"expect:")
_IN_A_TARGET: Final = "/?%:@!$&'()*+,;=~"


def redirected(request: bytes, status: int, location: str | None, target: Target) -> bytes | None:
    """The request that a redirect asks for; None when it leads nowhere on the target.

    `withstand.client.redirect` says which method it has, and whether it keeps the body.
    """
    head, _, body = request.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    method, asked, version = line.split(b" ")
    # A proxy is told the whole address, which the next request has to name as well.
    origin = f"{target.scheme}://{target.authority}".encode() if asked[:1] != b"/" else b""
    step = hop(
        target,
        method=method.decode(),
        path=asked.removeprefix(origin).decode("latin-1"),
        status=status,
        location=location,
    )
    if not isinstance(step, Hop):
        return None
    if not step.keeps_body:
        body = b""
        fields = [each for each in fields if not each.lower().startswith(_CONTENT)]
    path = quote(step.path, safe=_IN_A_TARGET).encode()
    first = b" ".join((step.method.encode(), origin + path, version))
    return b"\r\n".join((first, *fields, b"", body))
