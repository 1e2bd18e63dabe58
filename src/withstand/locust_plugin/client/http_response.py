"""The response that a user of HttpUser sees: one of requests', made as far as it is looked at."""

import json as standard_json
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPMessage
from http.client import HTTPResponse as PlainResponse
from io import BytesIO
from typing import Any, Final

from locust.clients import ResponseContextManager
from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar, extract_cookies_to_jar
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as PooledResponse

from withstand.locust_plugin.client.address import Address
from withstand.locust_plugin.client.head import Head
from withstand.locust_plugin.client.plan import IS_STANDARD_JSON
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.client.template import OfText
from withstand.locust_plugin.timing import Timing
from withstand.locust_plugin.watch import WATCH


class PlainHttpResponse(ResponseContextManager):
    """An answer that came whole, without a redirect.

    It is a `requests.Response` in every respect. What costs time to make, and what few users look
    at, is made at the first look.
    """

    _content_consumed = True
    _entered = False

    def __init__(
        self,
        head: Head,
        content: bytes,
        address: Address,
        sent: bytes,
        timing: Timing,
        event: Any,
    ) -> None:
        # Not that of the base class, which makes all of it.
        self._head = head
        self._content = content
        self.status_code = head.status
        self.address = address
        self.url = address.url
        self._sent = sent
        self.withstand_timing = timing
        self._request_event = event

    def __getattr__(self, name: str) -> Any:
        make = _MADE_LATE.get(name)
        if make is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        value = make(self)
        self.__dict__[name] = value
        return value

    def json(self, **options: Any) -> Any:
        """The body as JSON."""
        content = self._content
        # Of other texts, and of what is no JSON, requests knows more.
        if not options and content and content.isascii() and IS_STANDARD_JSON:
            try:
                return standard_json.loads(content)
            except ValueError:
                pass
        return super().json(**options)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        """The end of the user's with-block."""
        if (
            kind is None
            and self._manual_result is None
            and self.status_code < 400
            and WATCH.unheard is self._request_event
        ):
            meta, timing = self.request_meta, self.withstand_timing
            start_ns = timing[3] - int(meta["response_time"] * 1e6)
            size_bytes = meta["response_length"]
            method, name = meta["request_type"], meta["name"]
            if WATCH.record(method, name, start_ns, self.status_code, size_bytes, timing):
                return True
        return super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]

    def header_pairs(self) -> list[tuple[str, str]]:
        """The headers as they came."""
        return self._head.items()

    def sent_request(self) -> PreparedRequest:
        """The request, read back from what was sent."""
        head, _, body = self._sent.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        # After the request line and Host.
        pairs = ((name, value) for name, _, value in (line.partition(": ") for line in lines[2:]))
        request = PreparedRequest()
        request.method = lines[0].partition(" ")[0]
        request.url = self.address.url  # Locust lends `url` to other texts, and users may
        request.headers = CaseInsensitiveDict(pairs)
        request.body = (body.decode() if isinstance(self._sent, OfText) else body) or None
        request._cookies = RequestsCookieJar()
        return request


def _headers(response: PlainHttpResponse) -> CaseInsensitiveDict[str]:
    return CaseInsensitiveDict(HTTPHeaderDict(response.header_pairs()))


def _raw(response: PlainHttpResponse) -> PooledResponse:
    """As it is after its content was read."""
    message = HTTPMessage()
    for name, value in response.header_pairs():
        message.add_header(name, value)
    plain = PlainResponse(Tape(()))  # type: ignore[arg-type]
    plain.msg = plain.headers = message
    body = BytesIO()
    body.close()
    return PooledResponse(
        body=body,
        headers=HTTPHeaderDict(response.header_pairs()),
        status=response.status_code,
        reason=response.reason,
        version=10 if response._head.raw.startswith(b"HTTP/1.0") else 11,
        preload_content=False,
        decode_content=False,
        original_response=plain,
    )


def _connection(_: PlainHttpResponse) -> HTTPAdapter:
    """An adapter as good as the one that it did not come through."""
    return HTTPAdapter()


def _next(response: PlainHttpResponse) -> PreparedRequest | None:
    """The request that would follow a redirect."""
    if not response.is_redirect:
        return None
    with Session() as session:
        session.trust_env = False
        following = session.resolve_redirects(response, response.request, yield_requests=True)
        return next(following, None)  # type: ignore[return-value] # it yields requests


def _cookies(response: PlainHttpResponse) -> RequestsCookieJar:
    jar = RequestsCookieJar()
    extract_cookies_to_jar(jar, response.request, response.raw)
    return jar


def _elapsed(response: PlainHttpResponse) -> timedelta:
    _, sent_ns, first_byte_ns, _, _ = response.withstand_timing
    return timedelta(microseconds=(first_byte_ns - sent_ns) / 1_000)


_MADE_LATE: Final[dict[str, Callable[[PlainHttpResponse], Any]]] = {
    "headers": _headers,
    "reason": lambda response: response._head.reason,
    "encoding": lambda response: get_encoding_from_headers(response.headers),
    "history": lambda _: [],
    "cookies": _cookies,
    "elapsed": _elapsed,
    "request": PlainHttpResponse.sent_request,
    "raw": _raw,
    "connection": _connection,
    "_next": _next,
}
