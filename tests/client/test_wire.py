"""The scan's transport over real sockets: exactly the bytes told, and every failure a value."""

import asyncio
import gzip
import socket
import tracemalloc
import zlib

import pytest

from withstand import __version__
from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.client.target import Target
from withstand.client.transport import Transport
from withstand.client.wire import Wire
from withstand.client.wire_format import response_of

from .loops import Run
from .tcp_server import OK, Peer, always_ok, answering, serving

GET = Request(method="GET", path="/")


def failure(exchange: Exchange) -> FailureKind | None:
    return exchange.outcome.kind if isinstance(exchange.outcome, Failure) else None


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (Request(method="GET", path="/a/../b//c/./%2e%2e?x=%00&y=a b"), None),
        (Request(method="pAtCh!", path="*"), None),
        (Request(method="GET", path="http://elsewhere/"), None),
        (Request(method="GET", path="/\0\r\nX: 1"), b"GET /\0\r\nX: 1 HTTP/1.1"),
        (Request(method="GET", path="/ä\udcff"), b"GET /\xc3\xa4\xff HTTP/1.1"),
        (Request(method="GET", path="/\ud800"), b"GET /\xed\xa0\x80 HTTP/1.1"),
    ],
)
def test_the_request_line_is_sent_as_told(run: Run, request_: Request, line: bytes | None) -> None:
    expected = line or f"{request_.method} {request_.path} HTTP/1.1".encode()

    async def main() -> None:
        async with serving(always_ok) as server, Wire(server.target) as wire:
            assert (await wire.send(request_)).succeeded
            assert server.requests[0].startswith(expected + b"\r\nHost: ")

    run(main())


def test_headers_keep_their_order_and_case_and_only_what_is_missing_is_added(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server, Wire(server.target) as wire:
            await wire.send(GET)
            headers = (("zEbra", "1"), ("a", ""), ("zEbra", "\0"), ("hOST", "x"))
            await wire.send(Request(method="POST", path="/", headers=headers))
            more = (("user-agent", "me"), ("ACCEPT-ENCODING", "br"), ("Content-Length", "2"))
            await wire.send(Request(method="GET", path="/", headers=more, body=b"{}"))
            chunked = (("Transfer-Encoding", "chunked"),)
            await wire.send(
                Request(method="PUT", path="/", headers=chunked, body=b"0\r\n\r\n"), fresh=True
            )
            agent = f"User-Agent: withstand/{__version__}\r\n"
            host = f"Host: 127.0.0.1:{server.target.port}\r\n"
            coding = "Accept-Encoding: gzip, deflate\r\n"
            assert "".join(request.decode() for request in server.requests) == "".join(
                (
                    f"GET / HTTP/1.1\r\n{host}{agent}{coding}\r\n",
                    "POST / HTTP/1.1\r\nzEbra: 1\r\na: \r\nzEbra: \0\r\nhOST: x\r\n"
                    f"{agent}{coding}Content-Length: 0\r\n\r\n",
                    f"GET / HTTP/1.1\r\n{host}user-agent: me\r\nACCEPT-ENCODING: br\r\n"
                    "Content-Length: 2\r\n\r\n{}",
                    f"PUT / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n{agent}{coding}\r\n",
                    "0\r\n\r\n",
                )
            )

    run(main())


def test_the_response_comes_back_whole_with_its_times_in_order(run: Run) -> None:
    data = b"HTTP/1.1 201 Made\r\nX: \xff\r\nY: \xc3\xa4\r\nContent-Length: 3\r\n\r\n\0\xff\n"

    async def main() -> None:
        async with serving(answering(data)) as server, Wire(server.target) as wire:
            exchange = await wire.send(GET)
            assert exchange.request is GET
            assert exchange.outcome == Response(
                status=201,
                reason="Made",
                headers=(("X", "ÿ"), ("Y", "ä"), ("Content-Length", "3")),
                body=b"\0\xff\n",
            )
            timing = exchange.timing
            assert timing.first_byte_ns is not None
            assert timing.intended_ns <= timing.sent_ns <= timing.first_byte_ns <= timing.end_ns

    run(main())


def test_a_connection_is_used_again_unless_a_fresh_one_is_asked_for(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server, Wire(server.target) as wire:
            for fresh in (False, False, False, True, False):
                await wire.send(GET, fresh=fresh)
            assert [len(requests) for requests in server.connections] == [3, 2]

    run(main())


def test_simultaneous_requests_each_have_their_own_connection(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server, Wire(server.target) as wire:
            exchanges = await asyncio.gather(*(wire.send(GET) for _ in range(10)))
            assert all(exchange.succeeded for exchange in exchanges)
            assert len(server.connections) == 10
            await wire.send(GET)
            assert len(server.connections) == 10

    run(main())


@pytest.mark.parametrize(("method", "sent"), [("GET", 2), ("DELETE", 2), ("POST", 1)])
def test_only_an_idempotent_request_is_sent_again_when_a_kept_connection_had_gone_stale(
    run: Run, method: str, sent: int
) -> None:
    async def handler(peer: Peer) -> None:
        first = await peer.request()
        await peer.write(OK)
        if b"/first" in first:
            await peer.request()  # and closes without an answer
        else:
            await always_ok(peer)

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            await wire.send(Request(method="GET", path="/first"))
            exchange = await wire.send(Request(method=method, path="/second"))
            assert sum(b"/second" in request for request in server.requests) == sent
            assert failure(exchange) is (None if sent == 2 else FailureKind.RESET)

    run(main())


def test_a_request_is_not_sent_again_when_a_fresh_connection_closes_or_a_byte_had_come(
    run: Run,
) -> None:
    async def handler(peer: Peer) -> None:
        if b"/first" in await peer.request():
            await peer.write(OK)
            await peer.request()
            await peer.write(b"H")

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            assert failure(await wire.send(GET)) is FailureKind.RESET
            assert len(server.requests) == 1
            await wire.send(Request(method="GET", path="/first"))
            exchange = await wire.send(GET)
            assert failure(exchange) is FailureKind.RESET
            assert exchange.timing.first_byte_ns is not None
            assert len(server.requests) == 3

    run(main())


def test_an_answer_in_time_is_demanded(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(OK[:-1])
        await peer.reader.read()

    async def main() -> None:
        async with (
            serving(handler) as server,
            Wire(server.target, response_timeout_s=0.05) as wire,
        ):
            exchange = await wire.send(GET)
            assert str(exchange.outcome) == "timed-out: no complete response within 0.05 s"
            assert exchange.timing.response_time_ns > 0

    run(main())


def test_a_closed_port_is_refused_and_an_unknown_name_unresolved(run: Run) -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))  # bound but not listening
            closed = Target(scheme="http", host="127.0.0.1", port=unused.getsockname()[1])
            async with Wire(closed) as wire:
                exchange = await wire.send(GET)
                assert failure(exchange) is FailureKind.REFUSED
                assert exchange.timing.service_time_ns > 0
                assert exchange.timing.first_byte_ns is None
        async with Wire(Target(scheme="http", host="no-such-host.invalid", port=80)) as wire:
            assert failure(await wire.send(GET)) is FailureKind.UNRESOLVED

    run(main())


def test_what_is_not_http_is_malformed(run: Run) -> None:
    async def main() -> None:
        async with serving(answering(b"220 ready\r\n")) as server, Wire(server.target) as wire:
            assert failure(await wire.send(GET)) is FailureKind.MALFORMED

    run(main())


def test_another_target_is_reached_over_the_same_transport(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as one, serving(always_ok) as other, Wire(one.target) as wire:
            await wire.send(GET, to=other.target)
            await wire.send(GET, to=other.target)
            assert (len(one.requests), len(other.requests), len(other.connections)) == (0, 2, 1)
            assert f"Host: 127.0.0.1:{other.target.port}".encode() in other.requests[0]

    run(main())


def test_an_ipv6_address_is_a_target_like_any_other(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok, host="::1") as server, Wire(server.target) as wire:
            assert (await wire.send(GET)).succeeded
            assert f"Host: [::1]:{server.target.port}\r\n".encode() in server.requests[0]

    run(main())


def encoded(coding: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # without the time, the tests' names stay the same


BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)


@pytest.mark.parametrize(
    ("coding", "sent", "body"),
    [
        ("gzip", packed(b"hi"), b"hi"),
        ("X-GZIP", packed(b"hi"), b"hi"),
        ("gzip", packed(b"h") + packed(b"i"), b"hi"),
        ("deflate", zlib.compress(b"hi"), b"hi"),
        ("deflate", BARE.compress(b"hi") + BARE.flush(), b"hi"),
        ("deflate, gzip", packed(zlib.compress(b"hi")), b"hi"),
        ("br", b"\x0b\x01\x80hi\x03", b"\x0b\x01\x80hi\x03"),
        ("gzip, br", b"raw", b"raw"),
        ("gzip", b"no gzip", b"no gzip"),
        ("gzip", packed(b"hi")[:-4], packed(b"hi")[:-4]),
        ("identity", b"hi", b"hi"),
        ("gzip", b"", b""),
    ],
)
def test_content_codings_are_undone_where_they_can_be_and_left_where_not(
    run: Run, coding: str, sent: bytes, body: bytes
) -> None:
    async def main() -> None:
        server_of = answering(encoded(coding, sent))
        async with serving(server_of) as server, Wire(server.target) as wire:
            response = (await wire.send(GET)).response
            assert response is not None
            assert response.body == body
            assert response.header("content-encoding") == coding

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        encoded("gzip", packed(b"0" * 1_000_000)),
        encoded("gzip", packed(packed(b"0" * 1_000_000)) * 3),
        encoded("gzip, gzip", packed(packed(b"0" * 10_000_000))),
        b"HTTP/1.1 200 OK\r\nContent-Length: 10001\r\n\r\n" + b"0" * 10_001,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n0\r\n" * 20_000,
    ],
    ids=["bomb", "not-a-bomb", "bomb-in-a-bomb", "just-too-long", "endless"],
)
def test_a_response_beyond_the_limit_is_too_large_however_it_is_packed(
    run: Run, answer: bytes, request: pytest.FixtureRequest
) -> None:
    too_large = "not-a-bomb" not in request.node.name

    async def handler(peer: Peer) -> None:
        while request := await peer.request():
            await peer.write(answer if request.startswith(b"GET") else OK)

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target, max_body_bytes=10_000) as wire:
            exchange = await wire.send(GET)
            assert failure(exchange) is (FailureKind.TOO_LARGE if too_large else None)
            assert (await wire.send(Request(method="POST", path="/"))).status == 200

    run(main())


def test_unpacking_a_bomb_takes_no_more_memory_than_the_limit_allows() -> None:
    bomb = packed(b"0" * 50_000_000)
    tracemalloc.start()
    try:
        outcome = response_of(
            status=200,
            reason=b"OK",
            raw_headers=[(b"Content-Encoding", b"gzip")],
            body=bomb,
            max_body_bytes=100_000,
        )
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TOO_LARGE
    assert peak_bytes < 1_000_000


def test_a_burst_is_held_back_by_its_last_bytes_and_released_together(run: Run) -> None:
    count = 8
    whole: list[bool] = []
    request = Request(method="POST", path="/redeem", body=b"x" * 1_000)

    async def handler(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.reader.readexactly(len(request.body) - 1)
        arrived.append(None)
        if len(arrived) == count:
            everybody_waits.set()
        await everybody_waits.wait()
        await peer.reader.readexactly(1)
        whole.append(len(arrived) == count)
        await peer.write(OK)

    arrived: list[None] = []
    everybody_waits = asyncio.Event()

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            exchanges = await wire.burst([request] * count)
            assert [exchange.status for exchange in exchanges] == [200] * count
            assert whole == [True] * count  # no last byte came before all the others
            assert len({exchange.timing.intended_ns for exchange in exchanges}) == 1
            last_sent_ns = max(exchange.timing.sent_ns for exchange in exchanges)
            for exchange in exchanges:
                assert exchange.timing.first_byte_ns is not None
                assert exchange.timing.first_byte_ns > last_sent_ns

    run(main())


def test_a_burst_of_unlike_requests_answers_in_their_order_and_tells_failures(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        request = await peer.request()
        if b"/one" in request:
            peer.reset()
        else:
            await peer.write(OK.removesuffix(b"hi") if b"HEAD" in request else OK)

    async def main() -> None:
        requests = [
            Request(method="GET", path="/0"),
            Request(method="GET", path="/one"),
            Request(method="HEAD", path="/2"),
        ]
        async with serving(handler) as server, Wire(server.target) as wire:
            exchanges = await wire.burst(requests)
            assert [exchange.request.path for exchange in exchanges] == ["/0", "/one", "/2"]
            assert [exchange.status for exchange in exchanges] == [200, None, 200]
            assert failure(exchanges[1]) is FailureKind.RESET
            assert await wire.burst([]) == ()
        async with Wire(server.target) as wire:  # nobody listens any more
            assert [failure(one) for one in await wire.burst(requests)] == [FailureKind.REFUSED] * 3

    run(main())


def test_a_burst_answered_before_its_last_byte_keeps_that_answer(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.readexactly(10)
        await peer.write(OK)
        await peer.reader.read()

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            (exchange,) = await wire.burst([GET])
            assert exchange.succeeded
            assert exchange.timing.response_time_ns >= exchange.timing.service_time_ns > 0

    run(main())


@pytest.mark.parametrize("burst", [False, True])
def test_cancelling_closes_the_connection(run: Run, burst: bool) -> None:
    gone = asyncio.Event()
    asked = asyncio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.reader.read()
        gone.set()

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            task: asyncio.Future[object] = asyncio.ensure_future(
                wire.burst([GET]) if burst else wire.send(GET)
            )
            await asked.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()
            await gone.wait()

    run(main())


def test_closing_ends_what_is_in_flight_as_a_reset(run: Run) -> None:
    asked = asyncio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.reader.read()

    async def main() -> None:
        async with serving(handler) as server:
            wire = Wire(server.target)
            sending = asyncio.ensure_future(wire.send(GET))
            await asked.wait()
            await wire.close()
            await wire.close()
            assert failure(await sending) is FailureKind.RESET

    run(main())


def test_an_answer_during_a_long_upload_does_not_leave_the_rest_for_the_next_request(
    run: Run,
) -> None:
    async def handler(peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        await peer.write(OK)
        if head.startswith(b"GET"):
            return
        await peer.reader.read()

    async def main() -> None:
        async with serving(handler) as server, Wire(server.target) as wire:
            big = Request(method="PUT", path="/", body=b"x" * 30_000_000)
            assert (await wire.send(big)).succeeded
            assert (await wire.send(GET)).succeeded
            assert len(server.connections) == 2

    run(main())


def test_pausing_takes_its_time_and_the_clock_is_the_wall_clock(run: Run) -> None:
    async def main() -> None:
        wire: Transport = Wire(Target(scheme="http", host="127.0.0.1", port=1))
        before_s = wire.unix_time_s()
        await wire.pause(0.01)
        assert wire.unix_time_s() - before_s >= 0.009
        assert before_s > 1_700_000_000

    run(main())
