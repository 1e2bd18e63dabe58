"""What else a session of requests can do."""

from collections.abc import Callable
from typing import Any

from requests.auth import HTTPBasicAuth

from .arguments import signed
from .case import Bench, case, changed

changed("session-headers-update", lambda client: client.headers.update({"X-A": "1"}))
changed("session-headers-set", lambda client: client.headers.__setitem__("X-A", "1"))
changed("session-headers-delete", lambda client: client.headers.__delitem__("User-Agent"))
changed("session-headers-pop", lambda client: client.headers.pop("accept"))
changed("session-headers-clear", lambda client: client.headers.clear())
changed("session-headers-default", lambda client: client.headers.setdefault("X-A", "1"))
changed("session-headers-assign", lambda client: setattr(client, "headers", {"X-A": "1"}))
changed("session-headers-copy", lambda client: client.headers.copy())
changed("session-headers-none", lambda client: client.headers.update({"Accept": None}))
changed("session-headers-cookie", lambda client: client.headers.update({"Cookie": "x=y"}))
changed("session-headers-host", lambda client: client.headers.update({"Host": "example.com"}))
changed("session-headers-bytes", lambda client: client.headers.update({"X-A": b"1"}))
changed("session-headers-number", lambda client: client.headers.update({"X-A": 1}))
changed("session-headers-close", lambda client: client.headers.update({"Connection": "close"}))
changed("session-headers-or", lambda client: client.headers.update([("X-A", "1")], x_b="2"))
changed("session-headers-unset", lambda client: setattr(client, "headers", None))
changed("session-auth-tuple", lambda client: setattr(client, "auth", ("ann", "secret")))
changed("session-auth-list", lambda client: setattr(client, "auth", ["ann", "secret"]))
changed("session-auth-empty", lambda client: setattr(client, "auth", ()))
changed("session-auth-basic", lambda client: setattr(client, "auth", HTTPBasicAuth("ann", "x")))
changed("session-auth-of-bytes", lambda client: setattr(client, "auth", (b"ann", b"\xff")))
changed("session-auth-unicode", lambda client: setattr(client, "auth", ("änn", "☕")))
changed("session-auth-callable", lambda client: setattr(client, "auth", signed))


@case("session-signs-in-and-out")
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


@case("session-headers-copied-and-shared")
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


@case("session-credentials-changed-in-place")
def _credentials(bench: Bench) -> None:
    auth = bench.client.auth = HTTPBasicAuth("ann", "one")
    for password in ("one", "two", "one"):
        auth.password = password
        bench.show(lambda: bench.client.get("/hello"))
    bench.client.auth = ["ann", "secret"]
    bench.show(lambda: bench.client.get("/hello"))


@case("session-methods-replaced")
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


@case("session-adapters-exchanged")
def _adapters(bench: Bench) -> None:
    from requests.adapters import HTTPAdapter

    bench.show(lambda: bench.client.get("/hello"))
    bench.client.adapters["http://"] = HTTPAdapter(max_retries=1)
    bench.show(lambda: bench.client.get("/hello"))
    bench.show(lambda: bench.client.get("/b/closes-at-once"))


@case("session-retries")
def _retries(bench: Bench) -> None:
    from urllib3 import Retry

    for adapter in bench.client.adapters.values():
        adapter.max_retries = Retry(2, status_forcelist=[404])
    bench.show(lambda: bench.client.get("/b/404"))


@case("sending-patched")
def _patched(bench: Bench) -> None:
    from unittest import mock

    import requests

    real = requests.Session.send

    def signing(self: Any, request: Any, **options: Any) -> Any:
        request.headers["X-Signature"] = "1"
        return real(self, request, **options)

    with mock.patch.object(requests.Session, "send", signing):
        bench.show(lambda: bench.client.get("/hello"))


@case("session-without-hooks")
def _no_hooks(bench: Bench) -> None:
    bench.client.hooks = {}
    bench.show(lambda: bench.client.get("/hello"))


@case("session-hooks")
def _session_hooks(bench: Bench) -> None:
    bench.client.hooks["response"].append(lambda response, **_: bench.note(response.status_code))
    bench.show(lambda: bench.client.get("/hello"))


@case("session-settings")
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


@case("session-closed")
def _session_closed(bench: Bench) -> None:
    bench.show(lambda: bench.client.get("/hello"))
    bench.client.close()
    bench.show(lambda: bench.client.get("/hello"))


@case("session-with")
def _session_with(bench: Bench) -> None:
    with bench.client as client:
        bench.show(lambda: client.get("/hello"))


@case("session-prepared-and-sent")
def _session_sent(bench: Bench) -> None:
    import requests

    request = requests.Request("GET", bench.url("/hello"), headers={"X-A": "1"})
    bench.client.get("/hello")  # without which Locust's own client cannot prepare another
    prepared = bench.client.prepare_request(request)
    bench.show(lambda: bench.client.send(prepared))


@case("mounted-adapter")
def _mounted(bench: Bench) -> None:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.headers["X-Adapter"] = "1"
            return super().send(request, *args, **kwargs)

    bench.client.mount("http://", Adapter())
    bench.show(lambda: bench.client.get("/hello"))


@case("kept-response")
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
