"""A GraphQL endpoint tells its schema, or answers queries of any depth and in any number."""

from typing import Any, Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.finding import Severity
from withstand.scan.policy import Profile, matches
from withstand.scan.probes.graphql_query import (
    HAS_SCHEMA,
    SCHEMA,
    TYPENAME,
    asking,
    data_in,
    deep_query,
    is_graphql,
    object_fields,
)
from withstand.scan.subject import Subject

_DEPTH: Final = 20
_BATCH: Final = 10


def applies(subject: Subject) -> Skipped | None:
    if subject.policy.profile is Profile.READONLY:
        return Skipped(reason="the readonly profile sends no POST, which GraphQL needs")
    if _paths(subject):
        return None
    return not_applicable("its GraphQL endpoint is listed under never")


def run(subject: Subject) -> Steps[Outcome]:
    for path in _paths(subject):
        exchange = yield from _ask(subject, path, TYPENAME)
        if exchange.response is not None and is_graphql(exchange.response):
            if data_in(exchange.response) is None:
                return Inconclusive(reason=f"{path} answers {TYPENAME} with an error only")
            return (yield from _judge(subject, path))
    return not_applicable("nothing speaks GraphQL at /graphql or where the document says so")


def _judge(subject: Subject, path: str) -> Steps[Outcome]:
    failures: list[Failed] = []
    notes: list[str] = []
    open_schema = yield from _ask(subject, path, HAS_SCHEMA)
    data = data_in(open_schema.response)
    if data and data.get("__schema"):
        what = f"{path} tells its whole schema to whoever asks."
        failures.append(_failed(subject, path, "introspection", what, open_schema, Severity.INFO))
        deep = yield from _deep(subject, path)
        if isinstance(deep, Exchange):
            what = f"{path} accepts a query of {_DEPTH} objects within each other."
            failures.append(_failed(subject, path, "depth", what, deep, Severity.LOW))
        else:
            notes.append(deep)
    else:
        notes.append("without its schema no deep query can be written")
    batch = yield from _ask(subject, path, TYPENAME, times=_BATCH)
    answers = batch.response.json() if batch.response is not None else None
    if isinstance(answers, list) and len(answers) == _BATCH and all(map(_is_answer, answers)):
        what = f"{path} answers {_BATCH} queries in one request."
        failures.append(_failed(subject, path, "batching", what, batch, Severity.LOW))
    if failures:
        return FailedMany(failures=tuple(failures))
    return Passed(note="; ".join(notes))


def _deep(subject: Subject, path: str) -> Steps[Exchange | str]:
    """The deep query that was accepted, or the sentence that says why there is none."""
    told = data_in((yield from _ask(subject, path, SCHEMA)).response)
    if not told or not isinstance(told.get("__schema"), dict):
        return "its schema is told in parts only"
    start, fields = object_fields(told["__schema"])
    shallow, query = deep_query(start, fields, 2), deep_query(start, fields, _DEPTH)
    if shallow is None or query is None:
        return "no objects of its schema lead back to each other"
    control = yield from _ask(subject, path, shallow)
    if data_in(control.response) is None:
        return "a query of two objects is refused as well"
    deep = yield from _ask(subject, path, query)
    return deep if data_in(deep.response) is not None else f"{_DEPTH} levels are refused"


def _ask(subject: Subject, path: str, query: str, *, times: int = 1) -> Steps[Exchange]:
    request = asking(path, query, times=times)
    if subject.identities:
        request = subject.identities[0].authorize(request)
    return (yield from send(request))


def _is_answer(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("data"), dict)


def _failed(
    subject: Subject, path: str, parameter: str, what: str, exchange: Exchange, severity: Severity
) -> Failed:
    key = f"POST {path.removeprefix(subject.target.base_path)}"
    return Failed(
        detail=what,
        evidence=(shown("The query and its answer", exchange),),
        operations=(key,) if subject.api.operation(key) is not None else (),
        parameter=parameter,
        severity=severity,
    )


def _paths(subject: Subject) -> tuple[str, ...]:
    """Where GraphQL may be: the document's paths that say so, else the usual one."""
    said = [
        operation.path
        for operation in subject.api.operations
        if operation.method == "POST"
        and not operation.path_parameters
        and "graphql" in operation.path.lower()
    ]
    allowed = [
        path
        for path in (said or ["/graphql"])
        if not any(matches(pattern, f"POST {path}") for pattern in subject.policy.never)
    ]
    return tuple(subject.target.base_path + path for path in allowed)


_TYPES: Final = [
    {
        "kind": "OBJECT",
        "name": "Query",
        "fields": [{"name": "me", "args": [], "type": {"kind": "OBJECT", "name": "User"}}],
    },
    {
        "kind": "OBJECT",
        "name": "User",
        "fields": [{"name": "friend", "args": [], "type": {"kind": "OBJECT", "name": "User"}}],
    },
]


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        query = str(sent(request).get("query"))
        if "__schema" in query:
            schema = {"queryType": {"name": "Query"}, "types": _TYPES}
            return answer(200, {"data": {"__schema": schema}})
        if query == TYPENAME:
            return answer(200, {"data": {"__typename": "Query"}})
        return answer(200, {"data": {}}) if query.startswith("{me") else _refused("a syntax error")

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        query = str(sent(request).get("query"))
        if query == TYPENAME:
            return answer(200, {"data": {"__typename": "Query"}})
        return _refused("this query is not allowed")

    return server


def _refused(why: str) -> Response:
    return answer(400, {"errors": [{"message": why, "locations": [{"line": 1, "column": 1}]}]})


CHECK = Check(
    name="graphql-too-open",
    title="GraphQL tells its schema, or accepts queries of any size",
    family="graphql",
    severity=Severity.LOW,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(400, 770, 200),
        owasp=("API4:2023", "API8:2023"),
        asvs=("4.3.1", "4.3.2"),
        wstg=("WSTG-APIT-99",),
    ),
    explanation=(
        "A GraphQL endpoint answers questions about its schema, which is a note; accepts twenty "
        "objects within each other, so that one small query can make it look up millions; or "
        "answers many queries in one request, past any limit that counts requests. The check asks "
        "at /graphql, or where the document says. Its deep query is made of the schema's own "
        "fields and leaves out the first, so that nothing is looked up. Each of the three is a "
        "finding of its own."
    ),
    remedy=(
        "Limit the depth and the cost of a query before it runs, and the number of queries in a "
        "batch, or turn batches off. Turn introspection off where the schema is not meant to be "
        "known; that hides nothing from whoever has the client."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/graphql": {
                "post": operation(
                    requestBody=body(query={"type": "string", "enum": [TYPENAME]}),
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
