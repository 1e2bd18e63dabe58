"""Inputs of a creation that are tried together: what that spares, and what it must not hide."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import answer, body, caller, operation, page, sent
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned

COMMAND, MARKUP, TEMPLATE = "command-injection", "cross-site-scripting", "template-injection"
PATH, SQL, EXPRESSION = "path-traversal", "sql-injection", "regular-expression-blow-up"
STRING = {"type": "string"}
FIELDS = ("title", "summary", "remark")
ECHO = re.compile(r"echo (\w+)\$\(\((\d+)\+(\d+)\)\)(\w*)")
PRODUCT = re.compile(r"\{\{(\d+)\*(\d+)\}\}")

Look = Callable[[dict[str, str]], Response | None]
"""What an API has against what was sent; None where it takes it."""


def paths(**more: Any) -> dict[str, Any]:
    schemas: dict[str, Any] = dict.fromkeys(FIELDS, STRING) | more
    return {"/reports": {"post": operation(requestBody=body(**schemas))}}


def reports(show: Callable[[str], str], look: Look = lambda _sent: None) -> Server:
    """An API that keeps reports; `show` is what it makes of a summary."""

    def server(request: Request) -> Response:
        if caller(request) is None:
            return answer(401, {"error": "who are you?"})
        given = sent(request)
        if request.path != "/reports" or any(not isinstance(given.get(f), str) for f in FIELDS):
            return answer(400, {"error": "no"})
        return look(given) or answer(201, {**given, "id": 7, "summary": show(given["summary"])})

    return server


def created(exchanges: tuple[Exchange, ...]) -> int:
    return sum(exchange.status == 201 for exchange in exchanges)


def run_commands(text: str) -> str:
    return text + "".join(f"\n{w}{int(a) + int(b)}{x}" for w, a, b, x in ECHO.findall(text))


def work_out(text: str) -> str:
    return PRODUCT.sub(lambda match: str(int(match[1]) * int(match[2])), text)


def read_file(text: str) -> str:
    return "root:x:0:0:root:/root:/bin/sh" if text.endswith("/etc/passwd") else text


FLAWS = {COMMAND: run_commands, TEMPLATE: work_out, PATH: read_file}


def strict_title(given: dict[str, str]) -> Response | None:
    return answer(400, {"error": "title: letters only"}) if not given["title"].isalnum() else None


def strict_and_silent(given: dict[str, str]) -> Response | None:
    return answer(400, {"error": "no"}) if not given["title"].isalnum() else None


def one_at_a_time(given: dict[str, str]) -> Response | None:
    """Two odd texts in one request are refused, and nobody says why."""
    odd = sum(not given[field].isalnum() for field in FIELDS)
    return answer(400, {"error": "no"}) if odd > 1 else None


def calm_but_empty(given: dict[str, str]) -> Response | None:
    """Says yes to an odd title, and has done nothing."""
    return answer(201, {"queued": []}) if not given["title"].isalnum() else None


@pytest.mark.parametrize(
    "look",
    [lambda _sent: None, strict_title, strict_and_silent, one_at_a_time, calm_but_empty],
    ids=["takes all", "names what it refuses", "does not", "one odd text only", "empty success"],
)
@pytest.mark.parametrize("check", FLAWS)
def test_a_flaw_in_one_of_several_inputs_is_found_and_named(check: str, look: Look) -> None:
    (finding,) = findings(check, reports(FLAWS[check], look), paths())
    assert finding.parameter == "body summary"


def test_a_page_that_refuses_and_shows_the_markup_is_found() -> None:
    def look(given: dict[str, str]) -> Response | None:
        if "<" in given["summary"]:
            return page(400, f"<p>remark is fine, summary is not: {given['summary']}</p>")
        return None

    (finding,) = findings(MARKUP, reports(str, look), paths())
    assert finding.parameter == "body summary"


def test_a_query_that_breaks_at_one_of_several_inputs_is_found() -> None:
    def look(given: dict[str, str]) -> Response | None:
        odd = given["summary"].replace("''", "").count("'") % 2
        return answer(500, {"error": "sorry"}) if odd else None

    (finding,) = findings(SQL, reports(str, look), paths())
    assert finding.parameter == "body summary"


@pytest.mark.parametrize("check", [COMMAND, MARKUP, TEMPLATE, PATH, SQL])
@pytest.mark.parametrize("look", [lambda _sent: None, strict_title])
def test_three_inputs_cost_hardly_more_creations_than_one(check: str, look: Look) -> None:
    def count(schemas: dict[str, Any]) -> int:
        chosen = (check_named(check),)
        record, exchanges = scanned(reports(str, look), schemas, checks=chosen)
        assert {row.state for row in record.coverage} == {CoverageState.PASSED}
        return created(exchanges)

    fixed = {"enum": ["letters"]}
    assert count(paths()) <= count(paths(title=fixed, remark=fixed)) + 1
