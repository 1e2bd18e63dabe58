"""What a user script's client sends, and what it makes of the answers."""

from pathlib import Path

import pytest

from tests.load.engine.loaded_script import Load, check_books, echoed, raised, said
from tests.load.script_server import script_server
from withstand.client.identity import Credential
from withstand.load.profile.profile import Closed
from withstand.load.script.operations import MAX_NAMES, OTHER_NAMES


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
        profile=Closed(users=2, duration_s=0.5),
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


def test_too_many_names_are_counted_together_and_told(load: Load) -> None:
    measured = load.visit(f"for n in range({MAX_NAMES + 20}): await client.get(f'/n/{{n}}')")
    check_books(measured)
    assert len(measured.operations) == MAX_NAMES + 1
    assert measured.operations[OTHER_NAMES].requests == 20
    assert "more than 200 names" in said(measured)
    assert "/orders/{id}" in said(measured)


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
