"""Text that is run or worked out: as a command, as a template. What must be found, and what not."""

import html
import re
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, not_found, operation, page, query, sent
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

COMMAND = "command-injection"
TEMPLATE = "template-injection"


def search(example: str | None = "tea", **more: Any) -> dict[str, Any]:
    return {
        "/search": {
            "get": operation(secured=False, parameters=(("query", "q"),), example=example, **more)
        }
    }


# --- commands ---------------------------------------------------------------------------------


def shell(line: str) -> str:
    """What a real shell prints of a line that cannot do any harm: it has no way to programs."""
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={"PATH": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    return done.stdout + done.stderr


def in_a_shell(template: str, allows: Callable[[str], bool] = lambda _value: True) -> Server:
    def server(request: Request) -> Response:
        value = query(request, "q")
        if not allows(value) or "\0" in value:
            return answer(400, {"error": f"{value} is not allowed"})
        return answer(200, {"output": shell(template.replace("?", value))})

    return server


def begins_as_usual(value: str) -> bool:
    return value.startswith("tea")


@pytest.mark.parametrize(
    "server",
    [
        in_a_shell("echo ?"),
        in_a_shell("echo '?' there"),
        in_a_shell('echo "?" there'),
        in_a_shell("?"),
        in_a_shell("echo ?", lambda value: ";" not in value and "|" not in value),
        in_a_shell("echo ?", lambda value: not re.search(r"[;|&`$#'\"]", value.partition("\n")[0])),
        in_a_shell("false || echo ?", lambda value: not re.search(r"[;|\n`]", value)),
        in_a_shell("echo ?", begins_as_usual),
        in_a_shell("echo ? 2>&1 | cat"),
    ],
    ids=["bare", "'…'", '"…"', "itself", "$()", "newline", "&", "valid beginning", "pipe"],
)
def test_a_value_in_a_command_line_is_found(server: Server) -> None:
    (finding,) = findings(COMMAND, server, search())
    assert finding.parameter == "query q"
    assert "sum" in finding.detail


def test_a_choice_that_nobody_looks_at_may_run_a_command_and_one_refusal_clears_it() -> None:
    choice = {"in": "query", "name": "q", "schema": {"enum": ["csv", "json"], "type": "string"}}
    paths = {"/search": {"get": operation(secured=False) | {"parameters": [choice]}}}
    (finding,) = findings(COMMAND, in_a_shell("echo as ?"), paths)
    assert finding.parameter == "query q"

    def strict(request: Request) -> Response:
        return answer(200 if query(request, "q") in {"", "csv", "json"} else 400, {"rows": []})

    record, exchanges = scanned(strict, paths, checks=(check_named(COMMAND),))
    assert {row.state for row in record.coverage} == {CoverageState.PASSED}
    assert sum(each.status == 400 for each in exchanges) == 1


def test_a_command_of_windows_is_found() -> None:
    def server(request: Request) -> Response:
        # cmd.exe: `&` separates, echo repeats, `set /a` works out and prints without a line break.
        printed = ""
        for command in f"ping {query(request, 'q')}".split("&"):
            word, _, rest = command.strip().partition(" ")
            if word == "echo":
                printed += rest + "\r\n"
            if product := re.fullmatch(r"set /a (\d+)\*(\d+)", command.strip()):
                printed += str(int(product[1]) * int(product[2]))
        return page(200, printed, "text/plain")

    (finding,) = findings(COMMAND, server, search())
    assert finding.parameter == "query q"


def test_a_command_whose_output_nobody_shows_is_found_by_its_call() -> None:
    class Converter:
        def __init__(self) -> None:
            self.fetched: list[str] = []

        def __call__(self, request: Request) -> Response:
            found = re.search(r";\(curl -sm2 (\S+)\$\(\((\d+)\+(\d+)\)\)", str(sent(request)))
            if found is not None:
                self.fetched.append(f"{found[1]}{int(found[2]) + int(found[3])}")
            return answer(201, {"ok": True})

    fields = body(caption={"type": "string", "example": "My cat"})
    paths = {"/films": {"post": operation(secured=False, requestBody=fields)}}
    (finding,) = findings(COMMAND, Converter(), paths)
    assert finding.parameter == "body caption"
    assert "listener" in finding.detail


def test_who_fetches_every_address_in_a_text_runs_no_command() -> None:
    class Preview:
        def __init__(self) -> None:
            self.fetched: list[str] = []

        def __call__(self, request: Request) -> Response:
            self.fetched += re.findall(r"http://[^\s)|]+", query(request, "q"))
            return answer(200, {"previews": len(self.fetched)})

    assert findings(COMMAND, Preview(), search()) == ()


def works_out(request: Request) -> Response:
    """A calculator that is meant to be one."""
    found = re.fullmatch(r"\W*(\d+)\s*([+*])\s*(\d+)\W*", query(request, "q"))
    if found is None:
        return answer(422, {"error": f"cannot work out {query(request, 'q')}"})
    one, other = int(found[1]), int(found[3])
    return answer(200, {"result": one + other if found[2] == "+" else one * other})


def guarded(request: Request) -> Response:
    """A firewall in front: odd text gets a page that repeats it."""
    value = query(request, "q")
    if re.search(r"[;|&$<>{}'`]", value):
        return page(403, f"<h1>Blocked</h1>{html.escape(value)}")
    return answer(200, {"found": []})


def echoes(request: Request) -> Response:
    return answer(200, {"you asked for": query(request, "q")})


def echoes_in_a_page(request: Request) -> Response:
    return page(200, f"<p>{html.escape(query(request, 'q'))}</p>")


def refuses(request: Request) -> Response:
    value = query(request, "q")
    return answer(200 if value.isalnum() else 422, {"input": value, "problem": "letters only"})


def crashes(request: Request) -> Response:
    value = query(request, "q")
    return answer(200, {}) if value.isalnum() else page(500, f"<h1>Error</h1>{value}")


def cut_out(request: Request) -> Response:
    """Markup and braces are taken out, the rest is shown."""
    return page(200, re.sub(r"<[^>]*>|[{}$#]", "", query(request, "q")))


SANE = pytest.mark.parametrize(
    "server",
    [works_out, guarded, echoes, echoes_in_a_page, refuses, crashes, cut_out],
    ids=lambda server: server.__name__,
)


@SANE
@pytest.mark.parametrize("check", [COMMAND, TEMPLATE])
@pytest.mark.parametrize("example", ["tea", "6*7"])
def test_what_only_repeats_refuses_or_crashes_is_not_reported(
    check: str, server: Server, example: str
) -> None:
    assert findings(check, server, search(example)) == ()


def test_a_number_that_must_be_one_costs_one_request() -> None:
    paths = search(None)
    paths["/search"]["get"]["parameters"][0]["schema"] = {"type": "integer"}

    def server(request: Request) -> Response:
        given = query(request, "q") or "1"
        return answer(200 if given.isdecimal() else 400, {})

    from withstand.scan.catalogue import check_named

    _, without = scanned(server, paths, checks=())
    _, exchanges = scanned(server, paths, checks=(check_named(COMMAND),))
    assert len(exchanges) - len(without) == 1


def test_nothing_odd_is_written_into_a_delete() -> None:
    paths = {"/things/{name}": {"delete": operation(secured=False, parameters=(("path", "name"),))}}
    for name in (COMMAND, TEMPLATE):
        told, _ = state(name, lambda _request: answer(200, {}), paths)
        assert told is not CoverageState.PASSED


def test_a_login_is_not_tried_with_what_would_only_count_as_guesses() -> None:
    fields = body(username={"type": "string"}, password={"type": "string"})
    paths = {"/login": {"post": operation(secured=False, requestBody=fields)}}
    for name in (COMMAND, TEMPLATE, "path-traversal", "regular-expression-blow-up"):
        told, reason = state(name, lambda _request: answer(200, {"token": "t"}), paths)
        assert told is CoverageState.NOT_APPLICABLE
        assert "guess" in reason


# --- templates --------------------------------------------------------------------------------


def engine(pattern: str, breaks_on: str = "") -> Callable[[str], str | None]:
    """A template engine that multiplies; None where it stumbles."""

    def render(source: str) -> str | None:
        if breaks_on and breaks_on in source:
            return None
        return re.sub(pattern, lambda found: str(int(found[1]) * int(found[2])), source)

    return render


def rendering(render: Callable[[str], str | None], media_type: str = "text/html") -> Server:
    def server(request: Request) -> Response:
        shown = render(f"Dear {html.escape(query(request, 'q'), quote=False)},")
        return page(500, "sorry") if shown is None else page(200, shown, media_type)

    return server


@pytest.mark.parametrize(
    "server",
    [
        rendering(engine(r"\{\{ ?(\d+)\*(\d+) ?\}\}")),
        rendering(engine(r"\{\{ ?(\d+)\*(\d+) ?\}\}"), "application/json"),
        rendering(engine(r"\$\{(\d+)\*(\d+)\}", breaks_on="#{")),
        rendering(engine(r"&lt;%= (\d+)\*(\d+) %&gt;")),
        rendering(engine(r"#\{(\d+)\*(\d+)\}", breaks_on="{{")),
        rendering(engine(r"@\((\d+)\*(\d+)\)")),
        rendering(engine(r"\{(\d+)\*(\d+)\}", breaks_on="[[")),
    ],
    ids=["Jinja", "in JSON", "Mako", "ERB", "Pug", "Razor", "Smarty"],
)
def test_a_template_that_is_worked_out_is_found(server: Server) -> None:
    (finding,) = findings(TEMPLATE, server, search())
    assert finding.parameter == "query q"
    assert finding.evidence[0].highlight is not None


def test_an_engine_behind_a_filter_of_angle_brackets_is_found() -> None:
    render = engine(r"\{\{ ?(\d+)\*(\d+) ?\}\}")

    def server(request: Request) -> Response:
        if "<" in query(request, "q"):
            return answer(400, {"error": "no markup"})
        return answer(200, {"text": render(query(request, "q"))})

    (finding,) = findings(TEMPLATE, server, search())
    assert finding.parameter == "query q"


@pytest.mark.parametrize("server", [echoes, refuses])
def test_an_input_that_is_no_template_costs_few_requests(server: Server) -> None:
    from withstand.scan.catalogue import check_named

    _, without = scanned(server, search(), checks=())
    _, exchanges = scanned(server, search(), checks=(check_named(TEMPLATE),))
    assert len(exchanges) - len(without) <= 3


def test_a_header_of_the_document_is_an_input_as_well() -> None:
    paths = search()
    paths["/search"]["get"]["parameters"] = [
        {"in": "header", "name": "X-Greeting", "required": True, "schema": {"type": "string"}}
    ]
    render = engine(r"\{\{ ?(\d+)\*(\d+) ?\}\}")

    def server(request: Request) -> Response:
        if urlsplit(request.path).path != "/search":
            return not_found()
        assert "\n" not in (request.header("x-greeting") or "")
        return answer(200, {"card": render(request.header("x-greeting") or "")})

    (finding,) = findings(TEMPLATE, server, paths)
    assert finding.parameter == "header X-Greeting"
