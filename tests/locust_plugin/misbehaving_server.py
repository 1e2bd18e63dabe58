"""A server among the greenlets of a Locust process, which answers by the path it is asked for.

Imports gevent, and so belongs into a process of its own, as Locust does.
"""

import gzip
import re
import struct
import zlib
from collections.abc import Callable
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import brotli  # type: ignore[import-untyped]
import gevent
from gevent.server import StreamServer

JSON = b'{"id": 1, "name": "J\\u00fcrgen"}'
_REDIRECT = re.compile(r"/redirect/(\d+)(/.*)")
_STATUS = re.compile(r"/status/(\d+)")


def answer(status: str, body: bytes, *headers: str, length: bool = True) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class MisbehavingServer:
    """`connections` has the requests of each connection."""

    def __init__(self, host: str = "127.0.0.1", **tls: Any) -> None:
        self.connections: list[list[bytes]] = []
        self.asked: dict[str, int] = {}
        self._server = StreamServer((host, 0), self._accept, **tls)
        self._server.start()
        place = f"[{host}]" if ":" in host else host
        self.address = f"{place}:{self._server.address[1]}"
        self.url = ("https://" if tls else "http://") + self.address

    def stop(self) -> None:
        """Listen no more, and hang up."""
        self._server.stop(timeout=0)

    def _accept(self, sock: Any, _: Any) -> None:
        requests: list[bytes] = []
        self.connections.append(requests)
        try:
            while (request := _request(sock)) and self._respond(sock, request, requests):
                pass
        except OSError:
            pass
        finally:
            sock.close()

    def _respond(self, sock: Any, request: bytes, requests: list[bytes]) -> bool:
        requests.append(request)
        method, path = request.decode("latin-1").split(" ")[:2]
        path = path.partition("?")[0]
        self.asked[path] = self.asked.get(path, 0) + 1
        if path.startswith("/odd/"):
            return bool(getattr(self, path[len("/odd/") :])(sock))
        data = _answer_to(method, path, request)
        if method == "HEAD":
            data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        sock.sendall(data)
        return b"Connection: close" not in data

    # What a request for /odd/... gets, and whether the connection goes on after it.

    def pieces(self, sock: Any) -> bool:
        data = answer("200 OK", JSON, "Content-Type: application/json")
        for start in range(0, len(data), 7):
            sock.sendall(data[start : start + 7])
            gevent.sleep(0)
        return True

    def chunked(self, sock: Any) -> bool:
        head = answer("200 OK", b"", "Transfer-Encoding: chunked", length=False)
        sock.sendall(head + b"3\r\nabc\r\n")
        gevent.sleep(0)
        sock.sendall(b"2;x=y\r\nde\r\n0\r\n\r\n")
        return True

    def trailers(self, sock: Any) -> bool:
        head = answer("200 OK", b"", "Transfer-Encoding: chunked", "Trailer: X-T", length=False)
        sock.sendall(head + b"3\r\nabc\r\n0\r\nX-T: late\r\n\r\n")
        return True

    def until_end(self, sock: Any) -> bool:
        sock.sendall(answer("200 OK", b"to the end", "Content-Type: text/plain", length=False))
        return False

    def interim(self, sock: Any) -> bool:
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer("200 OK", b"late"))
        return True

    def closes(self, sock: Any) -> bool:
        return False

    def closes_first(self, sock: Any) -> bool:
        if self.asked["/odd/closes_first"] > 1:
            sock.sendall(answer("200 OK", b"now"))
            return True
        return False

    def resets(self, sock: Any) -> bool:
        sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def answers_and_closes(self, sock: Any) -> bool:
        sock.sendall(answer("200 OK", b"bye"))
        return False

    def closes_in_head(self, sock: Any) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-")
        return False

    def closes_in_body(self, sock: Any) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        return False

    def garbage(self, sock: Any) -> bool:
        sock.sendall(b"220 smtp.example.com ESMTP\r\n\r\n")
        return False

    def silent(self, sock: Any) -> bool:
        sock.recv(1)
        return False

    def silent_in_body(self, sock: Any) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        sock.recv(1)
        return False

    def too_much(self, sock: Any) -> bool:
        sock.sendall(answer("200 OK", b"abc") + b"more")
        return False


def _answer_to(method: str, path: str, request: bytes) -> bytes:
    if match := _REDIRECT.match(path):
        return answer(f"{match[1]} Found", b"moved", f"Location: {match[2].replace('@', '//')}")
    if match := _STATUS.match(path):
        code = int(match[1])
        return answer(f"{code} Some", b"" if code in (204, 304) else b"body", length=code != 204)
    known: dict[str, Callable[[], bytes]] = {
        "/json": lambda: answer("200 OK", JSON, "Content-Type: application/json", "X-A: 1"),
        "/twice": lambda: answer("200 OK", b"x", "X-A: 1", "x-a: 2"),
        "/latin": lambda: answer("200 OK", b"J\xfcrgen", "Content-Type: text/plain"),
        "/untold": lambda: answer("200 OK", "Jürgen".encode()),
        "/empty": lambda: answer("200 OK", b""),
        "/close": lambda: answer("200 OK", b"closed", "Connection: close"),
        "/gzip": lambda: answer("200 OK", gzip.compress(JSON), "Content-Encoding: gzip"),
        "/br": lambda: answer("200 OK", brotli.compress(JSON), "Content-Encoding: br"),
        "/deflate": lambda: answer("200 OK", zlib.compress(JSON), "Content-Encoding: deflate"),
        "/no-gzip": lambda: answer("200 OK", b"plain", "Content-Encoding: gzip"),
        "/zstd": lambda: answer("200 OK", b"x", "Content-Encoding: zstd"),
        "/binary-error": lambda: answer("500 Bad", b"\xff\xfe"),
        "/gzip-error": lambda: answer("503 Bad", gzip.compress(b"down"), "Content-Encoding: gzip"),
        "/big": lambda: answer("200 OK", b"0123456789" * 200_000),
        "/lines": lambda: answer("200 OK", b"one\ntwo\nthree", "Content-Type: text/plain"),
        "/cookie": lambda: answer("200 OK", b"", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2"),
        "/cookie/deep": lambda: answer("200 OK", b"", "Set-Cookie: deep=1"),
        "/cookie/gone": lambda: answer("200 OK", b"", "Set-Cookie: a=; Path=/; Max-Age=0"),
        "/cookie/error": lambda: answer("403 No", b"no", "Set-Cookie: e=1; Path=/"),
        "/cookie/secure": lambda: answer("200 OK", b"", "Set-Cookie: s=1; Path=/; Secure"),
        "/cookie/redirect": lambda: answer("302 Go", b"", "Set-Cookie: r=1", "Location: /json"),
        "/loop": lambda: answer("302 Go", b"", "Location: /loop"),
        "/ftp": lambda: answer("302 Go", b"", "Location: ftp://x/"),
        "/no-location": lambda: answer("302 Go", b"where?"),
    }
    if path in known:
        return known[path]()
    return answer("200 OK", method.encode() + b" " + request.partition(b"\r\n\r\n")[2][:99])


def _request(sock: Any) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65_536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    match = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    missing = int(match[1]) - len(body) if match else 0
    while missing > 0 and (more := sock.recv(65_536)):
        data += more
        missing -= len(more)
    return data
