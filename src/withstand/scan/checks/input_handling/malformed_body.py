"""A body that cannot be read, or is of another kind, crashes the request."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import answer, body, operation
from withstand.scan.finding import Severity
from withstand.scan.probes.crashes import crash_by, crashed, still_works
from withstand.scan.probes.everywhere import asked_once, most_others
from withstand.scan.probes.inputs import usual_request
from withstand.scan.subject import Baseline, Subject
from withstand.units import format_names

_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"


def applies(subject: Subject) -> Skipped | None:
    if subject.operation is None or not subject.operation.bodies:
        return not_applicable("it takes no body")
    if subject.baseline is not None and not subject.baseline.exchange.request.body:
        return not_applicable("it is called without a body")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    usual = usual_request(subject)
    if usual is None:
        return Inconclusive(reason="no request could be built")
    crashes = []
    for kind, request in _malformed(usual):
        exchange = yield from crash_by(partial(replace, request))
        if exchange is not None and crashed(exchange):
            crashes.append((kind, exchange))
    if not crashes:
        return PASSED
    control = yield from still_works(subject)
    if control is None:
        return Inconclusive(reason="after a malformed body the usual one fails as well")
    shared: list[tuple[str, Exchange]] = []
    own: list[tuple[str, Exchange]] = []
    for kind, exchange in crashes:
        others = _like(subject, usual)
        everywhere = yield from most_others(others, partial(_crashes_too, subject, kind))
        (shared if everywhere else own).append((kind, exchange))
    failures = [
        _failed(found, control, whole_api=whole_api)
        for found, whole_api in ((shared, True), (own, False))
        if found
    ]
    return failures[0] if len(failures) == 1 else FailedMany(failures=tuple(failures))


def _failed(crashes: list[tuple[str, Exchange]], control: Exchange, *, whole_api: bool) -> Failed:
    kinds = format_names([kind for kind, _ in crashes])
    where = (
        " on most operations: what reads the bodies of all of them lets the error through"
        if whole_api
        else ""
    )
    return Failed(
        detail=f"The server fails on {kinds} instead of refusing it{where}.",
        evidence=(
            *(shown(f"With {kind}", exchange) for kind, exchange in crashes[:4]),
            shown("With the usual body", control),
        ),
        whole_api=whole_api,
    )


def _like(subject: Subject, usual: Request) -> Iterator[Baseline]:
    """The other operations that take such a body, and can be asked again."""
    assert subject.operation is not None, "runs once for each operation"
    for baseline in subject.baselines.values():
        sent, called = baseline.exchange.request, baseline.operation
        other = called.key != subject.operation.key and not called.removes
        if other and sent.body and _essence(sent) == _essence(usual):
            yield baseline


def _crashes_too(subject: Subject, kind: str, other: Baseline) -> Steps[bool]:
    malformed = dict(_malformed(other.exchange.request)).get(kind)
    if malformed is None:  # a list where an object is no other kind of body
        return False
    return crashed((yield from asked_once(subject, malformed, noise_is_answer=True)))


def _essence(request: Request) -> str:
    return (request.header("content-type") or "").split(";", 1)[0].strip().lower()


def _malformed(usual: Request) -> Iterator[tuple[str, Request]]:
    """The usual request with other bodies, each in a word."""
    essence = _essence(usual)
    yield "no body at all", replace(usual, body=b"")
    if essence.endswith("json"):
        yield from _malformed_json(usual)
    elif essence == _FORM:
        yield "escapes that are none", replace(usual, body=b"%zz=%&&=&withstand=%ff")
        yield "JSON in place of a form", _typed(usual, "application/json", b'{"withstand": 1}')
    elif essence == _MULTIPART:
        yield "parts without a boundary", _typed(usual, _MULTIPART, usual.body)
        yield "a body cut short", replace(usual, body=usual.body[: len(usual.body) // 2])
        yield "JSON in place of a form", _typed(usual, "application/json", b'{"withstand": 1}')
    yield "a body without Content-Type", usual.without_header("content-type")
    if essence != "text/plain":
        yield "a body called text/plain", _typed(usual, "text/plain", usual.body)


def _malformed_json(usual: Request) -> Iterator[tuple[str, Request]]:
    yield "JSON cut short", replace(usual, body=b'{"withstand": [1, ')
    yield "bytes that are no UTF-8", replace(usual, body=b'{"withstand": "\xff\xfe"}')
    yield "null", replace(usual, body=b"null")
    yield "a bare text", replace(usual, body=b'"withstand"')
    if usual.body.lstrip().startswith(b"{"):
        yield "a list in place of an object", replace(usual, body=b"[]")
        yield "an empty object", replace(usual, body=b"{}")
    else:
        yield "an object in place of a list", replace(usual, body=b"{}")


def _typed(request: Request, media_type: str, content: bytes) -> Request:
    return replace(request, body=content).with_header("Content-Type", media_type)


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        try:
            note = json.loads(request.body)
        except RecursionError:
            return answer(400, {"error": "the body is too deep"})
        except ValueError:  # nobody catches it
            return answer(500, {"error": "sorry"})
        return _taken(note)

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        try:
            note = json.loads(request.body)
        except (ValueError, RecursionError):
            return answer(400, {"error": "the body is no JSON"})
        return _taken(note)

    return server


def _taken(note: object) -> Response:
    if not isinstance(note, dict) or not isinstance(note.get("text"), str):
        return answer(422, {"error": "text is missing"})
    return answer(201, {"text": note["text"]})


CHECK = Check(
    name="malformed-body-crash",
    title="A body that cannot be read crashes the request",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(20, 755), owasp=("API8:2023",), asvs=("2.2.1", "16.5.4"), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "A body that is not what the operation takes ends in an unhandled error instead of a "
        "refusal: no body, JSON cut short, bytes that are no UTF-8, null or a list in place of an "
        "object, another Content-Type or none. Clients with a bug and half-sent requests do that "
        "every day, and each one looks like a failure of the server. The check sends each of them "
        "once, compares with the usual body, and repeats what failed. Where most other operations "
        "fail on the same body, all of them are one finding."
    ),
    remedy=(
        "Read bodies in one place that answers 400 for what cannot be parsed, 415 for another "
        "Content-Type and 422 for what does not fit the schema, before any code of the operation "
        "runs."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/notes": {
                "post": operation(
                    secured=False, requestBody=body(text={"type": "string", "example": "Hello"})
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
