"""The connections of virtual users: how many, whose turn, and what becomes of those that end."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from tests.client.tcp_server import OK, Peer, serving
from tests.load.engine.loaded_script import (
    CLOSED,
    HEAD,
    MS,
    Load,
    both_models,
    check_books,
    one,
    raised,
)
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.load.engine.run import run_load
from withstand.load.engine.script_client import EngineClient
from withstand.load.engine.script_connection import ScriptConnection
from withstand.load.engine.script_file import load_script
from withstand.load.engine.script_scene import Scene
from withstand.load.engine.way import Way
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, Profile
from withstand.load.profile.rhythm import Pacing
from withstand.load.script.operations import Operations


def test_users_have_connections_of_their_own_and_keep_them(load: Load) -> None:
    load.visit("await client.get('/ok')", profile=CLOSED)
    assert load.server.connections == 3 + 1  # the engine's first look
    by_connection = {asked.connection for asked in load.server.asked}
    assert len(by_connection) == 3


def test_a_user_opens_no_more_connections_than_a_browser(load: Load) -> None:
    text = """
@user
async def visit(client):
    await asyncio.gather(*(client.get("/n/{n}", n=n) for n in range(30)))
"""
    measured = load(text)
    check_books(measured)
    assert one(measured).statuses == {200: 30}
    assert load.server.connections - 1 <= 6


def test_requests_that_wait_for_one_of_these_connections_go_on_when_none_can_be_opened(
    load: Load,
) -> None:
    measured = load.visit(
        """
try: await client.get("/stop")
except RequestFailed: pass
await asyncio.gather(*(client.get("/n") for _ in range(10)), return_exceptions=True)
""",
        timeout_s=1.0,
    )
    check_books(measured)
    assert dict(measured.operations["GET /n"].failures) == {"refused": 10}


def test_a_request_that_is_cancelled_when_its_turn_comes_leaves_it_to_the_next(load: Load) -> None:
    measured = load.visit(
        """
await client.get("/drop-second")
async def lose_the_connection():
    try: await client.post("/drop-second")
    except RequestFailed: waiting[0].cancel()  # who has just been woken
busy = [asyncio.create_task(lose_the_connection())]
busy += [asyncio.create_task(client.get("/silent")) for _ in range(5)]
waiting = [asyncio.create_task(client.get(path, timeout_s=1)) for path in ("/first", "/second")]
await asyncio.wait(waiting)
for task in busy: task.cancel()
"""
    )
    check_books(measured)
    assert measured.operations["GET /second"].statuses == {200: 1}
    assert "GET /first" not in load.server.counts()


def test_a_timeout_is_a_failure_that_took_that_long_and_ends_the_iteration(load: Load) -> None:
    measured = load.visit(
        "try:\n"
        "    await client.get('/silent', timeout_s=0.15)\n"
        "except RequestFailed as failed:\n"
        "    assert failed.kind == 'timed-out'\n"
        "await client.get('/silent', name='/again')\n"
        "await client.get('/never')",
        timeout_s=0.3,
    )
    check_books(measured)
    assert raised(measured) == []
    assert dict(measured.operations["GET /silent"].failures) == {"timed-out": 1}
    assert dict(measured.operations["GET /again"].failures) == {"timed-out": 1}
    shortest = measured.operations["GET /again"].response_time.minimum
    assert shortest is not None
    assert shortest >= 300 * MS
    assert "GET /never" not in measured.operations


def test_a_script_may_have_time_limits_of_its_own(load: Load) -> None:
    measured = load.visit(
        "try:\n"
        "    async with asyncio.timeout(0.1):\n"
        "        await client.get('/silent')\n"
        "except TimeoutError:\n"
        "    pass\n"
        "await client.get('/ok')"
    )
    check_books(measured)
    assert dict(measured.operations["GET /silent"].failures) == {"timed-out": 1}
    assert measured.operations["GET /ok"].statuses == {200: 1}


def test_a_stale_connection_is_replaced_where_a_browser_would(load: Load) -> None:
    measured = load.visit(
        "for _ in range(3): await client.get('/drop-second')\n"
        "await client.get('/ok')\n"
        "await client.post('/drop-second')"
    )
    check_books(measured)
    assert measured.operations["GET /drop-second"].statuses == {200: 3}
    assert dict(measured.operations["POST /drop-second"].failures) == {"reset": 1}
    assert load.server.counts()["GET /drop-second"] == 3


def test_a_request_that_finds_no_connection_to_be_sent_again_on_is_one_request(
    load: Load,
) -> None:
    measured = load.visit("await client.get('/ok')\nawait client.get('/stop')")
    check_books(measured)
    assert dict(measured.operations["GET /stop"].failures) == {"refused": 1}
    assert measured.offered == measured.sent == 2


def test_a_request_that_is_cancelled_before_it_is_sent_again_has_an_end(load: Load) -> None:
    measured = load.visit(
        """
import time
await asyncio.gather(client.get("/drop-second"), client.get("/drop-second"))
async def lose_the_connection():
    try: await client.post("/drop-second")
    except RequestFailed: again.cancel()
lost = asyncio.create_task(lose_the_connection())
again = asyncio.create_task(client.get("/drop-second"))
await asyncio.sleep(0)
time.sleep(0.1)  # both connections are closed meanwhile, and seen so at once
await asyncio.wait((lost, again))
"""
    )
    check_books(measured)
    assert measured.operations["GET /drop-second"].requests == 3


def test_a_user_who_is_leaving_sends_nothing_again(load: Load) -> None:
    async def wound_down() -> LoadMeasurement:
        wind_down = asyncio.Event()
        file = load.folder / "shop.py"
        file.write_text(
            HEAD
            + "@user\nasync def visit(client):\n"
            + "    await client.get('/ok')\n    await client.get('/hold/close')\n"
        )
        going = asyncio.ensure_future(
            run_load(
                load.server.target,
                load_script(file),
                Closed(users=1, duration_s=3600),
                wind_down=wind_down,
                timeout_s=5.0,
            )
        )
        await load.server.has_seen("/hold/close")
        wind_down.set()
        for _ in range(3):  # whoever waits for it goes first
            await asyncio.sleep(0)
        load.server.release()
        return await going

    measured = run(wound_down())
    check_books(measured)
    assert dict(measured.operations["GET /hold/close"].failures) == {"reset": 1}
    assert load.server.counts()["GET /hold/close"] == 1


@both_models
def test_a_server_that_closes_each_connection_costs_connections_and_no_failures(
    load: Load, profile: Profile
) -> None:
    measured = load.visit("await client.get('/close')", profile=profile)
    check_books(measured)
    assert one(measured).failures == {}
    assert load.server.connections >= one(measured).requests == len(load.server.asked)


@both_models
def test_a_server_that_is_gone_is_a_failure_each_time_and_the_run_ends_in_time(
    load: Load, profile: Profile
) -> None:
    measured = load.visit("await client.get('/stop')", profile=profile)
    check_books(measured)
    assert measured.unanswered == 0
    assert one(measured).failures["refused"] > 0
    assert set(one(measured).failures) <= {"refused", "reset"}


def test_what_a_server_says_unasked_on_a_resting_connection_closes_it_and_nothing_else(
    tmp_path: Path,
) -> None:
    async def impatient(peer: Peer) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await peer.request()
                await peer.write(OK)
                return
        await peer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(1)

    file = tmp_path / "shop.py"
    file.write_text(HEAD + '@user\nasync def visit(client):\n    await client.get("/")\n')
    troubles: list[dict[str, Any]] = []

    async def run_it() -> LoadMeasurement:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: troubles.append(what))
        async with serving(impatient) as server:
            # The first connection is opened ahead and rests for longer than the server likes.
            profile = Closed(users=2, duration_s=0.8, rhythm=Pacing(every_ns=300 * MS))
            return await run_load(server.target, load_script(file), profile, timeout_s=5)

    measured = run(run_it())
    check_books(measured)
    assert not troubles
    assert measured.operations["GET /"].statuses[200] > 0


def test_a_request_that_is_given_up_leaves_the_connection_to_who_has_it_by_then() -> None:
    class Wire:
        def write(self, data: bytes) -> None:
            """It goes nowhere."""

        def abort(self) -> None:
            pytest.fail("the connection of the other request was closed")

    async def main() -> None:
        target = Target(scheme="http", host="127.0.0.1", port=9)
        way = Way(
            target=target,
            addresses=["127.0.0.1"],
            ssl_context=None,
            timeout_s=5,
            connect_timeout_s=5,
        )
        client = EngineClient(Scene(way, Operations(width_s=1), {}), 0, None)
        connection = ScriptConnection(client)
        connection.connection_made(cast(asyncio.Transport, Wire()))
        client.idle.append(connection)
        first = asyncio.ensure_future(client.get("/first"))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(client.get("/second"))  # its turn comes before the end
        first.cancel()  # of the first one, whose time limit is over
        connection.data_received(OK)  # as its answer is read
        with pytest.raises(asyncio.CancelledError):
            await first
        connection.data_received(OK)
        assert (await second).status == 200

    asyncio.run(main())
