"""Which proxy leads to a target, and what goes over the wire to it."""

import asyncio
import base64
import contextlib
import ssl
from dataclasses import replace

import pytest

from withstand.client.connect import connect, tls_context
from withstand.client.connection import Connection
from withstand.client.exchange import Failure, FailureKind, Request
from withstand.client.proxy import Proxy, parse_proxy, proxy_for
from withstand.client.wire import Wire
from withstand.errors import UsageError

from .certificates import Certificates
from .loops import Run
from .tcp_server import Handler, Peer, Server, always_ok, serving

ASKED = Request(method="GET", path="/users?page=1")


def through(server: Server, credential: str | None = None) -> Proxy:
    """The proxy that a server plays."""
    return Proxy(host=server.target.host, port=server.target.port, credential=credential)


def tunnelling(wanted: str | None = None) -> Handler:
    """A proxy that opens tunnels: to anybody, or to who shows this Proxy-Authorization."""

    async def handler(peer: Peer) -> None:
        head = (await peer.request()).decode()
        if wanted is not None and f"\r\nProxy-Authorization: {wanted}\r\n" not in head:
            await peer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65_536):
                    sink.write(data)
                sink.close()

        try:
            await peer.write(b"HTTP/1.1 200 Connection established\r\nVia: a test\r\n\r\n")
            await asyncio.gather(pump(peer.reader, writer), pump(reader, peer.writer))
        finally:
            writer.transport.abort()

    return handler


def server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    return context


def test_a_plain_request_names_its_whole_address_and_who_asks(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server:
            target = replace(server.target, host="api.example", port=80, base_path="/v1")
            proxied = replace(target, proxy=through(server, "ann:s3cret"))
            async with Wire(proxied) as wire:
                exchange = await wire.send(ASKED)
        assert exchange.status == 200
        assert exchange.request == ASKED
        (request,) = server.requests
        assert request.startswith(
            b"GET http://api.example/users?page=1 HTTP/1.1\r\nHost: api.example\r\n"
        )
        shown = base64.b64encode(b"ann:s3cret")
        assert b"\r\nProxy-Authorization: Basic " + shown + b"\r\n" in request

    run(main())


def test_tls_goes_through_a_tunnel_and_the_target_sees_nothing_of_the_proxy(
    run: Run, certificates: Certificates
) -> None:
    wanted = "Basic " + base64.b64encode(b"ann:s3cret").decode()

    async def main() -> None:
        async with (
            serving(always_ok, ssl_context=server_context(certificates)) as server,
            serving(tunnelling(wanted)) as proxy,
        ):
            target = replace(
                server.target,
                ca_file=str(certificates.authority),
                proxy=through(proxy, "ann:s3cret"),
            )
            async with Wire(target) as wire:
                assert (await wire.send(ASKED)).status == 200
            made = await connect(Connection, target, ssl_context=tls_context(target), timeout_s=5)
            assert isinstance(made, Connection)
            made.drop()
        (asked, _) = proxy.requests
        authority = f"127.0.0.1:{server.target.port}"
        assert asked.startswith(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n".encode())
        (request,) = server.requests
        assert request.startswith(b"GET /users?page=1 HTTP/1.1\r\n")
        assert b"roxy" not in request
        assert made.connect_ns is not None
        assert made.tls_ns is not None

    run(main())


def test_a_tunnel_that_is_refused_is_a_refusal_that_quotes_the_proxy(
    run: Run, certificates: Certificates
) -> None:
    async def main() -> None:
        async with serving(tunnelling("Basic no")) as proxy:
            target = replace(proxy.target, scheme="https", port=9, proxy=through(proxy, "ann:x1y2"))
            async with Wire(target) as wire:
                outcome = (await wire.send(ASKED)).outcome
        assert isinstance(outcome, Failure)
        assert outcome.kind is FailureKind.REFUSED
        assert (
            "answered '407 Proxy Authentication Required' to CONNECT 127.0.0.1:9" in outcome.detail
        )
        assert "x1y2" not in outcome.detail

    run(main())


def test_a_proxy_that_is_not_there_is_named(run: Run) -> None:
    async def main() -> None:
        async with serving(always_ok) as server:
            proxy = through(server)
        for scheme in ("http", "https"):
            target = replace(server.target, scheme=scheme, host="api.example", proxy=proxy)
            async with Wire(target) as wire:
                outcome = (await wire.send(ASKED)).outcome
            assert isinstance(outcome, Failure)
            assert outcome.kind is FailureKind.REFUSED
            assert f"the proxy {proxy.authority}" in outcome.detail

    run(main())


def test_a_proxy_that_hangs_up_instead_of_a_tunnel_is_a_refusal(run: Run) -> None:
    async def main() -> None:
        async def handler(peer: Peer) -> None:
            await peer.request()

        async with serving(handler) as proxy:
            target = replace(proxy.target, scheme="https", proxy=through(proxy))
            async with Wire(target) as wire:
                outcome = (await wire.send(ASKED)).outcome
        assert isinstance(outcome, Failure)
        assert outcome.kind is FailureKind.REFUSED

    run(main())


@pytest.mark.parametrize(
    ("text", "shown", "authorization"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None),
        ("proxy.example:3128", "http://proxy.example:3128", None),
        ("http://proxy.example", "http://proxy.example:80", None),
        ("http://[::1]:8080/", "http://[::1]:8080", None),
        ("http://ann:p%40ss@proxy.example:3128", "http://***@proxy.example:3128", "ann:p@ss"),
        ("ann@proxy.example:3128", "http://***@proxy.example:3128", "ann:"),
    ],
)
def test_an_address_is_read_and_its_credential_is_never_shown(
    text: str, shown: str, authorization: str | None
) -> None:
    proxy = parse_proxy(text, source="a test")
    assert str(proxy) == shown
    assert "ss" not in repr(proxy)
    wanted = None
    if authorization is not None:
        wanted = "Basic " + base64.b64encode(authorization.encode()).decode()
    assert proxy.authorization == wanted


@pytest.mark.parametrize(
    "text",
    [
        "socks5://ann:pass@proxy.example:1080",
        "https://ann:pass@proxy",
        "http://ann:pass@:80",
        "http://h:0",
        "http://ann:pass@[::1",
        "http://h:x",
    ],
)
def test_what_is_no_proxy_is_refused_without_its_credential(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_proxy(text, source="the environment variable ALL_PROXY")
    assert "ALL_PROXY" in str(caught.value)
    assert "pass" not in str(caught.value)


P, Q = "http://p.example:1", "http://q.example:2"


@pytest.mark.parametrize(
    ("scheme", "environ", "wanted"),
    [
        ("http", {}, None),
        ("http", {"http_proxy": P}, P),
        ("http", {"HTTP_PROXY": P}, None),  # which a CGI script's client could set
        ("http", {"https_proxy": P}, None),
        ("https", {"https_proxy": P}, P),
        ("https", {"HTTPS_PROXY": P}, P),
        ("https", {"https_proxy": P, "HTTPS_PROXY": Q}, P),
        ("https", {"http_proxy": P}, None),
        ("http", {"all_proxy": P}, P),
        ("https", {"ALL_PROXY": P}, P),
        ("https", {"ALL_PROXY": P, "HTTPS_PROXY": Q}, Q),
        ("http", {"http_proxy": "", "all_proxy": Q}, Q),
        ("http", {"http_proxy": P, "no_proxy": "api.example"}, None),
        ("http", {"http_proxy": P, "NO_PROXY": "api.example"}, None),
        ("http", {"http_proxy": P, "no_proxy": "other", "NO_PROXY": "api.example"}, P),
    ],
)
def test_the_environment_is_read_as_curl_reads_it(
    scheme: str, environ: dict[str, str], wanted: str | None
) -> None:
    found = proxy_for(scheme, "api.example", 8000, environ, loopback=False)
    assert (None if found is None else str(found)) == wanted


@pytest.mark.parametrize(
    ("listed", "host", "bypassed"),
    [
        ("*", "api.example", True),
        ("example", "api.example", True),
        (".example", "api.example", True),
        ("*.example", "api.example", True),
        ("EXAMPLE", "api.example", True),
        ("ample", "api.example", False),
        ("api.example:8000", "api.example", True),
        ("api.example:8001", "api.example", False),
        (" a , api.example ", "api.example", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:8000", "10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]", "fd00::1", True),
        ("[fd00::1]:8000", "fd00::1", True),
        ("fd00::1:8000", "fd00::1", False),
        ("", "api.example", False),
    ],
)
def test_no_proxy_lists_hosts_domains_and_networks(listed: str, host: str, bypassed: bool) -> None:
    found = proxy_for("http", host, 8000, {"http_proxy": P, "no_proxy": listed}, loopback=False)
    assert (found is None) is bypassed


def test_this_machine_is_never_reached_through_the_environments_proxy() -> None:
    assert proxy_for("http", "127.0.0.1", 8000, {"http_proxy": P}, loopback=True) is None
