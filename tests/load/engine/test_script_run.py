"""User scripts against a real server, in both models and both kinds of function."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from tests.client.tcp_server import OK, Peer, serving
from tests.load.script_server import Asked, ScriptServer, script_server
from withstand.client.identity import Credential
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import RunVoid, UsageError
from withstand.load.engine.run import run_load
from withstand.load.engine.script_client import EngineClient
from withstand.load.engine.script_connection import ScriptConnection
from withstand.load.engine.script_file import load_script
from withstand.load.engine.script_scene import Scene
from withstand.load.engine.way import Way
from withstand.load.measurement import LoadMeasurement, OperationMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile, share_of
from withstand.load.profile.rhythm import Pacing, ThinkTime
from withstand.load.profile.stage_text import parse_stages
from withstand.load.progress import Progress
from withstand.load.script.operations import MAX_NAMES, OTHER_NAMES, Operations

MS = 1_000_000
OPEN = ConstantRate(rate_per_s=100, duration_s=0.3)
CLOSED = Closed(users=3, duration_s=0.3)
ONE_VISIT = ConstantRate(rate_per_s=10, duration_s=0.1)

both_models = pytest.mark.parametrize("profile", [OPEN, CLOSED], ids=["open", "closed"])

HEAD = """
import asyncio
from withstand.load import *
"""


@pytest.fixture
def server() -> Iterator[ScriptServer]:
    with script_server() as running:
        yield running


@pytest.fixture
def load(server: ScriptServer, tmp_path: Path) -> "Load":
    return Load(server, tmp_path)


class Load:
    """Runs the text of a script."""

    def __init__(self, server: ScriptServer, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def __call__(self, text: str, profile: Profile = ONE_VISIT, **options: Any) -> LoadMeasurement:
        file = self.folder / "shop.py"
        file.write_text(HEAD + text)
        options = {"timeout_s": 5.0} | options
        return run(run_load(self.server.target, load_script(file), profile, **options))

    def visit(self, body: str, *, plain: bool = False, **options: Any) -> LoadMeasurement:
        """One iteration by one user; the lines of an async def or, without await, a def."""
        if plain:
            body = body.replace("await ", "")
        lines = "\n    ".join(body.strip().splitlines())
        kind = "def" if plain else "async def"
        return self(f"@user\n{kind} visit(client):\n    {lines}\n", **options)


def check_books(measured: LoadMeasurement) -> None:
    """Every request is accounted for, once."""
    ended = sum(operation.requests for operation in measured.operations.values())
    assert ended + measured.unanswered == measured.offered
    for operation in measured.operations.values():
        assert operation.response_time.count == operation.requests
        assert operation.service_time.count == sum(operation.statuses.values())
        assert operation.error_time.count == operation.errors
        assert sum(operation.rejected.values()) == operation.unexpected


def one(measured: LoadMeasurement) -> OperationMeasurement:
    (operation,) = measured.operations.values()
    return operation


def raised(measured: LoadMeasurement) -> list[str]:
    assert measured.script is not None
    return list(measured.script.exceptions)


def said(measured: LoadMeasurement) -> str:
    assert measured.script is not None
    return "\n".join(measured.script.sentences())


def echoed(server: ScriptServer) -> list[Asked]:
    return [asked for asked in server.asked if asked.path.startswith("/echo")]


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
    measured = load(text, Closed(users=4, duration_s=1))
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


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("await client.get('/x', tiemout=3)", "tiemout= is no option of a request"),
        ("await client.get('/x/{id}')", "'/x/{id}' needs a value for {id}: pass id="),
        ("await client.get('/x/{name}', name='n')", "pass values={'name': …}"),
        ("await client.get('http://elsewhere/')", "is no path on the target"),
        ("await client.get('/x', headers={'A': 'b\\r\\nc'})", "has a line break"),
        ("await client.get('/x', expect=42)", "expect=42 is no status"),
        ("await client.post('/x', json={}, data={})", "json= and data= are two bodies"),
        ("await client.post('/x', data='text')", "data= takes the fields of a form"),
        ("await client.request('get', '/x')", "'get' is no method"),
        ("await client.think(-1)", "think(-1, -1)"),
    ],
)
def test_a_wrong_call_is_told_with_its_line_and_sends_nothing(
    load: Load, line: str, says: str
) -> None:
    measured = load.visit(line)
    assert load.server.asked == []
    (text,) = raised(measured)
    assert says in text
    assert "(shop.py, line 6, visit)" in text


def test_statuses_expectations_and_reasons_count_as_errors_each_once(load: Load) -> None:
    measured = load.visit(
        """
await client.get("/status/404")
await client.get("/status/404", expect=404, name="/expected")
await client.get("/status/404", expect={200, 404}, name="/one-of")
await client.get("/ok", expect=204, name="/wants-204")
response = await client.get("/status/500", name="/both")
response.fail("already an error")
response = await client.get("/ok")
assert response.ok and response.expect(True, "fine") and response.ok
assert not response.expect(response.json()["id"] == 8, "wrong id")
response.fail("again")
assert not response.ok
"""
    )
    check_books(measured)
    assert raised(measured) == []
    rejected = {name: dict(each.rejected) for name, each in measured.operations.items()}
    assert rejected == {
        "GET /status/404": {"status 404": 1},
        "GET /expected": {},
        "GET /one-of": {},
        "GET /wants-204": {"status 200": 1},
        "GET /both": {"status 500": 1},
        "GET /ok": {"wrong id": 1},
    }
    assert sum(each.errors for each in measured.operations.values()) == 4


def test_raise_for_status_ends_the_iteration_without_another_error(load: Load) -> None:
    measured = load.visit(
        "(await client.get('/status/503')).raise_for_status()\nawait client.get('/never')"
    )
    assert list(measured.operations) == ["GET /status/503"]
    assert raised(measured) == []


def test_a_response_tells_all_about_itself(load: Load) -> None:
    measured = load.visit(
        """
response = await client.get("/ok", params={"q": "a b", "none": None, "many": [1, 2]})
assert response.status == 200 and response.reason == "Some Reason"
assert response.headers["CONTENT-type"] == "application/json"
assert response.text.startswith("{") and response.content.startswith(b"{")
assert response.extract("$.items[0].token") == "t-1" and response.extract("$.no.such") is None
assert response.elapsed_s >= response.service_time_s > 0
assert response.path == "/ok?q=a+b&many=1&many=2" and response.name == "GET /ok"
for path in ("/gzip", "/chunked", "/until-close", "/close"):
    assert (await client.get(path)).json()["id"] == 7, path
response = await client.head("/ok")
assert response.status == 200 and response.content == b"" and response.headers["content-length"]
assert (await client.options("/ok")).ok and (await client.patch("/ok")).ok
"""
    )
    check_books(measured)
    assert raised(measured) == []
    assert all(each.errors == 0 for each in measured.operations.values())


def test_requests_arrive_as_they_were_meant(load: Load) -> None:
    measured = load.visit(
        """
client.headers["X-Always"] = "yes"
await client.post("/echo", json={"ä": [1]}, headers={"x-always": "no", "X-Once": "1"})
await client.post("/echo", data={"a": "b c", "many": [1, 2]})
await client.put("/echo", content="text", headers={"Content-Type": "text/plain"})
await client.get("/echo", auth=("ann", "pass"))
await client.post("/echo")
await client.get("/echo/{part}", part="a/b ä")
await client.get("/echo/{name}", values={"name": "x"})
"""
    )
    assert raised(measured) == []
    json_, form, text, basic, empty, part, value = echoed(load.server)
    assert json_.body == '{"ä":[1]}'.encode()
    assert json_.headers["content-type"] == "application/json"
    assert (json_.headers["x-always"], json_.headers["x-once"]) == ("no", "1")
    assert form.body == b"a=b+c&many=1&many=2"
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form.headers["x-always"] == "yes"
    assert (text.body, text.headers["content-type"]) == (b"text", "text/plain")
    assert basic.headers["authorization"] == "Basic YW5uOnBhc3M="
    assert empty.headers["content-length"] == "0"
    assert part.path == "/echo/a%2Fb%20%C3%A4"
    assert value.path == "/echo/x"
    assert "x-once" not in form.headers
    assert form.headers["accept-encoding"] == "gzip, deflate"
    assert set(measured.operations) == {
        "POST /echo",
        "PUT /echo",
        "GET /echo",
        "GET /echo/{part}",
        "GET /echo/{name}",
    }


def test_the_base_path_of_the_target_goes_in_front_and_not_into_names(tmp_path: Path) -> None:
    with script_server("/api") as server:
        measured = Load(server, tmp_path).visit(
            "for _ in range(3): await client.get('/ok')\nawait client.get('/n/{n}', n=1)"
        )
        assert [asked.path for asked in server.asked] == ["/api/ok"] * 3 + ["/api/n/1"]
    assert set(measured.operations) == {"GET /ok", "GET /n/{n}"}


def test_cookies_are_kept_for_each_user_and_sent_where_they_belong(load: Load) -> None:
    measured = load.visit(
        """
await client.get("/cookie", params={"line": f"id={client.number}; Path=/"})
await client.get("/echo")
await client.get("/cookie", params={"line": ["deep=1; Path=/echo/deep", "old=1; Max-Age=0"]})
await client.get("/echo")
await client.get("/echo/deep/er")
await client.get("/cookie", params={"line": "other=1; Domain=example.com"})
assert client.cookies.get("id") == str(client.number) and len(client.cookies) == 2
client.cookies.clear()
await client.get("/echo")
client.cookies.set("mine", "x")
await client.get("/echo")
await client.think(3600)
""",
        profile=Closed(users=2, duration_s=0.2),
    )
    assert raised(measured) == []
    firsts: dict[int, list[str | None]] = {}
    for asked in echoed(load.server):
        firsts.setdefault(asked.connection, []).append(asked.headers.get("cookie"))
    assert {tuple(cookies[:5]) for cookies in firsts.values()} == {
        (f"id={n}", f"id={n}", f"deep=1; id={n}", None, "mine=x") for n in (0, 1)
    }


def test_redirects_are_followed_when_asked_each_as_a_request(load: Load) -> None:
    measured = load.visit(
        """
response = await client.get("/redirect/302?to=/echo?a=1")
assert response.status == 302 and response.ok
response = await client.get("/redirect/302?to=/echo%3Fa=1", allow_redirects=True, name="/go")
assert response.status == 200 and response.path == "/echo?a=1"
await client.post("/redirect/303?to=/echo", json={}, allow_redirects=True, name="/303")
await client.post("/redirect/307?to=/echo", json={}, allow_redirects=True, name="/307")
await client.put("/redirect/302?to=/echo", json={}, allow_redirects=True, name="/302")
away = await client.get("/redirect/302?to=http://example.com/", allow_redirects=True, name="/away")
assert not away.ok
await client.get("/redirect/302", allow_redirects=True, name="/nowhere")
"""
    )
    check_books(measured)
    assert raised(measured) == []
    sent = [(asked.method, asked.body) for asked in echoed(load.server)]
    assert sent == [("GET", b""), ("GET", b""), ("POST", b"{}"), ("PUT", b"{}")]
    assert "content-type" not in echoed(load.server)[1].headers
    operations = measured.operations
    assert operations["GET /go"].statuses == {302: 1}
    assert operations["GET /go (redirected)"].statuses == {200: 1}
    assert dict(operations["GET /away"].rejected) == {
        "a redirect to another host (http://example.com)": 1
    }
    assert "without a Location" in next(iter(operations["GET /nowhere"].rejected))


def test_a_redirect_without_end_is_given_up(load: Load) -> None:
    measured = load.visit(
        "response = await client.get('/around', allow_redirects=True)\n"
        "assert response.status == 302"
    )
    assert raised(measured) == []
    assert dict(measured.operations["GET /around (redirected)"].rejected) == {
        "more than 20 redirects": 1
    }
    assert load.server.counts() == {"GET /around": 21}


def test_a_login_that_redirects_takes_its_cookie_along(load: Load) -> None:
    load.visit(
        "await client.get('/cookie?line=session=1%3B Path=/')\n"
        "await client.get('/redirect/303?to=/echo', allow_redirects=True)"
    )
    assert echoed(load.server)[0].headers["cookie"] == "session=1"


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


def test_too_many_names_are_counted_together_and_told(load: Load) -> None:
    measured = load.visit(f"for n in range({MAX_NAMES + 20}): await client.get(f'/n/{{n}}')")
    check_books(measured)
    assert len(measured.operations) == MAX_NAMES + 1
    assert measured.operations[OTHER_NAMES].requests == 20
    assert "more than 200 names" in said(measured)
    assert "/orders/{id}" in said(measured)


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


def test_identities_are_taken_in_turn(load: Load) -> None:
    text = """
@user(identity=("ann", "bob"), headers={"X-Kind": "shopper"})
async def visit(client):
    await client.get("/echo")
"""
    credentials = {
        name: Credential(headers=(("Authorization", f"Bearer {name}"),)) for name in ("ann", "bob")
    }
    load(text, Closed(users=4, duration_s=0.1), credentials=credentials)
    seen = {
        asked.connection: (asked.headers["authorization"], asked.headers["x-kind"])
        for asked in echoed(load.server)
    }
    assert (
        sorted(seen.values()) == [("Bearer ann", "shopper")] * 2 + [("Bearer bob", "shopper")] * 2
    )


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
    assert measured.operations["GET /ok"].statuses[200] == load.server.counts()["GET /ok"]
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


def test_the_client_of_a_plain_user_refuses_other_threads(load: Load) -> None:
    measured = load.visit(
        "client.get('/ok')\n"
        "import threading\n"
        "errors = []\n"
        "def elsewhere():\n"
        "    try: client.get('/elsewhere')\n"
        "    except RuntimeError as error: errors.append(str(error))\n"
        "thread = threading.Thread(target=elsewhere); thread.start(); thread.join()\n"
        "raise ValueError(errors[0])",
        plain=True,
    )
    assert "not in a thread of the script's own" in raised(measured)[0]
    assert load.server.counts() == {"GET /ok": 1}


def test_nothing_is_left_behind(load: Load) -> None:
    def left() -> tuple[int, int]:
        gc.collect()  # what only a cycle keeps open is not left behind
        return psutil.Process().num_fds(), threading.active_count()

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
