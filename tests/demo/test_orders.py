"""Orders, and who may see and delete them."""

import json
from typing import Any

import pytest

from .running import RunningDemo

ORDER = {"items": ["SKU-001", "SKU-002", "SKU-001"], "note": "Mind the dog."}


def ordered(demo: RunningDemo, as_: str) -> dict[str, Any]:
    answer = demo.request("POST", "/orders", as_=as_, json=ORDER)
    assert answer.status_code == 201
    order: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/orders/{order['id']}"
    return order


def test_an_order_is_priced_and_read_back(demo: RunningDemo) -> None:
    prices = {
        sku: demo.request("GET", f"/products/{sku}").json()["price_cents"] for sku in ORDER["items"]
    }

    order = ordered(demo, "bob")

    assert order["total_cents"] == 2 * prices["SKU-001"] + prices["SKU-002"]
    assert order["note"] == ORDER["note"]
    assert demo.request("GET", f"/orders/{order['id']}", as_="bob").json() == order


def test_alice_and_bob_have_an_order_from_the_start(demo: RunningDemo) -> None:
    notes = [
        [order["note"] for order in demo.request("GET", "/orders", as_=who).json()["items"]]
        for who in ("alice", "bob")
    ]

    assert all(notes)
    assert not {*notes[0]} & {*notes[1]} - {ORDER["note"]}


def test_an_order_is_there_for_its_owner_and_administrators_only(demo: RunningDemo) -> None:
    order = ordered(demo, "alice")
    path = f"/orders/{order['id']}"

    assert demo.request("GET", path).status_code == 401
    assert demo.request("GET", path, as_="bob").status_code == 404
    assert demo.request("GET", path, as_="root").json() == order
    listed = demo.request("GET", "/orders?limit=100", as_="bob").json()["items"]
    assert order["id"] not in [each["id"] for each in listed]


def test_only_its_owner_deletes_an_order(demo: RunningDemo) -> None:
    path = f"/orders/{ordered(demo, 'alice')['id']}"

    assert demo.request("DELETE", path).status_code == 401
    assert demo.request("DELETE", path, as_="bob").status_code == 404
    assert demo.request("DELETE", path, as_="root").status_code == 404
    assert demo.request("DELETE", path, as_="alice").status_code == 204
    assert demo.request("DELETE", path, as_="alice").status_code == 404
    assert demo.request("GET", path, as_="alice").status_code == 404


def test_orders_are_paged_newest_first(demo: RunningDemo) -> None:
    email = demo.newcomer()["email"]
    made = [ordered(demo, email)["id"] for _ in range(5)]

    page = demo.request("GET", "/orders?limit=2&offset=1", as_=email).json()

    assert [order["id"] for order in page["items"]] == [made[3], made[2]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": []},
        {"items": ["SKU-999"]},
        {"items": ["sku-001"]},
        {"items": ["SKU-001'"]},
        {"items": "SKU-001"},
        {"items": [1]},
        {"items": ["SKU-001"] * 21},
        {"items": ["SKU-001"], "note": "x" * 201},
        {"items": ["SKU-001"], "note": "nul\x00"},
        {"items": ["SKU-001"], "note": "\ud800"},
        {"items": ["SKU-001"], "note": 7},
        {"items": ["SKU-001"], "total_cents": 1},
        {"items": ["SKU-001"], "bad\ud800name": 1},
        [],
        None,
        "SKU-001",
    ],
)
def test_an_odd_order_is_refused(demo: RunningDemo, body: object) -> None:
    # In ASCII, because a lone surrogate has no other way to travel.
    sent = json.dumps(body)

    refused = demo.request(
        "POST", "/orders", as_="bob", content=sent, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 422


def test_an_odd_name_of_a_property_is_not_repeated(demo: RunningDemo) -> None:
    refused = demo.request("POST", "/orders", as_="bob", json={"<ws-1>": 1, "items": ["SKU-001"]})

    assert refused.json()["errors"][0]["where"] == "body.(unknown)"


@pytest.mark.parametrize(
    "order_id",
    ["1", "%00", "'", "..", "00000000-0000-4000-8000-000000000000", "%2e%2e%2f", "0" * 3000],
)
def test_an_id_that_names_nothing_is_refused(demo: RunningDemo, order_id: str) -> None:
    for method in ("GET", "DELETE"):
        refused = demo.request(method, f"/orders/{order_id}", as_="bob")
        assert refused.status_code in {404, 405, 422}
