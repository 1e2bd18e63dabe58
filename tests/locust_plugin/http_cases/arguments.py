"""Parameters, bodies, headers and options of a request."""

import io
from collections.abc import Callable, Iterator
from typing import Any, Final

from requests.auth import HTTPBasicAuth

from .case import TIMEOUT_S, shown

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
    shown(
        f"params-{_name}",
        lambda client, params=_params: client.get("/hello", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello?x=y", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello?", params=params),  # type: ignore[misc]
        lambda client, params=_params: client.get("/hello#part", params=params),  # type: ignore[misc]
    )
shown("params-without-path", lambda client: client.get("", params={"a": "b"}))


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
    shown(
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
    shown(
        f"headers-{_name}",
        *[
            lambda client, headers=_headers, data=data: client.post(
                "/hello", data=data, headers=headers, timeout=TIMEOUT_S * 2
            )
            for data in (None, "abc", None)
        ],
        lambda client: client.get("/hello"),
    )


def signed(request: Any) -> Any:
    request.headers["X-Signed"] = request.url[-6:]
    return request


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "auth-tuple": {"auth": ("ann", "secret")},
    "auth-basic": {"auth": HTTPBasicAuth("ann", "secret")},
    "auth-callable": {"auth": signed},
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
        shown(
            f"option-{_name}-{_path.rpartition('/')[2]}",
            lambda client, path=_path, options=_options: client.get(path, **options),  # type: ignore[misc]
            lambda client, path=_path, options=_options: client.post(path, json=[], **options),  # type: ignore[misc]
        )
    shown(
        f"option-{_name}-refused",
        lambda client, options=_options: client.get("/hello", **options),  # type: ignore[misc]
        host="http://127.0.0.1:{dead}",
    )
