"""Users who signed up are deleted where it is sure who they are; else the report names them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.scan.run.clearing import api_of, cleared, post
from tests.scan.small_api import answer
from withstand.client.exchange import Request, Response
from withstand.scan.examples import page
from withstand.scan.run.cleanup import Cleared

OURS = "ws0123456789abcdef01@example.com"
SIGNS_UP = replace(post("/register", "nobody"), body=json.dumps({"email": OURS}).encode())
USERS: dict[str, Any] = {"7": {"id": 7, "email": OURS}, "1": {"id": 1, "email": "root@example.com"}}


def test_who_signed_up_is_deleted_where_users_are_and_nothing_else_is() -> None:
    def server(request: Request) -> Response:
        if request.method == "POST":
            made = {"user_id": 7} if request.path == "/register" else {"id": 8}
            return answer(201, {"data": made})
        return Response(
            status=204 if request.header("authorization") == "Bearer root-token" else 401
        )

    paths = api_of("POST /register", "POST /letters", "DELETE /admin/users/{id}")
    sent = (post("/register", "nobody"), post("/letters"))
    found, deletions = cleared(paths, server, *sent, sign_up="POST /register")
    assert set(deletions) == {"/admin/users/7"}
    assert found.deleted == 1
    assert [note.partition(" created ")[0] for note in found.notes] == ["POST /letters"]

    unsure = api_of("POST /register", "DELETE /admin/users/{id}", "DELETE /accounts/{number}")
    assert cleared(unsure, server, sent[0], sign_up="POST /register")[1] == []


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        (answer(201, {"id": 7, "email": "ws0123456789@example.com"}), ["nobody", "alice", "root"]),
        (answer(201, {"id": 7, "user": {"id": 7}}), ["nobody", "alice", "root"]),
        (Response(status=201, headers=(("Location", "/users/7"),)), ["nobody", "alice", "root"]),
        (answer(201, {"id": 7}), []),
        (answer(201, {"organisation": {"id": 7}}), []),
        (
            Response(status=201, headers=(("Location", "/organisations/7"),), body=b'{"id": 7}'),
            [],
        ),
    ],
)
def test_an_administrator_deletes_a_user_only_whom_the_answer_to_the_sign_up_shows(
    made: Response, asked: list[str]
) -> None:
    told: list[str] = []

    def server(request: Request) -> Response:
        if request.method == "POST":
            return made
        told.append((request.header("authorization") or "").split()[-1].removesuffix("-token"))
        return Response(status=204 if told[-1] == "root" else 403)

    paths = api_of("POST /register", "DELETE /users/{id}")
    signs_up = replace(post("/register", "nobody"), body=b'{"email": "ws0123456789@example.com"}')
    cleared(paths, server, signs_up, sign_up="POST /register")
    assert told == asked


def test_users_who_stay_are_counted_without_a_201_and_without_an_id() -> None:
    paths = api_of("POST /register")
    sent = (post("/register", "nobody"), post("/register", "nobody"))
    found, _ = cleared(
        paths, lambda _: answer(200, {"status": "welcome"}), *sent, sign_up="POST /register"
    )
    assert found.notes == (
        "POST /register created 2 that could not be deleted: one without an id (no operation "
        "deletes it), one without an id (no operation deletes it).",
    )


@pytest.mark.parametrize("made", [{"id": 7}, {"user": {"email": OURS, "id": 7}}, {"status": "ok"}])
@pytest.mark.parametrize(
    "further",
    [
        ("DELETE /admin/users/{id}", "GET /admin/users/{id}", "GET /admin/users"),
        ("DELETE /admin/users/{id}", "GET /admin/users"),
        ("DELETE /users/{id}", "DELETE /admin/users/{id}", "GET /admin/users"),
        ("DELETE /users/{id}", "GET /users/{id}", "GET /users", "DELETE /accounts/{number}"),
    ],
)
def test_a_user_is_deleted_where_an_administrator_is_shown_them_whatever_the_sign_up_answers(
    made: dict[str, Any], further: tuple[str, ...]
) -> None:
    left = dict(USERS)

    def server(request: Request) -> Response:
        number = request.path.rpartition("/")[2]
        by_root = request.header("authorization") == "Bearer root-token"
        if request.method == "POST":
            return answer(201, made)
        if not by_root or (request.path.startswith("/users/") and "GET /users" not in further):
            return answer(403, {"error": "not yours"})
        if request.method == "DELETE":
            return Response(status=204 if left.pop(number, None) else 404)
        if number == "users":
            return answer(200, {"items": [*left.values()]})
        return answer(200, left[number]) if number in left else answer(404, {})

    found, _ = cleared(
        api_of("POST /register", *further), server, SIGNS_UP, sign_up="POST /register"
    )
    assert [*left] == ["1"]
    assert found == Cleared(deleted=1)


@pytest.mark.parametrize(
    "shown",
    [
        {"id": 1, "email": "root@example.com"},
        {"id": 1, "email": "root@example.com", "invited": [{"email": OURS}]},
        [{"id": 1, "members": [{"id": 7, "email": OURS}]}],
        "<table><tr><td>root</td></tr></table>",
    ],
)
def test_a_user_is_not_deleted_by_an_id_under_which_somebody_else_is_shown(shown: Any) -> None:
    """The organisation that came with the user has the id of a real one."""

    def server(request: Request) -> Response:
        if request.method == "POST":
            return answer(201, {"organisation": {"id": 1}})
        return answer(200, shown) if isinstance(shown, dict | list) else page(200, shown)

    paths = api_of("POST /register", "DELETE /users/{id}", "GET /users/{id}", "GET /users")
    found, deletions = cleared(paths, server, SIGNS_UP, sign_up="POST /register")
    assert deletions == []
    assert "could not be deleted: 1" in found.notes[0]


def test_where_nobody_may_read_users_nobody_is_asked_again_for_each_of_them() -> None:
    asked: list[str] = []

    def server(request: Request) -> Response:
        asked.append(request.method)
        return answer(201, {"id": 7}) if request.method == "POST" else answer(403, {})

    paths = api_of("POST /register", "DELETE /users/{id}", "GET /users/{id}")
    found, _ = cleared(paths, server, *[SIGNS_UP] * 9, sign_up="POST /register")
    assert asked.count("GET") == 2  # a user and an administrator
    assert found.deleted == 0


@pytest.mark.parametrize("deleted", [True, False])
def test_a_user_whom_only_a_call_deletes_by_an_input_is_named_until_it_was_sent(
    deleted: bool,
) -> None:
    inputs = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    body = {"requestBody": {"content": {"application/json": {"schema": inputs}}}}
    paths = api_of("POST /users", "POST /deleteUser")
    paths["/deleteUser"]["post"] |= body
    signs_up = replace(SIGNS_UP, path="/users")
    removal = replace(post("/deleteUser"), body=b'{"id": 7}')
    sent = (signs_up, removal) if deleted else (signs_up,)
    found, _ = cleared(paths, lambda _: answer(201, {"id": 7}), *sent, sign_up="POST /users")
    named = ("POST /users created 1 that could not be deleted: 7 (no operation deletes it).",)
    assert found.notes == (() if deleted else named)
