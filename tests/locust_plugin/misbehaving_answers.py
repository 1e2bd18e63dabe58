"""Answers as servers should not give them, by name."""

import gzip
import zlib
from enum import Enum, auto
from typing import Final

import brotli  # type: ignore[import-untyped]


class Act(Enum):
    """What a server may do beside sending bytes. An answer without any of the ends is followed by
    the next request.
    """

    PAUSE = auto()  # long enough that what follows comes in another piece
    CLOSE = auto()
    RESET = auto()
    HANG = auto()  # until the client goes away


Answer = tuple[bytes | Act, ...]
PAUSE, CLOSE, RESET, HANG = Act
BODY: Final = b'{"id":1,"name":"tea"}'
_JSON: Final = "Content-Type: application/json"


def answer(*headers: str, status: str = "200 OK", body: bytes = BODY, length: bool = True) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def _raw(head: str, body: bytes = BODY) -> bytes:
    return head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body


def _encoded(encoding: str, body: bytes) -> tuple[bytes]:
    return (answer(_JSON, f"Content-Encoding: {encoding}", body=body),)


def _typed(content_type: str, body: bytes) -> tuple[bytes]:
    return (answer(f"Content-Type: {content_type}", body=body),)


def cookie(*values: str) -> tuple[bytes]:
    return (answer(_JSON, *(f"Set-Cookie: {value}" for value in values)),)


def _redirect(status: str, location: str, *more: str) -> tuple[bytes]:
    return (answer(f"Location: {location}", *more, status=status, body=b"elsewhere"),)


_CHUNKS: Final = b'8\r\n{"id":1,\r\nd\r\n"name":"tea"}\r\n'
_GZIPPED: Final = gzip.compress(BODY, mtime=0)
_DEFLATE: Final = zlib.compressobj(wbits=-15)
_RAW_DEFLATED: Final = _DEFLATE.compress(BODY) + _DEFLATE.flush()
_CHUNKED: Final = "HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked"

PLAIN: Final[dict[str, Answer]] = {
    "plain": (answer(_JSON),),
    "two-writes": (answer(_JSON)[:-21], PAUSE, BODY),
    "split-in-head": (answer(_JSON)[:20], PAUSE, answer(_JSON)[20:]),
    "split-in-blank-line": (answer(_JSON)[:-23], PAUSE, answer(_JSON)[-23:]),
    "many-pieces": (
        answer(_JSON)[:-24],
        *(part for byte in answer(_JSON)[-24:] for part in (PAUSE, bytes((byte,)))),
    ),
    "large": (answer("Content-Type: text/plain", body=b"0123456789abcdef" * 12_000),),
    "empty": (answer(_JSON, body=b""),),
    "no-headers": (answer(),),
    "short-header-names": (answer("a: 1", "B: 2"),),
    "same-header-twice": (answer("X-Seen: one", "X-Seen: two", "x-seen: three"),),
    "header-of-spaces": (answer("X-Empty:", "X-Space:   ", "X-Wide:  a  b  ", "X-Tab:\ta\t"),),
    "header-of-latin-1": (answer("X-Name: caf\xe9"),),
    "header-of-utf-8": (answer("X-Name: caf\xc3\xa9"),),
    "header-with-colons": (answer("X-Time: 10:20:30", "X-Link: http://a/"),),
    "links": (answer('Link: </next>; rel="next", </last>; rel=last', _JSON),),
    "ninety-headers": (answer(*(f"X-{n}: {n}" for n in range(90))),),
    "status-with-long-reason": (answer(status="200 All is very well"),),
    "status-without-reason": (_raw(f"HTTP/1.1 200\nContent-Length: {len(BODY)}"),),
    "status-with-empty-reason": (_raw(f"HTTP/1.1 200 \nContent-Length: {len(BODY)}"),),
    "reason-of-latin-1": (answer(status="200 tr\xe8s bien"),),
    "content-length-in-lower-case": (_raw(f"HTTP/1.1 200 OK\ncontent-length:{len(BODY)}"),),
    "201": (answer("Location: /b/plain", status="201 Created"),),
    "202": (answer(status="202 Accepted"),),
    "204": (answer(status="204 No Content", body=b"", length=False),),
    "204-with-length-0": (answer(status="204 No Content", body=b""),),
    "205": (answer(status="205 Reset Content", body=b""),),
    "206": (answer("Content-Range: bytes 0-20/40", status="206 Partial Content"),),
    "300": (answer("Location: /b/plain", status="300 Multiple Choices"),),
    "304": (answer("ETag: x", status="304 Not Modified", body=b"", length=False),),
    "304-with-length": (_raw("HTTP/1.1 304 Not Modified\nContent-Length: 21", b""),),
    "304-with-location": (answer("Location: /b/plain", status="304 Not Modified", body=b""),),
    "400": (answer(status="400 Bad Request"),),
    "401": (answer("WWW-Authenticate: Basic", status="401 Unauthorized"),),
    "404": (answer(status="404 Not Found"),),
    "404-without-reason": (_raw(f"HTTP/1.1 404\nContent-Length: {len(BODY)}"),),
    "418": (answer(status="418 I'm a teapot"),),
    "429": (answer("Retry-After: 7", status="429 Too Many Requests"),),
    "500": (answer(status="500 Oops", body=b"oops"),),
    "503": (answer("Retry-After: 1", status="503 Service Unavailable"),),
    "599": (answer(status="599 Whatever"),),
    "600": (answer(status="600 Whatever"),),
    "999": (answer(status="999 Denied"),),
    "latin-1-text": _typed("text/plain; charset=iso-8859-1", b"caf\xe9"),
    "utf-8-text": _typed('text/plain; charset="utf-8"', b"caf\xc3\xa9"),
    "text-without-charset": _typed("text/plain", b"caf\xc3\xa9"),
    "unknown-charset": _typed("text/plain; charset=martian", b"caf\xc3\xa9"),
    "json-with-bom": _typed("application/json", b"\xef\xbb\xbf{}"),
    "json-in-utf-16": _typed("application/json", '{"a":"é"}'.encode("utf-16")),
    "broken-json": _typed("application/json", b'{"a":'),
    "binary": _typed("application/octet-stream", bytes(range(256))),
    "lines": _typed("text/plain", b"one\ntwo\r\nthree\n"),
    "gzip": _encoded("gzip", _GZIPPED),
    "x-gzip": _encoded("x-gzip", _GZIPPED),
    "gzip-in-capitals": _encoded("GZIP", _GZIPPED),
    "gzip-twice": _encoded("gzip, gzip", gzip.compress(_GZIPPED, mtime=0)),
    "gzip-in-two-members": _encoded("gzip", _GZIPPED + gzip.compress(b" ", mtime=0)),
    "gzip-then-zeros": _encoded("gzip", _GZIPPED + bytes(8)),
    "gzip-of-nothing": _encoded("gzip", b""),
    "gzip-cut-off": _encoded("gzip", _GZIPPED[:-9]),
    "deflate": _encoded("deflate", zlib.compress(BODY)),
    "raw-deflate": _encoded("deflate", _RAW_DEFLATED),
    "br": _encoded("br", brotli.compress(BODY)),
    "zstd": _encoded("zstd", bytes.fromhex("28b52ffd2015a90000") + BODY),
    "identity": _encoded("identity", BODY),
    "unknown-encoding": _encoded("rot13", BODY),
    "gzip-in-chunks": (
        _raw(
            f"{_CHUNKED}\nContent-Encoding: gzip",
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(_GZIPPED), _GZIPPED),
        ),
    ),
    "chunked": (_raw(_CHUNKED, _CHUNKS + b"0\r\n\r\n"),),
    "chunked-of-nothing": (_raw(_CHUNKED, b"0\r\n\r\n"),),
    "chunked-in-pieces": (_raw(_CHUNKED, _CHUNKS[:7]), PAUSE, _CHUNKS[7:], PAUSE, b"0\r\n\r\n"),
    "chunked-with-extension": (_raw(_CHUNKED, b'15;a="b"\r\n' + BODY + b"\r\n0\r\n\r\n"),),
    "chunked-with-trailers": (_raw(_CHUNKED, _CHUNKS + b"0\r\nX-Sum: 1\r\n\r\n"),),
    "chunked-in-capitals": (_raw(_CHUNKED.replace("chunked", "Chunked"), _CHUNKS + b"0\r\n\r\n"),),
    "chunked-and-length": (_raw(f"{_CHUNKED}\nContent-Length: 3", _CHUNKS + b"0\r\n\r\n"),),
    "keep-alive-said": (answer("Connection: keep-alive", "Keep-Alive: timeout=5"),),
    "close-said": (answer("Connection: close"), CLOSE),
    "close-said-in-capitals": (answer("Connection: CLOSE"), CLOSE),
    "close-said-in-a-list": (answer("Connection: foo, close"), CLOSE),
    "close-said-and-not-done": (answer("Connection: close"),),
    "close-unsaid": (answer(), CLOSE),
    "until-close": (answer(_JSON, length=False), CLOSE),
    "until-close-in-pieces": (answer(length=False, body=BODY[:9]), PAUSE, BODY[9:], CLOSE),
    "until-close-of-nothing": (answer(length=False, body=b""), CLOSE),
    "http-1.0": (answer(_JSON).replace(b"1.1", b"1.0", 1), CLOSE),
    "http-1.0-kept": (answer("Connection: keep-alive").replace(b"1.1", b"1.0", 1),),
    "http-1.0-until-close": (answer(length=False).replace(b"1.1", b"1.0", 1), CLOSE),
    "interim-100": (b"HTTP/1.1 100 Continue\r\n\r\n", answer(_JSON)),
    "interim-100-then-pause": (b"HTTP/1.1 100 Continue\r\n\r\n", PAUSE, answer(_JSON)),
    "interim-102": (b"HTTP/1.1 102 Processing\r\n\r\n", answer(_JSON)),
    "interim-103": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", PAUSE, answer(_JSON)),
    "two-interims": (b"HTTP/1.1 100 Continue\r\n\r\n" * 2, answer(_JSON)),
    "cookie": cookie("a=1"),
    "two-cookies": cookie("a=1; Path=/", "b=2; Path=/b"),
    "cookie-with-path": cookie("a=1; Path=/b/"),
    "cookie-with-other-path": cookie("a=1; Path=/elsewhere"),
    "cookie-with-domain": cookie("a=1; Domain=127.0.0.1"),
    "cookie-with-other-domain": cookie("a=1; Domain=example.com"),
    "cookie-long-expired": cookie("a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT"),
    "cookie-that-lasts": cookie("a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT"),
    "cookie-with-max-age": cookie("a=1; Max-Age=3600"),
    "cookie-with-max-age-0": cookie("a=1; Max-Age=0"),
    "cookie-secure": cookie("a=1; Secure; HttpOnly; SameSite=Lax"),
    "cookie-in-quotes": cookie('a="one two"; Version=1'),
    "cookie-with-comma": cookie("a=1,2; Path=/", "b=x=y; Path=/"),
    "cookie-without-value": cookie("a=; Path=/", "b; Path=/", "=c; Path=/"),
    "cookie-of-latin-1": cookie("a=caf\xe9; Path=/"),
    "cookie-2": (answer('Set-Cookie2: a="1"; Version="1"'),),
    "cookie-of-404": (answer("Set-Cookie: a=1; Path=/", status="404 Not Found"),),
}

REDIRECTS: Final[dict[str, Answer]] = {
    "301": _redirect("301 Moved Permanently", "/b/plain"),
    "302": _redirect("302 Found", "/b/plain"),
    "303": _redirect("303 See Other", "/b/plain"),
    "307": _redirect("307 Temporary Redirect", "/b/plain"),
    "308": _redirect("308 Permanent Redirect", "/b/plain"),
    "302-relative": _redirect("302 Found", "plain?a=b#part"),
    "302-to-another-port": _redirect("302 Found", "http://127.0.0.1:{other}/b/plain"),
    "302-to-a-redirect": _redirect("302 Found", "/b/301"),
    "302-to-404": _redirect("302 Found", "/b/404"),
    "302-to-nowhere": _redirect("302 Found", "http://127.0.0.1:{dead}/"),
    "302-to-ftp": _redirect("302 Found", "ftp://127.0.0.1/"),
    "302-loop": _redirect("302 Found", "/b/302-loop"),
    "302-to-empty": _redirect("302 Found", ""),
    "302-without-location": (answer(status="302 Found"),),
    "302-of-utf-8": _redirect("302 Found", "/b/plain?a=caf\xc3\xa9"),
    "302-with-spaces": _redirect("302 Found", "/b/plain?a=b c"),
    "302-with-cookie": _redirect("302 Found", "/b/plain", "Set-Cookie: a=1; Path=/"),
    "302-with-close": (*_redirect("302 Found", "/b/plain", "Connection: close"), CLOSE),
    "302-in-chunks": (
        _raw("HTTP/1.1 302 Found\nLocation: /b/plain\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    ),
}

BROKEN: Final[dict[str, Answer]] = {
    "closes-at-once": (CLOSE,),
    "closes-in-status-line": (b"HTTP/1.1 20", CLOSE),
    "closes-after-status-line": (b"HTTP/1.1 200 OK\r\n", CLOSE),
    "closes-in-head": (b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE),
    "closes-after-header": (b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n", CLOSE),
    "closes-before-body": (answer()[:-21], CLOSE),
    "closes-in-body": (answer()[:-5], CLOSE),
    "closes-in-body-later": (answer()[:-9], PAUSE, answer()[-9:-5], PAUSE, CLOSE),
    "closes-in-chunk": (_raw(_CHUNKED, _CHUNKS[:7]), CLOSE),
    "closes-between-chunks": (_raw(_CHUNKED, _CHUNKS), CLOSE),
    "closes-in-last-chunk": (_raw(_CHUNKED, _CHUNKS + b"0\r\n"), CLOSE),
    "closes-in-gzip": (_encoded("gzip", _GZIPPED)[0][:-9], CLOSE),
    "closes-after-interim": (b"HTTP/1.1 100 Continue\r\n\r\n", CLOSE),
    "resets-at-once": (RESET,),
    "resets-in-head": (b"HTTP/1.1 200 OK\r\nContent-Le", PAUSE, RESET),
    "resets-in-body": (answer()[:-5], PAUSE, RESET),
    "resets-in-chunk": (_raw(_CHUNKED, _CHUNKS[:7]), PAUSE, RESET),
    "garbage": (b"\x16\x03\x01nothing of HTTP\r\n\r\n", CLOSE),
    "garbage-without-line": (b"nothing of HTTP", CLOSE),
    "garbage-version": (answer().replace(b"HTTP/1.1", b"HTTP/2.7", 1), CLOSE),
    "garbage-protocol": (answer().replace(b"HTTP/1.1", b"ICY", 1), CLOSE),
    "garbage-status": (answer(status="2OO OK"), CLOSE),
    "status-99": (answer(status="99 Few"), CLOSE),
    "status-1000": (answer(status="1000 Many"), CLOSE),
    "blank-line-first": (b"\r\n" + answer(), CLOSE),
    "header-without-colon": (answer("X-A: 1", "nothing of a header", "X-B: 2"), CLOSE),
    "header-with-space-in-name": (answer("X A: 1", "X-B: 2"), CLOSE),
    "header-with-space-before-colon": (answer("X-A : 1", "X-B: 2"), CLOSE),
    "header-without-name": (answer(": 1", "X-B: 2"), CLOSE),
    "header-folded": (answer("X-A: 1\r\n  and more", "X-B: 2"), CLOSE),
    "header-folded-in-pieces": (
        answer("X-A: 1\r\n  and more")[:30],
        PAUSE,
        answer("X-A: 1\r\n  and more")[30:-9],
        PAUSE,
        answer()[-9:],
    ),
    "header-with-nul": (answer("X-A: 1\x002"), CLOSE),
    "header-with-control": (answer("X-A: 1\x0b2\x1c3\x854"), CLOSE),
    "header-with-bare-cr": (answer("X-A: 1\r2"), CLOSE),
    "header-with-bare-lf": (answer("X-A: 1\nX-B: 2"), CLOSE),
    "lines-of-bare-lf": (answer(_JSON).replace(b"\r", b""), CLOSE),
    "long-header": (answer(f"X-A: {'a' * 60_000}"), CLOSE),
    "too-long-header": (answer(f"X-A: {'a' * 70_000}"), CLOSE),
    "too-long-status": (answer(status="200 " + "a" * 70_000), CLOSE),
    "too-many-headers": (answer(*(f"X-{n}: {n}" for n in range(120))), CLOSE),
    "length-twice": (answer("Content-Length: 21"), CLOSE),
    "length-twice-and-different": (answer("Content-Length: 5"), CLOSE),
    "length-in-a-list": (answer("Content-Length: 21, 21", length=False), CLOSE),
    "length-in-a-list-and-different": (answer("Content-Length: 5, 21", length=False), CLOSE),
    "length-negative": (answer("Content-Length: -1", length=False), CLOSE),
    "length-with-plus": (answer("Content-Length: +21", length=False), CLOSE),
    "length-of-words": (answer("Content-Length: some", length=False), CLOSE),
    "length-empty": (answer("Content-Length:", length=False), CLOSE),
    "length-with-zeros": (answer("Content-Length: 0021", length=False), CLOSE),
    "length-of-arabic-digits": (answer("Content-Length: \xd9\xa2", length=False), CLOSE),
    "coding-of-gzip": (answer("Transfer-Encoding: gzip", length=False), CLOSE),
    "coding-of-identity": (answer("Transfer-Encoding: identity"), CLOSE),
    "coding-of-gzip-and-chunked": (
        answer("Transfer-Encoding: gzip, chunked", body=_CHUNKS + b"0\r\n\r\n", length=False),
        CLOSE,
    ),
    "chunk-of-words": (_raw(_CHUNKED, b"words\r\nwords\r\n0\r\n\r\n"), CLOSE),
    "chunk-too-long": (_raw(_CHUNKED, b"3\r\nabcdef\r\n0\r\n\r\n"), CLOSE),
    "chunk-negative": (_raw(_CHUNKED, b"-3\r\nabc\r\n0\r\n\r\n"), CLOSE),
    "chunk-of-bare-lf": (_raw(_CHUNKED, b"3\nabc\n0\n\n"), CLOSE),
    "204-with-body": (answer(status="204 No Content"), CLOSE),
    "304-with-body": (answer(status="304 Not Modified"), CLOSE),
    "extra-bytes": (answer() + b"extra", CLOSE),
    "extra-answer": (answer() * 2, CLOSE),
    "extra-bytes-and-kept": (answer() + b"extra",),
    "extra-answer-and-kept": (answer() * 2,),
    "extra-answer-later": (answer(), PAUSE, answer(status="404 Not Found")),
    "gzip-corrupted": _encoded("gzip", _GZIPPED[:12] + b"\xff\xff" + _GZIPPED[14:]),
    "gzip-of-plain": _encoded("gzip", BODY),
    "gzip-corrupted-in-chunks": (
        _raw(f"{_CHUNKED}\nContent-Encoding: gzip", _CHUNKS + b"0\r\n\r\n"),
    ),
    "br-corrupted": _encoded("br", BODY),
    "deflate-corrupted": _encoded("deflate", BODY),
    "upgrade": (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        CLOSE,
    ),
    "101-without-upgrade": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", CLOSE),
    "upgrade-said-with-200": (answer("Upgrade: h2c", "Connection: upgrade"), CLOSE),
}

HANGING: Final[dict[str, Answer]] = {
    "hangs": (HANG,),
    "hangs-in-head": (b"HTTP/1.1 200 OK\r\nContent-Le", HANG),
    "hangs-in-body": (answer()[:-5], HANG),
    "hangs-in-chunk": (_raw(_CHUNKED, _CHUNKS[:7]), HANG),
    "hangs-before-close": (answer(length=False), HANG),
    "hangs-after-interim": (b"HTTP/1.1 100 Continue\r\n\r\n", HANG),
}

_WHOLE: Final = {
    "whole-to-head": (answer(), CLOSE),  # a body even to HEAD
}
ANSWERS: Final = PLAIN | REDIRECTS | BROKEN | HANGING | _WHOLE
