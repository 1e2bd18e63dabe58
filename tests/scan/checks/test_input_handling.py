"""Odd input: what must be found, and what must not be taken for a flaw."""

import html
import itertools
import posixpath
import re
import sqlite3
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import (
    answer,
    body,
    last_segment,
    not_found,
    operation,
    page,
    query,
    sent,
)
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, search, state

SQL = "sql-injection"
MARKUP = "cross-site-scripting"
NUL = "nul-byte-crash"


def ask(statement: str) -> list[Any]:
    """What a real SQL engine makes of a statement. Raises sqlite3.Error."""
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE things (id INTEGER, name TEXT, secret TEXT)")
        rows = [(1, "teapot", "a"), (2, "kettle", "b"), (3, "tea", "c"), (4, "o'neill", "d")]
        database.executemany("INSERT INTO things VALUES (?, ?, ?)", rows)
        return database.execute(statement).fetchall()
    finally:
        database.close()


def sql_server(template: str, *, hides_errors: bool = False) -> Server:
    def server(request: Request) -> Response:
        value = query(request, "q") or str(sent(request).get("q", ""))
        value = value or (last_segment(request) if "{" not in request.path else "")
        try:
            rows = ask(template.replace("?", value))
        except (sqlite3.Error, sqlite3.Warning):
            return answer(200, []) if hides_errors else answer(500, {"error": "sorry"})
        return answer(200, [row[1] for row in rows])

    return server


@pytest.mark.parametrize(
    "template",
    [
        "SELECT * FROM things WHERE name = '?'",
        "SELECT * FROM things WHERE name LIKE '%?%'",
        "SELECT * FROM things WHERE (name = '?' OR name = 'x') AND id < 9",
    ],
)
@pytest.mark.parametrize("example", ["tea", "nothing-of-that-name"])
def test_a_query_made_of_text_is_found_where_it_breaks(template: str, example: str) -> None:
    (finding,) = findings(SQL, sql_server(template), search(example))
    assert finding.parameter == "query q"


@pytest.mark.parametrize(
    ("template", "example"),
    [
        ("SELECT * FROM things WHERE name = '?'", "tea"),
        ("SELECT * FROM things WHERE name = '?'", "nothing-of-that-name"),
        ("SELECT * FROM things WHERE name LIKE '%?%'", "tea"),
        ("SELECT * FROM things WHERE name LIKE '%?%'", "nothing-of-that-name"),
    ],
)
def test_a_query_made_of_text_is_found_where_errors_are_hidden(template: str, example: str) -> None:
    (finding,) = findings(SQL, sql_server(template, hides_errors=True), search(example))
    assert "condition" in finding.detail


def test_a_path_made_into_a_query_is_found() -> None:
    paths = {"/things/{name}": {"get": operation(secured=False, parameters=(("path", "name"),))}}
    server = sql_server("SELECT * FROM things WHERE name = '?'")
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "path name"


def test_a_number_made_into_a_query_is_found() -> None:
    def server(request: Request) -> Response:
        try:
            rows = ask(f"SELECT * FROM things WHERE id = {last_segment(request)}")
        except (sqlite3.Error, sqlite3.Warning):
            return not_found()
        return answer(200, [row[1] for row in rows]) if rows else not_found()

    path = {"in": "path", "name": "id", "required": True}
    schema = {"type": "integer", "example": 3}
    paths = {
        "/things/{id}": {
            "get": {
                "security": [],
                "parameters": [{**path, "schema": schema}],
                "responses": {"200": {"description": "fine"}},
            }
        }
    }
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "path id"


@pytest.mark.parametrize("shows_errors", [False, True])
def test_a_number_in_an_optional_query_parameter_is_found_behind_volatile_answers(
    shows_errors: bool,
) -> None:
    ticks = itertools.count()

    def server(request: Request) -> Response:
        try:
            rows = ask(f"SELECT * FROM things WHERE id >= {query(request, 'since') or 0}")
        except (sqlite3.Error, sqlite3.Warning):
            return answer(500, {"error": "sorry"}) if shows_errors else not_found()
        return answer(200, {"rows": [row[1] for row in rows], "tick": next(ticks)})

    paths = {"/things": {"get": operation(secured=False, parameters=(("query", "since"),))}}
    paths["/things"]["get"]["parameters"][0]["schema"] = {"type": "integer"}
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "query since"


def test_a_number_that_is_declared_as_text_is_found() -> None:
    paths = {"/things/{id}": {"get": operation(secured=False, parameters=(("path", "id"),))}}
    paths["/things/{id}"]["get"]["parameters"][0]["schema"] = {"type": "string", "example": "3"}

    def server(request: Request) -> Response:
        try:
            rows = ask(f"SELECT * FROM things WHERE id = {last_segment(request)}")
        except (sqlite3.Error, sqlite3.Warning):
            return not_found()
        return answer(200, [row[1] for row in rows]) if rows else not_found()

    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "path id"


def test_a_number_of_a_body_made_into_a_query_is_found() -> None:
    def server(request: Request) -> Response:
        try:
            rows = ask(f"SELECT * FROM things WHERE id = {sent(request).get('id')}")
        except (sqlite3.Error, sqlite3.Warning):
            return answer(500, {"error": "no"})
        return answer(200, [row[1] for row in rows]) if rows else not_found()

    fields = body(id={"type": "integer", "example": 3})
    paths = {"/search": {"post": operation(secured=False, requestBody=fields)}}
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "body id"


def test_a_body_made_into_a_query_is_found() -> None:
    paths = {"/search": {"post": operation(secured=False, requestBody=body(q={"type": "string"}))}}
    server = sql_server("SELECT * FROM things WHERE name = '?'")
    (finding,) = findings(SQL, server, paths)
    assert finding.parameter == "body q"


def crashes_on_quotes(request: Request) -> Response:
    """No SQL: any quote crashes it, whether there is one or two."""
    return answer(500, {}) if "'" in query(request, "q") else answer(200, ["tea"])


def crashes_on_everything_odd(request: Request) -> Response:
    return answer(200, ["tea"]) if query(request, "q") == "tea" else answer(500, {})


def refuses_quotes(request: Request) -> Response:
    return answer(422, {"error": "no"}) if "'" in query(request, "q") else answer(200, ["tea"])


def refuses_single_quotes_only(request: Request) -> Response:
    odd = query(request, "q").count("'") % 2
    return answer(400, {"error": "unbalanced quotes"}) if odd else answer(200, ["tea"])


def behind_a_filter(request: Request) -> Response:
    """One quote crashes a parser; a filter in front refuses two of them."""
    quotes = query(request, "q").count("'")
    return answer(500 if quotes == 1 else 403 if quotes else 200, ["tea"])


def echoes(request: Request) -> Response:
    return answer(200, {"you asked for": query(request, "q"), "found": []})


def bound(request: Request) -> Response:
    wanted = query(request, "q")
    names = [row[1] for row in ask("SELECT * FROM things") if wanted in row[1]]
    return answer(200, names)


def words(request: Request) -> Response:
    """A full-text search with OR: more words find more."""
    wanted = query(request, "q").replace("'", " ").lower().split()
    return answer(
        200, [n for n in ("tea 1", "kettle 2", "or", "and") if set(wanted) & {*n.split()}]
    )


def random_answers() -> Server:
    numbers = itertools.count(1)

    def server(_request: Request) -> Response:
        return answer(200, {"lucky": f"number {next(numbers)}"})

    return server


def flaky() -> Server:
    numbers = itertools.count(1)

    def server(_request: Request) -> Response:
        return answer(500, {}) if next(numbers) % 3 == 0 else answer(200, ["tea"])

    return server


@pytest.mark.parametrize(
    "server",
    [
        crashes_on_quotes,
        crashes_on_everything_odd,
        refuses_quotes,
        refuses_single_quotes_only,
        behind_a_filter,
        echoes,
        bound,
        words,
        random_answers(),
        flaky(),
    ],
)
@pytest.mark.parametrize("example", ["tea", "nothing-of-that-name"])
def test_what_only_looks_like_sql_is_not_reported(server: Server, example: str) -> None:
    assert findings(SQL, server, search(example)) == ()


@pytest.mark.parametrize("server", [refuses_quotes, echoes, bound])
@pytest.mark.parametrize("example", ["tea", "nothing-of-that-name"])
def test_a_clean_input_costs_few_requests(server: Server, example: str) -> None:
    from withstand.scan.catalogue import check_named

    _, without = scanned(server, search(example), checks=())
    _, exchanges = scanned(server, search(example), checks=(check_named(SQL),))
    assert len(exchanges) - len(without) <= 6


# --- markup -----------------------------------------------------------------------------------


def reflecting(media_type: str, nosniff: bool = False, status: int = 200) -> Server:
    def server(request: Request) -> Response:
        headers = [("Content-Type", media_type)] if media_type else []
        if nosniff:
            headers.append(("X-Content-Type-Options", "nosniff"))
        text = f"<p>{query(request, 'q')}</p>".encode()
        odd = "<" in query(request, "q")
        return Response(status=status if odd else 200, headers=tuple(headers), body=text)

    return server


@pytest.mark.parametrize(
    "server",
    [reflecting("text/html"), reflecting(""), reflecting("text/html; charset=utf-8", status=404)],
)
def test_markup_that_comes_back_in_a_page_is_found(server: Server) -> None:
    (finding,) = findings(MARKUP, server, search())
    assert finding.parameter == "query q"


def test_markup_that_an_error_page_shows_is_found_in_paths_numbers_and_bodies() -> None:
    number = {"in": "path", "name": "n", "required": True, "schema": {"type": "integer"}}
    fields = body(title={"type": "string", "example": "Tea"})
    paths = {
        "/things/{n}": {
            "get": operation(secured=False) | {"parameters": [number]},
        },
        "/things": {"post": operation(secured=False, requestBody=fields)},
    }

    def server(request: Request) -> Response:
        if request.method == "GET" and not last_segment(request).isdecimal():
            return page(400, f"<h1>{last_segment(request)} is no number</h1>")
        title = str(sent(request).get("title", ""))
        return page(400, f"<p>{title}</p>") if "<" in title else answer(200, {"n": 1})

    found = findings(MARKUP, server, paths)
    assert {(each.operations[0], each.parameter) for each in found} == {
        ("GET /things/{n}", "path n"),
        ("POST /things", "body title"),
    }


def downloading(request: Request) -> Response:
    response = page(200, f"<p>{query(request, 'q')}</p>")
    headers = (*response.headers, ("Content-Disposition", "attachment; filename=page.html"))
    return Response(status=200, headers=headers, body=response.body)


def sanitized(request: Request) -> Response:
    """Markdown, in which unknown elements stay but lose what they could do harm with."""
    return page(200, re.sub(r"<(\w+)[^>]*>", r"<\1>", query(request, "q")))


@pytest.mark.parametrize(
    "server",
    [
        downloading,
        sanitized,
        reflecting("application/json"),
        reflecting("application/problem+json", status=422),
        reflecting("text/plain"),
        reflecting("", nosniff=True),
        lambda request: page(200, html.escape(query(request, "q"))),
    ],
)
def test_markup_that_no_browser_would_run_is_not_reported(server: Server) -> None:
    assert findings(MARKUP, server, search()) == ()


# --- NUL --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404, 422, 502, 503, 504])
def test_an_answer_to_a_nul_byte_other_than_500_is_no_crash(status: int) -> None:
    def server(request: Request) -> Response:
        return answer(status if "\x00" in query(request, "q") else 200, ["tea"])

    assert findings(NUL, server, search()) == ()


def test_a_crash_on_any_odd_text_is_no_matter_of_the_nul_byte() -> None:
    assert findings(NUL, crashes_on_everything_odd, search()) == ()


def test_a_nul_byte_in_a_body_that_crashes_is_found() -> None:
    def server(request: Request) -> Response:
        return answer(500 if "\x00" in str(sent(request).get("name")) else 201, {"id": 1})

    paths = {
        "/things": {"post": operation(secured=False, requestBody=body(name={"type": "string"}))}
    }
    (finding,) = findings(NUL, server, paths)
    assert finding.parameter == "body name"


def reports(name: str) -> Response:
    path = posixpath.normpath(posixpath.join("/srv/reports", name))
    if path == "/etc/passwd":
        return page(200, "root:x:0:0:root:/root:/bin/sh\n", "text/plain")
    return not_found()


def test_a_flaw_is_found_also_where_no_usual_value_succeeds() -> None:
    paths = {"/reports": {"get": operation(secured=False, parameters=(("query", "file"),))}}
    paths["/reports"]["get"]["parameters"][0]["required"] = True
    (finding,) = findings("path-traversal", lambda request: reports(query(request, "file")), paths)
    assert finding.parameter == "query file"
    told, reason = state("path-traversal", lambda _request: not_found(), paths)
    assert told is CoverageState.INCONCLUSIVE
    assert "no valid baseline" in reason


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_login_made_into_a_query_is_found_without_an_account_to_log_in_with(status: int) -> None:
    def server(request: Request) -> Response:
        name = str(sent(request).get("username"))
        try:
            ask(f"SELECT * FROM things WHERE name = '{name}'")
        except (sqlite3.Error, sqlite3.Warning):
            return answer(500, {"error": "sorry"})
        return answer(status, {"error": "wrong name or password"})

    fields = body(username={"type": "string"}, password={"type": "string"})
    paths = {"/login": {"post": operation(secured=False, requestBody=fields)}}
    found = findings(SQL, server, paths)
    assert [each.parameter for each in found] == (["body username"] if status != 403 else [])


def test_an_operation_without_text_has_nothing_to_try_and_the_report_says_so() -> None:
    paths = {"/health": {"get": operation(secured=False)}}

    def server(_request: Request) -> Response:
        return answer(200, {"status": "ok"})

    for name in (SQL, MARKUP, "path-traversal", NUL):
        what, reason = state(name, server, paths)
        assert what is CoverageState.NOT_APPLICABLE
        assert "no text" in reason
