"""A server over raw sockets that behaves as badly as one likes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket, str], None]
"""Answers one request: the connection, and the path that was asked for."""


@contextmanager
def serving(behave: Behaviour) -> Iterator[str]:
    """The address of the server. Each connection carries one request."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        accepting = threading.Thread(target=_accept, args=(listening, behave), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(5)


def answer(
    connection: socket.socket,
    status: int = 200,
    body: bytes = b'{"ok": true}',
    media_type: str = "application/json",
    *headers: str,
) -> None:
    """One complete response, after which the connection is closed."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Type: {media_type}", *headers]
    lines += ["Connection: close", "X-Content-Type-Options: nosniff"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)


def _accept(listening: socket.socket, behave: Behaviour) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, behave), daemon=True).start()


def _serve(connection: socket.socket, behave: Behaviour) -> None:
    with connection:
        try:
            received = b""
            while b"\r\n\r\n" not in received:
                if not (piece := connection.recv(65_536)):
                    return
                received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            named = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-l")]
            expected = int(named[0].partition(b":")[2]) if named else 0
            while len(body) < expected and (piece := connection.recv(65_536)):
                body += piece
            behave(connection, head.split(b" ", 2)[1].decode("latin-1"))
        except OSError:
            return  # the scan has hung up
