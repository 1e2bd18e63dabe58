"""What only administrators may do."""

from uuid import uuid4

from .running import RunningDemo


def test_an_administrator_reads_an_account(demo: RunningDemo) -> None:
    account = demo.newcomer()

    assert demo.request("GET", f"/admin/users/{account['id']}", as_="root").json() == account


def test_the_role_is_checked_before_anything_else(demo: RunningDemo) -> None:
    for method in ("GET", "DELETE"):
        for user_id in ("some-id", str(uuid4()), demo.newcomer()["id"]):
            path = f"/admin/users/{user_id}"
            assert demo.request(method, path).status_code == 401
            assert demo.request(method, path, as_="alice").status_code == 403


def test_other_spellings_of_the_path_lead_nowhere(demo: RunningDemo) -> None:
    user_id = demo.newcomer()["id"]

    for path in ("//admin/users/", "/admin//users/", "/Admin/users/", "/x/../admin/users/"):
        refused = demo.client.get(
            demo.words["url"] + path + user_id,
            headers={"Authorization": f"Bearer {demo.token('alice')}"},
        )
        assert refused.status_code in {403, 404}


def test_a_deleted_users_token_and_orders_are_gone(demo: RunningDemo) -> None:
    account = demo.newcomer()
    order = demo.request("POST", "/orders", as_=account["email"], json={"items": ["SKU-003"]})
    path = f"/admin/users/{account['id']}"

    assert demo.request("DELETE", path, as_="root").status_code == 204

    assert demo.request("GET", "/users/me", as_=account["email"]).status_code == 401
    assert demo.request("GET", f"/orders/{order.json()['id']}", as_="root").status_code == 404
    assert demo.request("GET", path, as_="root").status_code == 404
    assert demo.request("DELETE", path, as_="root").status_code == 404


def test_an_administrator_cannot_be_deleted(demo: RunningDemo) -> None:
    root = demo.request("GET", "/users/me", as_="root").json()

    assert demo.request("DELETE", f"/admin/users/{root['id']}", as_="root").status_code == 409
    assert demo.request("GET", "/users/me", as_="root").json() == root


def test_an_id_that_is_none_is_refused(demo: RunningDemo) -> None:
    for user_id in ("some-id", "%00", "'"):
        assert demo.request("GET", f"/admin/users/{user_id}", as_="root").status_code == 422
