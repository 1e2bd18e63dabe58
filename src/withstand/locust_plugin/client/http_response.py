"""The response that a user of HttpUser sees: one of requests', made as far as it is looked at."""

from datetime import timedelta
from http.client import HTTPMessage
from http.client import HTTPResponse as PlainResponse
from io import BytesIO
from json import JSONDecoder
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
from withstand.locust_plugin.client.late import Late
from withstand.locust_plugin.client.plan import IS_STANDARD_JSON
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.client.template import OfText
from withstand.locust_plugin.timing import Timing, response_ms
from withstand.locust_plugin.watch import WATCH

Told = tuple[str, str, int, Any, float, str | None]
"""Method, name, bytes of the content, context, when it began, in seconds since 1970, and the name
that the user gave."""

_scan_json: Final = JSONDecoder().scan_once  # type: ignore[attr-defined] # typeshed leaves it out


class PlainHttpResponse(ResponseContextManager):
    """An answer that came whole, without a redirect.

    It is a `requests.Response` in every respect. What costs time to make, and what few users look
    at, is made at the first look.
    """

    _content_consumed = True
    _entered = False
    told: Told
    """What Locust's listeners are to hear of the request that this answers."""

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

    def json(self, **options: Any) -> Any:
        """The body as JSON."""
        content = self._content
        # Of other texts, and of what is no JSON, requests knows more.
        if not options and content and content.isascii() and IS_STANDARD_JSON:
            try:
                value, end = _scan_json(content.decode("ascii"), 0)
            except (ValueError, StopIteration):
                pass
            else:
                if end == len(content):
                    return value
        return super().json(**options)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:
        """The end of the user's with-block, or of the request where there is none."""
        result = self._manual_result
        if (
            (result is True or (result is None and kind is None and self.status_code < 400))
            and WATCH.unheard is self._request_event
            and "request_meta" not in self.__dict__  # who has looked at it may have changed it
        ):
            told = self.told
            if WATCH.record(told[0], told[1], self.status_code, told[2], self.withstand_timing):
                return kind is None
        return super().__exit__(kind, error, trace)  # type: ignore[no-untyped-call]

    @Late
    def request_meta(self) -> dict[str, Any]:
        """What listeners hear. It holds the response, and so is made only if somebody looks."""
        method, name, size_bytes, context, start_time, _ = self.told
        return {
            "request_type": method,
            "response_time": response_ms(self.withstand_timing),
            "name": name,
            "context": dict(context),
            "response": self,
            "exception": None,
            "start_time": start_time,
            "url": self.address.url,
            "response_length": size_bytes,
        }

    @Late
    def headers(self) -> CaseInsensitiveDict[str]:
        """The headers of the answer."""
        return CaseInsensitiveDict(HTTPHeaderDict(self._head.items()))

    @Late
    def reason(self) -> str:
        """The words beside the status."""
        return self._head.reason

    @Late
    def encoding(self) -> str | None:
        """That of the text, as the headers tell."""
        return get_encoding_from_headers(self.headers)

    @Late
    def history(self) -> list[Any]:
        """The answers before this one: none."""
        return []

    @Late
    def cookies(self) -> RequestsCookieJar:
        """The cookies that the answer sets."""
        jar = RequestsCookieJar()
        extract_cookies_to_jar(jar, self.request, self.raw)
        return jar

    @Late
    def elapsed(self) -> timedelta:
        """From sending the request to the first byte of the answer."""
        _, _, sent_ns, first_byte_ns, _, _ = self.withstand_timing
        return timedelta(microseconds=(first_byte_ns - sent_ns) / 1_000)

    @Late
    def request(self) -> PreparedRequest:
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
        if self.told[5]:
            request._explicit_name = self.told[5]  # type: ignore[attr-defined]
        return request

    @Late
    def raw(self) -> PooledResponse:
        """As it is after its content was read."""
        pairs = self._head.items()
        message = HTTPMessage()
        for name, value in pairs:
            message.add_header(name, value)
        plain = PlainResponse(Tape(()))  # type: ignore[arg-type]
        plain.msg = plain.headers = message
        body = BytesIO()
        body.close()
        return PooledResponse(
            body=body,
            headers=HTTPHeaderDict(pairs),
            status=self.status_code,
            reason=self.reason,
            version=10 if self._head.raw.startswith(b"HTTP/1.0") else 11,
            preload_content=False,
            decode_content=False,
            original_response=plain,
        )

    @Late
    def connection(self) -> HTTPAdapter:
        """An adapter as good as the one that it did not come through."""
        return HTTPAdapter()

    @Late
    def _next(self) -> PreparedRequest | None:
        """The request that would follow a redirect."""
        if not self.is_redirect:
            return None
        with Session() as session:
            session.trust_env = False
            following = session.resolve_redirects(self, self.request, yield_requests=True)
            return next(following, None)  # type: ignore[return-value] # it yields requests
