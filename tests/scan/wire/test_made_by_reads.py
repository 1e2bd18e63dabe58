"""What a GET made is deleted, listed or named; one that only shows something made nothing."""

from dataclasses import replace

import pytest

from tests.scan.run.clearing import FINE, api_of, cleared, post
from tests.scan.small_api import answer
from withstand.client.exchange import Request, Response
from withstand.scan.examples import page
from withstand.scan.run.cleanup import Cleared


def get(path: str) -> Request:
    return replace(post(path), method="GET", body=b"")


@pytest.mark.parametrize(
    ("path", "status", "item"),
    [("/cart", 201, "/carts/{id}"), ("/createCart", 200, "/deleteCart"), ("/exports", 201, "")],
)
def test_what_a_get_says_that_it_made_is_deleted_or_listed(
    path: str, status: int, item: str
) -> None:
    gone: list[str] = []

    def server(request: Request) -> Response:
        if request.path == path:
            return answer(status, {"id": 7})
        gone.append(request.path + request.body.decode())
        return answer(200, {"done": True})

    by_id = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    paths = api_of(f"GET {path}")
    if item.endswith("}"):
        paths |= api_of(f"DELETE {item}")
    elif item:
        calls = {"requestBody": {"content": {"application/json": {"schema": by_id}}}}
        paths[item] = {"post": FINE | calls}
    found, _ = cleared(paths, server, get(path))
    if item:
        assert found == Cleared(deleted=1)
        assert gone == ["/carts/7" if item.endswith("}") else '/deleteCart{"id": 7}']
    else:
        assert found.notes == (
            "GET /exports created 1 that could not be deleted: 7 (no operation deletes it).",
        )


def test_a_get_that_only_shows_something_makes_nothing() -> None:
    paths = api_of("GET /cart", "GET /carts/new", "GET /createCart", "DELETE /carts/{id}")
    paths |= api_of("GET /careless", "DELETE /careless/{id}")  # 201 to whatever it is asked
    answers = {
        "/cart": answer(200, {"id": 7}),
        "/carts/new": answer(200, [{"id": 7}]),
        "/createCart": page(200, "<form method=post><input name=id value=7></form>"),
        "/careless": answer(201, {"id": 7}),
    }
    sent = (*map(get, answers), get("/cart"), get("/careless"))
    found, deletions = cleared(paths, lambda r: answers[r.path], *sent)
    assert (found, deletions) == (Cleared(deleted=0), [])


@pytest.mark.parametrize(
    ("ids", "noted"),
    [
        ((7, 8, 9), True),
        (("a", "c", "b"), True),
        ((7, 9, 8), False),
        ((7, 8, 8), False),
        ((7, 8), False),
        ((3, 4, 5), False),  # the list shows it
    ],
)
def test_a_read_that_gives_a_new_id_each_time_is_named(
    ids: tuple[object, ...], noted: bool
) -> None:
    each = iter(ids)

    def server(request: Request) -> Response:
        shown = {"id": next(each)} if request.path == "/export" else [{"id": 5}]
        return answer(200, shown)

    paths = api_of("GET /export", "GET /exports", "DELETE /exports/{id}")
    found, deletions = cleared(paths, server, get("/exports"), *[get("/export")] * len(ids))
    assert deletions == []
    assert len(found.notes) == noted
    assert all(note.startswith("GET /export gave a new id each time") for note in found.notes)
