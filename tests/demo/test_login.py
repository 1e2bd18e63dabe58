"""Tokens: how they are had, what they are refused for, and how often one may guess."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import jwt
import pytest

from withstand.demo.seed import ALICE, LOADTEST

from .running import PASSWORD, RunningDemo

LOGINS = ["/auth/token", "/auth/login"]
RIGHT = {"email": LOADTEST.email, "password": LOADTEST.password}


def wrong(email: str) -> dict[str, str]:
    return {"email": email, "password": "WrongPassword1!"}


@pytest.mark.parametrize("path", LOGINS)
def test_the_right_password_gives_a_token_that_works(demo: RunningDemo, path: str) -> None:
    answer = demo.request("POST", path, json=RIGHT).json()

    me = demo.client.get("/users/me", headers={"Authorization": f"Bearer {answer['access_token']}"})

    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 3600)
    assert me.json()["email"] == LOADTEST.email


@pytest.mark.parametrize("path", LOGINS)
def test_a_wrong_password_and_an_unknown_user_are_refused_alike(
    demo: RunningDemo, path: str
) -> None:
    known = demo.request("POST", path, json=wrong(demo.newcomer()["email"]))
    unknown = demo.request("POST", path, json=wrong(f"{uuid4().hex}@example.com"))

    assert known.status_code == unknown.status_code == 401
    assert known.content == unknown.content
    assert known.headers["www-authenticate"] == unknown.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", LOGINS)
def test_the_eleventh_guess_is_refused_for_known_and_unknown_users_alike(
    demo: RunningDemo, path: str
) -> None:
    for email in (demo.newcomer()["email"], f"{uuid4().hex}@example.com"):
        guesses = [demo.request("POST", path, json=wrong(email)) for _ in range(11)]

        assert [guess.status_code for guess in guesses] == [401] * 10 + [429]
        assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60


def test_guesses_on_both_login_operations_and_in_any_spelling_count_together(
    demo: RunningDemo,
) -> None:
    email = demo.newcomer()["email"]

    for spelling in (email, email.upper()):
        for _ in range(5):
            demo.request("POST", "/auth/login", json=wrong(spelling))

    right = {"email": email, "password": PASSWORD}
    assert demo.request("POST", "/auth/token", json=right).status_code == 429


def test_guesses_sent_at_the_same_instant_are_limited_as_well(demo: RunningDemo) -> None:
    email = demo.newcomer()["email"]

    def guess(_: int) -> int:
        return demo.client.post("/auth/login", json=wrong(email)).status_code

    with ThreadPoolExecutor(24) as threads:
        statuses = sorted(threads.map(guess, range(24)))

    assert statuses == [401] * 10 + [429] * 14


def test_successful_logins_are_not_limited(demo: RunningDemo) -> None:
    statuses = {demo.request("POST", "/auth/token", json=RIGHT).status_code for _ in range(15)}

    assert statuses == {200}


@pytest.mark.parametrize("expires_in", [0, 3601, -1, 10**30, "60", 1.5, None, True])
def test_an_odd_lifetime_is_refused(demo: RunningDemo, expires_in: object) -> None:
    refused = demo.request("POST", "/auth/token", json=RIGHT | {"expires_in": expires_in})

    assert refused.status_code == 422


def test_a_short_lived_token_works_and_stops_working_when_it_expires(demo: RunningDemo) -> None:
    token = demo.request("POST", "/auth/token", json=RIGHT | {"expires_in": 1}).json()
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    expiry_s = jwt.decode(token["access_token"], options={"verify_signature": False})["exp"]

    statuses = [demo.client.get("/users/me", headers=headers).status_code]
    while statuses[-1] == 200 and time.time() < expiry_s + 20:
        statuses.append(demo.client.get("/users/me", headers=headers).status_code)

    assert statuses[0] == 200
    assert statuses[-1] == 401
    assert time.time() >= expiry_s


def claims_of(demo: RunningDemo) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(demo.token("alice"), options={"verify_signature": False})
    return claims


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ws-random",
        "Bearer eyJhbGciOiJIUzI1NiJ9.TAMPERED.signature",
        "Bearer " + "x" * 5000,
        "Bearer a.b.c.d",
        "Basic YWxpY2U6YWxpY2U=",
        "Negotiate x",
    ],
)
def test_what_is_not_a_token_is_refused(demo: RunningDemo, authorization: str) -> None:
    refused = demo.request("GET", "/users", headers={"Authorization": authorization})

    assert refused.status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"iss": "https://elsewhere.example.com"},
        {"aud": "another-api"},
        {"sub": "00000000-0000-4000-8000-000000000000"},
        {"role": "admin"},
    ],
)
def test_claims_signed_with_another_key_are_refused(
    demo: RunningDemo, change: dict[str, Any]
) -> None:
    forged = jwt.encode(claims_of(demo) | change, "k" * 32, algorithm="HS256")

    assert (
        demo.client.get("/users", headers={"Authorization": f"Bearer {forged}"}).status_code == 401
    )


def test_an_unsigned_token_is_refused(demo: RunningDemo) -> None:
    header, payload, _ = demo.token("alice").split(".")
    unsigned = jwt.encode(claims_of(demo), "", algorithm="none")

    for token in (unsigned, f"{header}.{payload}.", f"{header}.{payload}"):
        refused = demo.client.get("/users", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401


def test_a_token_in_the_address_is_not_looked_at(demo: RunningDemo) -> None:
    token = demo.token("alice")

    for name in ("token", "access_token"):
        assert demo.request("GET", f"/users?{name}={token}").status_code == 401


def test_the_role_in_a_token_is_the_users_own(demo: RunningDemo) -> None:
    claims = claims_of(demo)

    assert claims["role"] == ALICE.role
    assert claims["exp"] - claims["iat"] in {3600, 3601}
