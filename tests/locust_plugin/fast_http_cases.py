"""What a user of FastHttpUser may do, case by case. Imports nothing of Locust."""

from collections.abc import Callable
from typing import Any

CASES: dict[str, Callable[[Any], None]] = {}
"""Each is given a bench: `client`, `user()`, `look()`, `server` and `url`."""

LEFT_TO_LOCUST: set[str] = set()
"""Cases in which not all requests take the short way."""


def _case(function: Callable[[Any], None]) -> Callable[[Any], None]:
    CASES[function.__name__] = function
    return function


def _left(function: Callable[[Any], None]) -> Callable[[Any], None]:
    LEFT_TO_LOCUST.add(function.__name__)
    return _case(function)


def _gets(name: str, path: str, /, **given: Any) -> None:
    def case(bench: Any) -> None:
        for _ in range(3):  # the second time all is known
            bench.look(bench.client.get(path, **given))

    CASES[name] = case


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


@_case
def methods(bench: Any) -> None:
    for method in ("get", "post", "put", "patch", "delete", "head", "options"):
        bench.look(getattr(bench.client, method)("/x"))
    bench.look(bench.client.request("report", "/x"))


@_case
def head_of_things(bench: Any) -> None:
    for path in ("/json", "/status/404", "/redirect/302/json", "/gzip"):
        bench.look(bench.client.head(path))


@_case
def bodies(bench: Any) -> None:
    for method in ("post", "put", "patch", "delete"):
        send = getattr(bench.client, method)
        for data in ("text", "täxt", b"bytes\x00\xff", {"a": "1 2", "b": "ü"}, "", b"", {}):
            bench.look(send("/x", data=data))
        bench.look(send("/x", json={"a": [1, "ü"]}))
        bench.look(send("/x", json={}))
        bench.look(send("/x", data="data", json={"a": 1}))


@_case
def bodies_with_type(bench: Any) -> None:
    for data in ("täxt", b"bytes", {"a": "1 2"}):
        for name in ("Content-Type", "content-type"):
            bench.look(bench.client.post("/x", data=data, headers={name: "application/x-own"}))
    bench.look(bench.client.post("/x", json={"a": 1}, headers={"content-type": "a/b"}))
    bench.look(bench.client.post("/x", json={"a": 1}, headers={"accept": "a/b"}))


@_left
def bodies_of_other_kinds(bench: Any) -> None:
    for data in (bytearray(b"array"), iter([b"one", b"two"])):
        bench.look(bench.client.post("/x", data=data))


@_left
def what_json_cannot_say(bench: Any) -> None:
    bench.look_at(lambda: bench.client.post("/x", json=object()))


@_case
def a_large_body(bench: Any) -> None:
    bench.look(bench.client.post("/x", data=b"0123456789" * 300_000))


@_case
def a_redirected_body(bench: Any) -> None:
    for code in (301, 302, 303, 307, 308):
        bench.look(bench.client.post(f"/redirect/{code}/x", json={"a": 1}))


@_case
def redirect_elsewhere(bench: Any) -> None:
    other = bench.other_server()
    bench.look(bench.client.get(f"/redirect/302/http:@{other.address}/json"))
    bench.look(bench.client.get("/redirect/302/@" + other.address))


@_case
def redirect_loop(bench: Any) -> None:
    bench.look(bench.user(max_redirects=3).client.get("/loop"))


@_case
def redirects_never(bench: Any) -> None:
    bench.look(bench.user(max_redirects=0).client.get("/redirect/302/json"))


@_case
def default_headers(bench: Any) -> None:
    client = bench.user(default_headers={"X-D": "1", "user-agent": "me"}).client
    bench.look(client.get("/x"))
    bench.look(client.get("/x", headers={"x-d": "2"}))
    client.client.default_headers["X-E"] = "3"
    bench.look(client.get("/x"))


@_case
def credentials_in_host(bench: Any) -> None:
    user = bench.user(host=bench.url.replace("//", "//some%40one:secret@"))
    bench.look(user.client.get("/x"))
    bench.look(user.client.get("/x", auth=("other", "one")))


@_case
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


@_case
def closed_without_answer(bench: Any) -> None:
    for method in ("post", "put", "patch", "delete", "head"):
        bench.look(getattr(bench.client, method)("/odd/closes", data="x"))


@_case
def closed_once(bench: Any) -> None:
    bench.look(bench.client.get("/odd/closes_first"))
    bench.look(bench.client.get("/x"))


@_case
def closed_after_answer(bench: Any) -> None:
    bench.look(bench.client.get("/odd/answers_and_closes"))
    bench.look(bench.client.post("/x", data="x"))


@_case
def one_connection(bench: Any) -> None:
    client = bench.user(concurrency=1).client
    for path in ("/json", "/odd/closes", "/json", "/status/404", "/redirect/302/json", "/json"):
        bench.look(client.get(path))


@_case
def timeouts(bench: Any) -> None:
    client = bench.user(network_timeout=0.1).client
    bench.look(client.get("/odd/silent"))
    bench.look(client.post("/odd/silent", data="x"))
    bench.look(client.get("/odd/silent_in_body"))


@_case
def retries(bench: Any) -> None:
    client = bench.user(network_timeout=0.05, max_retries=1).client
    bench.look(client.get("/odd/silent"))
    bench.look(client.get("/status/500"))
    bench.look(client.get("/json"))


@_case
def refused(bench: Any) -> None:
    user = bench.user(host=f"http://{bench.refusing()}")
    bench.look(user.client.get("/x"))
    bench.look(user.client.post("/x", json={"a": 1}))


@_case
def unknown_host(bench: Any) -> None:
    bench.look(bench.user(host="http://unknown.invalid").client.get("/x"))


@_left
def bad_requests(bench: Any) -> None:
    for given in ({"headers": {"X-A": "a\r\nb"}}, {"headers": {"X-A": 1}}, {"auth": "x"}):
        bench.look_at(lambda given=given: bench.client.get("/x", **given))
    for url in ("//x", "ftp://x", "http://", "x"):
        bench.look_at(lambda url=url: bench.client.get(url))
    bench.look_at(lambda: bench.client.request("G T", "/x"))


@_case
def caught(bench: Any) -> None:
    for path in ("/json", "/status/404", "/odd/closes", "/redirect/302/json", "/gzip"):
        with bench.client.get(path, catch_response=True) as response:
            bench.look(response)
        with bench.client.get(path, catch_response=True, name="s") as response:
            response.success()
        with bench.client.get(path, catch_response=True, context={"c": 1}) as response:
            response.failure("not so")
        with bench.client.get(path, catch_response=True) as response:
            response.failure(ValueError("mine"))
        bench.look_at(lambda path=path: _raise_inside(bench, path))


def _raise_inside(bench: Any, path: str) -> None:
    with bench.client.get(path, catch_response=True):
        raise RuntimeError("inside")


@_case
def marked_without_catching(bench: Any) -> None:
    for path in ("/json", "/status/404"):
        response = bench.client.get(path)
        bench.look_at(response.success)
        bench.look_at(lambda response=response: response.failure("x"))
        bench.look_at(response.raise_for_status)
        caught_response = bench.client.get(path, catch_response=True)
        bench.look_at(caught_response.success)


@_case
def rest(bench: Any) -> None:
    user = bench.user()
    for path in ("/json", "/lines", "/empty", "/status/500", "/odd/closes"):
        with user.rest("GET", path) as response:
            bench.look(response)
            bench.note(response.js)
    with user.rest("POST", "/json", json={"a": 1}) as response:
        assert response.js["id"] == 2, "id is wrong,"
    with user.rest("GET", "/json") as response:
        response.js["no such key"]


@_case
def renamed(bench: Any) -> None:
    with bench.client.rename_request("other"):
        bench.look(bench.client.get("/x"))
        bench.look(bench.client.get("/x", name="own"))
        bench.look(bench.client.get("/redirect/302/x"))
    bench.look(bench.client.get("/x"))


@_left
def streams(bench: Any) -> None:
    for path in ("/lines", "/odd/chunked", "/status/404"):
        response = bench.client.get(path, stream=True)
        bench.note(list(response.iter_content(chunk_size=5)))
    bench.note(list(bench.client.iter_lines("/lines")))
    bench.look(bench.client.get("/x"))


@_left
def files(bench: Any) -> None:
    parts: Any = {"file": ("name.txt", b"content", "text/plain", {}, "boundary")}
    bench.look(bench.client.post("/x", data={"a": "1"}, files=parts))
    bench.look(bench.client.get("/x", unknown="1"))


@_case
def read_again(bench: Any) -> None:
    for path in ("/json", "/gzip", "/odd/chunked"):
        response = bench.client.get(path)
        bench.note(list(response.iter_content()), response.read(), response.isclosed())
        bench.note(list(response), response.readline(), response.status, response.data)
        bench.note(response.info() == response.headers, response.history, len(bench.wire()))
        response.encoding = "latin-1"
        bench.note(response.text, response.stream.version, response.stream.status_message)


@_case
def another_port(bench: Any) -> None:
    other = bench.other_server()
    for _ in range(2):
        bench.look(bench.client.get(f"{other.url}/json"))
        bench.look(bench.client.get(f"{bench.url.upper()}/x"))
        bench.look(bench.client.get(f"{bench.url}?q"))


@_case
def closed_by_the_user(bench: Any) -> None:
    bench.look(bench.client.get("/x"))
    bench.client.client.clientpool.close()
    bench.look(bench.client.get("/x"))


@_left
def a_shared_pool(bench: Any) -> None:
    user = bench.user(client_pool=bench.client_pool())
    bench.look(user.client.get("/x"))


@_case
def codes_of_your_own(bench: Any) -> None:
    bench.client.client.valid_response_codes = frozenset((200, 404))
    bench.look(bench.client.get("/status/404"))
    bench.look(bench.client.get("/status/201"))


@_case
def in_parallel(bench: Any) -> None:
    client = bench.user(concurrency=2).client
    bench.in_parallel([lambda: client.get("/odd/pieces") for _ in range(6)])
    bench.note(len(bench.wire()))


@_case
def tls(bench: Any) -> None:
    server = bench.other_server(tls=True)
    client = bench.user(host=server.url).client
    for path in ("/json", "/big", "/odd/pieces", "/odd/closes", "/json"):
        bench.look(client.get(path))


@_case
def tls_not_trusted(bench: Any) -> None:
    server = bench.other_server(tls=True)
    bench.look(bench.user(host=server.url, insecure=False).client.get("/json"))


@_case
def tls_where_there_is_none(bench: Any) -> None:
    host = bench.url.replace("http:", "https:")
    bench.look(bench.user(host=host, connection_timeout=0.1).client.get("/json"))


@_case
def ipv6(bench: Any) -> None:
    server = bench.other_server(host="::1")
    client = bench.user(host=server.url).client
    bench.look(client.get("/json"))
    bench.look(client.get("/cookie"))
    bench.look(client.get("/x"))
