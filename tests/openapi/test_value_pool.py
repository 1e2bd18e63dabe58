"""What an API gave out is found again by the names under which it is asked for."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.client.exchange import Request, Response, json_request
from withstand.openapi.operation import Operation
from withstand.openapi.value_pool import ValuePool


def harvested(
    method: str,
    template: str,
    answer: Any,
    *,
    path: str | None = None,
    sent: Any = None,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (),
    pool: ValuePool | None = None,
) -> ValuePool:
    pool = pool or ValuePool()
    request = Request(method=method, path=path or template)
    if sent is not None:
        request = json_request(method, path or template, sent)
    body = b"" if answer is None else json.dumps(answer).encode()
    response = Response(status=status, body=body, headers=headers)
    pool.harvest(Operation(method=method, path=template), request, response)
    return pool


@pytest.mark.parametrize("answer", [{"id": 7}, {"data": {"id": 7}}, {"order": {"id": 7}}])
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("id", "/orders/{id}"),
        ("order_id", "/orders/{order_id}"),
        ("orderId", "/orders/{orderId}/cancel"),
        ("order", "/orders/{order}"),
        ("uid", "/orders/{uid}"),
        ("uuid", "/api/orders/{uuid}"),
        ("order_id", "/refunds"),
        ("orderId", "/refunds/{id}"),
    ],
)
def test_the_id_of_a_creation_is_found_for_every_way_to_ask(
    answer: Any, name: str, path: str
) -> None:
    assert harvested("POST", "/orders", answer).find(name, path=path) == 7


def test_the_id_stands_in_for_a_path_parameter_whose_name_does_not_say_that_it_is_one() -> None:
    pool = harvested("GET", "/books", {"items": [{"id": 7, "code": "C"}]})
    assert pool.find("bid", path="/books/{bid}") is None
    assert pool.find("bid", path="/books/{bid}", any_id=True) == 7
    assert pool.find("code", path="/books/{code}", any_id=True) == "C"
    assert pool.find("bid", path="/users/{bid}", any_id=True) is None


def test_an_id_of_another_thing_is_not_taken() -> None:
    pool = harvested("POST", "/orders", {"id": 7})
    assert pool.find("id", path="/users/{id}") is None
    assert pool.find("id", path="/users") is None
    assert pool.find("user_id", path="/refunds") is None


def test_nested_things_and_named_references_are_kept_as_what_they_are() -> None:
    answer = {"id": 1, "customer": {"id": 2}, "lines": [{"product_id": 3, "sku": "S-4"}]}
    pool = harvested("GET", "/orders/{id}", answer, path="/orders/1")
    assert pool.find("id", path="/customers/{id}") == 2
    assert pool.find("productId", path="/reviews") == 3
    assert pool.find("id", path="/products/{id}") == 3
    assert pool.find("sku", path="/carts") == "S-4"


def test_the_latest_comes_first_and_what_lists_show_last() -> None:
    pool = harvested("POST", "/orders", {"id": 1})
    harvested("POST", "/orders", {"id": 2}, pool=pool)
    harvested("GET", "/orders", [{"id": 8}, {"id": 9}], pool=pool)
    assert pool.find("id", path="/orders/{id}") == 2
    assert harvested("GET", "/orders", {"items": [{"id": 8}, {"id": 9}]}).find(
        "id", path="/orders/{id}"
    ) == 8  # fmt: skip


def test_what_was_deleted_is_forgotten() -> None:
    pool = harvested("POST", "/orders", {"id": 1})
    harvested("POST", "/orders", {"id": 2}, pool=pool)
    harvested("DELETE", "/orders/{orderId}", None, path="/v1/orders/2", status=204, pool=pool)
    assert pool.find("orderId", path="/orders/{orderId}") == 1


def test_what_something_deleted_was_inside_is_not_forgotten() -> None:
    pool = harvested("POST", "/boards", {"id": 1})
    item = "/boards/{boardId}/cards/{cardId}"
    harvested("POST", "/boards/{boardId}/cards", {"id": 5}, path="/boards/1/cards", pool=pool)
    harvested("DELETE", item, None, path="/boards/1/cards/5", status=204, pool=pool)
    assert pool.find("boardId", path=item) == "1"
    assert pool.find("cardId", path=item) is None


@pytest.mark.parametrize("name", ["toAccountId", "from_account_id", "parentAccountId"])
def test_a_word_for_the_part_that_a_thing_plays_does_not_hide_which_thing_it_is(name: str) -> None:
    assert harvested("GET", "/accounts/me", {"account": {"id": 7}}).find(name, path="/gifts") == 7


def test_a_client_chosen_name_is_kept_when_the_answer_is_silent() -> None:
    pool = harvested("POST", "/user", {"code": 200}, sent={"username": "ann"})
    assert pool.find("username", path="/user/{username}") == "ann"


def test_a_location_gives_the_id_that_the_body_does_not() -> None:
    location = (("Location", "http://127.0.0.1/v1/orders/a-7?x"),)
    pool = harvested("POST", "/orders", None, status=201, headers=location)
    assert pool.find("id", path="/orders/{id}") == "a-7"


@pytest.mark.parametrize("address", ["/", "?done=1"])
def test_a_location_that_leads_to_no_thing_teaches_no_id(address: str) -> None:
    pool = harvested("POST", "/orders", None, status=201, headers=(("Location", address),))
    assert pool.find("id", path="/orders/{id}") is None


def test_a_failed_request_teaches_nothing() -> None:
    assert (
        harvested("POST", "/orders", {"id": 7}, status=409).find("id", path="/orders/{id}") is None
    )


def test_who_am_i_tells_the_users_own_id() -> None:
    pool = harvested("GET", "/users", [{"id": 1}])
    harvested("GET", "/users/me", {"id": 5}, pool=pool)
    assert pool.find("id", path="/users/{id}") == 5


def test_a_value_has_the_type_that_is_asked_for_or_is_left_out() -> None:
    pool = ValuePool()
    pool.add("orders", "id", "abc")
    pool.add("orders", "id", "12")
    pool.add("orders", "code", 5)
    assert pool.find("id", path="/orders/{id}", schema={"type": "integer"}) == 12
    assert pool.find("code", path="/orders/{code}", schema={"type": "string"}) == "5"
    pool = ValuePool()
    pool.add("orders", "id", "abc")
    assert pool.find("id", path="/orders/{id}", schema={"type": "integer"}) is None


def test_a_things_own_values_can_be_left_out() -> None:
    pool = harvested("POST", "/products", {"sku": "S-1"})
    assert pool.find("sku", path="/products", own=False) is None
    assert pool.find("sku", path="/carts", own=False) == "S-1"


def test_it_stays_small() -> None:
    pool = ValuePool()
    for number in range(40):
        answer = {f"{chr(97 + at % 26)}{chr(97 + at // 26)}": number for at in range(200)}
        harvested("GET", f"/things{number}", [answer] * 50, pool=pool)
    assert len(pool._values) <= 4000
    assert max(len(values) for values in pool._values.values()) <= 32


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda part: st.lists(part) | st.dictionaries(st.text(max_size=6), part),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, st.text(max_size=12), st.sampled_from(["GET", "POST", "DELETE"]))
def test_no_answer_is_too_odd(answer: Any, path: str, method: str) -> None:
    pool = harvested(method, "/" + path, answer, sent=answer, status=201)
    pool.find("id", path="/" + path)


@pytest.mark.parametrize(
    "answer",
    [
        {"orderNumber": "A-7", "total": 3},
        {"data": [{"sku": "A-7"}], "total": 1},
        {"result": {"slug": "A-7"}},
        {"_links": {"self": {"href": "/api/orders/A-7?v=1"}}, "total": 3},
        {"data": {"type": "order", "id": "A-7", "attributes": {"total": 3}}},
        {"links": {"self": "http://127.0.0.1/orders/A-7"}, "total": 3},
        {"hydra:member": [{"@id": "/orders/A-7", "total": 3}]},
        {"orders": {"edges": [{"node": {"order_id": "A-7"}}]}},
    ],
)
def test_what_picks_a_thing_is_found_under_odd_names_and_in_links(answer: Any) -> None:
    pool = harvested("GET", "/orders", answer)
    assert pool.find("id", path="/orders/{id}") == "A-7"


def test_an_id_in_the_location_of_a_creation_is_kept_beside_a_body_without_one() -> None:
    pool = harvested("GET", "/orders", [{"id": 3}])
    harvested("POST", "/orders", {"status": "created"}, status=201,
              headers=(("Location", "/orders/8"),), pool=pool)  # fmt: skip
    assert pool.find("id", path="/orders/{id}") == "8"


def test_a_number_is_no_key_where_the_things_have_ids() -> None:
    pool = harvested("GET", "/orders", [{"number": "A-7", "id": 3}])
    assert pool.find("id", path="/orders/{id}") == 3


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": 200, "message": "OK", "data": []},
        {"code": 200, "msg": "success", "data": []},
        {"resultCode": 0, "bookings": []},
    ],
)
def test_a_code_that_says_how_it_went_picks_nothing(answer: Any) -> None:
    pool = harvested("GET", "/bookings", answer)
    assert pool.find("id", path="/bookings/{id}") is None
    assert pool.find("code", path="/bookings/{code}") is None


def test_what_points_to_the_parent_does_not_pick_the_child() -> None:
    pool = harvested(
        "POST",
        "/appointments/{id}/notes",
        {"data": {"appointment_id": 7, "number": 1, "text": "aspirin"}},
        path="/appointments/7/notes",
        status=201,
    )
    path = "/appointments/{id}/notes/{n}"
    assert pool.find("n", path=path, schema={"type": "integer"}, any_id=True) == 1
    assert pool.find("id", path=path, schema={"type": "integer"}) == 7


def test_what_a_call_made_comes_before_what_lists_show_and_what_it_only_repeats_was_not_made() -> (
    None
):
    pool = harvested("POST", "/rpc/listOrders", {"orders": [{"id": 1}, {"id": 2}]})
    harvested("POST", "/rpc/createOrder", {"ok": True, "orderId": 9}, pool=pool)
    harvested("POST", "/rpc/payOrder", {"order": {"id": 1}}, sent={"orderId": 1}, pool=pool)
    assert pool.find("orderId", path="/rpc/addItem") == 9
    assert pool.made("order", 9)
    assert not pool.made("order", 1)
    harvested("POST", "/orders", {"id": 30}, sent={"id": 30}, pool=pool)
    assert pool.made("order", 30)  # named by whoever made it


def test_a_member_is_asked_for_in_the_team_where_it_was_seen() -> None:
    pool = harvested("POST", "/teams/{id}/members", {"id": 9}, path="/v1/teams/7/members")
    harvested("POST", "/projects/{id}/members", {"id": 4}, path="/v1/projects/2/members", pool=pool)
    harvested("POST", "/teams", {"id": 8}, pool=pool)
    path = "/teams/{team}/members/{memberId}/role"
    assert pool.find("memberId", path=path) == 9
    assert pool.around("memberId", 9, path) == {"team": "7"}
    assert pool.find("memberId", path=path, chosen={"team": 8}) == 4  # none is known there
    assert pool.around("memberId", 9, path, {"team": 8}) == {}
    assert pool.find("memberId", path="/clubs/{id}/members/{memberId}") == 4


@pytest.mark.parametrize("team", ["team_id", "teamId"])
def test_of_what_was_seen_in_a_team_comes_first_what_was_made_there(team: str) -> None:
    members = f"/teams/{{{team}}}/members"
    pool = harvested("POST", members, {"id": 3}, path="/teams/9/members")
    harvested("POST", members, {"id": 2}, path="/teams/8/members", pool=pool)
    harvested("GET", f"{members}/{{id}}", {"id": 2}, path="/teams/9/members/2", pool=pool)
    assert pool.find("id", path=f"{members}/{{id}}", chosen={"team_id": 9}) == 3


def test_what_a_thing_shows_of_what_is_in_it_is_known_as_in_it() -> None:
    boards = [{"id": 1, "cards": [{"id": 5}]}, {"id": 2, "data": {"cards": [{"id": 6}]}}]
    pool = harvested("GET", "/boards", boards)
    harvested("POST", "/decks/{id}/cards", {"id": 9}, path="/decks/3/cards", pool=pool)
    path = "/boards/{boardId}/cards/{id}"
    assert pool.find("id", path=path) == 5
    assert pool.find("id", path=path, chosen={"board_id": 2}) == 9  # `data` says no id
    assert pool.around("id", 5, path) == {"board_id": "1"}


def test_of_two_members_with_one_number_the_one_that_was_made_is_told_by_its_team() -> None:
    pool = harvested("POST", "/projects/{id}/members", {"id": 1}, path="/projects/2/members")
    harvested("GET", "/teams/{id}/members", [{"id": 1}], path="/teams/7/members", pool=pool)
    assert pool.made("member", 1)
    assert pool.made("member", 1, ("/projects/{}/members", "2"))
    assert not pool.made("member", 1, ("/teams/{}/members", "7"))
    pool = harvested("POST", "/members", {"id": 1})
    assert pool.made("member", 1, ("/teams/{}/members", "7"))  # wherever members are made


def test_where_members_have_no_id_of_their_own_the_users_is_asked_for_in_their_team() -> None:
    shown, made = [{"user_id": 5, "role": "x"}], {"id": 6, "user_id": 8}
    pool = harvested("GET", "/teams/{id}/members", shown, path="/teams/7/members")
    harvested("POST", "/clubs/{id}/members", made, path="/clubs/3/members", pool=pool)
    path = "/teams/{id}/members/{userId}"
    assert pool.find("userId", path=path) == 5
    assert pool.around("userId", 5, path) == {"id": "7"}
    assert pool.around("userId", 8, "/clubs/{id}/members/{userId}") == {}  # it is known by its id


def test_an_address_in_an_answer_tells_the_id_by_which_it_asks() -> None:
    answer = {"sent": {"id": 3, "link": "http://h/api/mechanic/report?report_id=17&full=1"}}
    pool = harvested("POST", "/mechanic/contact", answer)
    assert pool.find("report_id", path="/mechanic/report") == "17"
