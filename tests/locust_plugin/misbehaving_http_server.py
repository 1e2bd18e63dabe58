"""An HTTP server in a process of its own that answers as servers should not, and notes the bytes.

The path says how a request is answered. On its standard output it prints its ports, as JSON. On a
connection to its port `control` it answers each byte with a line: when it is not answering anything
to `.` and `?`, when it hangs to `h`. To `?` the line is what it saw since then, as JSON.
"""

import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.locust_plugin.misbehaving_answers import (
    ANSWERS,
    CLOSE,
    HANG,
    PAUSE,
    RESET,
    Act,
    Answer,
    answer,
    cookie,
)

_PAUSE_S: Final = 0.003
_LONG_S: Final = 20.0
_END_OF_HEAD: Final = b"\r\n\r\n"


class Server:
    """What it saw, and where it listens."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.connections = 0
        self.at_work = 0
        self.hung = 0
        self.changed = threading.Condition()
        self.ports: dict[str, int] = {}

    def listen(self, name: str, host: str, context: ssl.SSLContext | None = None) -> None:
        """Take connections on a port of this name."""
        listening = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self.ports[name] = listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(name, listening, context), daemon=True).start()

    def _accept(self, name: str, listening: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            sock, _ = listening.accept()
            if name == "control":
                threading.Thread(target=self._tell, args=(sock,), daemon=True).start()
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(
                target=self._serve, args=(name, sock, context, self.connections), daemon=True
            ).start()

    def _tell(self, sock: socket.socket) -> None:
        while question := sock.recv(1):
            with self.changed:
                self.changed.wait_for(
                    lambda: self.hung if question == b"h" else not self.at_work,
                    timeout=_LONG_S,
                )
            seen: list[Any] = []
            if question == b"?":
                seen, self.seen = self.seen, seen
            if question != b".":
                self.hung = 0
            sock.sendall(json.dumps(seen).encode() + b"\n")

    def hang(self) -> None:
        """Somebody waits in vain."""
        with self.changed:
            self.hung += 1
            self.changed.notify_all()

    def work(self, more: int) -> None:
        """So many more answers are being given."""
        with self.changed:
            self.at_work += more
            self.changed.notify_all()

    def _serve(
        self, name: str, sock: socket.socket, context: ssl.SSLContext | None, number: int
    ) -> None:
        conversation = None
        with suppress(OSError, EOFError):
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
            conversation = Conversation(self, sock, name, number)
            while conversation.answer_one():
                conversation.rests()
        sock.close()
        if conversation is not None:
            conversation.rests()


class Conversation:
    """One connection."""

    def __init__(self, server: Server, sock: socket.socket, port: str, number: int) -> None:
        self.server = server
        self.sock = sock
        self.port = port
        self.number = number
        self.rest = b""
        self.count = 0
        self.at_work = False

    def rests(self) -> None:
        """Nothing more will be sent before the next request."""
        if self.at_work:
            self.at_work = False
            self.server.work(-1)

    def answer_one(self) -> bool:
        """Answer the next request; False when it was the last."""
        head = self._until(_END_OF_HEAD)
        self.count += 1
        seen: dict[str, Any] = {"port": self.port, "connection": self.number}
        seen |= {"head": head.decode("latin-1"), "body": ""}
        self.server.seen.append(seen)
        method, target = head.decode("latin-1").split(" ")[:2]
        path = re.sub(r"\Ahttps?://[^/]*", "", target)
        if path.startswith("/early"):
            self._answer_early(path)
            return False
        seen["body"] = self._body(head).decode("latin-1")
        self.at_work = True
        self.server.work(1)
        parts = self._answer_to(path)
        whole = path == "/b/whole-to-head"
        return self._send(_head_of(parts) if method == "HEAD" and not whole else parts)

    def _until(self, end: bytes) -> bytes:
        while end not in self.rest:
            self._receive()
        data, self.rest = self.rest.split(end, 1)
        return data + end

    def _receive(self) -> None:
        data = self.sock.recv(1 << 16)
        if not data:
            raise EOFError
        self.rest += data

    def _exactly(self, size: int) -> bytes:
        while len(self.rest) < size:
            self._receive()
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

    def _body(self, head: bytes) -> bytes:
        length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
        if length:
            return self._exactly(int(length[1]))
        if not re.search(rb"(?i)\r\ntransfer-encoding: *chunked", head):
            return b""
        body = b""
        while True:
            line = self._until(b"\r\n")
            body += line + self._exactly(int(line, 16) + 2)
            if int(line, 16) == 0:
                return body

    def _answer_to(self, path: str) -> Answer:
        name = path.partition("?")[0].removeprefix("/b/")
        if name in ANSWERS:
            return ANSWERS[name]
        if name == "count":
            return (answer(body=b"%d" % self.count),)
        if name == "rolling":
            return cookie(f"seen={self.count}; Path=/")
        return (answer("Content-Type: text/plain", body=b"hello"),)

    def _answer_early(self, path: str) -> None:
        """Do not read the body. The end of `/early-reset` makes the kernel send a reset."""
        self.sock.sendall(answer("Connection: close", status="413 Too Large"))
        if path == "/early":
            self.sock.shutdown(socket.SHUT_WR)
            while self.sock.recv(1 << 16):
                pass
        elif path == "/early-then-reset":
            self.sock.shutdown(socket.SHUT_WR)
            time.sleep(_PAUSE_S)

    def _send(self, parts: Answer) -> bool:
        for part in parts:
            if part is PAUSE:
                time.sleep(_PAUSE_S)
            elif part is CLOSE:
                return False
            elif part is RESET:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            elif part is HANG:
                self.rests()
                self.server.hang()
                while self.sock.recv(1 << 16):
                    pass
                return False
            else:
                assert isinstance(part, bytes)
                for name, port in self.server.ports.items():
                    if b"{%s}" % name.encode() in part:
                        # A port has five digits; so the length needs no change.
                        part = part.replace(b"{%s}" % name.encode(), b"%d" % port)
                self.sock.sendall(part)
        return True


def _head_of(parts: Answer) -> Answer:
    """The answer without its body."""
    kept: list[bytes | Act] = []
    head = b""
    for part in parts:
        if not isinstance(part, bytes):
            kept.append(part)
        elif _END_OF_HEAD not in head:
            rest = (head + part).partition(_END_OF_HEAD)[2]
            interim = part.startswith(b"HTTP/1.1 10")
            kept.append(part if interim else part[: len(part) - len(rest)])
            head += b"" if interim else part
    return tuple(kept)


def main(authority: Path, chain: Path, key: Path) -> None:
    """Serve until the standard input ends."""
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as dead:
        server.ports["dead"] = dead.getsockname()[1]
        for name in ("main", "other", "control"):
            server.listen(name, "127.0.0.1")
        server.listen("six", "::1")
        for name, verify in (("tls", ssl.CERT_NONE), ("mutual", ssl.CERT_REQUIRED)):
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
            context.verify_mode = verify
            context.load_cert_chain(chain, key)
            server.listen(name, "127.0.0.1", context)
    print(json.dumps(server.ports), flush=True)  # noqa: T201 - how the test learns them
    sys.stdin.read()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
