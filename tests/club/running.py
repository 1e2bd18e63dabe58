"""The club on a free port of this machine, in a thread."""

import contextlib
import logging
import threading
from collections.abc import Iterator

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.club.app import MEMBERS, create_app


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self) -> str:
        return "club"  # not which software, nor its version

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def running(*flaws: str, plain: bool = False) -> Iterator[str]:
    """The text of the withstand.toml of a club with these flaws, which is served meanwhile."""
    logging.getLogger("club").setLevel(logging.CRITICAL)
    server = make_server(
        "127.0.0.1", 0, create_app(flaws, plain=plain), threaded=True, request_handler=_Handler
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield _config(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _config(url: str) -> str:
    people = "\n".join(
        f'{name.lower()} = {{ role = "{role}", email = "{email}", password = "{password}" }}'
        for email, password, name, role in MEMBERS
    )
    return f"""
[target]
base_url = "{url}"
openapi = "/openapi.json"

[identities]
{people}

[access]
"GET /chair/members" = ["chair"]
"GET /chair/notices" = ["chair"]
"POST /chair/notices" = ["chair"]
"""
