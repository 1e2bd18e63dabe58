"""Connections that look at what they receive, over real sockets."""

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.certificates import Certificates, made_in
from tests.client.tcp_server import Peer, Server, serving
from tests.load.engine.test_run import check_books, one
from withstand.client.loop import run
from withstand.client.proxy import Proxy
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.scenario.declaration import Declaration, DeclaredRequest, declared_scenario
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.feed_table import feed_table

OPEN = ConstantRate(rate_per_s=100, duration_s=0.2)
both_models = pytest.mark.parametrize(
    "profile", [OPEN, Closed(users=4, duration_s=0.2)], ids=["open", "closed"]
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made_in(tmp_path_factory.mktemp("certificates"))


def response(status: int, body: bytes = b"", *fields: bytes) -> bytes:
    head = b"HTTP/1.1 %d Word\r\nContent-Length: %d" % (status, len(body))
    return b"\r\n".join((head, *fields, b"", body))


async def shop(peer: Peer) -> None:
    """Answers by path; `/close/…` ends the connection with the answer."""
    while True:
        request = await peer.request()
        path = re.sub(rb"^http://[^/]*", b"", request.split(b" ")[1])
        closing = (b"Connection: close",) if b"/close" in path else ()
        if path.startswith((b"/hop", b"/close/hop")):
            left = int(path.rpartition(b"/")[2])
            there = path.rpartition(b"/")[0] + b"/%d" % (left - 1) if left else b"/end"
            await peer.write(response(302, b"moved", b"Location: " + there, *closing))
        elif path == b"/away":
            await peer.write(response(302, b"", b"Location: http://evil.example/"))
        elif path == b"/fail":
            await peer.write(response(500, b"oops"))
        elif path == b"/lost":
            await peer.write(response(302, b"", b"Location: /silent"))
        elif path == b"/silent":
            await peer.request()
        else:
            await peer.write(response(200, b'{"ok": true, "path": "%s"}' % path, *closing))
        if closing:
            return


@contextlib.asynccontextmanager
async def a_shop() -> AsyncIterator[Server]:
    async with serving(shop) as server:
        yield server


def get(path: str, **more: object) -> DeclaredRequest:
    return replace(DeclaredRequest(name=path, method="GET", path=path), **more)  # type: ignore[arg-type] # any of its fields


def loaded(
    *requests: DeclaredRequest,
    profile: Profile = OPEN,
    keep_alive: bool = True,
    timeout_s: float = 5.0,
    rows: str = "x\n1\n",
) -> tuple[LoadMeasurement, Server]:
    """What was measured, and what the server saw."""

    async def main() -> tuple[LoadMeasurement, Server]:
        async with a_shop() as server:
            scenario = declared_scenario(
                Declaration(
                    source="a test",
                    requests=requests,
                    feeds={"f": feed_table(rows, source="f.csv")},
                ),
                {},
                server.target,
                run_id="r1",
                keep_alive=keep_alive,
            )
            measured = await run_load(
                server.target, scenario, profile, keep_alive=keep_alive, timeout_s=timeout_s
            )
            return measured, server

    return run(main())


def paths(server: Server) -> Counter[str]:
    return Counter(request.split(b" ")[1].decode() for request in server.requests)


@both_models
def test_what_is_not_as_expected_is_an_error_with_its_reason(profile: Profile) -> None:
    measured, _ = loaded(
        get("/a", expectation=Expectation(json={"$.ok": True}, contains=("/a",))),
        get("/b", expectation=Expectation(lacks=("/b",))),
        get("/fail", expectation=Expectation(contains=("ok",))),
        get("/plain"),
        profile=profile,
    )
    check_books(measured)
    good, bad, failed, plain = (measured.operations[p] for p in ("/a", "/b", "/fail", "/plain"))
    assert (good.errors, plain.errors) == (0, 0)
    assert bad.statuses == {200: bad.requests}
    assert bad.rejected == {"the body contains '/b'": bad.requests}
    assert bad.errors == bad.unexpected == bad.error_time.count == bad.requests
    # A page of errors lacks everything else, too: its status says it all.
    assert failed.statuses == {500: failed.requests}
    assert failed.rejected == {}
    assert failed.errors == failed.requests


@both_models
@pytest.mark.parametrize("path", ["/hop/2", "/close/hop/2"])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_redirected_request_is_one_request(profile: Profile, path: str, keep_alive: bool) -> None:
    measured, server = loaded(
        get(path, follow_redirects=True, expectation=Expectation(contains=("/end",))),
        profile=profile,
        keep_alive=keep_alive,
    )
    check_books(measured)
    operation = one(measured)
    assert operation.statuses == {200: measured.sent - measured.unanswered}
    assert operation.errors == 0
    seen = paths(server)
    assert seen[path] == measured.sent
    assert seen["/end"] == pytest.approx(measured.sent, abs=measured.unanswered)
    hop = len(response(302, b"moved", b"Location: " + path[:-1].encode() + b"1"))
    assert operation.bytes_received > operation.requests * 3 * hop


def test_the_times_of_a_redirected_request_span_all_hops() -> None:
    pause_s = 0.02

    async def main() -> LoadMeasurement:
        async def slow(peer: Peer) -> None:
            for answer in (response(302, b"", b"Location: /b"), response(200, b"")):
                await peer.request()
                await asyncio.sleep(pause_s)
                await peer.write(answer)

        async with serving(slow) as server:
            scenario = declared_scenario(
                Declaration(source="a test", requests=(get("/a", follow_redirects=True),)),
                {},
                server.target,
                run_id="r1",
            )
            profile = ConstantRate(rate_per_s=10, duration_s=0.3)
            return await run_load(server.target, scenario, profile)

    operation = one(run(main()))
    assert operation.requests == 3
    for times in (operation.response_time, operation.service_time, operation.first_byte):
        assert (times.minimum or 0) >= 2 * pause_s * 1e9 * 0.99


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/away", "a redirect that leads off the target is not followed"),
        ("/hop/99", "more than 20 redirects"),
    ],
)
def test_a_redirect_that_is_not_followed_is_an_error(path: str, why: str) -> None:
    measured, _ = loaded(get(path, follow_redirects=True))
    operation = one(measured)
    assert operation.rejected == {why: operation.requests}
    assert operation.errors == operation.requests == measured.sent


def test_a_redirect_is_an_answer_like_any_other_unless_it_is_followed() -> None:
    measured, server = loaded(get("/hop/0"))
    assert one(measured).statuses == {302: measured.sent}
    assert set(paths(server)) == {"/hop/0"}


@both_models
@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_hop_that_is_never_answered_times_out_once(profile: Profile, keep_alive: bool) -> None:
    measured, _ = loaded(
        get("/lost", follow_redirects=True), profile=profile, keep_alive=keep_alive, timeout_s=0.1
    )
    check_books(measured)
    operation = one(measured)
    assert operation.statuses == {}
    assert operation.failures["timed-out"] > 0
    assert operation.requests + measured.unanswered == measured.offered


@both_models
def test_without_keep_alive_each_request_has_its_connection(profile: Profile) -> None:
    measured, server = loaded(get("/a"), profile=profile, keep_alive=False)
    check_books(measured)
    used = [requests for requests in server.connections if requests]
    assert [len(requests) for requests in used] == [1] * measured.sent
    assert all(b"\r\nConnection: close\r\n" in request for request in server.requests)
    assert one(measured).connect.count == measured.sent
    assert measured.late == 0  # nobody waited for another's connection
    assert measured.conditions == ("a new connection for each request",)


@both_models
def test_of_kept_connections_each_is_measured_once(profile: Profile) -> None:
    measured, server = loaded(get("/a"), get("/b"), profile=profile)
    used = [requests for requests in server.connections if requests]
    opened = sum(each.connect.count for each in measured.operations.values())
    assert opened == len(used) <= measured.sent
    assert sum(each.tls.count for each in measured.operations.values()) == 0
    assert measured.conditions == ()


def test_templates_are_filled_as_they_are_sent() -> None:
    declared = DeclaredRequest(
        name="order",
        method="POST",
        path="/orders/{f.x}",
        headers=(("X-Number", "{request.number}"), ("X-Run", "{run.id}")),
        json={"item": "{f.x}"},
    )
    measured, server = loaded(declared, rows='x\n"a ""quoted"""\nb\n')
    assert measured.sent == len(server.requests) == 20
    first, second = (
        b"POST /orders/%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: withstand\r\nContent-Type: "
        b'application/json\r\nX-Number: %d\r\nX-Run: r1\r\nContent-Length: %d\r\n\r\n{"item": %s}'
        % (path, server.target.authority.encode(), number, len(value) + 10, value)
        for path, number, value in (
            (b"a%20%22quoted%22", 0, b'"a \\"quoted\\""'),
            (b"b", 1, b'"b"'),
        )
    )
    assert first in server.requests
    assert second in server.requests
    assert len(set(server.requests)) == 20
    assert one(measured).bytes_sent == sum(map(len, server.requests))


def test_a_proxy_carries_the_load_and_is_named() -> None:
    async def main() -> tuple[LoadMeasurement, Server]:
        async with a_shop() as server:  # which takes whole addresses as well: it plays the proxy
            proxy = Proxy(host=server.target.host, port=server.target.port, credential="a:s3cret")
            target = replace(server.target, host="api.example", port=80, proxy=proxy)
            scenario = declared_scenario(
                Declaration(source="t", requests=(get("/hop/1", follow_redirects=True),)),
                {},
                target,
                run_id="r1",
            )
            return await run_load(target, scenario, OPEN), server

    measured, server = run(main())
    assert one(measured).statuses == {200: measured.sent}
    assert measured.conditions == (f"through the proxy http://***@127.0.0.1:{server.target.port}",)
    assert set(paths(server)) == {
        f"http://api.example{path}" for path in ("/hop/1", "/hop/0", "/end")
    }
    assert all(b"\r\nProxy-Authorization: Basic " in request for request in server.requests)


def test_users_of_a_dying_server_are_counted_while_they_move() -> None:
    """A redirect to a server that has stopped listening is a failure of that request."""

    async def main() -> LoadMeasurement:
        stopping = asyncio.Event()

        async def once(peer: Peer) -> None:
            await peer.request()
            await stopping.wait()
            await peer.write(response(302, b"", b"Location: /b", b"Connection: close"))

        async with serving(once) as dying:
            scenario = declared_scenario(
                Declaration(source="t", requests=(get("/a", follow_redirects=True),)),
                {},
                dying.target,
                run_id="r1",
            )
            profile = Closed(users=2, duration_s=0.4)
            load = asyncio.ensure_future(run_load(dying.target, scenario, profile, timeout_s=1))
            while sum(map(len, dying.connections)) < 2:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.005)
            dying.close()
            stopping.set()
            return await load

    measured = run(main())
    check_books(measured)
    assert one(measured).failures["refused"] >= 2


def test_over_tls_and_ipv6_each_handshake_is_measured(certificates: Certificates) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)

    async def main() -> tuple[LoadMeasurement, Server]:
        async with serving(shop, host="::1", ssl_context=context) as server:
            target = replace(server.target, ca_file=str(certificates.authority))
            scenario = declared_scenario(
                Declaration(source="t", requests=(get("/a"), get("/b"))),
                {},
                target,
                run_id="r1",
            )
            return await run_load(target, scenario, Closed(users=3, duration_s=0.3)), server

    measured, server = run(main())
    used = [requests for requests in server.connections if requests]
    assert len(used) == 3
    for counted in ("connect", "tls"):
        assert sum(getattr(each, counted).count for each in measured.operations.values()) == 3
    assert {status for each in measured.operations.values() for status in each.statuses} == {200}


def test_a_user_script_goes_through_the_proxy_and_its_connections_are_measured(
    tmp_path: Path,
) -> None:
    file = tmp_path / "users.py"
    file.write_text(
        "from withstand.load import user\n\n\n"
        "@user\nasync def visitor(client):\n"
        "    await client.get('/a')\n    await client.post('/b', json=1)\n"
    )

    async def main() -> tuple[LoadMeasurement, Server]:
        async with a_shop() as server:
            proxy = Proxy(host=server.target.host, port=server.target.port, credential="a:b")
            target = replace(server.target, host="api.example", port=80, proxy=proxy)
            users = Closed(users=2, duration_s=0.2)
            return await run_load(target, load_script(file), users), server

    measured, server = run(main())
    assert set(paths(server)) == {"http://api.example/a", "http://api.example/b"}
    assert all(b"\r\nProxy-Authorization: Basic " in request for request in server.requests)
    used = [requests for requests in server.connections if requests]
    assert sum(each.connect.count for each in measured.operations.values()) == len(used)
