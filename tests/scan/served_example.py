"""The vulnerable or the safe example of a check as a real server, with a project that scans it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from withstand.client.exchange import Request
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server

CHECK = "object-readable-by-other-user"
OPERATION = "GET /orders/{id}"


@dataclass(slots=True, kw_only=True)
class ServedApi:
    """A running API; `server` decides, and may be exchanged. `asked` is every method and path."""

    url: str
    server: Server
    asked: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def heal(self) -> None:
        """From now on it has the flaw no more."""
        self.server = check_named(CHECK).example.safe()

    def write_project(self, folder: Path, security: str = "", *, parameter: str = "id") -> None:
        """A document of 2 operations, one line a key, and a configuration beside it."""
        paths = json.dumps(check_named(CHECK).example.paths)
        paths = paths.replace("{id}", f"{{{parameter}}}").replace('"id"', f'"{parameter}"')
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Orders", "version": "1"},
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
            "paths": json.loads(paths),
        }
        (folder / "openapi.json").write_text(json.dumps(document, indent=2))
        people = "\n".join(
            f'{name} = {{ role = "user", token = "{name}-token" }}' for name in ("alice", "bob")
        )
        (folder / "withstand.toml").write_text(
            f'[target]\nbase_url = "{self.url}"\nopenapi = "openapi.json"\n'
            f"[identities]\n{people}\n[security]\n{security}\n"
        )


@contextmanager
def served(server: Server | None = None) -> Iterator[ServedApi]:
    """The API on a free port of this machine; with the flaw unless a server is given."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    url = f"http://127.0.0.1:{http.server_address[1]}"
    api = ServedApi(url=url, server=server or check_named(CHECK).example.vulnerable())
    http.api = api  # type: ignore[attr-defined]  # the handler has no other way to it
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one segment for head and body: else each answer waits for a delayed ACK

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        api: ServedApi = self.server.api  # type: ignore[attr-defined]  # set by `served`
        request = Request(
            method=self.command, path=self.path, headers=tuple(self.headers.items()), body=body
        )
        with api.lock:
            api.asked.append((self.command, self.path))
            response = api.server(request)
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the output belongs to the tests."""
