"""GraphQL endpoints: what they should keep back, and what only looks like one."""

import json
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.scan.catalogue import check_named
from withstand.scan.check import Server
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation, page
from withstand.scan.finding import Finding, Severity
from withstand.scan.policy import Profile
from withstand.scan.probes.graphql_query import deep_query, object_fields
from withstand.scan.records.record import CoverageState

from .tiny_api import findings, scanned, state

OPEN = "graphql-too-open"
ME: dict[str, Any] = {"/me": {"get": operation()}}
SCALAR = {"kind": "SCALAR", "name": "ID"}
ARGUMENT = {"defaultValue": None, "type": {"kind": "NON_NULL"}}


def a_list_of(name: str) -> dict[str, Any]:
    inner = {"kind": "NON_NULL", "name": None, "ofType": {"kind": "OBJECT", "name": name}}
    return {"kind": "LIST", "name": None, "ofType": inner}


def field(name: str, kind: dict[str, Any], *args: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "args": list(args), "type": kind}


TYPES = [
    {
        "kind": "OBJECT",
        "name": "Root",
        "fields": [
            field("post", {"kind": "OBJECT", "name": "Post"}, ARGUMENT),
            field("version", SCALAR),
            field("posts", a_list_of("Post")),
        ],
    },
    {"kind": "OBJECT", "name": "Post", "fields": [field("author", a_list_of("User"))]},
    {
        "kind": "OBJECT",
        "name": "User",
        "fields": [field("id", SCALAR), field("posts", a_list_of("Post"))],
    },
    {"kind": "SCALAR", "name": "ID", "fields": None},
]
SCHEMA = {"queryType": {"name": "Root"}, "types": TYPES}


def api(*, schema: bool = True, depth: int = 99, batch: int = 99, status: int = 200) -> Server:
    def one(item: Any) -> dict[str, Any]:
        query = str(item.get("query")) if isinstance(item, dict) else ""
        if query == "{__typename}":
            return {"data": {"__typename": "Root"}}
        if "__schema" in query:
            return {"data": {"__schema": SCHEMA}} if schema else error("introspection is off")
        if query.count("{") > depth + 1:
            return error("too deep")
        return {"data": {}} if "@include(if: false)" in query else error("syntax error")

    def error(message: str) -> dict[str, Any]:
        return {"data": None, "errors": [{"message": message}]}

    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        if request.path != "/graphql":
            return answer(200, {"name": caller(request)})
        asked = json.loads(request.body)
        if isinstance(asked, list):
            return (
                answer(200, [one(item) for item in asked]) if len(asked) <= batch else page(413, "")
            )
        return answer(status, one(asked))

    return server


def found(server: Server) -> dict[str | None, Finding]:
    return {finding.parameter: finding for finding in findings(OPEN, server, ME)}


def test_schema_depth_and_batches_are_findings_of_their_own() -> None:
    three = found(api())
    assert {name: finding.severity for name, finding in three.items()} == {
        "introspection": Severity.INFO,
        "depth": Severity.LOW,
        "batching": Severity.LOW,
    }
    assert set(found(api(depth=10, batch=2))) == {"introspection"}
    assert set(found(api(schema=False, batch=2))) == set()
    assert set(found(api(schema=False))) == {"batching"}


def test_the_deep_query_is_valid_and_has_nothing_looked_up() -> None:
    start, fields = object_fields(SCHEMA)
    assert deep_query(start, fields, 3) == (
        "{posts @include(if: false){author{posts{__typename}}}}"
    )
    deep = deep_query(start, fields, 20) or ""
    assert deep.count("{") == deep.count("}") == 21
    assert deep_query("Root", {"Root": {"leaf": "Leaf"}, "Leaf": {}}, 20) is None


@pytest.mark.parametrize(
    "response",
    [
        page(404, "not found"),
        page(200, "<html>an app of one page</html>"),
        answer(200, {"data": []}),
        answer(404, {"errors": [{"message": "no such path"}]}),
        answer(400, {"errors": ["no"]}),
        answer(405, {}),
    ],
)
def test_what_does_not_speak_graphql_costs_one_request(response: Response) -> None:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"a": 1}) if request.path == "/me" else response

    assert state(OPEN, server, ME)[0] is CoverageState.NOT_APPLICABLE
    _, exchanges = scanned(server, ME, checks=(check_named(OPEN),))
    assert sum(exchange.request.path == "/graphql" for exchange in exchanges) == 1


def test_an_endpoint_that_only_answers_errors_is_inconclusive() -> None:
    def server(request: Request) -> Response:
        if request.path == "/graphql":
            return answer(200, {"data": None, "errors": [{"message": "persisted queries only"}]})
        return answer(200, {"a": 1}) if caller(request) else UNAUTHENTICATED

    assert state(OPEN, server, ME)[0] is CoverageState.INCONCLUSIVE


def test_an_endpoint_that_must_not_be_called_is_not() -> None:
    never = {"never": ("POST /graphql",)}
    assert state(OPEN, api(), ME, policy=never)[0] is CoverageState.NOT_APPLICABLE
    readonly = {"profile": Profile.READONLY}
    assert state(OPEN, api(), ME, policy=readonly)[0] is CoverageState.SKIPPED
