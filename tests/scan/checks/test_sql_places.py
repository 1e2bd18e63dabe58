"""Where a value may stand in a query: in a write, in an order, in a login; and what looks like it.

The queries are real: what SQLite makes of them decides.
"""

import re
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, not_found, operation, page, query, sent

from .test_input_handling import ask
from .tiny_api import findings, scanned, search

SQL = "sql-injection"
ERRORS = (sqlite3.Error, sqlite3.Warning)


def hidden(status: int = 400) -> Callable[[], Response]:
    return lambda: answer(status, {"error": "that did not work"})


def writing(template: str, name: str, failed: Callable[[], Response]) -> Server:
    """Runs a statement made of one field of the body, and says no more than that it is done."""

    def server(request: Request) -> Response:
        database = sqlite3.connect(":memory:")
        try:
            database.execute("CREATE TABLE orders (id INTEGER, amount, note TEXT)")
            database.execute("INSERT INTO orders VALUES (3, 5, 'x')")
            done = database.execute(template.replace("?", str(sent(request).get(name))))
            return answer(200, {"ok": True}) if done.rowcount else not_found()
        except ERRORS:
            return failed()
        finally:
            database.close()

    return server


NUMBER = {"type": "integer", "example": 3}
TEXT = {"type": "string", "example": "quickly"}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ("UPDATE orders SET amount = ? WHERE id = 3", NUMBER),
        ("UPDATE orders SET amount = 1 WHERE id = ?", NUMBER),
        ("INSERT INTO orders VALUES (4, ?, 'y')", NUMBER),
        ("INSERT INTO orders VALUES (4, 1, '?')", TEXT),
        ("UPDATE orders SET note = '?' WHERE id = 3", TEXT),
    ],
)
@pytest.mark.parametrize(
    "failed", [hidden(400), hidden(409), hidden(500)], ids=["400", "409", "500"]
)
def test_a_value_in_a_write_is_found_whatever_its_errors_look_like(
    template: str, field: dict[str, Any], failed: Callable[[], Response]
) -> None:
    paths = {"/orders": {"post": operation(secured=False, requestBody=body(value=field))}}
    server = writing(template, "value", failed)
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "body value"


def test_a_search_by_post_that_hides_its_errors_is_found() -> None:
    def server(request: Request) -> Response:
        try:
            rows = ask(f"SELECT * FROM things WHERE name = '{sent(request).get('name')}'")
        except ERRORS:
            rows = []
        return answer(200, {"items": [row[1] for row in rows]})

    fields = body(name={"type": "string", "example": "tea"})
    paths = {"/search": {"post": operation(secured=False, requestBody=fields)}}
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "body name"


def test_a_text_in_double_quotes_is_found() -> None:
    def server(request: Request) -> Response:
        try:
            rows = ask(f'SELECT * FROM things WHERE name = "{query(request, "q")}"')
        except ERRORS:
            return answer(500, {"error": "sorry"})
        return answer(200, [row[1] for row in rows])

    (finding,) = findings(SQL, server, search())
    assert "condition" in finding.detail


# --- columns to sort by -----------------------------------------------------------------------


def listing(**schema: Any) -> dict[str, Any]:
    parameter = {"in": "query", "name": "sort_by", "schema": {"type": "string", **schema}}
    return {"/things": {"get": operation(secured=False) | {"parameters": [parameter]}}}


def sorting(template: str, failed: Callable[[], Response]) -> Server:
    def server(request: Request) -> Response:
        try:
            rows = ask(template.replace("?", query(request, "sort_by") or "name"))
        except ERRORS:
            return failed()
        return answer(200, [{"name": row[1], "id": row[0]} for row in rows])

    return server


@pytest.mark.parametrize("schema", [{"enum": ["name", "id"]}, {"example": "name"}, {}])
@pytest.mark.parametrize(
    "failed", [hidden(400), hidden(500), lambda: answer(200, [])], ids=["400", "500", "nothing"]
)
def test_a_column_to_sort_by_is_found(
    schema: dict[str, Any], failed: Callable[[], Response]
) -> None:
    server = sorting("SELECT * FROM things ORDER BY ?", failed)
    (finding,) = findings(SQL, server, listing(**schema))
    assert finding.parameter == "query sort_by"


def test_a_column_to_sort_by_is_found_beside_an_echo_of_what_is_searched_for() -> None:
    def server(request: Request) -> Response:
        rows = sorting("SELECT * FROM things ORDER BY things.?", hidden(500))(request)
        return answer(rows.status, {"query": query(request, "q"), "items": rows.json()})

    paths = listing(example="name")
    paths["/things"]["get"]["parameters"] += [
        {"in": "query", "name": "q", "required": True, "schema": {"type": "string"}}
    ]
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "query sort_by"


def test_a_search_that_hides_its_errors_is_found_beside_its_echo() -> None:
    def server(request: Request) -> Response:
        wanted = query(request, "q")
        try:
            rows = ask(f"SELECT * FROM things WHERE name LIKE '%{wanted}%'")
        except ERRORS:
            rows = []
        found = {"query": wanted, "total": len(rows), "items": [row[1] for row in rows]}
        return answer(200, {"statusCode": 200, "message": "OK", "data": found})

    wanted = {"in": "query", "name": "q", "required": True, "schema": {"type": "string"}}
    paths = {"/things": {"get": operation(secured=False) | {"parameters": [wanted]}}}
    assert len(findings(SQL, server, paths)) == 1


def test_a_direction_to_sort_in_is_found() -> None:
    server = sorting("SELECT * FROM things ORDER BY name ?", hidden(400))
    (finding,) = findings(SQL, server, listing(enum=["asc", "desc"]))
    assert finding.parameter == "query sort_by"


def test_an_order_whose_known_names_stand_for_others_is_found() -> None:
    def server(request: Request) -> Response:
        wanted = query(request, "sort_by") or "newest"
        column = {"newest": "id DESC", "oldest": "id"}.get(wanted, wanted)
        try:
            rows = ask(f"SELECT * FROM things ORDER BY {column}")
        except ERRORS:
            return answer(200, {"success": False})
        return answer(200, {"success": True, "items": [row[1] for row in rows]})

    (finding,) = findings(SQL, server, listing(enum=["newest", "oldest"]))
    assert finding.parameter == "query sort_by"


def chooses(request: Request) -> Response:
    wanted = query(request, "sort_by") or "name"
    if wanted not in {"name", "id"}:
        return answer(422, {"error": f"cannot sort by {wanted}"})
    return answer(200, [row[1] for row in ask(f"SELECT * FROM things ORDER BY {wanted}")])


def falls_back(request: Request) -> Response:
    wanted = query(request, "sort_by")
    column = wanted if wanted in {"name", "id"} else "name"
    return answer(200, [row[1] for row in ask(f"SELECT * FROM things ORDER BY {column}")])


def takes_the_first(request: Request) -> Response:
    columns = query(request, "sort_by").split(",")
    return answer(200, sorted(["tea", "kettle"], key=lambda name: columns[0] in name))


def crashes_on_brackets(request: Request) -> Response:
    return answer(500 if "(" in query(request, "sort_by") else 200, ["tea"])


@pytest.mark.parametrize("server", [chooses, falls_back, takes_the_first, crashes_on_brackets])
@pytest.mark.parametrize("schema", [{"enum": ["name", "id"]}, {"example": "name"}])
def test_a_column_that_is_chosen_from_a_list_is_not_reported(
    server: Server, schema: dict[str, Any]
) -> None:
    assert findings(SQL, server, listing(**schema)) == ()


# --- logins -----------------------------------------------------------------------------------

PEOPLE = {"alice@example.com": "alice-password-1", "bob@example.com": "bob-password-1"}
TOKEN = "eyJhbGciOiJub25lIn0.c2Vzc2lvbg.c2lnbmF0dXJl"
RECIPE = LoginRecipe(
    method="POST", path="/login", payload={"email": "{email}", "password": "{password}"}
)


def login_paths(media_type: str = "application/json") -> dict[str, Any]:
    fields = body(email={"type": "string"}, password={"type": "string"})
    (schema,) = fields["content"].values()
    return {
        "/login": {
            "post": operation(
                secured=False, requestBody={"required": True, "content": {media_type: schema}}
            )
        }
    }


def fields_of(request: Request) -> tuple[str, str]:
    given = sent(request) or {
        key: values[0] for key, values in parse_qs(request.body.decode()).items()
    }
    return str(given.get("email")), str(given.get("password"))


def accounts(condition: str, email: str, password: str) -> list[Any]:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE users (email TEXT, password TEXT)")
        database.executemany("INSERT INTO users VALUES (?, ?)", PEOPLE.items())
        text = condition.replace("%e", email).replace("%p", password)
        return database.execute(f"SELECT * FROM users WHERE {text}").fetchall()
    except ERRORS:
        return []
    finally:
        database.close()


def login(
    welcome: Response, refusal: Response, condition: str = "email = '%e' AND password = '%p'"
) -> Server:
    def server(request: Request) -> Response:
        if request.method != "POST":
            return not_found()
        return welcome if accounts(condition, *fields_of(request)) else refusal

    return server


@pytest.mark.parametrize(
    ("server", "media_type"),
    [
        (
            login(answer(200, {"access_token": TOKEN}), answer(401, {"error": "no"})),
            "application/json",
        ),
        (
            login(answer(200, {"ok": True, "token": TOKEN}), answer(200, {"ok": False})),
            "application/json",
        ),
        (
            login(answer(200, {"token": TOKEN}), answer(200, {"error": "no"})),
            "application/x-www-form-urlencoded",
        ),
        (
            login(
                answer(200, {"access_token": TOKEN}),
                answer(401, {"error": "no"}),
                "(email = '%e') AND (password = '%p')",
            ),
            "application/json",
        ),
    ],
    ids=["401", "soft", "form", "brackets"],
)
def test_a_login_without_a_password_is_found(server: Server, media_type: str) -> None:
    (finding,) = findings(SQL, server, login_paths(media_type), login=RECIPE)
    assert finding.parameter == "body email"
    assert TOKEN not in repr(finding.evidence)


def careful_login(request: Request) -> Response:
    if request.method != "POST":
        return not_found()
    email, password = fields_of(request)
    if PEOPLE.get(email) == password:
        return answer(200, {"access_token": TOKEN})
    return answer(401, {"error": f"{email} has another password"})


def anybody(_request: Request) -> Response:
    return answer(200, {"access_token": TOKEN})


def comments_cut_off(request: Request) -> Response:
    """Takes what stands before the first odd letter for the name: no password is left out."""
    if request.method != "POST":
        return not_found()
    email, password = fields_of(request)
    fits = PEOPLE.get(re.split(r"['#]", email)[0]) == password
    return answer(200 if fits else 401, {"access_token": TOKEN} if fits else {})


@pytest.mark.parametrize("server", [careful_login, anybody, comments_cut_off])
def test_a_login_that_looks_at_the_password_is_not_reported(server: Server) -> None:
    assert findings(SQL, server, login_paths(), login=RECIPE) == ()


def test_a_careful_login_is_asked_with_the_right_name_and_a_wrong_password_by_nobody() -> None:
    from withstand.scan.catalogue import check_named

    _, exchanges = scanned(careful_login, login_paths(), checks=(check_named(SQL),), login=RECIPE)
    wrong = [
        each
        for each in exchanges
        if each.request.method == "POST"
        and fields_of(each.request)[0] in PEOPLE
        and PEOPLE[fields_of(each.request)[0]] != fields_of(each.request)[1]
    ]
    assert wrong == []


# --- look-alikes ------------------------------------------------------------------------------


def full_text(request: Request) -> Response:
    """A query language of its own, handed over as a parameter: double quotes make a phrase."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE VIRTUAL TABLE pages USING fts5(text)")
        database.execute("INSERT INTO pages VALUES ('tea and toast'), ('a kettle')")
        rows = database.execute("SELECT * FROM pages WHERE text MATCH ?", (query(request, "q"),))
        return answer(200, [row[0] for row in rows.fetchall()])
    except ERRORS:
        return page(500, "<h1>Server Error</h1>")
    finally:
        database.close()


def phrases(request: Request) -> Response:
    """A search engine whose parser stumbles over a quote that is not closed."""
    wanted = query(request, "q")
    if wanted.count('"') % 2:
        return answer(500, {"error": "parse_exception: Cannot parse: Encountered <EOF>"})
    return answer(200, [name for name in ("tea", "kettle") if name in wanted])


def works_out(request: Request) -> Response:
    """An input that is meant to be arithmetic."""
    text = query(request, "q")
    if re.fullmatch(r"[\d\s()+*-]+", text) is None:
        return answer(400, {"error": f"{text} is no sum"})
    return answer(200, {"terms": len(re.findall(r"\d+", text))})


def blocks_words(request: Request) -> Response:
    """A firewall that knows SQL words."""
    if re.search(r"select|union|' (and|or)", query(request, "q"), re.IGNORECASE):
        return page(403, "<h1>Forbidden</h1>")
    return answer(200, ["tea"])


@pytest.mark.parametrize("server", [full_text, phrases, works_out, blocks_words])
@pytest.mark.parametrize("example", ["tea", "3"])
def test_other_languages_than_sql_are_not_reported(server: Server, example: str) -> None:
    assert findings(SQL, server, search(example)) == ()


def test_what_takes_a_quote_and_creates_a_thing_is_not_made_to_create_more() -> None:
    created = 0

    def server(request: Request) -> Response:
        nonlocal created
        created += request.method == "POST"
        return answer(201, {"id": created, "note": sent(request).get("value")})

    paths = {"/orders": {"post": operation(secured=False, requestBody=body(value=TEXT))}}
    assert findings(SQL, server, paths) == ()
    assert created == 2  # for the baseline, and with a quote


def test_what_a_broken_query_did_not_create_is_looked_into() -> None:
    inner = writing("INSERT INTO orders VALUES (4, 1, '?')", "value", hidden(409))

    def server(request: Request) -> Response:
        response = inner(request)
        return answer(201, {"ok": True}) if response.succeeded else response

    paths = {"/orders": {"post": operation(secured=False, requestBody=body(value=TEXT))}}
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "body value"


@pytest.mark.parametrize("quoted", [True, False])
def test_a_code_that_nobody_has_is_counted_in_quotes_though_it_is_refused_like_a_bad_one(
    quoted: bool,
) -> None:
    """Used once: from then on each answer is a 400, whatever is sent."""
    used: list[str] = []

    def server(request: Request) -> Response:
        code = str(sent(request).get("code"))
        try:
            select = f"SELECT name FROM things WHERE name = '{code}'"
            found = ask(select) if quoted else [("tea",)] * (code == "tea")
        except ERRORS:
            return answer(500, {"error": "sorry"})
        if not quoted and code.count("'") == 1:
            return answer(500, {"error": "sorry"})  # fails on an apostrophe, and on no other count
        if not found or code in used:
            return answer(400, {"error": "no such code"})
        used.append(code)
        return answer(200, {"credit": 10})

    fields = body(code={"type": "string", "example": "tea"})
    paths = {"/redeem": {"post": operation(secured=False, requestBody=fields)}}
    assert len(findings(SQL, server, paths)) == quoted
