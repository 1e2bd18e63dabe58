"""Browsers may take an answer for something else than the API means."""

from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.operation import Operation
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Evidence, Severity
from withstand.scan.seen import answers, keys_of, operation_of, where
from withstand.scan.subject import Subject

_MARKUP: Final = frozenset({"", "text/html", "application/xhtml+xml", "image/svg+xml", "text/xml"})


def applies(subject: Subject) -> Skipped | None:
    if subject.baselines:
        return None
    return Skipped(reason="no operation succeeded, so there is no answer to look at")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    sniffable: list[Exchange] = []
    mistyped: list[Exchange] = []
    looked = 0
    for exchange in answers(subject):
        response, called = exchange.response, operation_of(subject, exchange)
        if called is None or response is None or not _is_shown(response):
            continue
        looked += 1
        if (response.header("x-content-type-options") or "").strip().lower() != "nosniff":
            sniffable.append(exchange)
        if _is_mistyped(response, called):
            mistyped.append(exchange)
    details: list[str] = []
    evidence: list[Evidence] = []
    if sniffable:
        details.append(f"X-Content-Type-Options: nosniff is missing on {where(subject, sniffable)}")
        evidence.append(shown("Sent without nosniff", sniffable[0]))
    if mistyped:
        kind = _kind(mistyped[0])
        details.append(f"JSON is sent as {kind} by {where(subject, mistyped)}")
        evidence.append(shown(f"JSON, sent as {kind}", mistyped[0], kind))
    if not details:
        return Passed(note=f"{looked} answers looked at")
    return Failed(
        detail="; ".join(details) + ".",
        evidence=tuple(evidence),
        operations=keys_of(subject, [*sniffable, *mistyped]),
    )


def _is_shown(response: Response) -> bool:
    """Whether browsers show what it holds. They leave a redirect's body alone, and the page that it
    leads to is another answer, with headers of its own.
    """
    return response.succeeded and 200 <= response.status < 300 and bool(response.body.strip())


def _is_mistyped(response: Response, called: Operation) -> bool:
    """JSON that says it is a page or nothing, or plain text where the document says JSON."""
    if not isinstance(response.json(), dict | list):
        return False
    if response.media_type in _MARKUP:
        return True
    declared = called.responses.get(str(response.status)) or called.responses.get("2XX") or {}
    return response.media_type == "text/plain" and bool(declared) and all(map(_is_json, declared))


def _is_json(media_type: str) -> bool:
    plain = media_type.partition(";")[0].strip().lower()
    return plain.endswith(("/json", "+json"))


def _kind(exchange: Exchange) -> str:
    response = exchange.response
    return (response.media_type if response is not None else "") or "nothing in particular"


def _server(headers: tuple[tuple[str, str], ...]) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return Response(status=200, headers=headers, body=b'{"name": "<b>Ada</b>"}')

    return server


def vulnerable() -> Server:
    return _server((("Content-Type", "text/html"),))


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"name": "<b>Ada</b>"})

    return server


CHECK = Check(
    name="content-sniffing-possible",
    title="Browsers may take an answer for something else than it is",
    family="headers",
    severity=Severity.LOW,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(430, 693), owasp=("API8:2023",), asvs=("3.4.4", "4.1.1"), wstg=("WSTG-CONF-14",)
    ),
    explanation=(
        "Answers lack `X-Content-Type-Options: nosniff`, so browsers may guess from the bytes what "
        "they are, or JSON is sent under the media type of a page. Text that a user stored can "
        "then become markup, and run, in the browser of whoever opens the address. The check looks "
        "at the successful answers of the document's operations. Headers that only concern pages "
        "are not asked of JSON."
    ),
    remedy=(
        "Send nosniff with every answer, best in the gateway or in one middleware. Send JSON as "
        "application/json, also where it is written by hand, in errors and in downloads."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/account": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
