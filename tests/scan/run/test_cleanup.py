"""What a scan created is gone afterwards, or the report says what stays."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.run.clearing import BODY, FINE, api_of, cleared, post
from tests.scan.small_api import answer, scanned
from withstand.client.exchange import Request, Response
from withstand.client.scripted import Scripted
from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.scan.run.cleanup import Cleared
from withstand.scan.wire.leftovers import leftovers


@pytest.mark.parametrize(
    "made",
    [
        answer(201, {"data": {"order": {"id": 7}}}),
        answer(200, {"success": True, "order_id": 7}),
        Response(status=201, headers=(("Location", "/orders/7"),)),
        answer(201, {"_links": {"self": {"href": "/orders/7"}}}),
        answer(201, {"order": {"orderNumber": 7}}),
        answer(201, [{"uuid": 7}]),
    ],
)
def test_what_was_created_is_deleted_wherever_its_id_stands(made: Response) -> None:
    def server(request: Request) -> Response:
        return made if request.method == "POST" else Response(status=204)

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    found, deletions = cleared(paths, server, post("/orders"))
    assert deletions == ["/orders/7"]
    assert found == Cleared(deleted=1)


def test_what_is_inside_something_else_goes_first_and_in_its_place() -> None:
    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7 if request.path == "/orders" else 3})
        return Response(status=204)

    paths = api_of(
        "POST /orders", "DELETE /orders/{order_id}",
        "POST /orders/{id}/lines", "DELETE /orders/{order}/lines/{n}",
    )  # fmt: skip
    _, deletions = cleared(paths, server, post("/orders"), post("/orders/7/lines"))
    assert deletions == ["/orders/7/lines/3", "/orders/7"]


def test_what_its_maker_may_not_delete_an_administrator_is_asked_to() -> None:
    asked: list[str | None] = []

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7})
        asked.append(request.header("authorization"))
        return Response(status=204 if asked[-1] == "Bearer root-token" else 403)

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    found, _ = cleared(paths, server, post("/orders"))
    assert found.deleted == 1
    assert asked == ["Bearer alice-token", "Bearer root-token"]


def test_who_was_let_delete_what_its_maker_was_not_is_asked_first_from_then_on() -> None:
    asked: list[str | None] = []

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": len(asked) + int(request.body)})
        asked.append(request.header("authorization"))
        return Response(status=204 if asked[-1] == "Bearer root-token" else 403)

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    made = [replace(post("/orders"), body=str(number).encode()) for number in (7, 8, 9)]
    found, deletions = cleared(paths, server, *made)
    assert found == Cleared(deleted=3)
    assert deletions == ["/orders/9", "/orders/9", "/orders/8", "/orders/7"]
    assert asked == ["Bearer alice-token", *["Bearer root-token"] * 3]


def test_what_who_may_delete_all_of_them_does_not_find_is_gone() -> None:
    there = {"/orders/9", "/orders/7"}

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": int(request.body)})
        if request.header("authorization") != "Bearer root-token":
            return Response(status=403)
        found = request.path in there
        there.discard(request.path)
        return Response(status=204 if found else 404)

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    made = [replace(post("/orders"), body=str(number).encode()) for number in (7, 8, 9)]
    found, _ = cleared(paths, server, *made)
    assert found == Cleared(deleted=3)
    assert there == set()


def test_only_twenty_operations_are_named_whose_creations_stay() -> None:
    def server(request: Request) -> Response:
        return answer(201, {"id": 7})

    places = [f"/orders{number}" for number in range(25)]
    found, _ = cleared(api_of(*(f"POST {p}" for p in places)), server, *map(post, places))
    assert len(found.notes) == 21
    assert found.notes[-1] == "5 more operations created 5 such things."


def test_what_stays_is_listed_with_operation_and_id_and_the_reason() -> None:
    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7})
        return Response(status=409)

    paths = api_of("POST /orders", "DELETE /orders/{id}", "POST /notes")
    found, _ = cleared(paths, server, post("/orders"), post("/notes"))
    assert found.notes == (
        "POST /notes created 1 that could not be deleted: 7 (no operation deletes it).",
        "POST /orders created 1 that could not be deleted: 7 (DELETE /orders/{id} answered 409).",
    )


def test_what_stays_is_named_as_it_is_in_paths_and_not_by_the_id_of_its_owner() -> None:
    made = {"data": {"code": "SPRING", "tenantId": "acme", "credits": 5}}
    paths = api_of("POST /coupons", "POST /coupons/{code}/redeem", "POST /notes")
    found, _ = cleared(paths, lambda _: answer(201, made), post("/coupons"), post("/notes"))
    assert found.notes == (
        "POST /notes created 1 that could not be deleted: one without an id"
        " (no operation deletes it).",
        "POST /coupons created 1 that could not be deleted: SPRING (no operation deletes it).",
    )


def test_a_search_by_post_and_a_creation_that_failed_softly_leave_nothing() -> None:
    def server(request: Request) -> Response:
        if request.path == "/search":
            return answer(200, {"hits": [{"id": 1}], "took": 3})
        return answer(200, {"success": False, "id": 9})

    paths = api_of("POST /search", "POST /orders", "DELETE /orders/{id}")
    found, deletions = cleared(paths, server, post("/search"), post("/orders"))
    assert (found, deletions) == (Cleared(deleted=0), [])


def test_a_session_is_no_thing_that_stays_behind() -> None:
    paths = api_of("POST /sessions")
    found, _ = cleared(
        paths, lambda _request: answer(201, {"id": 7, "token": "t"}), post("/sessions")
    )
    assert found.notes == ()


def test_what_the_scan_deleted_itself_is_not_deleted_again() -> None:
    api: Api = read_document(
        json.dumps(
            {"openapi": "3.0.0", "paths": api_of("POST /orders", "DELETE /orders/{id}")}
        ).encode(),
        source="api.json",
    )
    transport = Scripted(
        lambda request: answer(201, {"id": 7}) if request.method == "POST" else Response(status=204)
    )

    async def journey() -> None:
        await transport.send(post("/orders"))
        await transport.send(Request(method="DELETE", path="/orders/7"))

    asyncio.run(journey())
    assert leftovers(api, "", transport.exchanges) == ()


def test_a_scan_leaves_nothing_behind_and_says_what_it_could_not_delete() -> None:
    paths = api_of("POST /orders", "GET /orders/{id}")
    made = iter(range(1, 99))

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": next(made)})
        return answer(200, {"id": 1})

    record, _ = scanned(server=server, paths=paths)
    assert any(
        note == "POST /orders created 1 that could not be deleted: 1 (no operation deletes it)."
        for note in record.notes
    )


@pytest.mark.parametrize(
    "refusal",
    [{"success": False, "error": "Invalid API key"}, {"error": "not yours"}],
)
def test_a_deletion_that_was_refused_with_a_200_deleted_nothing(refusal: dict[str, Any]) -> None:
    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7})
        mine = ("Authorization", "Bearer alice-token") in request.headers
        return Response(status=204) if mine else answer(200, refusal)

    def deletion(who: str) -> Request:
        sent = (("Authorization", f"Bearer {who}-token"),)
        return Request(method="DELETE", path="/orders/7", headers=sent)

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    found, deletions = cleared(paths, server, post("/orders"), deletion("nobody"))
    assert found == Cleared(deleted=1)
    assert len(deletions) == 2  # the one that was refused, and that of whoever made it

    found, _ = cleared(
        paths,
        lambda r: answer(201, {"id": 7}) if r.method == "POST" else answer(200, refusal),
        post("/orders"),
    )
    assert found.deleted == 0
    assert "7 (DELETE /orders/{id} answered that it failed)" in found.notes[0]


@pytest.mark.parametrize(
    "made",
    [
        {"status": "created", "customer_id": 1},
        {"status": "created", "customer": {"id": 1}},
        {"data": {"shop": {"id": 1}}},
        {"status": "created", "positionCode": 2},
        1,  # a count of rows
    ],
)
def test_the_id_of_something_else_is_never_deleted(made: Any) -> None:
    paths = api_of("POST /orders", "DELETE /orders/{id}")

    def server(_request: Request) -> Response:
        return answer(201, made)

    found, deletions = cleared(paths, server, post("/orders"))
    assert deletions == []
    assert "could not be deleted" in found.notes[0]


def test_the_id_of_an_organisation_deletes_no_user_and_that_of_a_user_no_bank_account() -> None:
    sent = post("/register", "nobody")
    for made, deleter in (
        ({"organisation": {"id": 1}}, "DELETE /admin/users/{id}"),
        ({"id": 1}, "DELETE /admin/users/{id}"),  # of whom?
        ({"id": 5}, "DELETE /accounts/{account_id}"),
    ):
        paths = api_of("POST /register", deleter)

        def server(_request: Request, made: Any = made) -> Response:
            return answer(201, made)

        found, deletions = cleared(paths, server, sent, sign_up="POST /register")
        assert deletions == []
        assert "could not be deleted" in found.notes[0]


@pytest.mark.parametrize(
    ("path", "created"), [("/accounts/{id}", {"id": 5}), ("/orders/{id}", {"customer_id": 5})]
)
def test_no_baseline_deletes_what_only_shares_its_id_with_something_new(
    path: str, created: dict[str, Any]
) -> None:
    secured = {"security": [{"bearer": []}], **FINE}
    new = {"type": "object", "properties": {"email": {"type": "string"}, "password": {}}}
    joins = {"requestBody": {"content": {"application/json": {"schema": new}}}, "security": []}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    paths = {
        "/register": {"post": FINE | joins},
        "/orders": {"post": secured | BODY},
        path: {"delete": secured | {"parameters": [number]}},
    }
    _, sent = scanned(server=lambda _: answer(201, created), paths=paths)
    assert [e.request.path for e in sent if e.request.method == "DELETE"] == []
    assert "POST" in {e.request.method for e in sent}


def test_what_was_changed_was_there_before_and_stays() -> None:
    paths = api_of("POST /orders/{id}/cancel", "GET /orders/{id}", "DELETE /orders/{id}")
    found, deletions = cleared(
        paths, lambda _: answer(200, {"id": 7, "state": "cancelled"}), post("/orders/7/cancel")
    )
    assert (found, deletions) == (Cleared(deleted=0), [])

    picks = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    keys = (f"POST /rpc/{deed}Order" for deed in ("update", "delete", "cancel", "get"))
    calls = api_of(*keys)
    for each in calls.values():
        each["post"]["requestBody"] = {"content": {"application/json": {"schema": picks}}}
    for path in ("/rpc/updateOrder", "/rpc/cancelOrder", "/rpc/getOrder"):
        sent: list[str] = []

        def server(request: Request, sent: list[str] = sent) -> Response:
            sent.append(request.path)
            return answer(200, {"id": 7})

        assert cleared(calls, server, post(path))[0] == Cleared(deleted=0)
        assert sent == [path]


def test_a_thing_is_gone_only_when_its_maker_deleted_it_afterwards() -> None:
    def deletion(who: str) -> Request:
        sent = (("Authorization", f"Bearer {who}-token"),)
        return Request(method="DELETE", path="/orders/7", headers=sent)

    def server(request: Request) -> Response:
        return (
            answer(201, {"id": 7}) if request.method == "POST" else answer(200, {"text": "Done."})
        )

    paths = api_of("POST /orders", "DELETE /orders/{id}")
    made = post("/orders")
    for sent, cleaned in (
        ((made, deletion("bob")), 1),  # who may not delete it is told the same
        ((made, deletion("alice"), made), 1),  # an id that is used again
        ((made, deletion("alice")), 0),
    ):
        found, deletions = cleared(paths, server, *sent)
        assert found.deleted == cleaned
        assert len(deletions) == len(sent) - sent.count(made) + cleaned


def test_an_edit_makes_nothing_that_stays() -> None:
    paths = api_of("POST /plots/{id}/edit", "GET /plots/{id}")
    page = Response(status=302, accepted=True, item_path="/plots/8")
    found, _ = cleared(paths, lambda _: page, post("/plots/7/edit"))
    assert found.notes == ()


def test_what_a_call_only_showed_stays() -> None:
    paths = api_of("POST /rpc/createOrder", "POST /rpc/getOrder", "POST /rpc/deleteOrder")
    by_id = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    for call in ("get", "delete"):
        content = {"application/json": {"schema": by_id}}
        paths[f"/rpc/{call}Order"]["post"]["requestBody"] = {"content": content}
    deleted: list[bytes] = []

    def server(request: Request) -> Response:
        if request.path == "/rpc/deleteOrder":
            deleted.append(request.body)
        return answer(200, {"id": 1 if request.path == "/rpc/getOrder" else 7, "note": "x"})

    cleared(paths, server, post("/rpc/createOrder"), post("/rpc/getOrder"))
    assert [json.loads(each) for each in deleted] == [{"id": 7}]


def test_what_another_deleted_is_gone_where_its_maker_can_delete_it_no_more() -> None:
    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"id": 7})
        bob = request.header("authorization") == "Bearer bob-token"
        return Response(status=204 if bob else 403)

    deletion = replace(post("/orders/7", "bob"), method="DELETE")
    paths = api_of("POST /orders", "DELETE /orders/{id}")
    found, deletions = cleared(paths, server, post("/orders"), deletion)
    assert found.notes == ()
    assert len(deletions) == 2  # no administrator is sent after an id that may be used again
