"""nginx on a core of its own: what all generators are measured against, and who counts for them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from withstand.demo.tls import write_certificate

SERVER_CPU = 0
SIGNED_IN = '{"access_token":"x"}'
SMALL = '{"id":1,"email":"a@example.com","role":"user"}'
START_WITHIN_S = 10

CONFIGURATION = """
worker_processes 1;
worker_rlimit_nofile {files};
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections {connections}; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  types {{ application/json json; }}
  root {folder}/files;
  server {{
    listen 127.0.0.1:{plain} backlog=4096;
    listen 127.0.0.1:{tls} ssl backlog=4096;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    location = /status {{ stub_status; }}
    location = /large.json {{ }}
    location = /auth/token {{ default_type application/json; return 200 '{token}'; }}
    location / {{ default_type application/json; return 200 '{small}'; }}
  }}
}}
"""


@dataclass
class Nginx:
    """A running nginx. `answered` and `active` leave out our own questions."""

    folder: Path
    plain_port: int
    tls_port: int
    ca_file: Path
    worker: psutil.Process
    asked: int = field(default=0)

    @property
    def url(self) -> str:
        """Plain HTTP."""
        return f"http://127.0.0.1:{self.plain_port}"

    @property
    def tls_url(self) -> str:
        """TLS 1.3."""
        return f"https://127.0.0.1:{self.tls_port}"

    def _status(self) -> list[int]:
        self.asked += 1
        with urllib.request.urlopen(f"{self.url}/status", timeout=20) as response:  # noqa: S310 - loopback
            # Active; accepts, handled, requests; reading, writing, waiting.
            return [int(number) for number in re.findall(r"[0-9]+", response.read().decode())]

    def answered(self) -> int:
        """Requests answered so far."""
        return self._status()[3] - self.asked

    def active(self) -> int:
        """Connections open now."""
        return self._status()[0] - 1

    def cpu_s(self) -> float:
        """User and system time of the worker so far."""
        times = self.worker.cpu_times()
        return times.user + times.system


def installed() -> str | None:
    """Where nginx is; it is often not on the PATH of ordinary users."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class RunningNginx:
    """nginx for as long as a `with` block lasts."""

    def __init__(self, connections: int = 16_384) -> None:
        self._connections = connections

    def __enter__(self) -> Nginx:
        program = installed()
        if program is None:
            raise SystemExit("nginx is not installed; on Debian: apt-get install nginx-light")
        folder = Path(tempfile.mkdtemp(prefix="withstand-bench-"))
        folder.chmod(0o755)  # the worker is another user when we are root
        (folder / "files").mkdir()
        (folder / "files" / "large.json").write_text("[" + ",".join([SMALL] * 230) + "]")
        files = write_certificate(folder)
        plain, tls = free_ports(2)
        configuration = folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                folder=folder, plain=plain, tls=tls, certificate=files.certificate, key=files.key,
                connections=self._connections, files=self._connections + 100, small=SMALL,
                token=SIGNED_IN,
            )
        )  # fmt: skip
        command = [program, "-c", configuration, "-p", folder, "-e", folder / "error.log"]
        self._folder = folder
        self._master = subprocess.Popen(  # noqa: S603 - our own configuration
            ["taskset", "-c", str(SERVER_CPU), *map(str, command)],  # noqa: S607 - as installed
            stderr=subprocess.DEVNULL,
        )
        try:
            return self._ready(Nginx(folder, plain, tls, files.ca, psutil.Process()))
        except BaseException:
            self.__exit__()
            raise

    def _ready(self, nginx: Nginx) -> Nginx:
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            try:
                nginx.asked = 0
                before = nginx.answered()
                assert before == 0, "nobody but us has asked yet"
                (nginx.worker,) = psutil.Process(self._master.pid).children()
                return nginx
            except (OSError, ValueError) as problem:
                if self._master.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "error.log").read_text()
                    raise SystemExit(f"nginx did not start: {log or problem}") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        if self._master.poll() is None:
            self._master.send_signal(signal.SIGTERM)
            self._master.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


def stay_with_the_server() -> None:
    """Keep this process off the generators' core."""
    os.sched_setaffinity(0, {SERVER_CPU})
