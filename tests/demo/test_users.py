"""Signing up, the list of users, and the caller's own account."""

from uuid import uuid4

import pytest

from .running import PASSWORD, RunningDemo

SIGN_UP = {"email": "ann@example.com", "password": PASSWORD, "display_name": "Ann"}


def test_a_newcomer_gets_an_account_with_the_role_user(demo: RunningDemo) -> None:
    account = demo.newcomer()

    me = demo.request("GET", "/users/me", as_=account["email"])

    assert me.json() == account
    assert account["role"] == "user"


def test_signing_up_with_a_taken_email_changes_nothing_and_tells_nothing(demo: RunningDemo) -> None:
    first = demo.newcomer()
    body = {"email": first["email"].upper(), "password": "another-password", "display_name": "X"}

    second = demo.request("POST", "/users", json=body)

    assert second.status_code == 201
    assert second.json().keys() == first.keys()
    assert demo.request("GET", "/users/me", as_=first["email"]).json() == first
    login = {"email": first["email"], "password": "another-password"}
    assert demo.request("POST", "/auth/login", json=login).status_code == 401


@pytest.mark.parametrize(
    "email",
    [
        "' OR '1'='1@test.com",
        "'; DROP TABLE users; --@test.com",
        "<script>alert('xss')</script>@test.com",
        '"><img src=x onerror=alert(1)>@test.com',
        "../../../etc/passwd@test.com",
        "user\x00admin@test.com",
        "o'brien@test.com",
        "two..dots@test.com",
        "new\nline@test.com",
        "trailing@test.com\n",
        "nobody",
        "nobody@nowhere",
        "a@" + "b" * 250 + ".com",
    ],
)
def test_an_odd_email_is_refused(demo: RunningDemo, email: str) -> None:
    refused = demo.request("POST", "/users", json=SIGN_UP | {"email": email})

    assert refused.status_code == 422
    assert [error["where"] for error in refused.json()["errors"]] == ["body.email"]


@pytest.mark.parametrize("field", ["role", "is_admin", "id", "password_hash", "created_at"])
def test_a_newcomer_cannot_choose_more_than_the_documented_properties(
    demo: RunningDemo, field: str
) -> None:
    refused = demo.request("POST", "/users", json=SIGN_UP | {field: "admin"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["where"] == f"body.{field}"


@pytest.mark.parametrize("password", ["password", "12345678", "password123", "aaaaaaaaaaaa"])
def test_a_password_that_anybody_would_guess_is_refused_and_not_repeated(
    demo: RunningDemo, password: str
) -> None:
    refused = demo.request("POST", "/users", json=SIGN_UP | {"password": password})

    assert refused.status_code == 422
    assert f'"{password}"' not in refused.text


def test_a_page_of_users_shows_public_profiles_newest_first(demo: RunningDemo) -> None:
    newest = demo.newcomer()

    page = demo.request("GET", "/users", as_="alice", params={"limit": 100}).json()

    assert len(page["items"]) == 100
    assert newest["id"] in [user["id"] for user in page["items"][:20]]
    assert {key for user in page["items"] for key in user} == {"id", "display_name"}


def test_pages_follow_each_other(demo: RunningDemo) -> None:
    # From beyond the newcomers that other tests may add between the two requests.
    both = demo.request("GET", "/users?limit=6&offset=60", as_="alice").json()["items"]
    second = demo.request("GET", "/users?limit=3&offset=63", as_="alice").json()["items"]

    assert second == both[3:]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "offset=-1", "offset=99999999999999999999"]
)
def test_a_page_out_of_bounds_is_refused(demo: RunningDemo, query: str) -> None:
    assert demo.request("GET", f"/users?{query}", as_="alice").status_code == 422


def test_users_can_rename_themselves_and_change_nothing_else(demo: RunningDemo) -> None:
    account = demo.newcomer()
    name = uuid4().hex

    renamed = demo.request("PATCH", "/users/me", as_=account["email"], json={"display_name": name})
    refused = demo.request(
        "PATCH", "/users/me", as_=account["email"], json={"display_name": "x", "role": "admin"}
    )

    assert renamed.json() == account | {"display_name": name}
    assert refused.status_code == 422
    assert demo.request("GET", "/users/me", as_=account["email"]).json() == renamed.json()
