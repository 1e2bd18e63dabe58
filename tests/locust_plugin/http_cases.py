"""What users of Locust do with `self.client`, case by case.

Nothing is imported here that patches the process, so that the tests may list the cases; what a case
needs of gevent or of Locust, its `Bench` has.
"""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from requests.auth import HTTPBasicAuth
from requests.cookies import create_cookie

from tests.locust_plugin.misbehaving_http_server import BROKEN, HANGING, PLAIN, REDIRECTS

TIMEOUT_S: Final = 0.06


class Bench(Protocol):
    """A user of its own for each case, and what looks at it."""

    user: Any
    client: Any
    environment: Any
    authority: str
    client_certificate: tuple[str, str]

    def url(self, path: str, *, port: str = "main", host: str = "127.0.0.1") -> str:
        """An absolute address on one of the server's ports."""

    def show(self, do: Callable[[], Any]) -> Any:
        """Do it, and note the response or the exception. Returns the response."""

    def note(self, what: Any) -> None:
        """Note something that has a repr."""

    def together(self, *what: Callable[[], Any]) -> None:
        """Do several things in greenlets of their own, and wait for all."""

    def killed(self, do: Callable[[], Any]) -> None:
        """Do it in a greenlet that is killed meanwhile."""

    def out_of_time(self, do: Callable[[], Any]) -> None:
        """Do it within a gevent.Timeout that runs out."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """`host` is that of the user. Ports stand in braces, by their names. `connections` is whether
    requests have to come over the same connections: where some of them are left to requests, which
    has connections of its own, they cannot.
    """

    do: Callable[[Bench], None]
    connections: bool = False
    host: str = "http://127.0.0.1:{main}"
    context: bool = False  # whether the user has a context of its own


CASES: Final[dict[str, Case]] = {}


def _case(
    name: str,
    *,
    host: str = "http://127.0.0.1:{main}",
    context: bool = False,
    connections: bool = False,
) -> Callable[[Callable[[Bench], None]], None]:
    def add(do: Callable[[Bench], None]) -> None:
        assert name not in CASES, name
        CASES[name] = Case(do=do, host=host, context=context, connections=connections)

    return add


def _shown(
    name: str,
    *requests: Callable[[Any], Any],
    host: str = "http://127.0.0.1:{main}",
    connections: bool = False,
) -> None:
    """A case that shows the responses to such requests of a client, one after the other."""

    def do(bench: Bench) -> None:
        for request in requests:
            bench.show(lambda request=request: request(bench.client))  # type: ignore[misc]

    _case(name, host=host, connections=connections)(do)


# Every answer, to requests of every kind.


def _caught(client: Any, path: str) -> Any:
    with client.get(path, catch_response=True) as response:
        if response.status_code >= 400:
            response.success()
        else:
            response.failure("not wanted")
    return response


def _streamed(bench: Bench, path: str) -> None:
    def read() -> Any:
        response = bench.client.get(path, stream=True)
        bench.note((response.status_code, response.raw.closed, list(response.iter_content(4))))
        response.close()

    bench.show(read)
    bench.show(lambda: list(bench.client.get(path, stream=True).iter_lines()))


def _over_tls(bench: Bench, path: str) -> None:
    bench.client.verify = bench.authority
    for _ in range(2):
        bench.show(lambda: bench.client.get(path))


_KINDS: Final[dict[str, Callable[[Any, str], Any]]] = {
    "get": lambda client, path: client.get(path),
    "head": lambda client, path: client.head(path),
    "post": lambda client, path: client.post(path, json={"a": 1}),
    "unfollowed": lambda client, path: client.get(path, allow_redirects=False),
    "caught": _caught,
}


_ABOUT_CONNECTIONS: Final = re.compile(
    "plain|piece|large|chunk|close|reset|http-1.0|interim|gzip|split|extra|garbage|30[12]$|until"
)
_STREAMED: Final = ("plain", "large", "gzip", "chunked", "302", "closes-in-body", "gzip-corrupted")
_LEFT_TO_REQUESTS: Final = ("chunked-and-length", "interim-102", "interim-103")


def _tells(answer: str, kind: str) -> bool:
    """Whether an answer tells something more with requests of this kind."""
    if kind == "tls":
        return bool(_ABOUT_CONNECTIONS.search(answer))
    if kind in ("get", "head") or answer == "plain":
        return True
    if kind == "unfollowed" or answer in REDIRECTS:
        return answer in REDIRECTS
    return answer[:1].isdigit() or answer.startswith(("closes-", "cookie"))


def _add_answers() -> None:
    for answer in (*PLAIN, *REDIRECTS, *BROKEN):
        path = f"/b/{answer}"
        for kind, request in _KINDS.items():
            if not _tells(answer, kind):
                continue
            # Twice, since a head that came before is known again; and another answer after it,
            # since the connection may have been left in a bad state.
            again = [lambda client, request=request, path=path: request(client, path)] * 2
            _shown(
                f"{kind}-{answer}",
                *again,
                lambda client: client.get("/hello"),
                connections=answer in PLAIN and answer not in _LEFT_TO_REQUESTS,
            )
        if answer in _STREAMED:
            _case(f"streamed-{answer}")(lambda bench, path=path: _streamed(bench, path))  # type: ignore[misc]
        if not _tells(answer, "tls"):
            continue
        _case(f"tls-{answer}", host="https://127.0.0.1:{tls}")(
            lambda bench, path=path: _over_tls(bench, path)  # type: ignore[misc]
        )
    for answer in HANGING:
        for method in ("GET", "HEAD"):
            _shown(
                f"{method.lower()}-{answer}",
                *[
                    lambda client, method=method, path=path: client.request(
                        method, path, timeout=TIMEOUT_S
                    )
                    for path in (f"/b/{answer}", "/hello")
                ],
            )


_add_answers()
_shown("whole-answer-to-head", lambda client: client.head("/b/whole-to-head"))
_shown("connection-counter", *[lambda client: client.get("/b/count")] * 4, connections=True)
_shown("rolling-cookie", *[lambda client: client.get("/b/rolling")] * 4, connections=True)

# Methods.

for _method in ("get", "post", "put", "patch", "delete", "options", "head"):
    _shown(f"method-{_method}", lambda client, name=_method: getattr(client, name)("/hello"))  # type: ignore[misc]
    _shown(
        f"method-{_method}-with-body",
        lambda client, name=_method: getattr(client, name)("/hello", data="a=b"),  # type: ignore[misc]
    )
for _method in ("GET", "get", "Post", "PURGE", "x-odd", "TRACE", "G T", "GÉT", "", b"GET"):  # type: ignore[assignment]
    _shown(f"request-{_method!r}", lambda client, name=_method: client.request(name, "/hello"))  # type: ignore[misc]
_shown("request-by-keywords", lambda client: client.request(method="GET", url="/hello", name="n"))
_shown("request-of-none", lambda client: client.request(None, "/hello"))
_shown("request-with-positions", lambda client: client.request("GET", "/hello", "n", False, {}))
_shown("unknown-keyword", lambda client: client.get("/hello", unheard="of"))
_shown("unknown-keyword-of-none", lambda client: client.get("/hello", unheard=None))

# Addresses.

_PATHS: Final = {
    "empty": "",
    "root": "/",
    "query-only": "?a=b",
    "empty-query": "/hello?",
    "query": "/hello?a=b&c=d",
    "question-in-query": "/hello?a=b?c",
    "slash-in-query": "/hello?a=/b/../c",
    "dots-in-query": "/hello?a=./b",
    "fragment": "/hello#part",
    "query-and-fragment": "/hello?a=b#part",
    "space": "/hello world",
    "unicode": "/café",
    "unicode-query": "/hello?a=é",
    "percent": "/hello%20world",
    "percent-in-lower-case": "/a%2fb%c3%a9",
    "percent-unreserved": "/%41%7E",
    "percent-alone": "/100%",
    "percent-bad": "/a%zzb",
    "dot-segments": "/a/../b/./c",
    "dot-at-end": "/a/.",
    "dot-file": "/.well-known/x",
    "dots-in-name": "/a..b/c.json",
    "double-slash": "//hello",
    "double-slash-inside": "/a//b",
    "no-slash": "hello",
    "semicolon": "/a;b=c?d;e",
    "brackets": "/a[1]?b[]=c",
    "braces": "/a{1}?b={c}",
    "quotes": "/a'b\"c",
    "pipe": "/a|b^c`d",
    "backslash": "/a\\b",
    "plus": "/a+b?c+d",
    "at": "/@me:x",
    "tab": "/a\tb",
    "newline": "/a\nb",
    "trailing-space": "/a ",
    "leading-space": " /a",
    "del": "/a\x7fb",
    "tilde": "/~a_-.!$&'()*,=",
    "long-query": "/hello?" + "a" * 20_000,
    "long-path": "/" + "a" * 5_000,
    "two-questions": "/a??b",
    "starts-with-http": "httpish/a",
}
for _name, _path in _PATHS.items():
    _shown(f"path-{_name}", *[lambda client, path=_path: client.get(path)] * 2)
_shown("path-of-bytes", lambda client: client.get(b"/hello"))
_shown("path-of-none", lambda client: client.get(None))
_shown("path-of-number", lambda client: client.get(7))

_HOSTS: Final = {
    "with-path": "http://127.0.0.1:{main}/base",
    "with-slash": "http://127.0.0.1:{main}/",
    "with-credentials": "http://ann:pa%40ss@127.0.0.1:{main}",
    "with-user-only": "http://ann@127.0.0.1:{main}",
    "with-empty-password": "http://ann:@127.0.0.1:{main}",
    "with-query": "http://127.0.0.1:{main}/base?x=",
    "with-fragment": "http://127.0.0.1:{main}/base#x",
    "in-capitals": "HTTP://LOCALHOST:{main}",
    "name": "http://localhost:{main}",
    "name-with-dot": "http://localhost.:{main}",
    "six": "http://[::1]:{six}",
    "six-in-full": "http://[0:0:0:0:0:0:0:1]:{six}",
    "six-refused": "http://[::1]:{dead}",
    "refused": "http://127.0.0.1:{dead}",
    "refused-by-name": "http://localhost:{dead}",
    "unresolvable": "http://nowhere.invalid",
    "unresolvable-over-tls": "https://nowhere.invalid",
    "without-scheme": "127.0.0.1:{main}",
    "of-ftp": "ftp://127.0.0.1:{main}",
    "with-odd-name": "http://a..b:{main}",
    "with-long-name": "http://" + "a" * 70 + ".invalid:{main}",
    "with-underscore": "http://a_b.invalid",
    "with-dash-first": "http://-a.invalid",
    "with-star": "http://*.invalid",
    "with-port-0": "http://127.0.0.1:0",
    "with-port-too-large": "http://127.0.0.1:70000",
    "with-port-of-zeros": "http://127.0.0.1:0{main}",
    "with-port-empty": "http://127.0.0.1:",
    "with-short-address": "http://127.1:{main}",
    "with-scope": "http://[::1%25lo]:{six}",
    "empty": "",
    "without-host": "http://",
    "tls-unverified": "https://127.0.0.1:{tls}",
    "tls-to-plain": "https://127.0.0.1:{main}",
    "plain-to-tls": "http://127.0.0.1:{tls}",
    "tls-refused": "https://127.0.0.1:{dead}",
}
for _name, _host in _HOSTS.items():
    _shown(
        f"host-{_name}",
        # The name servers of a machine without network may take their time to say no.
        *[
            lambda client, path=path, name=name, timeout=TIMEOUT_S if "to" in _name else 5: (
                client.get(path, name=name, timeout=timeout)
            )
            for path, name in (("/hello", None), ("/hello?a=b", "n"))
        ],
        host=_host,
    )


@_case("absolute-addresses")
def _absolute(bench: Bench) -> None:
    for address in (
        bench.url("/hello"),
        bench.url("/hello", port="other"),
        bench.url("", port="other"),
        bench.url("?a=b", port="other"),
        bench.url("/a b", port="other"),
        bench.url("/hello", port="other").replace("http", "HTTP"),
        bench.url("/hello", port="dead"),
        bench.url("/hello", port="other").replace("//", "//ann:secret@"),
        bench.url("/hello", port="other").replace("//", "///"),
        bench.url("/hello", port="other").replace("//", "/"),
        "http://",
        "http:///hello",
        "https",
    ):
        bench.show(lambda address=address: bench.client.get(address))  # type: ignore[misc]


@_case("base-url-changed")
def _base_url(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.base_url = bench.url("/else", port="other")
    bench.show(lambda: bench.client.get("/hello"))


@_case("cookies-of-two-ports")
def _two_ports(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/cookie"))
    bench.show(lambda: bench.client.get(bench.url("/b/count", port="other")))


# Parameters, bodies and headers.

_PARAMS: Final[dict[str, Any]] = {
    "dict": {"a": 1, "b": "x y", "c": None},
    "dict-of-lists": {"a": [1, 2], "b": ("x",)},
    "list": [("a", 1), ("a", 2)],
    "str": "a=b&c",
    "str-with-space": "a=b c&é",
    "bytes": b"a=b",
    "empty-dict": {},
    "empty-str": "",
    "unicode": {"é": "ü/?&"},
    "bytes-in-dict": {b"a": b"\xff"},
    "bool": {"a": True, "b": 1.5},
    "number": 7,
    "tilde": {"a": "~-._", "b": "*'()"},
    "str-with-question": "?a=b",
    "str-with-fragment": "a=b#c",
}
for _name, _params in _PARAMS.items():
    _shown(
        f"params-{_name}",
        lambda client, params=_params: client.get("/hello", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello?x=y", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello?", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello#part", params=params),  # type: ignore[misc]
    )
_shown("params-without-path", lambda client: client.get("", params={"a": "b"}))


class _Odd:
    def __str__(self) -> str:
        return "odd"


def _pieces() -> Iterator[bytes]:
    yield b"one"
    yield b"two"


_BODIES: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "dict": lambda: {"data": {"a": 1, "b": "x y", "c": None}},
    "dict-of-lists": lambda: {"data": {"a": [1, 2], "b": ["é"]}},
    "dict-of-none": lambda: {"data": {"a": None}},
    "empty-dict": lambda: {"data": {}},
    "list-of-tuples": lambda: {"data": [("a", 1), ("a", 2)]},
    "empty-list": lambda: {"data": []},
    "str": lambda: {"data": "a=b"},
    "empty-str": lambda: {"data": ""},
    "unicode": lambda: {"data": "é=ü"},
    "bytes": lambda: {"data": b"\x00\xff"},
    "empty-bytes": lambda: {"data": b""},
    "bytearray": lambda: {"data": bytearray(b"abc")},
    "file": lambda: {"data": io.BytesIO(b"from a file")},
    "text-file": lambda: {"data": io.StringIO("from a file")},
    "generator": lambda: {"data": _pieces()},
    "number": lambda: {"data": 7},
    "zero": lambda: {"data": 0},
    "false": lambda: {"data": False},
    "large": lambda: {"data": b"x" * 600_000},
    "json-dict": lambda: {"json": {"a": 1, "é": "ü", "n": None, "f": 1.5}},
    "json-list": lambda: {"json": [1, "a"]},
    "json-empty-dict": lambda: {"json": {}},
    "json-empty-list": lambda: {"json": []},
    "json-empty-str": lambda: {"json": ""},
    "json-zero": lambda: {"json": 0},
    "json-false": lambda: {"json": False},
    "json-none": lambda: {"json": None},
    "json-str": lambda: {"json": "a"},
    "json-nan": lambda: {"json": float("nan")},
    "json-infinity": lambda: {"json": {"a": float("inf")}},
    "json-impossible": lambda: {"json": {"a": object()}},
    "json-of-odd-keys": lambda: {"json": {1: 2, None: 3}},
    "json-surrogate": lambda: {"json": "\ud800"},
    "json-and-data": lambda: {"json": {"a": 1}, "data": {"b": 2}},
    "json-and-empty-data": lambda: {"json": {"a": 1}, "data": {}},
    "json-and-empty-str": lambda: {"json": {"a": 1}, "data": ""},
    "json-and-headers": lambda: {"json": {"a": 1}, "headers": {"Content-Type": "x/y"}},
    "form-and-headers": lambda: {"data": {"a": 1}, "headers": {"content-type": "x/y"}},
    "files": lambda: {"files": {"a": ("a.txt", b"abc", "text/plain")}},
    "files-and-data": lambda: {"files": {"a": io.BytesIO(b"abc")}, "data": {"b": 2}},
    "empty-files": lambda: {"files": {}},
    "empty-files-and-json": lambda: {"files": [], "json": {"a": 1}},
    "surrogate": lambda: {"data": "\ud800"},
}
for _name, _body in _BODIES.items():
    _shown(
        f"body-{_name}",
        lambda client, body=_body: client.post("/hello", **body()),  # type: ignore[misc]
        lambda client, body=_body: client.post("/hello", **body()),  # type: ignore[misc]
        lambda client, body=_body: client.get("/hello", **body()),  # type: ignore[misc]
        lambda client, body=_body: client.post("/b/307", **body()),  # type: ignore[misc]
        lambda client, body=_body: client.post("/b/404", **body()),  # type: ignore[misc]
    )

_HEADERS: Final[dict[str, Any]] = {
    "dict": {"X-A": "1", "x-b": "2"},
    "empty": {},
    "user-agent": {"User-Agent": "me"},
    "user-agent-in-lower-case": {"user-agent": "me"},
    "user-agent-none": {"User-Agent": None},
    "accept": {"ACCEPT": "text/html"},
    "accept-encoding-none": {"Accept-Encoding": None},
    "accept-encoding": {"Accept-Encoding": "identity"},
    "connection-close": {"Connection": "close"},
    "connection-none": {"Connection": None},
    "bytes": {"X-A": b"1"},
    "bytes-name": {b"X-A": "1"},
    "bytes-both": {b"X-A": b"1"},
    "number": {"X-A": 1},
    "latin-1": {"X-A": "café"},
    "unicode": {"X-A": "☕"},
    "newline": {"X-A": "1\r\nX-B: 2"},
    "leading-space": {"X-A": " 1"},
    "trailing-space": {"X-A": "1 "},
    "colon-in-name": {"X:A": "1"},
    "space-in-name": {"X A": "1"},
    "empty-name": {"": "1"},
    "empty-value": {"X-A": ""},
    "host": {"Host": "example.com"},
    "cookie": {"Cookie": "x=y"},
    "content-type": {"Content-Type": "text/plain"},
    "content-length": {"Content-Length": "3"},
    "content-length-0": {"Content-Length": "0"},
    "transfer-encoding": {"Transfer-Encoding": "chunked"},
    "expect": {"Expect": "100-continue"},
    "upgrade": {"Upgrade": "h2c"},
    "authorization": {"Authorization": "Bearer x"},
    "same-twice": {"X-A": "1", "x-a": "2"},
    "list-of-pairs": [("X-A", "1")],
    "str": "X-A: 1",
    "unhashable": {"X-A": ["1"]},
    "none": None,
    "odd": {"X-A": _Odd()},
}
for _name, _headers in _HEADERS.items():
    _shown(
        f"headers-{_name}",
        *[
            lambda client, headers=_headers, data=data: client.post(
                "/hello", data=data, headers=headers, timeout=TIMEOUT_S * 2
            )
            for data in (None, "abc", None)
        ],
        lambda client: client.get("/hello"),
    )


def _changed(name: str, change: Callable[[Any], Any], *, host: str | None = None) -> None:
    """A case that makes requests before and after a change to the client."""

    def do(bench: Bench) -> None:
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: change(bench.client))
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: bench.client.post("/b/cookie", json={"a": 1}))
        bench.show(lambda: bench.client.get("/b/302"))
        bench.show(lambda: bench.client.get("/b/404"))

    _case(name, host=host or "http://127.0.0.1:{main}")(do)


_changed("session-headers-update", lambda client: client.headers.update({"X-A": "1"}))
_changed("session-headers-set", lambda client: client.headers.__setitem__("X-A", "1"))
_changed("session-headers-delete", lambda client: client.headers.__delitem__("User-Agent"))
_changed("session-headers-pop", lambda client: client.headers.pop("accept"))
_changed("session-headers-clear", lambda client: client.headers.clear())
_changed("session-headers-default", lambda client: client.headers.setdefault("X-A", "1"))
_changed("session-headers-assign", lambda client: setattr(client, "headers", {"X-A": "1"}))
_changed("session-headers-copy", lambda client: client.headers.copy())
_changed("session-headers-none", lambda client: client.headers.update({"Accept": None}))
_changed("session-headers-cookie", lambda client: client.headers.update({"Cookie": "x=y"}))
_changed("session-headers-host", lambda client: client.headers.update({"Host": "example.com"}))
_changed("session-headers-bytes", lambda client: client.headers.update({"X-A": b"1"}))
_changed("session-headers-number", lambda client: client.headers.update({"X-A": 1}))
_changed("session-headers-close", lambda client: client.headers.update({"Connection": "close"}))
_changed("session-headers-or", lambda client: client.headers.update([("X-A", "1")], x_b="2"))
_changed("session-headers-unset", lambda client: setattr(client, "headers", None))
_changed("session-auth-tuple", lambda client: setattr(client, "auth", ("ann", "secret")))
_changed("session-auth-list", lambda client: setattr(client, "auth", ["ann", "secret"]))
_changed("session-auth-empty", lambda client: setattr(client, "auth", ()))
_changed("session-auth-basic", lambda client: setattr(client, "auth", HTTPBasicAuth("ann", "x")))
_changed("session-auth-of-bytes", lambda client: setattr(client, "auth", (b"ann", b"\xff")))
_changed("session-auth-unicode", lambda client: setattr(client, "auth", ("änn", "☕")))


def _signed(request: Any) -> Any:
    request.headers["X-Signed"] = request.url[-6:]
    return request


_changed("session-auth-callable", lambda client: setattr(client, "auth", _signed))
_changed("session-cookies-set", lambda client: client.cookies.set("a", "1"))
_changed("session-cookies-set-path", lambda client: client.cookies.set("a", "1", path="/b"))
_changed(
    "session-cookies-set-domain", lambda client: client.cookies.set("a", "1", domain="127.0.0.1")
)
_changed("session-cookies-item", lambda client: client.cookies.__setitem__("a", "1"))
_changed("session-cookies-update", lambda client: client.cookies.update({"a": "1", "b": "2"}))
_changed("session-cookies-assign", lambda client: setattr(client, "cookies", {"a": "1"}))
_changed("session-cookies-quoted", lambda client: client.cookies.set("a", '"x y"'))
_changed("session-cookies-unicode", lambda client: client.cookies.set("a", "☕"))
_changed("session-cookies-latin-1", lambda client: client.cookies.set("a", "é"))
_changed(
    "session-cookies-set-cookie",
    lambda client: client.cookies.set_cookie(create_cookie("a", "1", expires=1)),
)


@_case("session-cookies-changes")
def _cookies_changed(bench: Bench) -> None:
    jar = bench.client.cookies
    for change in (
        lambda: jar.set("a", "1"),
        lambda: jar.set("a", "2"),
        lambda: jar.set("b", "3", path="/hello"),
        lambda: jar.set("c", "4", domain="example.com"),
        lambda: jar.set("a", None),
        lambda: jar.__delitem__("b"),
        lambda: jar.pop("c"),
        lambda: bench.client.get("/b/two-cookies"),
        lambda: jar.clear("127.0.0.1", "/b"),
        lambda: jar.copy().set("z", "9"),
        lambda: jar.clear_session_cookies(),
        lambda: jar.update({"d": "5"}),
        lambda: jar.clear(),
        lambda: bench.client.get("/b/cookie-with-max-age"),
        lambda: bench.client.get("/b/cookie-with-max-age-0"),
    ):
        bench.show(change)
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: bench.client.get("/b/plain"))


@_case("session-cookies-cleared-between")
def _cookies_cleared(bench: Bench) -> None:
    for _ in range(3):
        bench.show(lambda: bench.client.get("/b/cookie"))
        bench.show(lambda: bench.client.get("/b/plain"))
        bench.client.cookies.clear()
        bench.show(lambda: bench.client.get("/b/plain"))


@_case("session-signs-in-and-out")
def _in_and_out(bench: Bench) -> None:
    client = bench.client

    def ask() -> None:
        bench.show(lambda: client.get("/hello"))
        bench.show(lambda: client.post("/hello", json={"a": [1]}))
        bench.show(lambda: client.post("/hello", data={"a": "ü"}))
        bench.show(lambda: client.post("/hello", data=b"other"))
        bench.show(lambda: client.post("/hello", data="text"))
        bench.show(lambda: client.post("/hello"))
        bench.show(lambda: client.get("/hello", params={"a": 1, "b": None}))
        bench.show(lambda: client.post("/hello", params={"a": True}, json={"b": "c"}))
        bench.show(lambda: client.get("/hello", params={"a": 1.0}))

    for token in ("one", "two", "one"):
        client.headers["Authorization"] = f"Bearer {token}"
        ask()
        client.headers.pop("Authorization")
        ask()
        client.auth = ("ann", token)
        ask()
        client.auth = None
        bench.show(lambda: client.get("/b/cookie"))
        ask()
        client.cookies.clear()
    for number in range(20):  # more than are remembered
        client.headers["X-Number"] = str(number % 12)
        bench.show(lambda: client.post("/hello", json=[]))
    own = {"Accept": "text/plain"}
    client.headers = own
    ask()
    own["X-Late"] = "1"
    ask()
    client.headers.update({"accept": b"bytes"})
    ask()
    client.headers["accept"] = ["no text"]
    bench.show(lambda: client.get("/hello"))


@_case("session-jars-exchanged")
def _jars(bench: Bench) -> None:
    """Users that take the sessions of others, as from a pool of those who have signed in."""
    import pickle

    from requests.cookies import RequestsCookieJar

    client, jars = bench.client, []
    for name in ("ann", "bob"):
        client.cookies = RequestsCookieJar()
        client.cookies.set("sid", name)
        jars.append(client.cookies)
    client.cookies = type(client.cookies)()
    bench.show(lambda: client.get("/b/cookie"))
    jars.append(pickle.loads(pickle.dumps(client.cookies)))
    for jar in jars * 2:
        client.cookies = jar
        bench.show(lambda: client.get("/hello"))
        bench.show(lambda: client.post("/hello", json=[]))


@_case("session-cookies-changed-in-place")
def _in_place(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/two-cookies"))
    bench.show(lambda: bench.client.get("/hello"))
    for name, value in (("value", "new"), ("secure", True), ("secure", False), ("expires", 1)):
        for cookie in bench.client.cookies:
            setattr(cookie, name, value)
            bench.note(repr(cookie))
        bench.show(lambda: bench.client.get("/hello"))


@_case("session-cookies-with-a-policy")
def _policy(bench: Bench) -> None:
    from http.cookiejar import DefaultCookiePolicy

    bench.client.cookies.set("a", "1")
    for policy in (DefaultCookiePolicy(allowed_domains=[]), DefaultCookiePolicy()):
        bench.client.cookies.set_policy(policy)
        bench.show(lambda: bench.client.get("/b/cookie"))
        bench.show(lambda: bench.client.get("/hello"))


@_case("session-headers-copied-and-shared")
def _copied_headers(bench: Bench) -> None:
    import copy

    client = bench.client
    bench.show(lambda: client.get("/hello"))
    before = copy.deepcopy(client.headers)
    for headers in (copy.deepcopy(client.headers), client.headers, before):
        client.headers = headers
        for token in ("one", "two"):
            headers["Authorization"] = token
            bench.show(lambda: client.get("/hello"))
            bench.show(lambda: client.post("/hello", json=1))


@_case("session-credentials-changed-in-place")
def _credentials(bench: Bench) -> None:
    auth = bench.client.auth = HTTPBasicAuth("ann", "one")
    for password in ("one", "two", "one"):
        auth.password = password
        bench.show(lambda: bench.client.get("/hello"))
    bench.client.auth = ["ann", "secret"]
    bench.show(lambda: bench.client.get("/hello"))


@_case("session-methods-replaced")
def _replaced(bench: Bench) -> None:
    def noting(name: str) -> Callable[..., Any]:
        real = getattr(bench.client, name)

        def noted(*arguments: Any, **options: Any) -> Any:
            bench.note(name)
            return real(*arguments, **options)

        return noted

    bench.show(lambda: bench.client.get("/hello"))
    bench.client.send = noting("send")
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.prepare_request = noting("prepare_request")
    bench.show(lambda: bench.client.get("/hello"))
    del bench.client.send
    bench.show(lambda: bench.client.get("/hello"))


@_case("session-adapters-exchanged")
def _adapters(bench: Bench) -> None:
    from requests.adapters import HTTPAdapter

    bench.show(lambda: bench.client.get("/hello"))
    bench.client.adapters["http://"] = HTTPAdapter(max_retries=1)
    bench.show(lambda: bench.client.get("/hello"))
    bench.show(lambda: bench.client.get("/b/closes-at-once"))


@_case("session-retries")
def _retries(bench: Bench) -> None:
    from urllib3 import Retry

    for adapter in bench.client.adapters.values():
        adapter.max_retries = Retry(2, status_forcelist=[404])
    bench.show(lambda: bench.client.get("/b/404"))


@_case("sending-patched")
def _patched(bench: Bench) -> None:
    from unittest import mock

    import requests

    real = requests.Session.send

    def signing(self: Any, request: Any, **options: Any) -> Any:
        request.headers["X-Signature"] = "1"
        return real(self, request, **options)

    with mock.patch.object(requests.Session, "send", signing):
        bench.show(lambda: bench.client.get("/hello"))


@_case("session-without-hooks")
def _no_hooks(bench: Bench) -> None:
    bench.client.hooks = {}
    bench.show(lambda: bench.client.get("/hello"))


@_case("methods-in-other-letters")
def _letters(bench: Bench) -> None:
    for method in ("head", "Head", "HEAD", "get", "Post"):
        bench.show(lambda method=method: bench.client.request(method, "/hello"))  # type: ignore[misc]


@_case("address-in-other-letters")
def _upper(bench: Bench) -> None:
    url = bench.url("/hello", port="other").replace("http", "HTTP")
    bench.show(lambda: bench.client.get(url))
    bench.show(lambda: bench.client.get("httpx"))


@_case("context-of-one-user")
def _own_context(bench: Bench) -> None:
    bench.user.context = lambda: {"tenant": 1}
    bench.show(lambda: bench.client.get("/hello"))
    with bench.client.get("/hello", catch_response=True) as response:
        bench.note(response.request_meta["context"])


@_case("name-on-the-request")
def _explicit_name(bench: Bench) -> None:
    for name in ("own", None):
        response = bench.client.get("/hello", name=name)
        bench.note(getattr(response.request, "_explicit_name", None))


@_case("session-hooks")
def _session_hooks(bench: Bench) -> None:
    bench.client.hooks["response"].append(lambda response, **_: bench.note(response.status_code))
    bench.show(lambda: bench.client.get("/hello"))


@_case("session-settings")
def _session_settings(bench: Bench) -> None:
    for name, value in (
        ("params", {"k": "v"}),
        ("params", {}),
        ("stream", True),
        ("stream", False),
        ("max_redirects", 1),
        ("trust_env", True),
        ("trust_env", False),
        ("proxies", {"http": bench.url("", port="other")}),
        ("proxies", {}),
        ("verify", False),
        ("cert", "/nowhere"),
    ):
        setattr(bench.client, name, value)
        bench.show(lambda: bench.client.get("/hello"))
        bench.show(lambda: bench.client.get("/b/302-to-a-redirect"))


@_case("session-closed")
def _session_closed(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.close()
    bench.show(lambda: bench.client.get("/hello"))


@_case("session-with")
def _session_with(bench: Bench) -> None:
    with bench.client as client:
        bench.show(lambda: client.get("/hello"))


@_case("session-prepared-and-sent")
def _session_sent(bench: Bench) -> None:
    import requests

    request = requests.Request("GET", bench.url("/hello"), headers={"X-A": "1"})
    bench.client.get("/hello")  # without which Locust's own client cannot prepare another
    prepared = bench.client.prepare_request(request)
    bench.show(lambda: bench.client.send(prepared))


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "auth-tuple": {"auth": ("ann", "secret")},
    "auth-basic": {"auth": HTTPBasicAuth("ann", "secret")},
    "auth-callable": {"auth": _signed},
    "auth-empty": {"auth": ()},
    "cookies-dict": {"cookies": {"x": "y"}},
    "cookies-empty": {"cookies": {}},
    "cookies-list": {"cookies": [1]},
    "stream": {"stream": True},
    "stream-false": {"stream": False},
    "stream-none": {"stream": None},
    "timeout": {"timeout": 5},
    "timeout-tuple": {"timeout": (5, 5)},
    "timeout-tuple-of-none": {"timeout": (None, None)},
    "timeout-list": {"timeout": [5, 5]},
    "timeout-of-three": {"timeout": (1, 2, 3)},
    "timeout-zero": {"timeout": 0},
    "timeout-negative": {"timeout": -1},
    "timeout-str": {"timeout": "5"},
    "timeout-words": {"timeout": "soon"},
    "timeout-true": {"timeout": True},
    "timeout-nan": {"timeout": (5, "x")},
    "timeout-none": {"timeout": None},
    "redirects-none": {"allow_redirects": None},
    "redirects-zero": {"allow_redirects": 0},
    "redirects-word": {"allow_redirects": "no"},
    "hooks": {"hooks": {"response": lambda response, **_: setattr(response, "reason", "hooked")}},
    "hooks-empty": {"hooks": {}},
    "verify-false": {"verify": False},
    "verify-nowhere": {"verify": "/nowhere"},
    "cert-nowhere": {"cert": "/nowhere"},
    "proxies-dead": {"proxies": {"http": "http://127.0.0.1:1"}},
    "proxies-empty": {"proxies": {}},
    "name": {"name": "named"},
    "name-empty": {"name": ""},
    "name-number": {"name": 7},
    "context": {"context": {"k": "v"}},
    "context-none": {"context": None},
    "catch-response": {"catch_response": True},
    "catch-response-number": {"catch_response": 1},
}
for _name, _options in _OPTIONS.items():
    for _path in ("/hello", "/b/302", "/b/404"):
        _shown(
            f"option-{_name}-{_path.rpartition('/')[2]}",
            lambda client, path=_path, options=_options: client.get(path, **options),  # type: ignore[misc]
            lambda client, path=_path, options=_options: client.post(path, json=[], **options),  # type: ignore[misc]
        )
    _shown(
        f"option-{_name}-refused",
        lambda client, options=_options: client.get("/hello", **options),  # type: ignore[misc]
        host="http://127.0.0.1:{dead}",
    )


@_case("context-of-user", context=True)
def _context(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.show(lambda: bench.client.get("/hello", context={"user": "other", "more": 1}))
    bench.show(lambda: bench.client.get("/b/closes-at-once", context={"more": 1}))


# TLS.

_TLS: Final = "https://127.0.0.1:{tls}"


@_case("tls-verify", host=_TLS)
def _tls_verify(bench: Bench) -> None:
    for verify in (True, bench.authority, False, "/nowhere", None, bench.authority, "", True):
        bench.show(lambda verify=verify: bench.client.get("/hello", verify=verify))  # type: ignore[misc]


@_case("tls-session-verify", host=_TLS)
def _tls_session_verify(bench: Bench) -> None:
    for verify in (True, bench.authority, False, "/nowhere", None, bench.authority, "", True):
        bench.client.verify = verify
        bench.show(lambda: bench.client.get("/hello"))


@_case("tls-of-another-name", host="https://127.0.0.2:{tls}")
def _tls_name(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello", verify=bench.authority))
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/hello"))


@_case("tls-by-name", host="https://localhost:{tls}")
def _tls_by_name(bench: Bench) -> None:
    bench.client.verify = bench.authority
    for _ in range(2):
        bench.show(lambda: bench.client.get("/b/count"))
    bench.show(lambda: bench.client.get("/b/cookie-secure"))
    bench.show(lambda: bench.client.get("/b/count"))
    bench.show(lambda: bench.client.post("/hello", data=b"x" * 300_000))


@_case("tls-client-certificate", host="https://127.0.0.1:{mutual}")
def _mutual(bench: Bench) -> None:
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/hello", cert=bench.client_certificate))
    bench.client.cert = bench.client_certificate
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = bench.client_certificate[0]
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = (bench.client_certificate[0], "/nowhere")
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.cert = list(bench.client_certificate)
    bench.show(lambda: bench.client.get("/hello"))


for _answer in ("hangs", "hangs-in-body"):
    _shown(
        f"tls-{_answer}",
        lambda client, answer=_answer: client.get(f"/b/{answer}", timeout=TIMEOUT_S, verify=False),  # type: ignore[misc]
        host=_TLS,
    )


@_case("tls-session-timeout", host=_TLS)
def _tls_timeout(bench: Bench) -> None:
    bench.client.verify = bench.authority
    bench.show(lambda: bench.client.get("/b/hangs-in-body", timeout=TIMEOUT_S))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(1, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/hello", timeout=TIMEOUT_S * 10))


# Names and results of the user's own.


@_case("rename-request")
def _rename(bench: Bench) -> None:
    with bench.client.rename_request("renamed"):
        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once", "/a b"):
            bench.show(lambda path=path: bench.client.get(path))  # type: ignore[misc]
        bench.show(lambda: bench.client.get("/hello", name="own"))
    bench.show(lambda: bench.client.get("/hello"))
    bench.note(bench.client.request_name)


def _with(label: str, inside: Callable[[Any], Any], **options: Any) -> None:
    """A case with a with-block around each kind of answer."""

    def do(bench: Bench) -> None:
        def block(path: str) -> Any:
            with bench.client.get(path, **({"catch_response": True} | options)) as response:
                inside(response)
            return response

        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once", "/b/broken-json"):
            bench.show(lambda path=path: block(path))  # type: ignore[misc]

    _case(f"with-{label}")(do)


def _raise(error: BaseException) -> None:
    raise error


_with("nothing", lambda response: None)
_with("success", lambda response: response.success())
_with("failure", lambda response: response.failure("wrong"))
_with("failure-of-exception", lambda response: response.failure(ValueError("wrong")))
_with("failure-of-none", lambda response: response.failure(None))
_with("failure-then-success", lambda response: (response.failure("x"), response.success()))
_with("success-then-failure", lambda response: (response.success(), response.failure("x")))
_with("failure-then-raise", lambda response: (response.failure("x"), _raise(ValueError("y"))))  # type: ignore[func-returns-value]
_with("exception", lambda response: _raise(ValueError("mine")))
_with("assertion", lambda response: _raise(AssertionError("mine")))
_with("raise-for-status", lambda response: response.raise_for_status())
_with("json", lambda response: response.json())
_with("named", lambda response: response.failure(response.url), name="named")
_with("changed-meta", lambda response: response.request_meta.update(name="own", response_time=9))
_with("changed-content", lambda response: setattr(response, "_content", b"mine"))
_with("without-catch", lambda response: None, catch_response=False)
_with("looked-at-meta", lambda response: sorted(response.request_meta))
_with("success-after-meta", lambda r: (r.request_meta.update(name="own"), r.success()))
_with("context", lambda response: response.request_meta["context"].update(x=1))


@_case("success-without-with")
def _success_without(bench: Bench) -> None:
    for path in ("/hello", "/b/404", "/b/closes-at-once"):
        for catch in (False, True):
            response = bench.show(
                lambda path=path, catch=catch: bench.client.get(path, catch_response=catch)  # type: ignore[misc]
            )
            bench.show(response.success)
            bench.show(lambda response=response: response.failure("x"))  # type: ignore[misc]
            bench.show(lambda response=response: response.__exit__(None, None, None))  # type: ignore[misc]


@_case("locust-errors-raised")
def _locust_errors(bench: Bench) -> None:
    from locust.exception import RescheduleTask, ResponseError

    for error in (ResponseError("mine"), RescheduleTask("mine")):
        for path in ("/hello", "/b/404", "/b/closes-at-once"):

            def block(error: Exception = error, path: str = path) -> None:
                with bench.client.get(path, catch_response=True):
                    raise error

            bench.show(block)


@_case("rest")
def _rest(bench: Bench) -> None:
    def block(method: str, path: str, inside: Callable[[Any], Any], **options: Any) -> Any:
        with bench.user.rest(method, path, **options) as response:
            inside(response)
        return response

    for path in ("/b/plain", "/b/404", "/b/broken-json", "/b/closes-at-once", "/b/302", "/b/204"):
        for inside in (
            lambda response: bench.note(response.js),
            lambda response: _raise(AssertionError("mine")),
            lambda response: response.failure("mine"),
            lambda response: _raise(KeyError("mine")),
            lambda response: bench.note(response.js["id"]),
        ):
            bench.show(lambda path=path, inside=inside: block("GET", path, inside))  # type: ignore[misc]
    bench.show(lambda: block("POST", "/b/plain", lambda response: None, json={"a": 1}))
    bench.show(lambda: block("GET", "/b/plain", lambda response: None, name="n", headers={}))
    bench.show(lambda: block("GET", "/b/plain", lambda response: None, headers={"X-A": "1"}))


@_case("rest-without-name")
def _rest_(bench: Bench) -> None:
    def block(path: str) -> Any:
        with bench.user.rest_("GET", path) as response:
            bench.note(response.js)
        return response

    for path in ("/b/plain?a=b", "/b/plain"):
        bench.show(lambda path=path: block(path))  # type: ignore[misc]


@_case("listener-that-raises")
def _listener(bench: Bench) -> None:
    from locust.exception import RescheduleTask

    errors: list[Exception] = []

    def raising(**_: Any) -> None:
        if errors:
            raise errors[0]

    bench.environment.events.request.add_listener(raising)
    for error in (ValueError("mine"), RescheduleTask("mine")):
        errors[:] = [error]
        for path in ("/hello", "/b/404", "/b/302", "/b/closes-at-once"):
            bench.show(lambda path=path: bench.client.get(path))  # type: ignore[misc]
            bench.show(lambda path=path: _caught(bench.client, path))  # type: ignore[misc]


@_case("listener-that-looks")
def _looking(bench: Bench) -> None:
    def look(response: Any, **kwargs: Any) -> None:
        bench.note(sorted(kwargs))
        bench.note((response.url, response.text, dict(response.headers), response.request.url))
        bench.note(response.request_meta["name"] if kwargs["name"] == "n" else None)

    bench.environment.events.request.add_listener(look)
    bench.show(lambda: bench.client.get("/hello?a=b"))
    bench.show(lambda: bench.client.get("/b/404", name="n"))
    bench.show(lambda: bench.client.post("/b/302", data={"a": "b"}, name="n"))


# Ends that come from the user, and greenlets of one user.


@_case("killed")
def _killed(bench: Bench) -> None:
    for path in ("/b/hangs", "/b/hangs-in-body"):
        bench.killed(lambda path=path: bench.client.get(path))  # type: ignore[misc]
    bench.killed(lambda: bench.client.get("/b/hangs", stream=True))
    bench.show(lambda: bench.client.get("/hello"))


@_case("killed-within-with")
def _killed_with(bench: Bench) -> None:
    def block() -> None:
        with bench.client.get("/hello", catch_response=True):
            bench.client.get("/b/hangs")

    bench.killed(block)
    bench.show(lambda: bench.client.get("/hello"))


@_case("out-of-time")
def _out_of_time(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.out_of_time(lambda: bench.client.get("/b/hangs"))
    bench.out_of_time(lambda: bench.client.get("/b/hangs", timeout=5))
    bench.show(lambda: bench.client.get("/hello"))


@_case("timeout-of-connect")
def _timeout_then_more(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(5, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/b/many-pieces", timeout=5))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=(None, TIMEOUT_S)))
    bench.show(lambda: bench.client.get("/b/302", timeout=5))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=TIMEOUT_S, name="n"))
    bench.show(lambda: bench.client.get("/b/hangs", timeout=TIMEOUT_S, catch_response=True))


@_case("timeout-between-pieces")
def _timeout_between(bench: Bench) -> None:
    # Each piece comes in time; all of them together do not.
    bench.show(lambda: bench.client.get("/b/many-pieces", timeout=0.07))


@_case("several-at-once")
def _several(bench: Bench) -> None:
    bench.together(*[lambda: bench.client.get("/b/two-writes")] * 5)
    bench.show(lambda: bench.client.get("/hello"))


@_case("many-at-once")
def _many(bench: Bench) -> None:
    bench.together(*[lambda: bench.client.get("/b/two-writes")] * 14)
    bench.show(lambda: bench.client.get("/hello"))


@_case("broken-at-once")
def _several_broken(bench: Bench) -> None:
    bench.together(
        *[
            lambda path=path: bench.client.get(path)
            for path in ("/b/302", "/b/closes-in-body-later", "/b/resets-in-body", "/b/two-writes")
        ]
    )


# Bodies that the server does not read.

for _path in ("/early", "/early-then-reset"):
    for _size in (3, 8_000_000):
        _shown(
            f"{_path[1:]}-{_size}",
            lambda client, path=_path, size=_size: client.post(path, data=b"x" * size),  # type: ignore[misc]
            lambda client: client.get("/hello"),
        )


# Mounting, and what else a session of requests can do.


@_case("mounted-adapter")
def _mounted(bench: Bench) -> None:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.headers["X-Adapter"] = "1"
            return super().send(request, *args, **kwargs)

    bench.client.mount("http://", Adapter())
    bench.show(lambda: bench.client.get("/hello"))


@_case("kept-response")
def _kept(bench: Bench) -> None:
    """A response does not change with the session, nor the session with it."""
    responses = [bench.client.get("/b/cookie"), bench.client.get("/hello")]
    responses[0].headers["X-Mine"] = "1"
    responses[0].cookies.set("z", "1")
    bench.client.headers["X-Later"] = "1"
    bench.client.cookies.clear()
    for response in responses:
        bench.show(lambda response=response: response)  # type: ignore[misc]
    bench.show(lambda: bench.client.get("/b/cookie"))
