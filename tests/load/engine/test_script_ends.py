"""How users and runs of a script begin and end: hooks, set-up, teardown, and a stop."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.load.engine.loaded_script import (
    HEAD,
    Load,
    both_models,
    check_books,
    echoed,
    raised,
    said,
)
from tests.load.script_server import ScriptServer
from withstand.client.loop import run
from withstand.errors import RunVoid
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.profile.stage_text import parse_stages
from withstand.load.progress import Progress


def test_setup_and_teardown_are_done_once_a_user_and_the_teardown_is_not_measured(
    load: Load,
) -> None:
    text = """
@user
async def visit(client):
    await client.get("/ok", headers={"X-Token": client.state.token})

@visit.setup
async def log_in(client):
    client.state.token = (await client.post("/login")).extract("$.items[0].token")

@visit.teardown
async def log_out(client):
    await client.delete("/login")

@user
def plain(client):
    client.get("/plain", headers={"X-Token": client.state.token})

@plain.setup
def begin(client):
    client.state.token = client.get("/ticket").json()["items"][0]["token"]

@plain.teardown
def end(client):
    client.delete("/ticket")
"""
    measured = load(text, Closed(users=4, duration_s=0.4))
    counts = load.server.counts()
    for what in ("POST /login", "DELETE /login", "GET /ticket", "DELETE /ticket"):
        assert counts[what] == 2, what
    assert measured.operations["POST /login"].requests == 2
    assert "DELETE /login" not in measured.operations
    assert said(measured) == ""
    assert {
        asked.headers.get("x-token")
        for asked in load.server.asked
        if asked.path in ("/ok", "/plain")
    } == {"t-1"}


def test_hooks_of_the_run_are_called_once_and_hand_on_what_they_prepared(load: Load) -> None:
    text = """
@before_run
async def seed(client):
    return (await client.post("/seed")).json()["id"]

@after_run
def tidy(client):
    client.delete("/seed/{id}", id=client.shared)

@user
async def visit(client):
    await client.get("/use/{id}", id=client.shared)
"""
    measured = load(text, Closed(users=3, duration_s=0.1))
    counts = load.server.counts()
    assert counts["POST /seed"] == counts["DELETE /seed/7"] == 1
    assert set(measured.operations) == {"GET /use/{id}"}


def test_a_hook_before_the_run_that_fails_voids_it_and_says_where(load: Load) -> None:
    text = """
@before_run
async def seed(client):
    raise KeyError("no seed")

@user
async def visit(client): await client.get("/ok")
"""
    with pytest.raises(
        RunVoid, match=r"seed.*failed: KeyError: 'no seed' \(shop.py, line 7, seed\)"
    ):
        load(text)
    assert load.server.asked == []


def test_users_of_a_script_come_and_go_with_the_stages_and_say_goodbye_when_they_go(
    load: Load,
) -> None:
    text = """
@user
async def visit(client):
    await client.get("/echo/ok")
    await client.think(0.05)

@visit.teardown
async def leave(client):
    await client.get("/echo/bye")
"""
    reports: list[Progress] = []
    measured = load(text, parse_stages("3u,300ms:3u,1u,700ms:1u"), observer=reports.append)
    check_books(measured)
    assert reports[0].users == 1  # at half a second
    paths = [asked.path for asked in echoed(load.server)]
    assert paths.count("/echo/bye") == 3
    goodbyes = [index for index, path in enumerate(paths) if path == "/echo/bye"]
    assert "/echo/ok" in paths[goodbyes[1] :], "two go while the third goes on"
    assert list(measured.operations) == ["GET /echo/ok"]


@both_models
def test_a_stop_keeps_what_was_measured_and_lets_users_say_goodbye(
    load: Load, profile: Profile
) -> None:
    text = """
@user
async def visit(client):
    await client.get("/ok")
    await client.get("/silent")

@visit.teardown
async def leave(client):
    await client.get("/bye")
"""

    async def stopped() -> LoadMeasurement:
        stop = asyncio.Event()

        def stop_once_some_wait(progress: Progress) -> None:
            if progress.in_flight >= 3:
                stop.set()

        file = load.folder / "shop.py"
        file.write_text(HEAD + text)
        long: Profile = Closed(users=3, duration_s=3600)
        if profile.model == "open":
            long = ConstantRate(rate_per_s=20, duration_s=3600)
        return await run_load(
            load.server.target,
            load_script(file),
            long,
            stop=stop,
            observer=stop_once_some_wait,
            timeout_s=3600,
        )

    measured = run(stopped())
    check_books(measured)
    assert measured.interrupted
    assert measured.unanswered >= 3
    answered, served = (
        measured.operations["GET /ok"].statuses[200],
        load.server.counts()["GET /ok"],
    )
    assert answered <= served <= answered + measured.unanswered  # one may be on its way back
    assert load.server.counts()["GET /bye"] >= 3
    assert "GET /bye" not in measured.operations


@both_models
def test_an_answer_that_comes_while_users_say_goodbye_stays_unanswered(
    load: Load, profile: Profile
) -> None:
    text = """
@user
async def visit(client):
    client.state.task = asyncio.create_task(client.get("/hold"))
    await client.get("/silent")

@visit.teardown
async def leave(client):
    await client.get("/release")  # /hold is answered
    await client.get("/ok")  # by now
"""
    one_user: Profile = Closed(users=1, duration_s=3600)
    if profile.model == "open":
        one_user = ConstantRate(rate_per_s=100, duration_s=0.01)
    stop = asyncio.Event()

    async def stopped() -> LoadMeasurement:
        file = load.folder / "shop.py"
        file.write_text(HEAD + text)
        going = asyncio.ensure_future(
            run_load(load.server.target, load_script(file), one_user, stop=stop, timeout_s=5.0)
        )
        await load.server.has_seen("/hold", "/silent")
        stop.set()
        return await going

    measured = run(stopped())
    check_books(measured)
    assert measured.unanswered == 2
    assert measured.operations["GET /hold"].requests == 0
    assert load.server.counts()["GET /ok"] == 1


def test_an_exception_in_a_teardown_is_told(load: Load) -> None:
    text = """
@user
async def visit(client): await client.get("/ok")

@visit.teardown
async def leave(client): raise ValueError("no way out")
"""
    assert raised(load(text)) == ["ValueError: no way out (shop.py, line 9, leave)"]


@pytest.mark.slow
@pytest.mark.parametrize("late", ["stop", "wind down"])
def test_arrivals_that_are_overdue_when_a_run_is_cut_short_are_in_the_books(
    server: ScriptServer, tmp_path: Path, late: str
) -> None:
    file = tmp_path / "shop.py"
    text = '@user\nasync def visit(client):\n    time.sleep(0.005)\n    await client.get("/ok")\n'
    file.write_text("import time\n" + HEAD + text)

    async def cut_short() -> LoadMeasurement:
        event = asyncio.Event()
        asyncio.get_running_loop().call_later(0.7, event.set)
        profile = ConstantRate(rate_per_s=3_000, duration_s=3600)
        ends: dict[str, Any] = {"stop": event} if late == "stop" else {"wind_down": event}
        return await run_load(server.target, load_script(file), profile, timeout_s=5, **ends)

    measured = run(cut_short())
    check_books(measured)
    assert measured.offered > 1_000
