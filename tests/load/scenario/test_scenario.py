"""Rendered requests and their mix."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.client.exchange import Request, json_request
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.load.scenario.scenario import Call, Plan, Scenario, rendered, scenario_from_requests

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


@given(
    weights=st.lists(st.floats(0.1, 50), min_size=1, max_size=6),
    of=st.integers(1, 9),
    within=st.integers(1, 3),
)
def test_the_parts_of_a_mix_send_what_the_whole_sends_request_by_request(
    weights: list[float], of: int, within: int
) -> None:
    calls = tuple(
        Call(operation=f"GET /{index}", variants=(b"a", b"b"), weight=weight)
        for index, weight in enumerate(weights)
    )
    whole = Scenario(calls=calls, seed=7)
    order = whole.order()
    for number in range(1, of + 1):
        for inner in range(1, within + 1):
            part = whole.part(number, of).part(inner, within).order()
            for index in range(50):
                # As the share of a share of a profile: first every `of`-th, of these every inner.
                place = number - 1 + of * (inner - 1 + within * index)
                assert part[index % len(part)] == order[place % len(order)]


def test_parts_begin_with_different_variants() -> None:
    whole = Scenario(calls=(Call(operation="GET /", variants=(b"a", b"b", b"c")),))
    firsts = [whole.part(number, 4).calls[0].variants for number in range(1, 5)]
    abc = (b"a", b"b", b"c")
    assert firsts == [abc, (b"b", b"c", b"a"), (b"c", b"a", b"b"), abc]
    assert whole.part(2, 2).part(2, 2).calls[0].variants[0] == b"a"  # 1 + 2 places on
    assert whole.part(1, 1) == whole
