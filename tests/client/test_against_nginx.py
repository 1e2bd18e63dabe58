"""A foreign server, and a foreign client beside ours: nginx, asked by Wire and by http.client.

One thin layer: where both clients say the same of what nginx sent, our reading of HTTP is not just
our own.
"""

import asyncio
import contextlib
import gzip
import http.client
import ssl
from collections.abc import Iterator

import pytest

from tests.nginx_server import Nginx, needs_nginx, running
from withstand.client.exchange import Failure, Request, Response
from withstand.client.target import Target
from withstand.client.wire import Wire

from .certificates import Certificates
from .loops import Run

pytestmark = needs_nginx

SERVER = """
        gzip on; gzip_min_length 0; gzip_types application/json;
        keepalive_requests 20;
        location /moved { return 301 /users.json; }
        location /teapot { return 418 "short and stout"; }
        location /nothing { return 204; }
        location /closed { return 444; }
        location /many { add_header X-Many one; add_header X-Many two; return 200 "many"; }
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Nginx]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "files").mkdir()
    (folder / "files" / "users.json").write_text('[{"name": "alice"}]' * 500)
    with running(folder, certificates, SERVER) as started:
        yield started


def asked_by_the_standard_library(target: Target, request: Request) -> Response:
    connection: http.client.HTTPConnection
    if target.scheme == "https":
        context = ssl.create_default_context(cafile=target.ca_file)
        connection = http.client.HTTPSConnection(target.host, target.port, context=context)
    else:
        connection = http.client.HTTPConnection(target.host, target.port)
    with contextlib.closing(connection):
        headers = {"Accept-Encoding": "gzip, deflate", **dict(request.headers)}
        connection.request(request.method, request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read()
        if body and answer.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        return Response(
            status=answer.status,
            reason=answer.reason,
            headers=tuple(answer.headers.items()),
            body=body,
        )


def without_date(response: Response | None) -> Response:
    assert response is not None
    headers = tuple((name, value) for name, value in response.headers if name != "Date")
    return Response(
        status=response.status, reason=response.reason, headers=headers, body=response.body
    )


REQUESTS = {
    "a file, packed and in chunks": Request(method="GET", path="/users.json"),
    "a file as it is": Request(
        method="GET", path="/users.json", headers=(("Accept-Encoding", "identity"),)
    ),
    "a range": Request(method="GET", path="/users.json", headers=(("Range", "bytes=2-5"),)),
    "only the head": Request(method="HEAD", path="/users.json"),
    "only the head of what is not there": Request(method="HEAD", path="/nobody"),
    "what is not there": Request(method="GET", path="/nobody"),
    "what was not modified": Request(
        method="GET",
        path="/users.json",
        headers=(("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),),
    ),
    "a redirect, not followed": Request(method="GET", path="/moved"),
    "a status of one's own": Request(method="GET", path="/teapot"),
    "nothing": Request(method="DELETE", path="/nothing"),
    "a body where none is wanted": Request(method="POST", path="/users.json", body=b"{}"),
    "a header twice": Request(method="GET", path="/many"),
}


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("name", REQUESTS)
def test_wire_reads_an_answer_as_the_standard_library_does(
    run: Run, nginx: Nginx, name: str, secure: bool
) -> None:
    target = nginx.tls if secure else nginx.plain
    expected = without_date(asked_by_the_standard_library(target, REQUESTS[name]))

    async def main() -> None:
        async with Wire(target) as wire:
            for _ in range(2):  # the second on the kept connection
                exchange = await wire.send(REQUESTS[name])
                assert without_date(exchange.response) == expected

    run(main())


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_hundred_requests_outlive_connections_that_nginx_ends_after_twenty(
    run: Run, nginx: Nginx, secure: bool
) -> None:
    async def main() -> None:
        async with Wire(nginx.tls if secure else nginx.plain) as wire:
            for method in ("GET", "HEAD", "POST", "DELETE") * 25:
                exchange = await wire.send(Request(method=method, path="/teapot"))
                assert exchange.status == 418
            burst = await wire.burst([Request(method="GET", path="/teapot")] * 30)
            assert [exchange.status for exchange in burst] == [418] * 30
            many = (wire.send(Request(method="GET", path="/users.json")) for _ in range(50))
            assert {exchange.status for exchange in await asyncio.gather(*many)} == {200}

    run(main())


def test_a_connection_that_nginx_closes_without_an_answer_is_a_reset(
    run: Run, nginx: Nginx
) -> None:
    async def main() -> None:
        async with Wire(nginx.plain) as wire:
            outcome = (await wire.send(Request(method="GET", path="/closed"))).outcome
            assert isinstance(outcome, Failure)
            assert str(outcome).startswith("reset: the connection was closed before any byte")

    run(main())


def test_plain_http_to_a_tls_port_gets_nginxs_own_answer(run: Run, nginx: Nginx) -> None:
    async def main() -> None:
        mistaken = Target(scheme="http", host="127.0.0.1", port=nginx.tls.port)
        async with Wire(mistaken) as wire:
            response = (await wire.send(Request(method="GET", path="/"))).response
            assert response is not None
            assert response.status == 400
            assert "plain HTTP request" in response.text

    run(main())
