"""What may go wrong, and what a user of FastHttpUser may do with an answer, case by case."""

import copy
from typing import Any

from .fast_http_cases import CASES, LEFT_TO_LOCUST, case, left

__all__ = ["CASES", "LEFT_TO_LOCUST"]


@case
def closed_without_answer(bench: Any) -> None:
    for method in ("post", "put", "patch", "delete", "head"):
        bench.look(getattr(bench.client, method)("/odd/closes", data="x"))


@case
def closed_once(bench: Any) -> None:
    bench.look(bench.client.get("/odd/closes_first"))
    bench.look(bench.client.get("/x"))


@case
def closed_after_answer(bench: Any) -> None:
    bench.look(bench.client.get("/odd/answers_and_closes"))
    bench.look(bench.client.post("/x", data="x"))


@case
def one_connection(bench: Any) -> None:
    client = bench.user(concurrency=1).client
    for path in ("/json", "/odd/closes", "/json", "/status/404", "/redirect/302/json", "/json"):
        bench.look(client.get(path))


@case
def timeouts(bench: Any) -> None:
    client = bench.user(network_timeout=0.1).client
    bench.look(client.get("/odd/silent"))
    bench.look(client.post("/odd/silent", data="x"))
    bench.look(client.get("/odd/silent_in_body"))


@case
def retries(bench: Any) -> None:
    client = bench.user(network_timeout=0.05, max_retries=1).client
    bench.look(client.get("/odd/silent"))
    bench.look(client.get("/status/500"))
    bench.look(client.get("/json"))


@case
def refused(bench: Any) -> None:
    user = bench.user(host=f"http://{bench.refusing()}")
    bench.look(user.client.get("/x"))
    bench.look(user.client.post("/x", json={"a": 1}))


@case
def unknown_host(bench: Any) -> None:
    bench.look(bench.user(host="http://unknown.invalid").client.get("/x"))


@left
def bad_requests(bench: Any) -> None:
    for given in ({"headers": {"X-A": "a\r\nb"}}, {"headers": {"X-A": 1}}, {"auth": "x"}):
        bench.look_at(lambda given=given: bench.client.get("/x", **given))
    for url in ("//x", "ftp://x", "http://", "x"):
        bench.look_at(lambda url=url: bench.client.get(url))
    bench.look_at(lambda: bench.client.request("G T", "/x"))


@case
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


@case
def marked_without_catching(bench: Any) -> None:
    for path in ("/json", "/status/404"):
        response = bench.client.get(path)
        bench.look_at(response.success)
        bench.look_at(lambda response=response: response.failure("x"))
        bench.look_at(response.raise_for_status)
        caught_response = bench.client.get(path, catch_response=True)
        bench.look_at(caught_response.success)


@case
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


@case
def renamed(bench: Any) -> None:
    with bench.client.rename_request("other"):
        bench.look(bench.client.get("/x"))
        bench.look(bench.client.get("/x", name="own"))
        bench.look(bench.client.get("/redirect/302/x"))
    bench.look(bench.client.get("/x"))


@left
def streams(bench: Any) -> None:
    for path in ("/lines", "/odd/chunked", "/status/404"):
        response = bench.client.get(path, stream=True)
        bench.note(list(response.iter_content(chunk_size=5)))
    bench.note(list(bench.client.iter_lines("/lines")))
    bench.look(bench.client.get("/x"))


@left
def files(bench: Any) -> None:
    parts: Any = {"file": ("name.txt", b"content", "text/plain", {}, "boundary")}
    bench.look(bench.client.post("/x", data={"a": "1"}, files=parts))
    bench.look(bench.client.get("/x", unknown="1"))


@case
def read_again(bench: Any) -> None:
    for path in ("/json", "/gzip", "/odd/chunked"):
        response = bench.client.get(path)
        bench.note(list(response.iter_content()), response.read(), response.isclosed())
        bench.note(list(response), response.readline(), response.status, response.data)
        bench.note(response.info() == response.headers, response.history, len(bench.wire()))
        response.encoding = "latin-1"
        bench.note(response.text, response.stream.version, response.stream.status_message)


@case
def another_port(bench: Any) -> None:
    other = bench.other_server()
    for _ in range(2):
        bench.look(bench.client.get(f"{other.url}/json"))
        bench.look(bench.client.get(f"{bench.url.upper()}/x"))
        bench.look(bench.client.get(f"{bench.url}?q"))


@case
def closed_by_the_user(bench: Any) -> None:
    bench.look(bench.client.get("/x"))
    bench.client.client.clientpool.close()
    bench.look(bench.client.get("/x"))


@left
def a_shared_pool(bench: Any) -> None:
    user = bench.user(client_pool=bench.client_pool())
    bench.look(user.client.get("/x"))


@case
def codes_of_your_own(bench: Any) -> None:
    bench.client.client.valid_response_codes = frozenset((200, 404))
    bench.look(bench.client.get("/status/404"))
    bench.look(bench.client.get("/status/201"))


@case
def in_parallel(bench: Any) -> None:
    client = bench.user(concurrency=2).client
    bench.in_parallel([lambda: client.get("/odd/pieces") for _ in range(6)])
    bench.note(len(bench.wire()))


@case
def tls(bench: Any) -> None:
    server = bench.other_server(tls=True)
    client = bench.user(host=server.url).client
    for path in ("/json", "/big", "/odd/pieces", "/odd/closes", "/json"):
        bench.look(client.get(path))


@case
def tls_not_trusted(bench: Any) -> None:
    server = bench.other_server(tls=True)
    bench.look(bench.user(host=server.url, insecure=False).client.get("/json"))


@case
def tls_where_there_is_none(bench: Any) -> None:
    host = bench.url.replace("http:", "https:")
    bench.look(bench.user(host=host, connection_timeout=0.1).client.get("/json"))


@case
def ipv6(bench: Any) -> None:
    server = bench.other_server(host="::1")
    client = bench.user(host=server.url).client
    bench.look(client.get("/json"))
    bench.look(client.get("/cookie"))
    bench.look(client.get("/x"))


@case
def jars_exchanged(bench: Any) -> None:
    """Users that take the sessions of others, as from a pool of those who have signed in."""
    client = bench.user().client
    empty = client.cookiejar
    jars = []
    for _ in range(2):
        jars.append(copy.copy(empty))
        jars[-1]._cookies = {}
        client.client.cookiejar = jars[-1]
        bench.look(client.get("/cookie"))
        bench.look(client.get("/x"))
    client.client.cookiejar = jars[0]
    jars[0].clear()
    for jar in jars * 2:
        client.client.cookiejar = jar
        bench.look(client.get("/x"))
        bench.look(client.post("/x", json=[]))


@case
def cookies_changed_in_place(bench: Any) -> None:
    client = bench.user().client
    bench.look(client.get("/cookie"))
    for name, value in (("value", "new"), ("secure", True), ("secure", False), ("expires", 1)):
        for cookie in client.client.cookiejar:
            setattr(cookie, name, value)
        bench.look(client.get("/x"))


@left
def another_way_of_opening(bench: Any) -> None:
    client = bench.user().client
    bench.look(client.get("/x"))
    real = client.client.urlopen

    def noted(*arguments: Any, **options: Any) -> Any:
        bench.note("opened")
        return real(*arguments, **options)

    client.client.urlopen = noted
    bench.look(client.get("/y"))
    bench.look(client.post("/x", json=[]))
