"""Browsers are told that pages of any web site may send requests that change something."""

from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
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
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity
from withstand.scan.probes.origins import (
    Letting,
    asked,
    letting_in,
    preflight,
    preflighted,
    reads,
    stranger,
)
from withstand.scan.subject import Baseline, Subject

_MOST_PATHS: Final = 3
_MOST_NAMED: Final = 20  # of those that let strangers in, where one does


def applies(subject: Subject) -> Skipped | None:
    if preflighted(subject):
        return None
    return not_applicable("browsers ask for none of the operations beforehand")


def run(subject: Subject) -> Steps[Outcome]:
    origin = stranger(subject)
    for read in reads(subject)[:1]:
        if (yield from asked(subject, read, origin)) is not None:
            return not_applicable("any origin may read as well, which is judged by itself")
    first: Failed | None = None
    affected: list[str] = []
    for at, baseline in enumerate(preflighted(subject)[:_MOST_NAMED]):
        if first is None and at >= _MOST_PATHS:
            break
        exchange = yield from preflight(subject, baseline, origin)
        letting = letting_in(exchange, origin)
        if letting is not None and exchange.succeeded and _permits(exchange, baseline):
            failure = _failure(subject, baseline, letting)
            if failure is not None:
                first = first or failure
                affected.append(baseline.operation.key)
    return replace(first, operations=tuple(affected)) if first is not None else PASSED


def _permits(exchange: Exchange, baseline: Baseline) -> bool:
    """Whether the answer names the method, where browsers want it named."""
    response = exchange.response
    assert response is not None, "it succeeded"
    if baseline.operation.method in {"GET", "HEAD", "POST"}:
        return True
    named = ",".join(response.header_values("access-control-allow-methods")).upper()
    words = {word.strip() for word in named.split(",")}
    return bool(words & {baseline.operation.method, "*"})


def _failure(subject: Subject, baseline: Baseline, letting: Letting) -> Failed | None:
    if letting.everybody and not subject.policy.cors_origins:
        return None  # an API for everybody says so
    method = baseline.operation.method
    return Failed(
        detail=f"Browsers are told that pages of any web site may send {method} requests"
        + (" with the user's cookies." if letting.credentials else "."),
        evidence=(shown("The browser's question, and the permission", letting.exchange),),
        severity=Severity.MEDIUM if letting.credentials else Severity.LOW,
    )


def _server(everybody: bool) -> Server:
    def server(request: Request) -> Response:
        origin = request.header("origin") or ""
        if request.method == "OPTIONS":
            headers = {"Vary": "Origin"}
            if everybody or origin == "https://app.example.com":
                headers["Access-Control-Allow-Origin"] = origin
                headers["Access-Control-Allow-Credentials"] = "true"
                headers["Access-Control-Allow-Headers"] = "authorization"
            return Response(status=204, headers=tuple(headers.items()))
        return answer(200, {"balance": 12}) if caller(request) else UNAUTHENTICATED

    return server


def vulnerable() -> Server:
    return _server(everybody=True)


def safe() -> Server:
    return _server(everybody=False)


CHECK = Check(
    name="foreign-preflight-approved",
    title="Browsers are told that any web site may send requests",
    family="cors",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(942, 346), owasp=("API8:2023",), asvs=("3.4.2", "3.5.2"), wstg=("WSTG-CLNT-07",)
    ),
    explanation=(
        "Before a page sends a request that a plain form could not, such as a DELETE or one with "
        "JSON, the browser asks the API with OPTIONS. Here the answer permits any origin, although "
        "the requests themselves do not let it read. The request is then sent with the user's "
        "cookies and takes effect. The check asks on behalf of an origin that nobody allowed. "
        "Where the answers can be read as well, cross-origin-reads-allowed is reported instead."
    ),
    remedy=(
        "Let one piece of code decide about origins, for OPTIONS as for all other methods, with "
        "one list. A handler of OPTIONS in a gateway or a framework's default is the usual place "
        "where a second, wider rule hides."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/account": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
