"""Requests to bytes, bytes to responses. Pure."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from withstand.client.exchange import Failure, FailureKind, Headers, Request, Response
from withstand.client.target import Target

_HAVE_CONTENT: Final = frozenset({"POST", "PUT", "PATCH"})


def request_bytes(request: Request, *, authority: str, user_agent: str) -> bytes:
    """The request as it goes over the wire, byte for byte what it says.

    Text becomes UTF-8, and lone surrogates the bytes they escape (PEP 383). Added where the
    request does not have them: Host, User-Agent, Accept-Encoding, and Content-Length when there is
    a body, or the method usually has one, and no Transfer-Encoding.
    """
    given = {name.lower() for name, _ in request.headers}
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    if "host" not in given:
        lines.append(f"Host: {authority}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    if "user-agent" not in given:
        lines.append(f"User-Agent: {user_agent}")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: gzip, deflate")
    if (request.body or request.method in _HAVE_CONTENT) and not (
        given & {"content-length", "transfer-encoding"}
    ):
        lines.append(f"Content-Length: {len(request.body)}")
    head = "\r\n".join((*lines, "", ""))
    return _encoded(head) + request.body


def as_forwarded(request: Request, target: Target) -> Request:
    """The request as the target's proxy wants it; as it is where it goes straight, or through a
    tunnel (https).

    A proxy is told the whole address in the request line (RFC 9112, 3.2.2), and who asks.
    """
    origin = forwarded_origin(target)
    if not origin:
        return request
    headers = (*request.headers, *forwarded_headers(target))
    return replace(request, path=origin + request.path, headers=headers)


def forwarded_origin(target: Target) -> str:
    """What stands before the path in a request line to the target's proxy; empty without one."""
    return f"http://{target.authority}" if target.proxy and target.scheme == "http" else ""


def forwarded_headers(target: Target) -> Headers:
    """The headers by which the target's proxy knows who asks; none without one."""
    if target.proxy is None or target.scheme != "http" or target.proxy.authorization is None:
        return ()
    return (("Proxy-Authorization", target.proxy.authorization),)


def response_of(
    *,
    status: int,
    reason: bytes,
    raw_headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    max_body_bytes: int,
) -> Response | Failure:
    """A response with its content codings undone, or a TOO_LARGE failure.

    A body that is not what its Content-Encoding says, or whose coding is not known here (br,
    zstd), stays as it came.
    """
    headers: Headers = tuple((_decoded(name), _decoded(value)) for name, value in raw_headers)
    response = Response(status=status, reason=_decoded(reason), headers=headers)
    codings = ",".join(response.header_values("content-encoding")).lower().split(",")
    for coding in reversed([name.strip() for name in codings if name.strip()]):
        if len(body) > max_body_bytes or coding not in _UNPACKED:
            break
        try:
            body = _inflated(body, coding, max_body_bytes)
        except zlib.error:
            break
    if len(body) > max_body_bytes:
        detail = f"the body is longer than {max_body_bytes:,} bytes"
        return Failure(kind=FailureKind.TOO_LARGE, detail=detail)
    return Response(status=status, reason=response.reason, headers=headers, body=body)


# RFC 9110, 8.4.1: what "deflate" means is zlib, but some servers send the bare stream.
_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS + 32
_BARE: Final = -zlib.MAX_WBITS
_UNPACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})


def _inflated(data: bytes, coding: str, limit_bytes: int) -> bytes:
    """Unpacked data, of which at most one byte more than the limit. Raises zlib.error."""
    if not data:  # the answer to a HEAD request
        return data
    try:
        return _members(data, _ZLIB_OR_GZIP, limit_bytes)
    except zlib.error:
        if coding != "deflate":
            raise
        return _members(data, _BARE, limit_bytes)


def _members(data: bytes, window_bits: int, limit_bytes: int) -> bytes:
    unpacked = b""
    while data and len(unpacked) <= limit_bytes:
        unpacker = zlib.decompressobj(window_bits)
        unpacked += unpacker.decompress(data, limit_bytes + 1 - len(unpacked))
        if not unpacker.eof and len(unpacked) <= limit_bytes:
            raise zlib.error("the data ends early")
        data = unpacker.unused_data
    return unpacked


def _encoded(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that escape no byte: as the three bytes they would be
        return text.encode("utf-8", "surrogatepass")


def _decoded(data: bytes) -> str:
    """Header text: UTF-8 where it is, else ISO 8859-1, which any bytes are (RFC 9110, 5.5)."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
