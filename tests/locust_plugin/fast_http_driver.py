"""Runs all cases with Locust's own client or with ours, in this process, and prints what was seen.

    python -m tests.locust_plugin.fast_http_driver stock|ours FOLDER

FOLDER is for a certificate.
"""

import json
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import gevent
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser
from locust.contrib.fasthttp import FastResponse, ResponseContextManager
from locust.env import Environment

from withstand.demo.tls import write_certificate
from withstand.locust_plugin.install import install
from withstand.locust_plugin.watch import WATCH

from .fast_http_more_cases import CASES
from .misbehaving_server import MisbehavingServer

_PARTS = (
    "status_code",
    "ok",
    "url",
    "content",
    "encoding",
    "text",
    "json",
    "headers",
    "error",
    "status",
)
_TIMES = frozenset(("start_time", "response_time"))


class Bench:
    """A server and users, for one case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.environment = Environment()
        self.environment.events.request.add_listener(  # type: ignore[no-untyped-call]
            self._listen
        )
        self.seen: list[Any] = []
        self.events: list[Any] = []
        self.timings: list[bool] = []
        self._servers: list[MisbehavingServer] = []
        self._users: list[Any] = []
        self.server = self.other_server()
        self.url = self.server.url
        self.client = self.user().client

    def user(self, **attributes: Any) -> Any:
        kind = type("User", (FastHttpUser,), {"host": self.url, **attributes})
        self._users.append(kind(self.environment))
        return self._users[-1]

    def other_server(self, *, tls: bool = False, **given: Any) -> MisbehavingServer:
        if tls:
            files = write_certificate(self._folder)
            given |= {"certfile": str(files.certificate), "keyfile": str(files.key)}
        self._servers.append(MisbehavingServer(**given))
        return self._servers[-1]

    def refusing(self) -> str:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return f"127.0.0.1:{sock.getsockname()[1]}"

    def client_pool(self) -> Any:
        return HTTPClientPool(concurrency=1, insecure=True)

    def in_parallel(self, calls: list[Callable[[], Any]]) -> None:
        for each in gevent.joinall([gevent.spawn(call) for call in calls]):
            self.look(each.value)

    def wire(self) -> list[Any]:
        return [
            [[_short(request) for request in connection] for connection in server.connections]
            for server in self._servers
        ]

    def look(self, response: Any) -> None:
        looked: dict[str, Any] = {name: _outcome(_part, response, name) for name in _PARTS}
        looked["len"] = _outcome(len, response)
        looked["catches"] = isinstance(response, ResponseContextManager)
        looked["header items"] = _outcome(lambda: list(response.headers.items()))
        request = response.request
        looked["request"] = [request.method, request.url, str(request.headers), request.get_host()]
        looked["request body"] = [_short(request.payload), _short(request.body)]
        if (error := getattr(response, "error", None)) is not None:
            looked["told"] = [
                str(error),
                sorted(vars(error)),
                str(getattr(error, "http_log", "")),
                getattr(error, "response", None) is not None,
            ]
        looked["cookies"] = [
            [sorted(map(_cookie, user.client.cookiejar)), user.client.cookiejar is not None]
            for user in self._users
        ]
        self.seen.append(looked)

    def look_at(self, call: Callable[[], Any]) -> None:
        self.seen.append(_outcome(lambda: self.look(call())))

    def note(self, *values: Any) -> None:
        self.seen.append(repr(values))

    def _listen(self, **kwargs: Any) -> None:
        response = kwargs.pop("response")
        event: dict[str, Any] = {
            name: repr(value) for name, value in kwargs.items() if name not in _TIMES
        }
        event["response"] = [
            isinstance(response, FastResponse),
            isinstance(response, ResponseContextManager),
            response.status_code,
            _short(response.content),
        ]
        event["times"] = sorted(_TIMES & {n for n, v in kwargs.items() if type(v) is float})
        timing = getattr(response, "withstand_timing", None)
        if timing is not None:
            times = timing[:5]
            self.timings.append(list(times) == sorted(times))
        self.events.append(event)

    def close(self) -> None:
        for server in self._servers:
            server.stop()


def _cookie(cookie: Any) -> list[str]:
    return [cookie.name, str(cookie.value), cookie.domain, cookie.path, str(cookie.secure)]


def _short(value: Any) -> str:
    text = re.sub(r"(127\.0\.0\.1|::1\]):\d+", r"\1:PORT", repr(value))
    return text if len(text) < 2_000 else f"{text[:500]} ... {len(text)}, {crc32(text.encode())}"


def _part(response: Any, name: str) -> Any:
    value: Any = getattr(response, name, "none")
    return value() if name == "json" else value


def _outcome(call: Callable[..., Any], *arguments: Any) -> str:
    try:
        return _short(call(*arguments))
    except Exception as error:
        return f"raised {error!r}"


def _run(name: str, folder: Path) -> dict[str, Any]:
    bench = Bench(folder)
    WATCH.call_sites.clear()
    started = WATCH.started
    raised = _outcome(CASES[name], bench)
    # Whoever is made last may still be on the way to the server.
    gevent.sleep(0)
    observed = {
        "raised": raised,
        "seen": bench.seen,
        "events": bench.events,
        "wire": bench.wire(),
    }
    text = json.dumps(observed)
    for number, server in enumerate(bench._servers):
        port = server.address.rpartition(":")[2]
        text = re.sub(rf"(?<!\d){port}(?!\d)", f"PORT{number}", text)
    text = re.sub(r"127\.0\.0\.1:(\d+|PORT0)", "127.0.0.1:PORT", text)
    text = re.sub(r" object at 0x[0-9a-f]+", " object", text)
    # An attribute that an older library lacks is missed by the name of the class.
    text = re.sub(r"'(PlainFast|Faster)(Response|HttpSession)' object", r"'Fast\2' object", text)
    bench.close()
    return {
        "observed": json.loads(text),
        "ways": sorted({way for _, way in WATCH.call_sites}),
        "timings": bench.timings,
        "started": WATCH.started - started,
    }


def main() -> None:
    """Run."""
    variant, folder = sys.argv[1], Path(sys.argv[2])
    if variant == "ours":
        install()
        WATCH.explaining = True
    names = sys.argv[3:] or CASES
    sys.stdout.write(json.dumps({name: _run(name, folder) for name in names}))


if __name__ == "__main__":
    main()
