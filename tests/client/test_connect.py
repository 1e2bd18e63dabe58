"""From a target to a connection: names, addresses, TLS, and why it failed."""

import asyncio
import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from withstand.client.connect import connect, resolve, tls_context
from withstand.client.connection import Connection
from withstand.client.exchange import Exchange, Failure, FailureKind, Request
from withstand.client.target import Target
from withstand.client.wire import Wire
from withstand.errors import UsageError

from .certificates import Certificates
from .loops import Run
from .tcp_server import OK, Peer, always_ok, answering, serving

GET = Request(method="GET", path="/")


def failure(exchange: Exchange) -> FailureKind | None:
    return exchange.outcome.kind if isinstance(exchange.outcome, Failure) else None


def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    return context


def trusting(target: Target, certificates: Certificates) -> Target:
    return replace(target, ca_file=str(certificates.authority))


@contextlib.contextmanager
def silent_address(address: str) -> Iterator[int]:
    """A port whose queue of connections is full: Linux then ignores whoever knocks."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind((address, 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        for _ in range(4):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex((address, port))
        yield port


def test_an_address_that_refuses_or_is_silent_gives_way_to_the_next(run: Run) -> None:
    async def main() -> None:
        with silent_address("127.0.0.2") as port:
            listening = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port)
            async with listening:
                for addresses in (["127.0.0.3", "127.0.0.1"], ["127.0.0.2", "127.0.0.1"]):
                    connection = await connect(
                        Connection,
                        Target(scheme="http", host="some.example", port=port),
                        ssl_context=None,
                        timeout_s=5,
                        addresses=addresses,
                    )
                    assert isinstance(connection, Connection)
                    assert connection.transport.get_extra_info("peername")[0] == "127.0.0.1"
                    connection.drop()

    run(main())


def test_where_every_address_refuses_the_connection_is_refused(run: Run) -> None:
    async def main() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            target = Target(scheme="http", host="some.example", port=unused.getsockname()[1])
            found = await connect(
                Connection,
                target,
                ssl_context=None,
                timeout_s=5,
                addresses=["127.0.0.1", "127.0.0.1"],
            )
            assert isinstance(found, Failure)
            assert found.kind is FailureKind.REFUSED

    run(main())


def test_a_silent_address_is_given_up_after_the_limit(run: Run) -> None:
    async def main() -> None:
        with silent_address("127.0.0.1") as port:
            target = Target(scheme="http", host="127.0.0.1", port=port)
            async with Wire(target, connect_timeout_s=0.05) as wire:
                exchange = await wire.send(GET)
                assert str(exchange.outcome) == (
                    f"timed-out: no connection to 127.0.0.1:{port} within 0.05 s"
                )

    run(main())


def test_a_server_that_never_shakes_hands_is_given_up_after_the_limit(run: Run) -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.read()

    async def main() -> None:
        async with serving(handler) as server:
            silent = replace(server.target, scheme="https")
            async with Wire(silent, connect_timeout_s=0.05) as wire:
                assert failure(await wire.send(GET)) is FailureKind.TIMED_OUT

    run(main())


def test_addresses_are_those_of_the_system_each_once(run: Run) -> None:
    async def main() -> None:
        found = await resolve(Target(scheme="http", host="localhost", port=80))
        assert not isinstance(found, Failure)
        assert set(found) == {str(entry[4][0]) for entry in socket.getaddrinfo("localhost", 80)}
        assert len(set(found)) == len(found)
        too_long = await resolve(Target(scheme="http", host="a" * 70 + ".example", port=80))
        assert isinstance(too_long, Failure)
        assert too_long.kind is FailureKind.UNRESOLVED

    run(main())


def test_running_out_of_descriptors_is_this_machines_failure_and_not_the_apis(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server, Wire(server.target) as wire:
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            with contextlib.ExitStack() as stack:
                last = stack.enter_context(socket.socket()).fileno()
                resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, hard))
                try:
                    with contextlib.suppress(OSError):
                        while True:
                            stack.enter_context(socket.socket())
                    exchange = await wire.send(GET)
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert failure(exchange) is FailureKind.EXHAUSTED

    run(main())


def test_tls_is_verified_against_the_given_authority(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        context = server_context(certificates)
        async with serving(always_ok, ssl_context=context) as server:
            target = trusting(server.target, certificates)
            async with Wire(target) as wire:
                for _ in range(3):
                    assert (await wire.send(GET)).status == 200
                assert len(server.connections) == 1
                burst = await wire.burst([GET] * 3)
                assert [exchange.status for exchange in burst] == [200] * 3
            async with Wire(replace(target, host="localhost")) as wire:
                assert (await wire.send(GET)).status == 200

    run(main())


def test_a_certificate_of_an_unknown_authority_or_another_host_is_a_tls_failure(
    run: Run, certificates: Certificates
) -> None:
    async def main() -> None:
        context = server_context(certificates)
        async with serving(always_ok, ssl_context=context) as server:
            async with Wire(server.target) as wire:
                exchange = await wire.send(GET)
                assert failure(exchange) is FailureKind.TLS
                assert "self-signed" in str(exchange.outcome) or "verify" in str(exchange.outcome)
            elsewhere = replace(trusting(server.target, certificates), host="127.0.0.2")
            found = await connect(
                Connection,
                elsewhere,
                ssl_context=tls_context(elsewhere),
                timeout_s=5,
                addresses=["127.0.0.1"],
            )
            assert isinstance(found, Failure)
            assert found.kind is FailureKind.TLS
            async with Wire(replace(server.target, verify=False)) as wire:
                assert (await wire.send(GET)).status == 200

    run(main())


def test_a_server_that_speaks_no_tls_or_hangs_up_is_a_tls_failure(run: Run) -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.reader.readexactly(1)
        peer.reset()

    async def speak_plainly(peer: Peer) -> None:
        await peer.reader.readexactly(1)
        await peer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.reader.read()

    async def close_at_once(peer: Peer) -> None:
        await peer.reader.readexactly(1)

    async def main() -> None:
        for handler in (speak_plainly, close_at_once, hang_up):
            async with (
                serving(handler) as server,
                Wire(replace(server.target, scheme="https")) as wire,
            ):
                assert failure(await wire.send(GET)) is FailureKind.TLS

    run(main())


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_body_that_ends_with_a_tls_connection_is_complete(
    run: Run, certificates: Certificates, abruptly: bool
) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.write(b"HTTP/1.1 200 OK\r\n\r\nhi")
        if abruptly:  # FIN without TLS's own goodbye
            peer.writer.transport.abort()

    async def main() -> None:
        context = server_context(certificates)
        async with (
            serving(handler, ssl_context=context) as server,
            Wire(trusting(server.target, certificates)) as wire,
        ):
            response = (await wire.send(GET)).response
            assert response is not None
            assert response.body == b"hi"

    run(main())


def test_half_a_response_over_tls_is_a_reset(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        context = server_context(certificates)
        async with (
            serving(answering(OK[:-1]), ssl_context=context) as server,
            Wire(trusting(server.target, certificates)) as wire,
        ):
            assert failure(await wire.send(GET)) is FailureKind.RESET

    run(main())


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_an_error_of_usage(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "authorities.pem"
    if content is not None:
        path.write_text(content)
    target = Target(scheme="https", host="localhost", port=443, ca_file=str(path))
    with pytest.raises(UsageError, match=r"authorities\.pem cannot be read"):
        Wire(target)
    assert tls_context(replace(target, scheme="http")) is None


def test_opening_is_measured_phase_by_phase(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        async with (
            serving(always_ok) as plain,
            serving(always_ok, ssl_context=server_context(certificates)) as secured,
        ):
            before_ns = time.perf_counter_ns()
            for target in (plain.target, trusting(secured.target, certificates)):
                connection = await connect(
                    Connection, target, ssl_context=tls_context(target), timeout_s=5
                )
                assert isinstance(connection, Connection)
                connection.drop()
                whole_ns = time.perf_counter_ns() - before_ns
                assert connection.connect_ns is not None
                assert 0 < connection.connect_ns + (connection.tls_ns or 0) < whole_ns
                assert (connection.tls_ns is not None) == (target.scheme == "https")

    run(main())


def test_what_is_measured_of_the_handshake_is_the_servers_time_too(
    run: Run, certificates: Certificates
) -> None:
    """A server that takes its time before the handshake shows in `tls_ns`."""
    pause_s = 0.05

    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            loop = asyncio.get_running_loop()

            async def serve() -> None:
                accepted, _ = await loop.sock_accept(listening)
                await asyncio.sleep(pause_s)
                reader = asyncio.StreamReader()
                protocol = asyncio.StreamReaderProtocol(reader)
                transport, _ = await loop.connect_accepted_socket(
                    lambda: protocol, accepted, ssl=server_context(certificates)
                )
                await reader.read()
                transport.close()

            serving_once = asyncio.ensure_future(serve())
            port = listening.getsockname()[1]
            target = trusting(Target(scheme="https", host="127.0.0.1", port=port), certificates)
            made = await connect(Connection, target, ssl_context=tls_context(target), timeout_s=5)
            assert isinstance(made, Connection)
            made.drop()
            with contextlib.suppress(ConnectionError):
                await serving_once
            assert made.tls_ns is not None
            assert made.tls_ns > pause_s * 1e9 * 0.9

    run(main())


def test_a_client_certificate_is_shown(run: Run, certificates: Certificates) -> None:
    async def main() -> None:
        context = server_context(certificates)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates.authority)
        async with serving(always_ok, ssl_context=context) as server:
            without = trusting(server.target, certificates)
            own = replace(
                without, cert_file=str(certificates.chain), key_file=str(certificates.key)
            )
            async with Wire(own) as wire:
                assert (await wire.send(GET)).status == 200
            async with Wire(without) as wire:
                assert (await wire.send(GET)).status is None

    run(main())


def test_a_client_certificate_that_cannot_be_used_is_told(
    tmp_path: Path, certificates: Certificates
) -> None:
    encrypted = tmp_path / "encrypted.pem"
    key = serialization.load_pem_private_key(certificates.key.read_bytes(), password=None)
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    target = Target(scheme="https", host="localhost", port=1, cert_file=str(certificates.chain))
    with pytest.raises(UsageError, match="its key is encrypted"):
        tls_context(replace(target, key_file=str(encrypted)))
    with pytest.raises(UsageError, match="cannot be used"):
        tls_context(target)  # the chain alone holds no key


@pytest.mark.parametrize("name", [None, "api.example"])
def test_the_server_is_asked_for_by_name(
    run: Run, certificates: Certificates, name: str | None
) -> None:
    asked: list[str | None] = []

    async def main() -> None:
        context = server_context(certificates)
        context.set_servername_callback(lambda _socket, sni, _context: asked.append(sni))
        async with serving(always_ok, ssl_context=context) as server:
            target = replace(trusting(server.target, certificates), server_name=name)
            by_name = replace(target, host="localhost") if name is None else target
            async with Wire(by_name) as wire:
                assert (await wire.send(GET)).status == 200
            # A certificate is held against the name that was asked for.
            async with Wire(replace(target, server_name="other.example")) as wire:
                assert failure(await wire.send(GET)) is FailureKind.TLS

    run(main())
    assert asked == [name or "localhost", "other.example"]


@pytest.mark.parametrize("secured", [False, True])
def test_an_ipv6_target_is_reached(run: Run, certificates: Certificates, secured: bool) -> None:
    async def main() -> None:
        context = server_context(certificates) if secured else None
        async with (
            serving(always_ok, host="::1", ssl_context=context) as server,
            Wire(trusting(server.target, certificates)) as wire,
        ):
            assert (await wire.send(GET)).status == 200
        assert f"\r\nHost: [::1]:{server.target.port}\r\n".encode() in server.requests[0]

    run(main())
