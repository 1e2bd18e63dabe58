"""What errors give away: stack traces, debuggers, databases, versions; and what they may say."""

from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.check import Server
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    operation,
    page,
    sent,
)
from withstand.scan.finding import Confidence, Severity

from .tiny_api import findings

TRACE = "stack-trace-in-response"
DATABASE = "database-error-in-response"
BANNER = "version-banner"
ME: dict[str, Any] = {"/me": {"get": operation()}}

PYTHON = """Traceback (most recent call last):
  File "/app/venv/lib/python3.12/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
  File "/app/views.py", line 7, in show
    return ITEMS[number]
           ~~~~~^^^^^^^^
KeyError: 7"""
JAVA = """java.lang.NumberFormatException: For input string: "x"
	at java.base/java.lang.NumberFormatException.forInputString(NumberFormatException.java:67)
	at java.base/java.lang.Integer.parseInt(Integer.java:668)
	at com.example.shop.ItemController.show(ItemController.java:41)"""
DOTNET = """System.FormatException: Input string was not in a correct format.
   at System.Number.ThrowOverflowOrFormatException(ParsingStatus status, TypeCode type)
   at Shop.Controllers.ItemsController.Get(String id) in /src/Controllers/Items.cs:line 22"""
NODE = """TypeError: Cannot read properties of undefined (reading 'name')
    at /app/routes/items.js:12:31
    at Layer.handle [as handle_request] (/app/node_modules/express/lib/router/layer.js:95:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"""
PHP = """Fatal error: Uncaught TypeError in /var/www/items.php:12
Stack trace:
#0 /var/www/index.php(8): show('x')
#1 {main}"""
RUBY = """undefined method `name' for nil:NilClass
app/controllers/items_controller.rb:9:in `show'
actionpack (7.0.4) lib/action_controller/metal/basic.rb:6:in `send_action'"""
GO = """goroutine 18 [running]:
runtime/debug.Stack()
	/usr/local/go/src/runtime/debug/stack.go:24 +0x65
main.show({0x7f, 0x1})
	/src/main.go:31 +0x1d"""
RUST = """thread 'main' panicked at 'index out of bounds'
   1: shop::items::show
             at ./src/items.rs:40:9
   2: shop::main
             at ./src/main.rs:12:5"""
ELIXIR = """** (KeyError) key :name not found
    (shop 0.1.0) lib/shop/items.ex:12: Shop.Items.show/1
    (phoenix 1.7.2) lib/phoenix/router.ex:354: Phoenix.Router.__call__/5"""
IN_HTML = (
    "<pre>TypeError: x<br> &nbsp; &nbsp;at show (/app/items.js:3:9)<br>"
    " &nbsp; &nbsp;at /a.js:1:2</pre>"
)


def failing(response: Response) -> Server:
    def server(request: Request) -> Response:
        return response if caller(request) else UNAUTHENTICATED

    return server


TRACES = (PYTHON, JAVA, DOTNET, NODE, PHP, RUBY, GO, RUST, ELIXIR)
NAMES = ["Python", "Java", "NET", "Node", "PHP", "Ruby", "Go", "Rust", "Elixir"]


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
@pytest.mark.parametrize("style", ["text", "json", "lines", "soft", "html"])
def test_a_trace_of_any_language_is_found_in_any_style_of_error(trace: str, style: str) -> None:
    response = {
        "text": page(500, trace, "text/plain"),
        "json": answer(500, {"error": {"message": "oops", "detail": trace}}),
        "lines": answer(500, {"errors": [{"trace": trace.split("\n")}]}),
        "soft": answer(200, {"success": False, "debug": trace}),
        "html": page(500, f"<html><pre>{trace.replace('<', '&lt;')}</pre></html>"),
    }[style]
    (finding,) = findings(TRACE, failing(response), ME)
    assert finding.confidence is Confidence.FIRM
    assert finding.operations == ("GET /me",)


@pytest.mark.parametrize(
    "response",
    [
        page(500, IN_HTML),
        page(404, "<p>You're seeing this error because you have <code>DEBUG = True</code></p>"),
        page(500, "<script>var TRACEBACK = 1, CONSOLE_MODE = false, EVALEX = true;</script>"),
        answer(
            500,
            {
                "message": "Undefined variable",
                "trace": [
                    {"file": "/var/www/app/Items.php", "line": 9, "function": "show"},
                    {"file": "/var/www/index.php", "line": 55, "function": "handle"},
                ],
            },
        ),
    ],
    ids=["express", "django", "werkzeug", "laravel"],
)
def test_pages_of_debuggers_and_frames_as_objects_are_found(response: Response) -> None:
    assert len(findings(TRACE, failing(response), ME)) == 1


@pytest.mark.parametrize(
    "response",
    [
        answer(500, {"error": "internal", "incident": "at 12:04:31"}),
        answer(422, {"detail": [{"loc": ["body", "file"], "msg": 'File "a.csv", line 3: no'}]}),
        page(404, "<h1>Not Found</h1><p>Look at /docs/index.html:1:2, or at the list.</p>"),
        answer(400, {"errors": [{"file": "a.csv", "line": 3}, {"file": "a.csv", "line": 9}]}),
        answer(200, {"text": "meet me at Rosie's (near the mill)\nat noon (sharp)"}),
        answer(200, {"steps": ["#1 open the lid", "#2 pour", "#3 close (gently)"]}),
        page(400, "at least one of (a, b)\nat most 3 items (see docs)"),
    ],
)
def test_what_only_reads_like_a_frame_is_no_trace(response: Response) -> None:
    assert findings(TRACE, failing(response), ME) == ()


def test_traces_that_are_the_data_of_the_api_are_for_review() -> None:
    events = answer(200, {"items": [{"release": "1.2", "stacktrace": PYTHON}]})
    (finding,) = findings(TRACE, failing(events), ME)
    assert finding.confidence is Confidence.TENTATIVE


def test_a_trace_that_the_scan_itself_has_sent_is_an_echo() -> None:
    def server(request: Request) -> Response:
        return answer(400, sent(request)) if caller(request) else UNAUTHENTICATED

    schema = body(text={"type": "string", "enum": [PYTHON]})
    assert findings(TRACE, server, {"/notes": {"post": operation(requestBody=schema)}}) == ()


MESSAGES = [
    '(sqlite3.OperationalError) near "AND": syntax error [SQL: SELECT * FROM users WHERE]',
    "SQLITE_CONSTRAINT: UNIQUE constraint failed: users.email",
    'psycopg2.errors.UndefinedColumn: column "x" does not exist\nLINE 1: SELECT x FROM t',
    'pq: duplicate key value violates unique constraint "users_email_key"',
    "SQLSTATE[42S22]: Column not found: 1054 Unknown column 'x' in 'where clause'",
    "You have an error in your SQL syntax; check the manual that corresponds to your MariaDB",
    "Unclosed quotation mark after the character string ''.",
    "ORA-00933: SQL command not properly ended",
    "could not execute statement; org.hibernate.exception.ConstraintViolationException",
    "E11000 duplicate key error collection: shop.users index: email_1",
    'PG::SyntaxError: ERROR:  syntax error at or near "\'"',
    "ER_PARSE_ERROR: You have an error",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_what_databases_and_drivers_say_is_found_in_any_style_of_error(message: str) -> None:
    for response in (
        answer(500, {"error": message}),
        answer(200, {"ok": False, "message": message}),
        page(409, message, "text/plain"),
    ):
        (finding,) = findings(DATABASE, failing(response), ME)
        assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    "response",
    [
        answer(409, {"error": "email: must be unique", "code": "unique_violation"}),
        answer(400, {"error": "syntax error in query near 'AND'"}),
        answer(500, {"error": "database unavailable"}),
        answer(422, {"detail": "Select one from the list; update your settings"}),
        answer(200, {"skills": ["psycopg2.errors", "SQLSTATE[42000]", "ORA-00933: what it means"]}),
        answer(400, {"error": "no such user: bob", "hint": "column sort does not exist here"}),
    ],
)
def test_messages_for_people_are_no_database_errors(response: Response) -> None:
    assert findings(DATABASE, failing(response), ME) == ()


def test_a_database_error_inside_a_trace_is_the_same_flaw_and_found_once() -> None:
    both = answer(500, {"error": f"{PYTHON}\nsqlite3.OperationalError: no such column: x"})
    assert findings(DATABASE, failing(both), ME) == ()
    assert len(findings(TRACE, failing(both), ME)) == 1


def test_a_database_error_that_the_scan_itself_has_sent_is_an_echo() -> None:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.method == "GET" and last_segment(request) != "1":
            return answer(404, {"error": f"nothing is called {last_segment(request)}"})
        return answer(400, {"error": f"no good: {sent(request).get('text')}"})

    schema = body(text={"type": "string", "enum": ["ORA-00933: "]})
    paths = {"/notes": {"post": operation(requestBody=schema)}}
    assert findings(DATABASE, server, paths) == ()


@pytest.mark.parametrize(
    "headers",
    [
        {"Server": "nginx/1.18.0"},
        {"Server": "Werkzeug/3.0.1 Python/3.12.1"},
        {"X-Powered-By": "Express"},
        {"x-aspnet-version": "4.0.30319"},
    ],
)
def test_a_banner_is_a_note(headers: dict[str, str]) -> None:
    (finding,) = findings(BANNER, failing(answer(200, {"a": 1}, headers)), ME)
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "headers",
    [
        {"Server": "nginx"},
        {"Server": "cloudflare", "CF-Ray": "8a/9"},
        {"Server": "uvicorn", "Via": "HTTP/1.1 proxy", "API-Version": "2.3"},
        {"X-Powered-By": ""},
    ],
)
def test_a_product_without_a_version_is_none(headers: dict[str, str]) -> None:
    assert findings(BANNER, failing(answer(200, {"a": 1}, headers)), ME) == ()
