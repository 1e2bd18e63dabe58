"""No request of a scan does anything to a configured user, whoever made it."""

from dataclasses import replace

import pytest

from withstand.client.exchange import Request, json_request
from withstand.client.identity import Credential, Identity
from withstand.scan.wire.real_users import RealUsers

ALICE = Identity(
    name="alice",
    role="user",
    fields={"email": "alice@example.com", "password": "7"},
    credential=Credential(
        token="e30.eyJzdWIiOiI0N2MyLWEwMTEtYjRlZi1hbGljZSJ9.x"  # {"sub": "47c2-a011-b4ef-alice"}
    ),
)


@pytest.fixture(scope="module")
def users() -> RealUsers:
    known = RealUsers(frozenset({"/v1/enter"}))
    known.know(ALICE, {"$.id": 7, "$.user_name": "al", "$.role": "user", "$.tenant_id": 3})
    return known


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="DELETE", path="/users/7"),
        Request(method="PUT", path="/profiles/al"),
        Request(method="POST", path="/admin/users/7/ban"),
        Request(method="DELETE", path="/v2/people/47c2-a011-b4ef-alice"),
        Request(method="DELETE", path="/subscriptions?user_id=7"),
        Request(method="GET", path="/unsubscribe?email=alice%40example.com"),
        Request(method="GET", path="/users/7/delete"),
        json_request("POST", "/admin/setRole", {"userId": 7, "role": "admin"}),
        json_request("POST", "/rpc/updateUser", {"id": 7}),
        json_request("POST", "/rpc/merge", {"data": {"user_ids": [41, 7]}}),
        json_request("POST", "/api", {"action": "banUser", "user": "al"}),
        json_request("POST", "/forgot", {"email": "Alice@example.com"}),
        json_request("POST", "/users/register", {"email": "alice@example.com"}),
        Request(
            method="POST",
            path="/ban",
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=b"member_id=7",
        ),
    ],
    ids=lambda each: f"{each.method} {each.path} {each.body.decode()}",
)
def test_what_changes_somebody_who_is_configured_is_noticed(
    users: RealUsers, request_: Request
) -> None:
    assert users.harmed_by(request_, "root") == "alice"
    assert users.harmed_by(request_, None) == "alice"


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET", path="/users/7"),
        Request(method="GET", path="/pay-slips?user_id=7"),
        Request(method="DELETE", path="/users/8"),
        Request(method="DELETE", path="/orders/7"),
        Request(method="PUT", path="/users/7/orders/9"),
        json_request("POST", "/rpc/getUser", {"userId": 7}),
        json_request("POST", "/api", {"action": "viewUser", "user_id": 7}),
        json_request("POST", "/v1/enter", {"email": "alice@example.com"}),
        json_request("POST", "/auth/login", {"username": "al"}),
        json_request("POST", "/orders", {"quantity": 7, "user_id": 8, "tenant_id": 3}),
        json_request("POST", "/orders", {"admin": 7, "is_user": "7", "role": "al"}),
        Request(method="POST", path="/api/al/reports"),
    ],
    ids=lambda each: f"{each.method} {each.path} {each.body.decode()}",
)
def test_what_reads_or_logs_in_or_is_about_something_else_may_be_sent(
    users: RealUsers, request_: Request
) -> None:
    assert users.harmed_by(request_, "root") is None


def test_who_creates_something_may_say_that_it_is_theirs(users: RealUsers) -> None:
    for made in (
        json_request("POST", "/orders", {"user_id": 7}),
        json_request("POST", "/users/7/orders", {}),
        json_request("POST", "/rpc/createOrder", {"customerId": 7}),
    ):
        assert users.harmed_by(made, "alice") is None
        assert users.harmed_by(made, None) is None  # a check of who is let in to make it
        assert users.harmed_by(made, "bob") == "alice"


def test_a_body_that_is_no_json_after_all_names_nobody(users: RealUsers) -> None:
    assert users.harmed_by(Request(method="POST", path="/x", body=b'{"user_id": 7'), "bob") is None


def test_somebody_is_named_by_what_their_role_is_called_but_not_in_what_creates() -> None:
    known = RealUsers()
    known.know(replace(ALICE, role="player"), {"$.id": 7})
    assert known.harmed_by(json_request("POST", "/kick", {"playerId": 7}), "root") == "alice"
    assert known.harmed_by(json_request("POST", "/matches", {"playerId": 7}), "root") is None
    assert known.harmed_by(json_request("POST", "/kick", {"teamId": 7}), "root") is None
