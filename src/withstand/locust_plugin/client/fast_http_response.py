"""The response that a user of FastHttpUser sees: Locust's, whose parts are made when asked for."""

import zlib
from typing import Any, Final

import brotli  # type: ignore[import-untyped]
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPResponse, HTTPSocketPoolResponse
from locust.contrib.fasthttp import (
    FAILURE_EXCEPTIONS,
    FastRequest,
    FastResponse,
    LocustUserAgent,
    ResponseContextManager,
)
from requests.utils import get_encoding_from_headers

from withstand.locust_plugin.client.fast_http_template import FastTemplate
from withstand.locust_plugin.client.head import Head
from withstand.locust_plugin.client.late import Late
from withstand.locust_plugin.client.reader import Reader
from withstand.locust_plugin.timing import Timing

_MAX_KNOWN: Final = 1_024
_BLOCK_BYTES: Final = 4_096

Sent = tuple[FastTemplate, bytes, str, bytes, Any, Any]
"""The template of a request, its URI, cookies and body, and what the user gave: data and params."""


class _Heard(HTTPSocketPoolResponse):
    """An answer that was read to its end; `raw` is its head."""

    def __init__(self, method: str, raw: bytes) -> None:
        HTTPResponse.__init__(self, method=method)
        self._sock = self._pool = None
        self.block_size = _BLOCK_BYTES
        self.feed(raw)
        self.headers_complete = self.message_complete = True


_known: dict[bytes, tuple[Headers, str | None]] = {}


def _known_headers(head: Head) -> tuple[Headers, str | None]:
    """The headers of an answer, and the encoding that they tell of."""
    known = _known.get(head.raw)
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        headers = _Heard("GET", head.raw)._headers_index
        known = _known[head.raw] = (headers, get_encoding_from_headers(headers))  # type: ignore[arg-type]
    return known


class PlainFastResponse(FastResponse):
    """An answer that came whole, without a redirect.

    It is Locust's `FastResponse` in every respect. What costs time to make, and what few users look
    at, is made at the first look.
    """

    content: Any = b""
    status_code: Any = 0
    url: Any = None
    told: BaseException | None = None
    """The error that its status is; `error`, as Locust names it, is not there without one."""

    def __init__(self, head: Head, content: bytes, url: str, sent: Sent, timing: Timing) -> None:
        # Not that of the base class, which makes all of it.
        self._head = head
        self.content = content
        self.status_code = head.status
        self.url = url
        self._sent = sent
        self.withstand_timing = timing

    @property
    def text(self) -> Any:
        """The content, decoded."""
        if self.encoding is None and "headers" not in self.__dict__:
            self.encoding = _known_headers(self._head)[1]
        return super().text

    @Late
    def headers(self) -> Headers:
        """The headers of the answer."""
        return _known_headers(self._head)[0].copy()

    @Late
    def request(self) -> FastRequest:
        """What was sent."""
        template, _, cookie, body, data, params = self._sent
        headers = template.request_headers(cookie, body)
        payload = body if template.encodes else data
        return FastRequest(
            self.url, method=template.method, headers=headers, payload=payload, params=params
        )

    @Late
    def _response(self) -> _Heard:
        return _Heard(self._sent[0].method, self._head.raw)

    @Late
    def _request(self) -> FastRequest:
        request: FastRequest = self.request
        return request

    @Late
    def _sent_request(self) -> str:
        template, uri, cookie, body, _, _ = self._sent
        built = template.whole(uri, cookie, body)
        return built[: len(built) - len(body)].decode("latin-1")

    @Late
    def _elapsed(self) -> float:
        _, _, sent_ns, first_byte_ns, _, _ = self.withstand_timing
        return (first_byte_ns - sent_ns) / 1e9

    @Late
    def _history(self) -> list[Any]:
        return []


class PlainFastContext(PlainFastResponse, ResponseContextManager):
    """The same for `catch_response=True`."""

    def __init__(self, response: PlainFastResponse, event: Any, meta: dict[str, Any]) -> None:
        self.__dict__.update(response.__dict__)
        self._request_event = event
        self.request_meta = meta
        self._catch_response = True


def decoded(head: Head, body: bytes) -> bytes:
    """A body without its content encoding. Raises whatever is wrong with it."""
    encoding = next(value for name, value in head.fields if name == "content-encoding").lower()
    if encoding == "gzip":
        return zlib.decompress(body, 16 + zlib.MAX_WBITS)
    if encoding == "br":
        return bytes(brotli.decompress(body))
    if encoding == "identity":
        return body
    raise ValueError(encoding)


def is_odd(reader: Reader) -> bool:
    """Whether more came than an answer: bytes that nobody asked for, or headers after the body."""
    if reader.excess:
        return True
    if reader.head is None or not any(
        name == "transfer-encoding" for name, _ in reader.head.fields
    ):
        return False
    return not b"".join(reader.received).endswith(b"\r\n0\r\n\r\n")


def mark_failed(agent: LocustUserAgent, response: PlainFastResponse) -> None:
    """Give the response the error that its status is to the agent, told as the agent tells it.

    Raises whatever keeps it from being told.
    """
    url = response.url
    try:
        agent._verify_status(  # type: ignore[no-untyped-call]
            response.status_code, url=url
        )
    except Exception as error:
        failure: Any = error
    else:
        return
    request = response.request
    failure.response = response
    failure.request = request
    failure.http_log = agent._conversation_str(url, response, payload=request.payload)
    if not isinstance(failure, FAILURE_EXCEPTIONS):
        raise failure
    response.error = response.told = failure  # type: ignore[attr-defined]
