"""Runs the cases on a real HttpUser and prints what could be seen of each, as JSON.

Run as a module, with `stock` or `fast`, the ports of the server as JSON, and the paths of an
authority's certificate, a client's and its key.
"""

import locust  # first of all, since it patches what others import

import locust.env  # isort: skip

import copy
import io
import json
import logging
import pickle
import re
import sys
import warnings
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from hashlib import sha256 as hash_of
from typing import Any, ClassVar, Final
from unittest import mock

import gevent
import requests
from gevent import socket
from requests.compat import chardet

from tests.locust_plugin.http_cases import CASES, Case

_STUCK_S: Final = 8.0
_SHORT_S: Final = 0.1
_LONG: Final = 500  # characters
_CHARDET: Final[Any] = chardet
PORTS: Final[dict[str, int]] = {}
Viewer = Callable[[Any], Any]


def _short(text: str) -> str:
    """Something that is the same if a long text is."""
    for name, port in PORTS.items():
        text = text.replace(str(port), name)
    return text if len(text) < _LONG else f"{text[:99]}... {hash_of(text.encode()).hexdigest()}"


def _pairs(headers: Any) -> list[list[str]]:
    return [[repr(name), _short(repr(value))] for name, value in headers.items()]


def _cookies(jar: Any) -> list[str]:
    if not hasattr(jar, "list_domains"):
        return [repr(jar)]
    return sorted(
        repr({k: v for k, v in vars(cookie).items() if k != "expires"})
        + (" lasting" if cookie.expires is not None else "")
        for cookie in jar
    )


def _request(request: Any) -> Any:
    return {
        "method": repr(request.method),
        "url": request.url,
        "headers": None if request.headers is None else _pairs(request.headers),
        "body": type(request.body).__name__
        if _is_file(request.body)
        else _short(repr(request.body)),
        "path_url": request.path_url,
        "hooks": repr(request.hooks),
        "repr": repr(request),
        "copy": repr(request.copy().url),
    }


def _is_file(body: Any) -> bool:
    return hasattr(body, "read") or hasattr(body, "__next__")


def _raw(raw: Any) -> Any:
    if raw is None:
        return None
    return {
        "status": raw.status,
        "reason": raw.reason,
        "version": raw.version,
        "headers": _pairs(raw.headers),
        "read": repr(raw.read()),
        "closed": raw.closed,
        "decode_content": raw.decode_content,
    }


def _pickled(response: Any) -> Any:
    again = pickle.loads(pickle.dumps(response))
    return _view(again, _AFTER_PICKLE)


def _copied(response: Any) -> Any:
    return _view(copy.copy(response), _AFTER_PICKLE)


_VIEWERS: Final[dict[str, Viewer]] = {
    "is a response": lambda r: isinstance(r, locust.clients.ResponseContextManager),
    "status_code": lambda r: repr(r.status_code),
    "elapsed": lambda r: isinstance(r.elapsed, timedelta) and r.elapsed >= timedelta(0),
    "reason": lambda r: repr(r.reason),
    "headers": lambda r: (type(r.headers).__name__, _pairs(r.headers)),
    "encoding": lambda r: repr(r.encoding),
    "apparent_encoding": lambda r: r.apparent_encoding if len(r.content or b"") < 999 else None,
    "text": lambda r: _short(repr(r.text)),
    "content": lambda r: _short(repr(r.content)),
    "json": lambda r: repr(r.json()),
    "url": lambda r: r.url,
    "ok": lambda r: r.ok,
    "bool": bool,
    "repr": repr,
    "is_redirect": lambda r: r.is_redirect,
    "is_permanent_redirect": lambda r: r.is_permanent_redirect,
    "next": lambda r: repr(r.next),
    "history": lambda r: [[each.status_code, each.url, each.text] for each in r.history],
    "cookies": lambda r: _cookies(r.cookies),
    "links": lambda r: repr(r.links),
    "request": lambda r: _request(r.request),
    "raise_for_status": lambda r: r.raise_for_status(),
    "iter_content": lambda r: _short(repr(list(r.iter_content(1 + len(r.content) // 3)))),
    "iter_text": lambda r: _short(
        repr(list(r.iter_content(1 + len(r.content) // 3, decode_unicode=True)))
    ),
    "iter_lines": lambda r: _short(repr(list(r.iter_lines()))),
    "iter": lambda r: _short(repr(list(r))),
    "error": lambda r: repr(r.error),
    "manual": lambda r: repr(r._manual_result),
    "meta": lambda r: sorted(r.request_meta),
    "raw": lambda r: _raw(r.raw),
    "connection": lambda r: isinstance(r.connection, requests.adapters.HTTPAdapter),
    "pickled": _pickled,
    "copied": _copied,
    "close": lambda r: r.close(),
    "unknown": lambda r: hasattr(r, "js") or hasattr(r, "unheard_of"),
}
_AFTER_PICKLE: Final = {
    name: _VIEWERS[name]
    for name in ("status_code", "reason", "url", "text", "headers", "encoding", "history", "ok")
}


_USUAL: Final = {
    name: viewer
    for name, viewer in _VIEWERS.items()
    if not name.startswith(("pickled", "copied", "iter", "apparent"))
}


def _view(response: Any, viewers: dict[str, Viewer]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for name, viewer in viewers.items():
        try:
            seen[name] = viewer(response)
        except Exception as error:
            seen[name] = _told(error)
    return seen


def _told(error: BaseException) -> str:
    """An exception, with what it came from."""
    lines = [f"{type(error).__module__}.{type(error).__qualname__}: {error!r} / {error}"]
    known = {id(error)}
    cause = error.__cause__ or error.__context__
    while cause is not None and id(cause) not in known:
        known.add(id(cause))
        lines.append(f"{type(cause).__qualname__}: {cause}")
        cause = cause.__cause__ or cause.__context__
    return " <- ".join(lines)


class Control:
    """Asks the server, as that says."""

    def __init__(self, port: int) -> None:
        self._file = socket.create_connection(("127.0.0.1", port)).makefile("rwb", buffering=0)
        self._lines = io.BufferedReader(self._file)

    def ask(self, question: bytes) -> Any:
        """Its answer, when it comes."""
        self._file.write(question)
        return json.loads(self._lines.readline())


class Shopper(locust.HttpUser):
    """The user of all cases, one after the other."""

    known: ClassVar[dict[str, Any]] = {}

    def context(self) -> dict[str, Any]:
        return dict(self.known)


class RealBench:
    """One case's user, and what was seen of it."""

    def __init__(self, case: Case, control: Control, files: list[str]) -> None:
        self._control = control
        self.authority = files[0]
        self.client_certificate = (files[1], files[2])
        self.shown: list[Any] = []
        self.events: list[Any] = []
        self.is_ordered = True
        host = re.sub(r"\{(\w+)\}", lambda match: str(PORTS[match[1]]), case.host)
        Shopper.host = host
        Shopper.known = {"user": "u", "k": 1} if case.context else {}
        self.environment: Any = locust.env.Environment(user_classes=[Shopper])
        self.environment.create_local_runner()
        events: Any = self.environment.events
        events.request.add_listener(self._on_request)
        self.user: Any = Shopper(self.environment)  # type: ignore[no-untyped-call]
        self.client = self.user.client

    def _on_request(self, **event: Any) -> None:
        times = {name: event.pop(name, None) for name in ("response_time", "start_time")}
        response = event.pop("response", None)
        self.events.append(
            {name: repr(value) for name, value in event.items()}
            | {"times": [isinstance(time, float) and time > 0 for time in times.values()]}
            | {"response": getattr(response, "status_code", "none")}
            | {"traceback": getattr(event["exception"], "__traceback__", None) is not None}
        )

    def url(self, path: str, *, port: str = "main", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{PORTS[port]}{path}"

    def show(self, do: Callable[[], Any]) -> Any:
        try:
            response = do()
            self._control.ask(b".")  # whether it closed a connection is no matter of luck
        except Exception as error:
            self.shown.append(_told(error))
            return None
        if isinstance(response, requests.Response):
            few = self.shown and type(self.shown[-1]) is dict  # what takes long is looked at once
            self.shown.append(_view(response, _USUAL if few else _VIEWERS))
        else:
            self.shown.append(repr(response))
        return response

    def note(self, what: Any) -> None:
        self.shown.append(repr(what))

    def together(self, *what: Callable[[], Any]) -> None:
        workers = [gevent.spawn(each) for each in what]
        gevent.joinall(workers)
        self.is_ordered = False
        self.events.sort(key=lambda event: str(event["name"]))  # whichever came first
        for worker in workers:
            self.show(worker.get)

    def killed(self, do: Callable[[], Any]) -> None:
        worker = gevent.spawn(do)
        self._control.ask(b"h")
        worker.kill()
        self.note(worker.value)

    def out_of_time(self, do: Callable[[], Any]) -> None:
        with gevent.Timeout(_SHORT_S, False):  # type: ignore[arg-type]
            self.show(do)
        self.note("out of time")

    def close(self) -> dict[str, Any]:
        """What is left to see, at the end."""
        stats = self.environment.stats
        entries = [*stats.entries.values(), stats.total]
        seen = {
            "cookies": _cookies(self.client.cookies),
            "stats": sorted(
                [
                    str(entry.method),
                    str(entry.name),
                    entry.num_requests,
                    entry.num_failures,
                    entry.total_content_length,
                ]
                for entry in entries
            ),
            "errors": sorted(
                [str(error.method), str(error.name), str(error.error), error.occurrences]
                for error in stats.errors.values()
            ),
        }
        self.client.close()
        self.environment.runner.greenlet.kill()  # quit() looks its caller up, slowly
        return seen


class _Log(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage().strip().splitlines()[-1]}")


def _what_the_server_saw(control: Control) -> list[dict[str, Any]]:
    """The requests, with the connections numbered from 0 for this case."""
    seen = control.ask(b"?")
    numbers: dict[int, int] = {}
    for request in seen:
        request |= {name: _short(request[name]) for name in ("head", "body")}
        request["connection"] = numbers.setdefault(request["connection"], len(numbers))
    return list(seen)


def _run(case: Case, control: Control, files: list[str]) -> dict[str, Any]:
    log = _Log()
    logging.getLogger().handlers[:] = [log]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        bench = RealBench(case, control, files)
        stuck = gevent.Timeout(_STUCK_S)
        with stuck:
            try:
                case.do(bench)
            except BaseException as error:
                bench.note(_told(error))
        end = bench.close()
    requests_seen = _what_the_server_saw(control)
    if not bench.is_ordered:
        requests_seen.sort(key=lambda request: str(request["head"]))
    for request in requests_seen:
        if not case.connections:
            del request["connection"]
    return {
        "requests": requests_seen,
        "shown": bench.shown,
        "events": bench.events,
        "log": [line for line in log.lines if "Connection pool is full" not in line],
        "warnings": sorted(
            {
                f"{each.category.__name__}: {each.message}"
                for each in warned
                if each.category is not ResourceWarning  # of what the collector came across
            }
        ),
        **end,
    }


def main(kind: str, ports: dict[str, int], files: list[str], names: list[str]) -> None:
    """Run the cases of these names, or all."""
    if kind == "fast":
        from withstand.locust_plugin.install import install

        install()
    PORTS.update(ports)
    control = Control(ports["control"])
    found = {}
    # What requests makes up at random.
    with (
        mock.patch("urllib3.filepost.choose_boundary", return_value="boundary"),
        # The guess at a body's encoding is as slow as it is far from what is tested.
        mock.patch("requests.models.chardet.detect", cache(_CHARDET.detect)),
    ):
        for name in names or CASES:
            found[name] = _run(CASES[name], control, files)
    text = json.dumps(found)
    for name, port in ports.items():
        text = text.replace(str(port), name)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
    text = re.sub(r"\b_=[0-9]{13}\b", "_=now", text)
    print(text)  # noqa: T201 - how the test learns it


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:6], sys.argv[6:])
