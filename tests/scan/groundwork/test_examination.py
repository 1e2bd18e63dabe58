"""The doctor says who can do what, why something cannot be done, and what would help."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.scan import odd_api
from tests.scan.small_api import PATHS, Notes, a_check, answer, nothing, planned
from withstand.client.exchange import Request, Response
from withstand.client.scripted import Scripted
from withstand.openapi.given_values import GivenValues
from withstand.report.terminal_doctor import doctor_lines
from withstand.scan.groundwork.examination import Examination
from withstand.scan.policy import Policy
from withstand.scan.scanner import examine

BEARER: list[dict[str, list[str]]] = [{"bearer": []}]


def operation(**properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    body = {"content": {"application/json": {"schema": schema}}}
    return {"security": BEARER, "responses": {"200": {"description": "fine"}}, "requestBody": body}


def examined(
    server: Callable[[Request], Response] | None = None, **more: Any
) -> tuple[Examination, list[str], list[str]]:
    """What was found out, the lines of the report, and those of the trace."""
    trace: list[str] = []
    plan = planned(a_check(nothing), **more)
    found = asyncio.run(examine(plan, Scripted(server or Notes()), trace=trace.append))
    return found, list(doctor_lines(found)), trace


def with_odd(status: int, document: Any) -> Callable[[Request], Response]:
    """The notes, and an operation that answers this."""
    notes = Notes()

    def server(request: Request) -> Response:
        if request.operation_path.startswith("/odd"):
            return answer(status, document)
        return notes(request)

    return server


def test_an_api_on_which_everything_works_lacks_nothing() -> None:
    found, lines, _ = examined()
    assert found.lacking == ()
    assert "  ✓ alice (user): healthy by GET /me" in lines
    assert "Operations: 5 of 5 have a request that succeeds" in lines
    assert "Checks: 1 of 1 have something to run on" in lines


@pytest.mark.parametrize(
    ("method", "path", "status", "document", "advice"),
    [
        ("post", "/odd", 422, {"errors": {"kind": ["is odd"]}}, '"POST /odd" = { kind = … }'),
        ("post", "/odd", 400, {"error": "no"}, '"POST /odd" = { name = … }'),
        ("post", "/odd", 403, {}, "(tried: admin, user)"),
        ("post", "/odd", 401, {}, "send_as under [login]"),
        ("post", "/odd", 500, {}, "look in its log"),
        ("get", "/odd/{id}", 404, {}, '"GET /odd/{id}" = { id = … }'),
        ("get", "/odd", 404, {}, "is base_url under [target] complete?"),
        ("post", "/odd", 415, {}, "another media type"),
        ("post", "/odd", 200, {"success": False, "message": "kind is odd"}, "{ kind = … }"),
    ],
)
def test_each_refusal_has_its_advice(
    method: str, path: str, status: int, document: Any, advice: str
) -> None:
    paths = {**PATHS, path: {method: operation(kind={"type": "string"})}}
    found, lines, _ = examined(with_odd(status, document), paths=paths)
    (lacking,) = found.lacking
    assert any(advice in line for line in lacking.advice), lacking.advice
    assert any(f"got {status}" in line for line in lacking.tries)
    assert any(line.startswith(f"  ✗ {method.upper()} {path}") for line in lines)


def test_a_value_that_the_user_gives_is_sent_first_and_helps() -> None:
    notes = Notes()
    sent: list[Any] = []

    def server(request: Request) -> Response:
        if request.operation_path == "/odd" and request.method == "POST":
            sent.append(json.loads(request.body))
            good = sent[-1]["kind"] == "blue" and sent[-1]["deep"]["size"] == 7
            return answer(201, {"id": 1}) if good else answer(400, {"error": "no"})
        return notes(request)

    deep = {"type": "object", "properties": {"size": {"type": "integer"}}}
    paths = {**PATHS, "/odd": {"post": operation(kind={"type": "string"}, deep=deep)}}
    plan_values = GivenValues(table={"kind": "red", "POST /od*": {"kind": "blue", "deep.size": 7}})
    found, *_ = examined(server, paths=paths, given=plan_values)
    assert found.lacking == ()
    assert len(sent) == 1


@pytest.mark.parametrize("told", [False, True])
def test_what_only_the_configured_could_redeem_is_asked_for_as_a_value(told: bool) -> None:
    paths = {**PATHS, "/odd/redeem": {"post": operation(code={"type": "string"})}}
    given = GivenValues(table={"POST /odd/redeem": {"code": "X7"}} if told else {})
    found, *_ = examined(with_odd(200, {"coins": 7}), paths=paths, given=given)
    advice = [line for lacking in found.lacking for line in lacking.advice]
    assert advice[2:] == ([] if told else ['or name it under [values]: "POST /odd/redeem" = { … }'])


def test_what_the_user_forbids_is_not_missed() -> None:
    found, lines, _ = examined(policy=Policy(never=("DELETE /notes/{id}",)))
    assert found.lacking == ()
    assert any(line.startswith("  - DELETE /notes/{id}") for line in lines)


def test_without_identities_it_says_what_to_add() -> None:
    _, lines, _ = examined(identities=())
    assert (
        "  → add [login] and [identities] to withstand.toml: two of one role, one of a higher"
        in lines
    )


def test_the_trace_has_a_line_for_each_request_and_every_attempt_without_a_secret() -> None:
    paths = {**PATHS, "/odd": {"post": operation(kind={"type": "string"})}}
    echo = {"errors": {"kind": ["odd, Bearer alice-token!"]}}
    found, lines, trace = examined(with_odd(422, echo), paths=paths)
    requests = [line for line in trace if line[:5].strip().isdigit()]
    assert any("alice        POST /notes" in line and " 201 " in line for line in requests)
    assert any(line.startswith("no baseline: POST /odd: ") for line in trace)
    assert any("another body kind" in line for line in trace)
    assert "alice-token" not in "\n".join((*trace, *lines))
    assert found.requests == len(requests)


def test_a_lost_reference_is_told_with_the_operation_that_needs_it() -> None:
    broken = operation() | {"requestBody": {"$ref": "#/nowhere"}}
    found, lines, _ = examined(paths={**PATHS, "/odd": {"post": broken}})
    (lacking,) = found.lacking
    assert lacking.advice == ("correct the document: $ref '#/nowhere' leads nowhere",)
    assert "  In the document, $ref '#/nowhere' leads nowhere." in lines


def test_an_api_of_another_style_gets_a_request_for_everything_and_is_left_empty() -> None:
    """Ids under odd names and in Location, soft failures, errors as text and HTML, a form."""
    server = odd_api.OddApi()
    found, lines, _ = examined(server, paths=odd_api.PATHS)
    assert found.lacking == (), lines
    assert (server.customers, server.invoices) == ({}, {})
