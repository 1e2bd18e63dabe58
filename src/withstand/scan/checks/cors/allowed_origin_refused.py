"""An origin that the configuration names cannot use the API from a browser."""

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
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Severity
from withstand.scan.probes.origins import (
    from_page,
    letting_in,
    preflight,
    preflighted,
    reads,
)
from withstand.scan.subject import Baseline, Subject


def applies(subject: Subject) -> Skipped | None:
    if not _others(subject):
        return not_applicable("no other origin is configured: cors_origins under [security]")
    return None if reads(subject) else Skipped(reason="no GET operation succeeded")


def run(subject: Subject) -> Steps[Outcome]:
    first = reads(subject)[0]
    found: list[Failed] = []
    for origin in _others(subject):
        exchange = yield from send(from_page(subject, first, origin))
        if not exchange.succeeded:
            return Inconclusive(reason=f"{first.operation.key} now answers {exchange.status}")
        if letting_in(exchange, origin) is None:
            found.append(_kept_out(first, exchange, origin, "read the answers"))
            continue
        asking = next(iter(preflighted(subject)), None)
        if asking is None:
            continue
        asked = yield from preflight(subject, asking, origin)
        if letting_in(asked, origin) is None:
            what = f"send {asking.operation.method} requests: the browser's question is refused"
            found.append(_kept_out(asking, asked, origin, what))
    return FailedMany(failures=tuple(found)) if found else PASSED


def _kept_out(baseline: Baseline, exchange: Exchange, origin: str, what: str) -> Failed:
    return Failed(
        detail=f"Pages of the configured origin {origin} may not {what}.",
        evidence=(shown(f"Sent by a page of {origin}: nothing lets it in", exchange),),
        operations=(baseline.operation.key,),
        parameter=origin,
    )


def _others(subject: Subject) -> tuple[str, ...]:
    """The configured origins but the API's own, whose pages need no permission."""
    own = f"{subject.target.scheme}://{subject.target.authority}"
    return tuple(origin for origin in subject.policy.cors_origins if origin != own)


def _server(allowed: str) -> Server:
    def server(request: Request) -> Response:
        headers = {"Vary": "Origin"}
        if request.header("origin") == allowed:
            headers["Access-Control-Allow-Origin"] = allowed
            headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        if request.method == "OPTIONS":
            return Response(status=204, headers=tuple(headers.items()))
        return answer(200, {"balance": 12}, headers) if caller(request) else UNAUTHENTICATED

    return server


def vulnerable() -> Server:
    return _server("https://app.example.com/")


def safe() -> Server:
    return _server("https://app.example.com")


CHECK = Check(
    name="allowed-origin-refused",
    title="A configured origin cannot use the API from a browser",
    family="cors",
    severity=Severity.LOW,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(cwe=(942,), owasp=("API8:2023",), asvs=("3.4.2",)),
    explanation=(
        "The configuration names an origin whose pages may use the API, but the API does not let "
        "them: the answer carries no permission for it, or the browser's question beforehand is "
        "refused. That is a fault of function, not a hole. It is reported because the usual quick "
        "repair is a wildcard, and because the other checks of origins prove less when nobody is "
        "let in at all."
    ),
    remedy=(
        "Add the origin to the API's list exactly as browsers send it: scheme, host, port, no "
        "slash at the end. Answer OPTIONS for every path without asking for a credential, and "
        "list the methods and headers in use. Or take the origin out of cors_origins."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/account": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        policy={"cors_origins": ("https://app.example.com",)},
    ),
)
