"""Identities, credentials, and the recipe between them."""

import base64
import json
import math

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import Credential, Identity, LoginRecipe, json_path, jwt_claims

BEARER = Credential(headers=(("Authorization", "Bearer abc"),), token="abc")
REQUEST = Request(method="GET", path="/", headers=(("authorization", "Basic x"), ("A", "1")))


def jwt(claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part(claims)}.signature"


def test_a_credential_takes_the_place_of_any_other_and_can_be_stripped() -> None:
    applied = BEARER.apply(REQUEST)
    assert applied.headers == (("A", "1"), ("Authorization", "Bearer abc"))
    assert BEARER.strip(applied).headers == (("A", "1"),)


def test_another_token_goes_where_the_first_one_was() -> None:
    assert BEARER.with_token("xyz").headers == (("Authorization", "Bearer xyz"),)
    cookie = Credential(headers=(("Cookie", "session=1"),))
    assert cookie.with_token("xyz") is cookie


@pytest.mark.parametrize(
    ("claims", "expires_at_s"),
    [
        ({"exp": 1_700_000_000}, 1_700_000_000.0),
        ({"exp": 1.5}, 1.5),
        ({"exp": "soon"}, None),
        ({"exp": True}, None),
        ({"exp": 10**400}, math.inf),
        ({}, None),
        ([], None),
    ],
)
def test_the_expiry_of_a_jwt_is_read_without_trust(
    claims: object, expires_at_s: float | None
) -> None:
    token = jwt(claims)
    assert Credential(headers=(), token=token).expires_at_s == expires_at_s


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "a.!.c", "a.ä.c", "a.e30x.c", "opaque"])
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    assert jwt_claims(token) is None
    assert Credential(headers=(), token=token).expires_at_s is None


def test_an_identity_authorizes_requests_once_it_has_logged_in() -> None:
    alice = Identity(name="alice", role="user")
    assert alice.authorize(REQUEST) is REQUEST
    assert alice.logged_in(BEARER).authorize(REQUEST).header("authorization") == "Bearer abc"


def test_secrets_are_passwords_and_credentials_under_names_that_a_shell_knows() -> None:
    fields = {"email": "a@example.com", "password": "pw", "api-key": "k", "otp": ""}
    élan = Identity(name="élan-2", role="user", fields=fields)
    assert élan.secrets == {
        "pw": "$WITHSTAND_PASSWORD__LAN_2",
        "k": "$WITHSTAND_API_KEY__LAN_2",
    }
    assert élan.logged_in(BEARER).secrets["abc"] == "$WITHSTAND_TOKEN__LAN_2"
    cookie = Credential(headers=(("Cookie", "session=1"),))
    assert élan.logged_in(cookie).secrets["session=1"] == "$WITHSTAND_COOKIE__LAN_2"


RECIPE = LoginRecipe(
    method="POST",
    path="/login",
    payload={"user": "{email}", "nested": {"secrets": ["{password}", 1]}, "remember": True},
)
ALICE = Identity(name="alice", role="user", fields={"email": "{password}", "password": 'p"{email}'})


def test_the_recipe_fills_every_placeholder_once_and_at_any_depth() -> None:
    request = RECIPE.request(ALICE)
    assert (request.method, request.path) == ("POST", "/login")
    assert json.loads(request.body) == {
        "user": "{password}",
        "nested": {"secrets": ['p"{email}', 1]},
        "remember": True,
    }
    assert RECIPE.operation_key == "POST /login"


def test_the_recipe_names_the_field_that_an_identity_lacks() -> None:
    with pytest.raises(KeyError, match="email"):
        RECIPE.request(Identity(name="bob", role="user"))


def test_a_form_is_encoded_as_one() -> None:
    recipe = LoginRecipe(
        method="POST", path="/t", payload={"username": "{email}", "n": 1}, encoding="form"
    )
    request = recipe.request(Identity(name="a", role="user", fields={"email": "a+b@c d"}))
    assert request.body == b"username=a%2Bb%40c+d&n=1"
    assert request.header("content-type") == "application/x-www-form-urlencoded"


def test_a_short_lived_token_is_asked_for_by_merging_into_the_payload() -> None:
    recipe = LoginRecipe(method="POST", path="/t", payload={"ttl": 60}, short_lived={"ttl": 0})
    alice = Identity(name="a", role="user")
    assert json.loads(recipe.request(alice, short_lived=True).body) == {"ttl": 0}
    assert json.loads(recipe.request(alice).body) == {"ttl": 60}


def test_the_credential_is_where_the_recipe_says_or_nowhere() -> None:
    recipe = LoginRecipe(
        method="POST",
        path="/t",
        payload={},
        token_path="$.data.tokens[-1].value",
        send_as="X-Token: v1 {token}",
    )
    answer = Response(status=200, body=b'{"data": {"tokens": [{"value": "abc"}]}}')
    assert recipe.credential(answer) == Credential(headers=(("X-Token", "v1 abc"),), token="abc")
    for body in (b"", b"[]", b'{"data": 1}', b'{"data": {"tokens": []}}'):
        assert recipe.credential(Response(status=200, body=body)) is None
    assert recipe.credential(Response(status=200, body=answer.body.replace(b"abc", b""))) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", {"a": [10, {"b": None}], "2": "x"}),
        ("$.a[0]", 10),
        ("$.a[-2]", 10),
        ("$.a[1].b", None),
        ("$.a[2]", None),
        ("$.a.first", None),
        ("$.a[²]", None),
        ("$.2", "x"),
        ("a[0]", 10),
        ("$.a[0].c", None),
    ],
)
def test_a_json_path_leads_to_a_value_or_to_none(path: str, value: object) -> None:
    assert json_path({"a": [10, {"b": None}], "2": "x"}, path) == value


@pytest.mark.parametrize(
    ("said", "lifetime_s"),
    [(30, 30), (0.5, 0.5), ("30", None), (0, None), (True, None), (10**400, None)],
)
def test_a_login_may_say_how_long_its_token_is_good(said: object, lifetime_s: object) -> None:
    body = json.dumps({"access_token": "opaque", "expires_in": said}).encode()
    response = Response(status=200, headers=(("Content-Type", "application/json"),), body=body)
    credential = RECIPE.credential(response)
    assert credential is not None
    assert credential.lifetime_s == lifetime_s
    assert credential == RECIPE.credential_of("opaque")  # which sends the same
