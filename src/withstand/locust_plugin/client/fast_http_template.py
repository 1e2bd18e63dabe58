"""The part of a request of FastHttpUser that is the same each time, made once by geventhttpclient.

So the bytes that are sent are those that it would send: same headers, same order.
"""

from typing import Any, Final

from geventhttpclient.client import HTTPClient
from geventhttpclient.header import Headers
from locust.contrib.fasthttp import LocustUserAgent, _construct_basic_auth_str

_LEFT_TO_LOCUST: Final = frozenset(
    ("content-length", "transfer-encoding", "expect", "te", "upgrade", "proxy-authorization")
)
_PATH: Final = "/withstand"
_COOKIE: Final = "withstand=1"

NO_BODY: Final = ("no body", None)
JSON: Final = ("json", "[1]")
FORM: Final = ("form", {"a": "b"})
TEXT: Final = ("text", "a")
BYTES: Final = ("bytes", b"a")
Body = tuple[str, Any]
"""A kind of body, and one of that kind."""


class FastTemplate:
    """A request but for its path, its cookies, and the length of its body.

    `plain` is what follows the path where there are neither cookies nor a body. `headers` are those
    that a user sees in `response.request`, `encodes` is whether the payload there is of bytes.
    """

    __slots__ = (
        "_after",
        "_before",
        "_between",
        "_length_first",
        "_length_name",
        "_takes_cookies",
        "encodes",
        "headers",
        "method",
        "plain",
        "start",
    )

    def __init__(self, built: bytes, method: str, headers: Headers, *, encodes: bool) -> None:
        self.method = method
        self.headers = headers
        self.encodes = encodes
        self._takes_cookies = headers.get("cookie") == _COOKIE
        self._length_name = b""
        self._length_first = False
        start, _, rest = built.partition(_PATH.encode())
        parts: list[list[bytes]] = [[]]
        for line in rest.split(b"\r\n"):
            name, _, value = line.partition(b": ")
            if self._takes_cookies and name == b"Cookie" and value == _COOKIE.encode():
                parts.append([])
            elif name.lower() == b"content-length":
                self._length_first = len(parts) == 1
                self._length_name = name
                parts.append([])
            else:
                parts[-1].append(line + b"\r\n")
        parts[-1][-1] = b""  # what comes after the last line end
        self.start = start
        self._before, self._between, self._after = (b"".join(each) for each in (*parts, [], [])[:3])
        self.plain = self._before + self._between + self._after
        if self._length_name:
            self.plain = self.whole(b"", "", b"")[len(start) :]

    def whole(self, uri: bytes, cookie: str, body: bytes) -> bytes:
        """The whole request."""
        first = second = b""
        if cookie and self._takes_cookies:
            first = b"Cookie: %b\r\n" % cookie.encode("latin-1")
        if self._length_name:
            second = b"%b: %d\r\n" % (self._length_name, len(body))
        if self._length_first:
            first, second = second, first
        return b"".join(
            (self.start, uri, self._before, first, self._between, second, self._after, body)
        )

    def request_headers(self, cookie: str, body: bytes) -> Headers:
        """The headers of a request, as geventhttpclient has them before it sends."""
        headers = self.headers.copy()
        if self._takes_cookies:
            if cookie:
                headers["Cookie"] = cookie
            else:
                headers.discard("cookie")
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        return headers


def session_headers(headers: Any, auth: Any, auth_header: Any, kind: Body) -> dict[str, Any]:
    """The headers that Locust itself adds to those of a request."""
    whole = dict(headers) if headers else {}
    if auth:
        whole["Authorization"] = _construct_basic_auth_str(  # type: ignore[no-untyped-call]
            auth[0], auth[1]
        )
    elif auth_header:
        whole["Authorization"] = auth_header
    missing = {"Accept-Encoding": "gzip, deflate, br"}
    if kind is JSON:
        missing |= {"Content-Type": "application/json", "Accept": "application/json"}
    for name, value in missing.items():
        if name not in whole and name.lower() not in whole:
            whole[name] = value
    return whole


def fast_template(
    agent: LocustUserAgent, client: HTTPClient, method: str, headers: dict[str, Any], kind: Body
) -> FastTemplate | None:
    """The template of an agent's requests with such headers and such a kind of body; None where
    geventhttpclient itself has to send them. Raises what it raises.
    """
    merged = agent.default_headers.copy()
    merged.update(headers)
    if not all(type(value) is str for value in merged.values()):
        return None
    if any(name.lower() in _LEFT_TO_LOCUST for name in merged):
        return None
    request = agent._make_request("http://host/", method, headers=merged, payload=kind[1])
    if not request.has_header("Cookie"):
        request.add_unredirected_header("Cookie", _COOKIE)
    payload: Any = request.payload
    built = client._build_request(
        request.method,
        _PATH,
        body=payload.encode() if type(payload) is str else payload or b"",
        headers=request.headers,
    )
    return FastTemplate(
        built.encode("latin-1"),
        request.method,
        request.headers,
        encodes=type(payload) is bytes,
    )
