"""What a user of FastHttpUser may ask for, case by case. Imports nothing of Locust."""

from collections.abc import Callable
from typing import Any

CASES: dict[str, Callable[[Any], None]] = {}
"""Each is given a bench: `client`, `user()`, `look()`, `server` and `url`."""

LEFT_TO_LOCUST: set[str] = set()
"""Cases in which not all requests take the short way."""


def case(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """All of its requests take the short way."""
    CASES[function.__name__] = function
    return function


def left(function: Callable[[Any], None]) -> Callable[[Any], None]:
    """Some of its requests are left to Locust."""
    LEFT_TO_LOCUST.add(function.__name__)
    return case(function)


def _gets(name: str, path: str, /, **given: Any) -> None:
    def get_it(bench: Any) -> None:
        for _ in range(3):  # the second time all is known
            bench.look(bench.client.get(path, **given))

    CASES[name] = get_it


for _name in ("json", "twice", "latin", "untold", "empty", "close", "gzip", "br", "big", "lines"):
    _gets(_name, f"/{_name}")
for _name in ("deflate", "no-gzip", "zstd", "binary-error", "gzip-error", "no-location", "ftp"):
    _gets(_name, f"/{_name}")
for _name in ("pieces", "chunked", "trailers", "until_end", "interim", "answers_and_closes"):
    _gets(_name, f"/odd/{_name}")
for _name in ("closes", "resets", "closes_in_head", "closes_in_body", "garbage", "too_much"):
    _gets(_name, f"/odd/{_name}")
for _code in (200, 201, 204, 206, 300, 304, 400, 401, 404, 418, 429, 500, 503):
    _gets(f"status_{_code}", f"/status/{_code}")
for _code in (301, 302, 303, 307, 308):
    _gets(f"redirect_{_code}", f"/redirect/{_code}/json")
    _gets(f"redirect_{_code}_not_followed", f"/redirect/{_code}/json", allow_redirects=False)
_gets("redirect_twice", "/redirect/302/redirect/302/json")
_gets("redirect_to_error", "/redirect/302/status/404")
_gets("redirect_to_query", "/redirect/302/json?x=1&y=%20")
_gets("params", "/x", params={"a": "1 2", "b": ["x", "y"]})
_gets("params_and_query", "/x?q=1", params={"a": "ü"})
_gets("params_text", "/x", params="a=1&b")
_gets("params_empty", "/x?q=1", params={})
_gets("headers", "/x", headers={"X-A": "1", "accept": "text/plain", "User-Agent": "me"})
_gets("headers_host", "/x", headers={"Host": "other.example"})
_gets("headers_cookie", "/x", headers={"Cookie": "mine=1"})
_gets("headers_encoding", "/gzip", headers={"accept-encoding": "identity"})
_gets("auth", "/x", auth=("someone", "pässword"))
_gets("unicode_path", "/ü/x y?q=ä&r=%C3%A4")
_gets("odd_path", "/a/../b;c?")
_gets("fragment", "/a#b")
_gets("named", "/x", name="a name", context={"k": "v"})
_gets("caught_nothing", "/x", name="")
_gets("get_with_body", "/x", data="body")
_gets("get_with_json", "/x", json={"a": 1})


@case
def methods(bench: Any) -> None:
    for method in ("get", "post", "put", "patch", "delete", "head", "options"):
        bench.look(getattr(bench.client, method)("/x"))
    bench.look(bench.client.request("report", "/x"))


@case
def head_of_things(bench: Any) -> None:
    for path in ("/json", "/status/404", "/redirect/302/json", "/gzip"):
        bench.look(bench.client.head(path))


@case
def bodies(bench: Any) -> None:
    for method in ("post", "put", "patch", "delete"):
        send = getattr(bench.client, method)
        for data in ("text", "täxt", b"bytes\x00\xff", {"a": "1 2", "b": "ü"}, "", b"", {}):
            bench.look(send("/x", data=data))
        bench.look(send("/x", json={"a": [1, "ü"]}))
        bench.look(send("/x", json={}))
        bench.look(send("/x", data="data", json={"a": 1}))


@case
def bodies_with_type(bench: Any) -> None:
    for data in ("täxt", b"bytes", {"a": "1 2"}):
        for name in ("Content-Type", "content-type"):
            bench.look(bench.client.post("/x", data=data, headers={name: "application/x-own"}))
    bench.look(bench.client.post("/x", json={"a": 1}, headers={"content-type": "a/b"}))
    bench.look(bench.client.post("/x", json={"a": 1}, headers={"accept": "a/b"}))


@left
def bodies_of_other_kinds(bench: Any) -> None:
    for data in (bytearray(b"array"), iter([b"one", b"two"])):
        bench.look(bench.client.post("/x", data=data))


@left
def what_json_cannot_say(bench: Any) -> None:
    bench.look_at(lambda: bench.client.post("/x", json=object()))


@case
def a_large_body(bench: Any) -> None:
    bench.look(bench.client.post("/x", data=b"0123456789" * 300_000))


@case
def a_redirected_body(bench: Any) -> None:
    for code in (301, 302, 303, 307, 308):
        bench.look(bench.client.post(f"/redirect/{code}/x", json={"a": 1}))


@case
def redirect_elsewhere(bench: Any) -> None:
    other = bench.other_server()
    bench.look(bench.client.get(f"/redirect/302/http:@{other.address}/json"))
    bench.look(bench.client.get("/redirect/302/@" + other.address))


@case
def redirect_loop(bench: Any) -> None:
    bench.look(bench.user(max_redirects=3).client.get("/loop"))


@case
def redirects_never(bench: Any) -> None:
    bench.look(bench.user(max_redirects=0).client.get("/redirect/302/json"))


@case
def default_headers(bench: Any) -> None:
    client = bench.user(default_headers={"X-D": "1", "user-agent": "me"}).client
    bench.look(client.get("/x"))
    bench.look(client.get("/x", headers={"x-d": "2"}))
    client.client.default_headers["X-E"] = "3"
    bench.look(client.get("/x"))


@case
def credentials_in_host(bench: Any) -> None:
    user = bench.user(host=bench.url.replace("//", "//some%40one:secret@"))
    bench.look(user.client.get("/x"))
    bench.look(user.client.get("/x", auth=("other", "one")))


@case
def cookies(bench: Any) -> None:
    for path in ("/cookie", "/x", "/cookie", "/cookie/deep", "/cookie/deeper", "/deep"):
        bench.look(bench.client.get(path))
    for path in ("/cookie/error", "/x", "/cookie/gone", "/x", "/cookie/secure", "/x"):
        bench.look(bench.client.get(path))
    bench.look(bench.client.post("/x", json={"a": 1}))
    bench.look(bench.client.post("/x", data={"a": 1}))
    bench.look(bench.client.get("/cookie/redirect"))
    bench.look(bench.client.get("/x", headers={"cookie": "own=1"}))
    bench.client.cookiejar.clear()
    bench.look(bench.client.get("/x"))
