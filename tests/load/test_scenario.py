"""Rendered requests and their mix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.client.exchange import Request, json_request
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.load.scenario import Call, Plan, Scenario, rendered, scenario_from_requests

TARGET = Target(scheme="http", host="127.0.0.1", port=8000, base_path="/api")


def test_a_request_gets_host_user_agent_and_length_and_nothing_else_changes() -> None:
    data = rendered(json_request("POST", "/users?a=%2e./b", {"n": 1}, {"X-A": "ü"}), TARGET)
    assert data == (
        b"POST /users?a=%2e./b HTTP/1.1\r\n"
        b"Host: 127.0.0.1:8000\r\n"
        b"User-Agent: withstand\r\n"
        b"Content-Type: application/json\r\n"
        b"X-A: \xc3\xbc\r\n"
        b"Content-Length: 8\r\n"
        b"\r\n"
        b'{"n": 1}'
    )


def test_headers_that_are_given_are_not_added_again() -> None:
    headers = (("host", "a"), ("USER-AGENT", "b"), ("content-length", "0"))
    data = rendered(Request(method="POST", path="/", headers=headers), TARGET)
    assert data.lower().count(b"host:") == data.lower().count(b"content-length:") == 1
    assert b"withstand" not in data


def test_a_get_without_body_has_no_length_and_a_post_without_body_has_0() -> None:
    assert b"Length" not in rendered(Request(method="GET", path="/"), TARGET)
    assert b"Content-Length: 0\r\n" in rendered(Request(method="POST", path="/"), TARGET)


@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=12))
def test_every_call_has_its_weight_in_the_order_of_sending(weights: list[float]) -> None:
    calls = tuple(
        Call(operation=str(index), variants=(b"x",), weight=weight)
        for index, weight in enumerate(weights)
    )
    order = Scenario(calls=calls).order()
    for index, weight in enumerate(weights):
        wanted = weight / sum(weights)
        assert order.count(index) >= 1
        assert order.count(index) / len(order) == pytest.approx(wanted, abs=len(weights) / 4096)


def test_the_order_is_mixed_and_the_same_each_time() -> None:
    calls = tuple(Call(operation=name, variants=(b"x",)) for name in "ab")
    order = Scenario(calls=calls).order()
    assert order == Scenario(calls=calls).order() != Scenario(calls=calls, seed=2).order()
    assert list(order) != sorted(order)


def test_plans_become_calls_with_a_variant_for_each_request() -> None:
    requests = tuple(Request(method="HEAD", path=f"/{n}") for n in range(3))
    plan = Plan(operation="HEAD /{n}", requests=requests, weight=2, expected=frozenset({404}))
    (call,) = scenario_from_requests([plan], TARGET).calls
    paths = [data.split(b" ")[1] for data in call.variants if isinstance(data, bytes)]
    assert paths == [b"/0", b"/1", b"/2"]
    assert (call.head, call.weight, call.expected) == (True, 2, frozenset({404}))


def test_nothing_to_send_and_weightless_calls_are_refused() -> None:
    with pytest.raises(UsageError, match="no request to send"):
        Scenario(calls=())
    with pytest.raises(UsageError, match="no rendered request"):
        Call(operation="GET /", variants=())
    with pytest.raises(UsageError, match="weight 0"):
        Call(operation="GET /", variants=(b"x",), weight=0)
    mixed = (Request(method="HEAD", path="/"), Request(method="GET", path="/"))
    with pytest.raises(UsageError, match="mixes HEAD"):
        scenario_from_requests([Plan(operation="x", requests=mixed)], TARGET)
