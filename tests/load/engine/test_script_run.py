"""User scripts against a real server, in both models and both kinds of function."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import psutil
import pytest

from tests.load.engine.loaded_script import (
    CLOSED,
    HEAD,
    MS,
    OPEN,
    Load,
    both_models,
    check_books,
    one,
    said,
)
from withstand.errors import UsageError
from withstand.load.engine.run import run_load
from withstand.load.engine.script_file import load_script
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile, share_of
from withstand.load.profile.rhythm import Pacing, ThinkTime

MIXED = """
@user(weight=2)
async def browse(client: AsyncClient) -> None:
    with client.group("browsing"):
        response = await client.get("/items/{id}", id=client.number)
        response.expect(response.json()["id"] == 7, "wrong id")
    await asyncio.gather(client.get("/a"), client.get("/b"))
    await client.post("/orders", json={"n": 1})

@user
def buy(client: Client) -> None:
    client.get("/items/{id}", id=client.number)
    client.think(0.005)
    client.put("/basket", data={"a": 1})
"""


@both_models
def test_what_async_and_plain_users_count_is_what_the_server_counts(
    load: Load, profile: Profile
) -> None:
    measured = load(MIXED, profile)
    check_books(measured)
    assert measured.script is not None
    assert measured.script.sentences() == ()
    assert measured.script.iterations > 0
    assert measured.unanswered == 0
    counted = {name: each.requests for name, each in measured.operations.items()}
    seen = load.server.counts()
    for name in ("GET /a", "GET /b", "POST /orders", "PUT /basket"):
        assert counted[name] == seen[name] > 0
    items = sum(times for key, times in seen.items() if key.startswith("GET /items/"))
    assert counted["browsing / GET /items/{id}"] + counted["GET /items/{id}"] == items
    assert measured.sent == len(load.server.asked)
    assert all(each.errors == 0 for each in measured.operations.values())


def test_arrivals_are_shared_by_weight_and_each_is_an_iteration(load: Load) -> None:
    measured = load(MIXED, ConstantRate(rate_per_s=150, duration_s=0.2))
    assert measured.script is not None
    assert measured.script.iterations == 30
    assert measured.operations["POST /orders"].requests == 20
    assert measured.operations["PUT /basket"].requests == 10


def test_the_first_request_of_an_arrival_counts_from_its_intended_start_and_no_other_does(
    load: Load,
) -> None:
    # One user for all, 20 ms an iteration, arrivals every 10 ms: the last waits for 190 ms.
    text = """
@user
async def visit(client):
    await client.think(0.02)
    await client.get("/first")
    await client.get("/second")
"""
    measured = load(text, ConstantRate(rate_per_s=100, duration_s=0.2), connections=1)
    check_books(measured)
    first, second = (measured.operations[f"GET /{name}"] for name in ("first", "second"))
    assert first.requests == second.requests == 20
    assert measured.late >= 15
    assert first.response_time.maximum is not None
    assert first.response_time.maximum > 150 * MS
    # The thinking is no part of it: no wait for the first arrival, who found the user free.
    assert first.response_time.minimum is not None
    assert second.response_time == second.service_time
    assert first.service_time.quantile(0.5) != first.response_time.quantile(0.5)
    assert "waited, because all 1 virtual users" in said(measured)


def test_how_many_arrivals_waited_is_said_once_however_often_it_was_looked_at(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("withstand.load.engine.run._REPORT_S", 0.05)
    snapshots: list[LoadMeasurement] = []
    measured = load.visit(
        "await client.think(0.02)\nawait client.get('/ok')",
        profile=ConstantRate(rate_per_s=100, duration_s=0.2),
        connections=1,
        report=snapshots.append,
    )
    assert len({each.late for each in snapshots} - {0}) > 1
    assert said(measured).count("arrivals waited") == 1
    assert f"{measured.late} arrivals waited" in said(measured)


def test_arrivals_that_still_wait_when_the_time_is_up_are_told_and_not_dropped(load: Load) -> None:
    measured = load.visit(
        "await client.get('/ok')\nawait client.think(3600)",
        profile=ConstantRate(rate_per_s=50, duration_s=0.2),
        connections=2,
        timeout_s=0.3,
    )
    check_books(measured)
    assert measured.sent == 2
    assert measured.unanswered == 8
    assert measured.offered == 10


def test_more_arrivals_than_users_of_one_kind_do_not_starve_the_other(load: Load) -> None:
    text = """
@user
async def often(client): await client.get("/often")

@user
async def seldom(client): await client.get("/seldom")
"""
    measured = load(text, ConstantRate(rate_per_s=100, duration_s=0.2), connections=1)
    counts = load.server.counts()
    assert counts["GET /often"] == counts["GET /seldom"] == 10
    assert measured.unanswered == 0


@pytest.mark.parametrize("plain", [False, True], ids=["async", "plain"])
def test_what_the_script_raises_is_counted_by_line_and_the_user_goes_on(
    load: Load, plain: bool
) -> None:
    measured = load.visit(
        "await client.get('/ok')\nif client.number % 2:\n    raise KeyError('token')",
        plain=plain,
        profile=ConstantRate(rate_per_s=100, duration_s=0.2),
    )
    check_books(measured)
    assert one(measured).requests == 20
    assert measured.script is not None
    ((text, times),) = measured.script.exceptions.items()
    assert text == "KeyError: 'token' (shop.py, line 8, visit)"
    assert times + measured.script.iterations == 20


def test_feeds_give_their_rows_in_turn_and_unique_ones_end_the_run(load: Load) -> None:
    (load.folder / "people.csv").write_text("name\nann\nbob\n")
    (load.folder / "orders.jsonl").write_text('{"id": 1}\n\n{"id": 2}\n{"id": 3}\n')
    text = """
people = feed("people.csv")
orders = feed("orders.jsonl", order="unique")

@user
async def visit(client):
    row = orders.next()
    await client.get("/n/{id}/{name}", values=row | people.next(), name="/n/{id}/{name}")
"""
    measured = load(text, Closed(users=1, duration_s=3600))
    assert [asked.path for asked in load.server.asked] == ["/n/1/ann", "/n/2/bob", "/n/3/ann"]
    assert "visit ended the run: every row of orders.jsonl was used (3)" in said(measured)
    assert measured.duration_s < 60
    assert not measured.interrupted


@pytest.mark.parametrize("model", ["open", "closed"])
def test_shards_use_rows_of_their_own(load: Load, model: str) -> None:
    (load.folder / "rows.csv").write_text("n\n" + "\n".join(map(str, range(10))))
    text = """
rows = feed("rows.csv", order="unique")

@user
async def visit(client):
    await client.get("/n/{n}", n=rows.next()["n"], headers={"X-User": str(client.number)})
"""
    whole: Profile = Closed(users=2, duration_s=3600)
    if model == "open":
        whole = ConstantRate(rate_per_s=100, duration_s=3600)
    for number in (1, 2):
        load(text, share_of(whole, number, 2))
    assert sorted(asked.path for asked in load.server.asked) == [f"/n/{n}" for n in range(10)]
    users = [{asked.headers["x-user"] for asked in load.server.asked[:5]}]
    users.append({asked.headers["x-user"] for asked in load.server.asked[5:]})
    assert not users[0] & users[1]


def test_a_feed_of_an_open_run_that_is_used_up_ends_it(load: Load) -> None:
    (load.folder / "rows.csv").write_text("n\n1\n2\n")
    text = """
rows = feed("rows.csv", order="unique")

@user
async def visit(client):
    await client.get("/n/{n}", n=rows.next()["n"])
"""
    measured = load(text, ConstantRate(rate_per_s=50, duration_s=3600))
    check_books(measured)
    assert measured.sent == 2
    assert "every row of rows.csv was used (2)" in said(measured)


def test_a_user_who_makes_no_request_is_refused_and_not_spun(load: Load) -> None:
    with pytest.raises(UsageError, match=r"visit of .*shop.py came to its end .* without"):
        load.visit("pass", profile=Closed(users=20, duration_s=3600))
    with pytest.raises(UsageError, match="without making a request"):
        load.visit("pass", plain=True, profile=Closed(users=20, duration_s=3600))


def test_users_think_between_iterations_when_asked(load: Load) -> None:
    minute = ThinkTime(least_ns=60_000_000_000, most_ns=60_000_000_000)
    measured = load.visit("await client.get('/ok')", profile=replace(CLOSED, rhythm=minute))
    assert measured.sent == 1  # of the three, who begin 20 s apart, and thinks from then on
    check_books(measured)


def test_paced_users_make_up_for_iterations_that_were_due_while_they_were_busy(load: Load) -> None:
    body = "await client.get('/ok')\nawait client.think(0.08 if client.state.__dict__ else 0.4)"
    body = f"{body}\nclient.state.slow = True"
    measured = load.visit(
        body,
        profile=Closed(users=1, duration_s=1.5, rhythm=Pacing(every_ns=100_000_000)),
    )
    check_books(measured)
    assert measured.late > 0
    times = one(measured).response_time
    # The second iteration was due at 0.1 s and began at 0.4 s: its first request waited.
    assert (times.maximum or 0) > 250_000_000
    assert (one(measured).service_time.quantile(0.5) or 0) < 100_000_000
    assert measured.offered == 15


def test_a_script_that_blocks_is_named_and_voids_the_run(load: Load) -> None:
    text = """
import time

@user
def visit(client):
    client.get("/ok")
    time.sleep(0.3)
"""
    measured = load(text, Closed(users=2, duration_s=0.5))
    assert measured.script is not None
    (place,) = measured.script.blocked_ns
    assert place == "shop.py, line 10, visit"
    assert "held the generator up" in (measured.generator.saturated or "")


def test_nothing_is_left_behind(load: Load) -> None:
    this, port = psutil.Process(), load.server.target.port

    def is_connected() -> bool:
        return any(
            port in (*each.laddr[1:], *each.raddr[1:]) and each.status != psutil.CONN_LISTEN
            for each in this.net_connections()
        )

    def left() -> tuple[int, int]:
        gc.collect()  # what only a cycle keeps open is not left behind
        deadline_s = time.monotonic() + 10
        # The server, a thread of this process, closes its ends a moment after the load.
        while is_connected() and time.monotonic() < deadline_s:
            time.sleep(0.005)
        return this.num_fds(), threading.active_count()

    load(MIXED, CLOSED)
    threshold, (descriptors, threads) = gc.get_threshold(), left()
    load(MIXED, OPEN)
    load(MIXED, CLOSED)
    still_open, still_running = left()
    assert still_open <= descriptors
    assert still_running <= threads
    assert gc.get_threshold() == threshold


@pytest.mark.parametrize("loop", [asyncio.new_event_loop], ids=["asyncio"])
def test_it_runs_on_the_standard_loop_too(
    load: Load, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    file = load.folder / "shop.py"
    file.write_text(HEAD + MIXED)
    with asyncio.Runner(loop_factory=loop) as runner:
        measured = runner.run(run_load(load.server.target, load_script(file), CLOSED))
    check_books(measured)
    assert measured.sent == len(load.server.asked) > 0
