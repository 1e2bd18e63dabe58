"""The demo as a process: sockets, data directory, TLS, signals."""

import asyncio
import contextlib
import os
import shlex
import signal
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from withstand.demo.app import create_app
from withstand.demo.capacity import Capacity, LimitedCapacity
from withstand.demo.flaws import Planted
from withstand.demo.headers import security_headers
from withstand.demo.latency import KnownLatency, Latencies
from withstand.demo.middleware import RedirectToHttps
from withstand.demo.shop import opened
from withstand.demo.tls import CertificateFiles, write_certificate

DEFAULT_PORT = 8000
# Nowhere else: a server with planted flaws must not be reachable from another machine.
HOST = "127.0.0.1"


class CannotServeError(Exception):
    """The server could not start; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the server can be reached. `http_url` and `ca_file` are None without HTTPS."""

    url: str
    http_url: str | None
    ca_file: Path | None
    pid: int

    def line(self) -> str:
        """One line of `key=value` words, quoted so that `shlex.split` takes it apart."""
        words = [
            ("url", self.url),
            ("http_url", self.http_url),
            ("ca_file", self.ca_file),
            ("pid", self.pid),
        ]
        return " ".join(
            ["ready", *(shlex.quote(f"{key}={value}") for key, value in words if value is not None)]
        )


def serve(
    *,
    port: int = DEFAULT_PORT,
    http_port: int | None = None,
    https: bool = False,
    planted: Planted | None = None,
    capacity: Capacity | None = None,
    latencies: Latencies | None = None,
    data: Path | None = None,
    ready_file: Path | None = None,
    announce: Callable[[Listening], None] | None = None,
) -> None:
    """Serves the demo on the loopback interface until SIGINT or SIGTERM.

    `port` 0 takes a free one. `http_port` is where plain HTTP is redirected from, with `https`
    only; None takes the one after `port`, or a free one. `capacity` and `latencies` None
    serve as fast as the machine can. `data` None uses a temporary directory and removes it at the
    end. When requests are accepted `announce` is called (None prints
    `Listening.line()`), and the same line is written to `ready_file`.

    Raises CannotServeError.
    """
    if ready_file and not os.access(ready_file.parent, os.W_OK):
        raise CannotServeError(
            f"{ready_file} cannot be written; give --ready-file a path in a writable directory."
        )
    with contextlib.ExitStack() as cleanup:
        try:
            main = cleanup.enter_context(bound_to(port))
            plain = cleanup.enter_context(_bound_beside(main, http_port)) if https else None
            folder = cleanup.enter_context(_folder(data))
            shop = cleanup.enter_context(opened(folder, planted or Planted()))
            files = write_certificate(folder) if https else None
        except sqlite3.Error as error:
            raise CannotServeError(
                f"The shop in {data} cannot be opened ({error}); give --data another directory."
            ) from error
        except OSError as error:
            raise CannotServeError(
                f"{error.filename or data} cannot be written ({error.strerror}); "
                "give --data another directory."
            ) from error
        app: ASGIApp = create_app(shop)
        if latencies is not None:
            app = KnownLatency(app, latencies)
        if capacity is not None:
            app = LimitedCapacity(app, capacity)
        servers = [_Server(app, main, files, shop.planted)]
        if plain:
            redirecting = plain_app(app, shop.planted, _url(main, https))
            servers.append(_Server(redirecting, plain, None, shop.planted))
        listening = Listening(
            url=_url(main, https),
            http_url=_url(plain, https=False) if plain else None,
            ca_file=files.ca if files else None,
            pid=os.getpid(),
        )

        def tell() -> None:
            if ready_file:
                ready_file.write_text(listening.line() + "\n")
            (announce or _print)(listening)

        # Not on uvloop: it accepts one connection a turn, so under full load new clients wait for
        # seconds, and what a load test then measures is the loop. It is 10 % faster otherwise.
        with asyncio.Runner() as runner:
            runner.run(_run(servers, tell))


def plain_app(app: ASGIApp, planted: Planted, https_url: str) -> ASGIApp:
    """What plain HTTP gets when `app` is served at `https_url`."""
    if planted.has("no-https-redirect"):
        return app
    return RedirectToHttps(https_url)


class _Server(uvicorn.Server):
    """uvicorn on a socket that is bound already, with its signals left to us."""

    def __init__(
        self,
        app: ASGIApp,
        bound: socket.socket,
        files: CertificateFiles | None,
        planted: Planted,
    ) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            headers=security_headers(https=files is not None, planted=planted),
            proxy_headers=False,
            # Longer than load generators pause, so that they meet no connection just being closed.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            ssl_certfile=files.certificate if files else None,
            ssl_keyfile=files.key if files else None,
        )
        super().__init__(config)
        self._bound = bound
        self.accepting = asyncio.Event()

    async def run_until_told(self) -> None:
        await self.serve([self._bound])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _run(servers: list[_Server], tell: Callable[[], None]) -> None:
    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as group:
        for server in servers:
            group.create_task(server.run_until_told())
        for server in servers:
            await server.accepting.wait()
        tell()


def _print(listening: Listening) -> None:
    print(listening.line(), flush=True)  # noqa: T201 - the one thing this program says


def bound_to(port: int) -> socket.socket:
    """A socket on this port of HOST, not listening yet. Raises CannotServeError."""
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol. With it on, each
    # response waits some 40 ms for the acknowledgement of its own headers.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise CannotServeError(
            f"Port {port} on {HOST} cannot be used ({reason}); "
            "choose another, or 0 for any free one."
        ) from error
    return bound


def _bound_beside(main: socket.socket, http_port: int | None) -> socket.socket:
    if http_port is not None:
        return bound_to(http_port)
    try:
        return bound_to(main.getsockname()[1] + 1)
    except CannotServeError:
        return bound_to(0)


def _url(bound: socket.socket, https: bool) -> str:
    return f"{'https' if https else 'http'}://{HOST}:{bound.getsockname()[1]}"


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="withstand-demo-") as made:
        yield Path(made)
