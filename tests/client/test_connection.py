"""One connection against servers that behave and servers that do not, on both event loops.

Each case is answered twice: to a lean connection as the load engine uses it, and to one that keeps
headers and body.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from withstand.client.connect import connect
from withstand.client.connection import Connection
from withstand.client.exchange import FailureKind
from withstand.client.raw_response import delimited_by_close
from withstand.client.target import Target

from .loops import Run
from .tcp_server import OK, Handler, Peer, always_ok, serving

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Recording(Connection):
    """Sets a future to what was reported."""

    __slots__ = ("ended",)

    def __init__(self, *, keep: bool = False) -> None:
        super().__init__(keep_headers=keep, keep_body=keep, max_response_bytes=10_000)
        self.ended: asyncio.Future[FailureKind | None] = asyncio.Future()

    def response_complete(self) -> None:
        self.ended.set_result(None)

    def failed(self, kind: FailureKind, detail: str) -> None:
        assert detail
        self.ended.set_result(kind)


@contextlib.asynccontextmanager
async def opened(target: Target, *, keep: bool = False) -> AsyncIterator[Recording]:
    connection = await connect(lambda: Recording(keep=keep), target, ssl_context=None, timeout_s=5)
    assert isinstance(connection, Recording)
    try:
        yield connection
    finally:
        connection.drop()


@dataclass(frozen=True)
class Answer:
    """What a server sends and what must be made of it."""

    data: bytes
    status: int | None = 200
    body: bytes = b"hi"
    failure: FailureKind | None = None
    reusable: bool = True
    head: bool = False
    closes: bool = False


ANSWERS = {
    "a response with a length": Answer(OK),
    "a chunked response": Answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n"
    ),
    "a chunked response with trailers": Answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n"
    ),
    "an empty response": Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", body=b""),
    "a response without a reason": Answer(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"),
    "a response that ends with the connection": Answer(
        b"HTTP/1.1 200 OK\r\n\r\nhi", reusable=False, closes=True
    ),
    "a response of HTTP/1.0": Answer(
        b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhi", reusable=False, closes=True
    ),
    "a response that announces the end of the connection": Answer(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", reusable=False
    ),
    "an answer to HEAD with the length of a body": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", body=b"", head=True
    ),
    "an answer to HEAD that is chunked": Answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body=b"", head=True
    ),
    "an answer to HEAD without a length": Answer(
        b"HTTP/1.1 200 OK\r\n\r\n", body=b"", head=True, reusable=False
    ),
    "an interim response before an answer to HEAD": Answer(
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
        body=b"",
        head=True,
    ),
    "204": Answer(b"HTTP/1.1 204 No Content\r\n\r\n", status=204, body=b""),
    "304": Answer(b"HTTP/1.1 304 Not Modified\r\n\r\n", status=304, body=b""),
    "304 with the length of what was not modified": Answer(
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n", status=304, body=b""
    ),
    "204 with a length that means nothing": Answer(
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", status=204, body=b""
    ),
    "interim responses before the final one": Answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK
    ),
    "interim responses before one that ends with the connection": Answer(
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi",
        reusable=False,
        closes=True,
    ),
    "a switch to another protocol": Answer(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nfoo!",
        status=101,
        body=b"",
        reusable=False,
    ),
    "an answer and a whole second one": Answer(OK + OK.replace(b"200", b"404"), reusable=False),
    "an answer and garbage": Answer(OK + b"garbage", reusable=False),
    "what is not HTTP": Answer(b"SSH-2.0-OpenSSH\r\n", failure=FailureKind.MALFORMED),
    "a bad length": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi", failure=FailureKind.MALFORMED
    ),
    "a bad chunk": Answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        failure=FailureKind.MALFORMED,
    ),
    "nothing": Answer(b"", failure=FailureKind.RESET, closes=True),
    "half a head": Answer(b"HTTP/1.1 200 OK\r\nContent-", failure=FailureKind.RESET, closes=True),
    "half a body": Answer(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", failure=FailureKind.RESET, closes=True
    ),
    "half a body on a connection that was to end anyway": Answer(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 2\r\n\r\nh",
        failure=FailureKind.RESET,
        closes=True,
    ),
    "half a chunked body": Answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nh",
        failure=FailureKind.RESET,
        closes=True,
    ),
    "an interim response only": Answer(
        b"HTTP/1.1 100 Continue\r\n\r\n", failure=FailureKind.RESET, closes=True
    ),
    "an endless head": Answer(
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000, failure=FailureKind.TOO_LARGE
    ),
    "an endless body": Answer(
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 20_000, failure=FailureKind.TOO_LARGE
    ),
}


def sending(answer: Answer, *, piece_bytes: int | None) -> Handler:
    async def handler(peer: Peer) -> None:
        await peer.request()
        step = piece_bytes or len(answer.data) or 1
        for start in range(0, len(answer.data), step):
            await peer.write(answer.data[start : start + step])
            if piece_bytes:  # let the other side of this loop read it by itself
                await asyncio.sleep(0)
        if not answer.closes:
            await peer.reader.read()  # until the client goes

    return handler


async def check(answer: Answer, *, keep: bool, piece_bytes: int | None) -> None:
    handler = sending(answer, piece_bytes=piece_bytes)
    async with serving(handler) as server, opened(server.target, keep=keep) as connection:
        connection.start(GET, head=answer.head)
        failure = await connection.ended
        assert failure is answer.failure
        assert connection.end_ns >= connection.sent_ns
        if answer.failure is None:
            assert connection.status == answer.status
            assert connection.body == (answer.body if keep else b"")
            assert connection.bytes_received > 0
            assert connection.has_answered
        assert (connection.first_byte_ns is None) is (not answer.data)
        assert connection.reusable is (answer.reusable and answer.failure is None)


BOTH = pytest.mark.parametrize("keep", [False, True], ids=["lean", "keeping"])


@BOTH
@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_is_told_for_what_it_is(run: Run, name: str, keep: bool) -> None:
    run(check(ANSWERS[name], keep=keep, piece_bytes=None))


@BOTH
@pytest.mark.parametrize(
    "name",
    [name for name, answer in ANSWERS.items() if len(answer.data) < 200 and "and" not in name],
)
def test_an_answer_in_pieces_of_one_byte_is_the_same_answer(
    run: Run, name: str, keep: bool
) -> None:
    run(check(ANSWERS[name], keep=keep, piece_bytes=1))


def test_headers_and_reason_are_kept_as_bytes_in_order_and_without_those_of_interim_responses(
    run: Run,
) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            b"HTTP/1.1 200 Fi\xe9ne\r\nB: 1\r\na:  2 \r\nB: \xff\r\nContent-Length: 0\r\n\r\n"
        )
        await peer.request()
        await peer.write(OK)

    async def main() -> None:
        async with serving(handler) as server, opened(server.target, keep=True) as connection:
            connection.start(GET)
            assert await connection.ended is None
            assert connection.reason == b"Fi\xe9ne"
            assert connection.raw_headers == [
                (b"B", b"1"),
                (b"a", b"2 "),
                (b"B", b"\xff"),
                (b"Content-Length", b"0"),
            ]
            connection.ended = asyncio.Future()
            connection.start(GET)
            assert await connection.ended is None
            assert connection.reason == b"OK"
            assert connection.raw_headers == [(b"Content-Length", b"2")]

    run(main())


@BOTH
def test_a_connection_carries_get_head_get_one_after_the_other(run: Run, keep: bool) -> None:
    async def handler(peer: Peer) -> None:
        while request := await peer.request():
            await peer.write(OK if request.startswith(b"GET") else OK.removesuffix(b"hi"))

    async def main() -> None:
        async with serving(handler) as server, opened(server.target, keep=keep) as connection:
            for method in (b"GET", b"HEAD", b"HEAD", b"GET"):
                connection.ended = asyncio.Future()
                connection.start(GET.replace(b"GET", method), head=method == b"HEAD")
                assert await connection.ended is None
                assert connection.status == 200
                assert connection.body == (b"hi" if keep and method == b"GET" else b"")
                assert connection.bytes_received == len(OK) - 2 * (method == b"HEAD")
            assert connection.has_answered
            assert len(server.connections) == 1

    run(main())


def test_a_hook_may_start_the_next_request_at_once(run: Run) -> None:
    class Closed(Connection):
        """A closed loop: the next request as soon as the last one is answered."""

        __slots__ = ("done", "left")

        def __init__(self) -> None:
            super().__init__()
            self.left = 1_000
            self.done: asyncio.Future[None] = asyncio.Future()

        def response_complete(self) -> None:
            self.left -= 1
            if self.left:
                self.start(GET)
            else:
                self.done.set_result(None)

    async def main() -> None:
        async with serving(always_ok) as server:
            connection = await connect(Closed, server.target, ssl_context=None, timeout_s=5)
            assert isinstance(connection, Closed)
            connection.start(GET)
            await connection.done
            assert len(server.requests) == 1_000

    run(main())


def test_a_reset_is_told_with_how_far_the_response_had_come(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK[:-1])
        await peer.request()
        peer.reset()

    async def main() -> None:
        async with serving(handler) as server, opened(server.target) as connection:
            connection.start(GET)
            while connection.first_byte_ns is None:  # noqa: ASYNC110 - ends with the loop's limit
                await asyncio.sleep(0.001)
            connection.transport.write(GET)
            assert await connection.ended is FailureKind.RESET
            assert not connection.reusable

    run(main())


def test_bytes_that_nobody_asked_for_end_the_connection(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)
        await peer.request()  # the test says when
        await peer.write(OK)

    async def main() -> None:
        async with serving(handler) as server, opened(server.target) as connection:
            connection.start(GET)
            assert await connection.ended is None
            was_reusable = connection.reusable
            assert was_reusable
            connection.transport.write(GET)  # unknown to the connection
            while connection.reusable:  # noqa: ASYNC110 - ends with the loop's limit
                await asyncio.sleep(0.001)
            assert connection.has_answered

    run(main())


def test_an_idle_connection_that_the_server_closes_is_no_longer_reusable(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK)

    async def main() -> None:
        async with serving(handler) as server, opened(server.target) as connection:
            connection.start(GET)
            assert await connection.ended is None
            while connection.reusable:  # noqa: ASYNC110 - ends with the loop's limit
                await asyncio.sleep(0.001)

    run(main())


def test_a_response_to_a_request_that_is_still_being_sent_is_taken(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await peer.reader.read()

    async def main() -> None:
        async with serving(handler) as server, opened(server.target, keep=True) as connection:
            connection.start(
                b"POST / HTTP/1.1\r\nContent-Length: 50000000\r\n\r\n" + b"x" * 50_000_000
            )
            assert await connection.ended is None
            assert (connection.status, connection.body) == (413, b"no")

    run(main())


def test_giving_up_reports_the_failure_once_and_only_for_a_request_in_flight(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server, opened(server.target) as connection:
            connection.start(GET)
            connection.give_up(FailureKind.TIMED_OUT, "no answer")
            assert await connection.ended is FailureKind.TIMED_OUT
            connection.give_up(FailureKind.TIMED_OUT, "no answer")  # a second result would raise
            await asyncio.sleep(0)

    run(main())


def test_the_rest_of_a_request_is_not_written_once_it_was_answered(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.readexactly(3)
        await peer.write(OK)
        assert await peer.reader.read() == b""

    async def main() -> None:
        async with serving(handler) as server, opened(server.target) as connection:
            connection.start(b"GET")
            assert await connection.ended is None
            sent_ns = connection.sent_ns
            connection.release(b" / HTTP/1.1\r\n\r\n")
            assert connection.sent_ns == sent_ns

    run(main())


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\ncontent-length: 3", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\nTRANSFER-ENCODING: chunked\n\n", False),
        (b"HTTP/1.1 200 OK\r\nX-Content-Length: 3\r\n\r\n", True),
        (b"HTTP/1.1 100 C\r\nContent-Length: 3\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", False),
    ],
)
def test_a_body_ends_with_the_connection_when_its_head_has_neither_length_nor_chunks(
    head: bytes, expected: bool
) -> None:
    assert delimited_by_close(head) is expected


def test_what_is_kept_can_be_said_for_each_response(run: Run) -> None:
    answer = b"HTTP/1.1 200 OK\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nhi"
    kept = ([(b"X-Own", b"1"), (b"Content-Length", b"2")], b"hi")
    asked: list[tuple[bool, bool]] = [  # keep it, have it answered without a body
        *((False, False), (True, False), (True, False), (False, False), (True, True)),
        *((True, False), (False, True), (False, False), (True, False)),
    ]

    async def server(peer: Peer) -> None:
        for _, head in asked:
            await peer.request()
            await peer.write(answer.removesuffix(b"hi") if head else answer)

    async def main() -> None:
        async with serving(server) as listening, opened(listening.target) as connection:
            for wanted, head in asked:
                connection.ended = asyncio.Future()
                connection.keep(wanted)
                connection.start(GET, head=head)
                assert await connection.ended is None
                found = (connection.raw_headers, connection.body)
                expected = (kept[0], b"" if head else kept[1]) if wanted else ([], b"")
                assert found == expected
                assert connection.status == 200

    run(main())
