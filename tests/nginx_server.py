"""A real nginx for the length of some tests: a foreign server, which also counts.

One worker on two free ports, plain and TLS; what its `server` block holds beyond that is the
tests' own.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.client.certificates import Certificates
from withstand.client.target import Target

NGINX = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/requests;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ application/json json; }}
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {chain}; ssl_certificate_key {key};
        root {folder}/files;
        location = /counts {{ stub_status; }}
{server}
    }}
}}
"""


@dataclass(kw_only=True)
class Nginx:
    """Where it listens."""

    plain: Target
    tls: Target
    _asked: int = field(default=0)

    def answered(self) -> int:
        """Requests by its own count (stub_status), without those of this method."""
        self._asked += 1
        with urllib.request.urlopen(f"{self.plain.base_url}/counts", timeout=10) as response:
            numbers = re.findall(r"[0-9]+", response.read().decode())
        return int(numbers[3]) - self._asked  # active, accepted, handled, requests, …


@contextlib.contextmanager
def running(folder: Path, certificates: Certificates, server: str) -> Iterator[Nginx]:
    """nginx with these directives in its `server` block; `folder / "files"` is its root."""
    assert NGINX is not None
    (folder / "files").mkdir(exist_ok=True)
    plain, tls = _free_ports(2)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            plain=plain,
            tls=tls,
            chain=certificates.chain,
            key=certificates.key,
            server=server,
        )
    )
    process = subprocess.Popen(
        [NGINX, "-c", str(configuration), "-p", str(folder), "-e", str(folder / "errors")],
        env={"PATH": os.environ["PATH"]},
    )
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", tls), timeout=5).close()
                break
            assert process.poll() is None, (folder / "errors").read_text()
            assert time.monotonic() < deadline
        yield Nginx(
            plain=Target(scheme="http", host="127.0.0.1", port=plain),
            tls=Target(
                scheme="https", host="localhost", port=tls, ca_file=str(certificates.authority)
            ),
        )
    finally:
        process.terminate()
        process.wait(10)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
