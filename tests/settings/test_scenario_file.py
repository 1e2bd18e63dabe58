"""Scenario files: what they are read as, and every mistake at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from withstand.errors import ConfigurationError, UsageError
from withstand.load.scenario.declaration import Declaration
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.feed_table import FeedOrder
from withstand.settings import Settings, load_settings
from withstand.settings.scenario_file import load_scenario

Load = Callable[..., Declaration]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / ".git").mkdir()
    (tmp_path / "withstand.toml").write_text(
        "[identities]\n"
        'alice = { role = "user", token = "a", email = "alice@example.com" }\n'
        'bob = { role = "user", token = "b" }\n'
    )
    return load_settings(start=tmp_path, environ={})


@pytest.fixture
def load(tmp_path: Path, settings: Settings) -> Load:
    """`load(text)` reads a scenario file with this text, beside whom `users.csv` lies."""
    (tmp_path / "users.csv").write_text("email,age\na@example.com,7\nb@example.com,eight\n")

    def loaded(text: str, name: str = "s.toml", **environ: str) -> Declaration:
        (tmp_path / name).write_text(text)
        return load_scenario(Path(name), settings, start=tmp_path, environ=environ)

    return loaded


def problems(load: Load, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(text, **environ)
    assert caught.value.source == "s.toml"
    return caught.value.problems


def test_a_request_says_all_that_is_sent_and_expected(load: Load) -> None:
    declaration = load(
        """
        identity = "alice"
        headers = { X-Shared = "1", X-Own = "shared" }
        feeds.users = { file = "users.csv", order = "random" }
        slo."*" = "p95<200ms"
        slo.order = ["errors<1%"]

        [[requests]]
        request = "GET /users?page=2"

        [[requests]]
        name = "order"
        request = "POST /orders/{users.email}"
        weight = 0.5
        headers = { x-own = "${OWN:-mine}" }
        json = [{ age = "{users.age}", ok = true }]
        identity = ["bob", "alice"]
        follow_redirects = true
        [requests.expect]
        status = 201
        contains = "ok"
        lacks = ["no", "never"]
        json = { "$.ok" = true }
        max_bytes = 100
        """
    )
    first, second = declaration.requests
    assert (first.name, first.method, first.path) == ("GET /users", "GET", "/users?page=2")
    assert (first.weight, first.expected, first.expectation) == (1.0, None, None)
    assert first.identities == ("alice",)
    assert first.headers == (("X-Shared", "1"), ("X-Own", "shared"))
    assert not first.follow_redirects
    assert (second.name, second.weight, second.follow_redirects) == ("order", 0.5, True)
    assert second.headers == (("X-Shared", "1"), ("x-own", "mine"))
    assert second.json == [{"age": "{users.age}", "ok": True}]
    assert second.identities == ("bob", "alice")
    assert second.expected == frozenset({201})
    assert second.expectation == Expectation(
        contains=("ok",), lacks=("no", "never"), json={"$.ok": True}, max_bytes=100
    )
    assert declaration.feeds["users"].order is FeedOrder.RANDOM
    assert declaration.feeds["users"].columns["age"] == ("7", "eight")
    assert declaration.objectives == {"*": ("p95<200ms",), "order": ("errors<1%",)}
    assert declaration.identities == ("alice", "bob")


def test_json_and_json_lines_say_the_same(load: Load) -> None:
    one = load(
        '[[requests]]\nrequest = "GET /a"\n[[requests]]\nrequest = "PUT /b"\nbody = "${B}"', B="x"
    )
    line_a, line_b = '{"request": "GET /a"}', '{"request": "PUT /b", "body": "${B}"}'
    as_json = load(f'{{"requests": [{line_a}, {line_b}]}}', "s.json", B="x")
    as_lines = load(f"{line_a}\n\n{line_b}\n", "s.jsonl", B="x")
    assert one.requests == as_json.requests == as_lines.requests
    assert one.requests[1].body == "x"


def test_everybody_takes_turns_unless_a_request_is_nobodys(load: Load) -> None:
    declaration = load(
        'identity = "*"\n[[requests]]\nrequest = "GET /a"\n'
        '[[requests]]\nrequest = "GET /b"\nidentity = []\n'
    )
    assert [each.identities for each in declaration.requests] == [("alice", "bob"), ()]


MISTAKES = {
    "requests: is empty": "",
    "requests[0].request: is missing": "[[requests]]\nweight = 2",
    "requests[0].wieght: is no key; did you mean 'weight'?": (
        '[[requests]]\nrequest = "GET /a"\nwieght = 2'
    ),
    "'GTE /a' is no request; write it as 'POST /orders'; did you mean 'GET'?": (
        '[[requests]]\nrequest = "GTE /a"'
    ),
    "has a blank; write it as %20": '[[requests]]\nrequest = "GET /a b"',
    "has a '#', which is never sent": '[[requests]]\nrequest = "GET /a#b"',
    "requests[0].weight: is 0; a weight is above zero": (
        '[[requests]]\nrequest = "GET /a"\nweight = 0'
    ),
    "requests[0]: has both json and body; keep one": (
        '[[requests]]\nrequest = "POST /a"\njson = {}\nbody = ""'
    ),
    "requests[1].name: requests[0] is called 'GET /a' as well": (
        '[[requests]]\nrequest = "GET /a?b"\n[[requests]]\nrequest = "GET /a"'
    ),
    "requests[0].identity: there is no 'alcie' under [identities]; did you mean 'alice'?": (
        '[[requests]]\nrequest = "GET /a"\nidentity = "alcie"'
    ),
    "requests[0].headers.Content-Length: is set by Withstand": (
        '[[requests]]\nrequest = "GET /a"\nheaders = { Content-Length = 7 }'
    ),
    "requests[0].headers.\"X Y\": 'X Y' is no name of a header field": (
        '[[requests]]\nrequest = "GET /a"\nheaders = { "X Y" = "" }'
    ),
    "requests[0].headers.X: has a line break": (
        '[[requests]]\nrequest = "GET /a"\nheaders = { X = "a\\nb" }'
    ),
    "{user.email} names no feed; did you mean 'users'?; write {{user.email}} to mean the text": (
        'feeds.users = "users.csv"\n[[requests]]\nrequest = "GET /{user.email}"'
    ),
    "requests[0].json: {users.mail}: users.csv has no column 'mail'; did you mean 'email'?": (
        'feeds.users = "users.csv"\n[[requests]]\nrequest = "POST /"\njson = { a = "{users.mail}" }'
    ),
    "requests[0].json: {users.age} in row 2 of users.csv is no JSON": (
        'feeds.users = "users.csv"\n[[requests]]\nrequest = "POST /"\n'
        'json = { a = "{users.age:json}" }'
    ),
    "{users.age:json} is a JSON value": (
        'feeds.users = "users.csv"\n[[requests]]\nrequest = "GET /{users.age:json}"'
    ),
    "{identity.email}: bob has no field 'email'": (
        '[[requests]]\nrequest = "GET /{identity.email}"\nidentity = "*"'
    ),
    "{identity.email} is a field of the sender, and nobody is": (
        '[[requests]]\nrequest = "GET /{identity.email}"'
    ),
    "{run.number} is not known; {run.id} is": '[[requests]]\nrequest = "GET /{run.number}"',
    "feeds.run: is a name with a meaning of its own": (
        'feeds.run = "users.csv"\n[[requests]]\nrequest = "GET /"'
    ),
    "feeds.users: there is no file": 'feeds.users = "u.csv"\n[[requests]]\nrequest = "GET /"',
    "feeds.users: 'u.txt' is no feed: its name must end in .csv": (
        'feeds.users = "u.txt"\n[[requests]]\nrequest = "GET /"'
    ),
    "order is one of sequential, random, not 'randon'; did you mean 'random'?": (
        'feeds.users = { file = "users.csv", order = "randon" }\n[[requests]]\nrequest = "GET /"'
    ),
    "requests[0].expect.status: expected a status from 200 to 599": (
        '[[requests]]\nrequest = "GET /a"\nexpect = { status = "201" }'
    ),
    "requests[0].expect.json: 'ok' is no JSON path": (
        '[[requests]]\nrequest = "GET /a"\nexpect = { json = { ok = true } }'
    ),
    "slo.ordre: no request is called 'ordre'; did you mean 'order'?": (
        'slo.ordre = "p95<1s"\n[[requests]]\nrequest = "GET /a"\nname = "order"'
    ),
    "requests[0].body: the environment variable NOBODY_SET is not set": (
        '[[requests]]\nrequest = "POST /a"\nbody = "${NOBODY_SET}"'
    ),
}


@pytest.mark.parametrize(("said", "text"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_place(load: Load, said: str, text: str) -> None:
    found = problems(load, text)
    assert len(found) == 1, found
    assert said in found[0]


def test_every_mistake_is_told_at_once(load: Load) -> None:
    found = problems(
        load,
        'feeds.users = "nowhere.csv"\nheaders = { "a b" = "" }\nidentity = "eve"\nslo.x = "p95"\n'
        '[[requests]]\nrequest = "GET /{users.email}"\njson = {}\nform = {}\n',
    )
    assert len(found) == 5
    assert {each.partition(":")[0] for each in found} == {
        "feeds.users", 'headers."a b"', "identity", "requests[0]", "slo.x[0]"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.toml", "requests = [", "s.toml:1:13"),
        ("s.json", "[]", "s.json is no JSON object"),
        ("s.json", '{"requests": [', "s.json:1:15"),
        ("s.jsonl", '{"request": "GET /"}\nGET /', "s.jsonl:2"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_with_the_place(
    load: Load, name: str, text: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(text, name)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no scenario file nowhere\.toml"):
        load_scenario(Path("nowhere.toml"), settings, start=tmp_path)
