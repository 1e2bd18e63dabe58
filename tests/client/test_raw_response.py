"""A response, looked at later."""

import pytest

from withstand.client.raw_response import head_text, may_set_cookies, parsed, plain_body

INTERIM = b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n"


def test_reason_and_headers_are_found_after_interim_responses_and_before_the_body() -> None:
    raw = INTERIM + b"HTTP/1.1 404 Not Quite Found\r\nA: 1\r\nB:2  \r\na: 3\r\n\r\nbody\r\n\r\nC: 1"
    found = parsed(raw)
    assert found.reason == b"Not Quite Found"
    assert found.headers == [(b"A", b"1"), (b"B", b"2"), (b"a", b"3")]
    assert found.body == b"body\r\n\r\nC: 1"
    assert b"body" not in head_text(raw)


def test_a_head_without_reason_and_with_folded_lines_is_read() -> None:
    found = parsed(b"HTTP/1.1 200\r\nA: 1\r\n\t2\r\n\r\n")
    assert (found.reason, found.headers, found.body) == (b"", [(b"A", b"1 2")], b"")


@pytest.mark.parametrize(
    ("headers", "data", "body"),
    [
        (b"Content-Length: 4\r\n", b"bodysurplus", b"body"),
        (
            b"Transfer-Encoding: Chunked\r\n",
            b"3;x=y\r\nbod\r\n01\r\ny\r\n0\r\nT: 1\r\n\r\n",
            b"body",
        ),
        (b"transfer-encoding: chunked\r\n", b"0\r\n\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n", b"a\r\n0123\r\n6789\r\n0\r\n\r\n", b"0123\r\n6789"),
        (b"", b"to the end", b"to the end"),
    ],
)
def test_the_body_ends_where_its_framing_says(headers: bytes, data: bytes, body: bytes) -> None:
    assert parsed(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + data).body == body


@pytest.mark.parametrize("name", ["Set-Cookie", "set-cookie", "SeT-CooKie"])
def test_a_cookie_is_looked_for_in_the_head(name: str) -> None:
    filler = b"X: " + b"x" * 3_000 + b"\r\n"
    line = name.encode() + b": a=1\r\n"
    assert may_set_cookies(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n")
    assert may_set_cookies(INTERIM + b"HTTP/1.1 200 OK\r\n" + filler + line + b"\r\n")
    assert not may_set_cookies(b"HTTP/1.1 200 OK\r\n" + filler + b"\r\n" + line)
    assert not may_set_cookies(b"HTTP/1.1 200 OK\r\n\r\n")


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (OK + b"CONTENT-Length: 4\r\nA: 1\r\n\r\nbody", b"body"),
        (OK + b"A: 1\r\ncontent-length:4\r\n\r\nbodysurplus", b"body"),
        (OK + b"Content-Length: 4\r\n\r\n", b""),
        (OK + b"Content-Length: 4\r\nContent-Encoding: gzip\r\n\r\nbody", None),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None),
        (OK + b"\r\nto the end", None),
        (INTERIM + OK + b"Content-Length: 4\r\n\r\nbody", None),
    ],
)
def test_the_body_of_a_usual_response_is_found_at_once(raw: bytes, body: bytes | None) -> None:
    assert plain_body(raw) == body
    if body is not None:
        assert parsed(raw).body == body
