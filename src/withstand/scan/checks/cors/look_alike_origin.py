"""Web sites whose address looks like an allowed one may read the answers."""

from typing import Final

from withstand.client.exchange import Request, Response
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
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.origins import (
    Letting,
    asked,
    known_origins,
    look_alikes,
    reads,
    sibling,
    stranger,
)
from withstand.scan.subject import Baseline, Subject

_MOST_ORIGINS: Final = 2  # they are compared by one piece of code
_BY_END: Final = "hosts that end like an allowed one"


def applies(subject: Subject) -> Skipped | None:
    if not reads(subject):
        return Skipped(reason="no GET operation succeeded")
    if known_origins(subject):
        return None
    return not_applicable(
        "no allowed origin is known: cors_origins under [security] would name those that are"
    )


def run(subject: Subject) -> Steps[Outcome]:
    first = reads(subject)[0]
    anybody = yield from asked(subject, first, stranger(subject))
    if anybody is not None:
        return not_applicable("any origin is let in, so one that looks allowed is no worse")
    found: dict[str, Letting] = {}
    known = known_origins(subject)
    for allowed in known[:_MOST_ORIGINS]:
        for origin, how in look_alikes(subject, allowed):
            if origin in known or how in found:
                continue
            letting = yield from asked(subject, first, origin)
            if letting is None or letting.everybody:
                continue
            if how == _BY_END and (yield from _whole_domain(subject, first, allowed, origin)):
                continue
            found[how] = letting
    if not found:
        return PASSED
    credentials = any(letting.credentials for letting in found.values())
    return Failed(
        detail=f"Pages of {', '.join(found)} may read the answers"
        + (", with the user's cookies." if credentials else "."),
        evidence=tuple(
            shown(f"Sent by a page of {letting.origin}", letting.exchange, letting.origin)
            for letting in found.values()
        ),
        operations=(first.operation.key,),
        severity=Severity.HIGH if credentials else Severity.MEDIUM,
        confidence=Confidence.CERTAIN if credentials else Confidence.FIRM,
    )


def _whole_domain(subject: Subject, first: Baseline, allowed: str, origin: str) -> Steps[bool]:
    """Whether an origin got in as one of all hosts of the domain, which may be meant so."""
    other = sibling(subject, allowed)
    if other is None or not origin.endswith(other.partition(".")[2]):
        return False
    parent = other.partition(".")[2]
    if not origin.endswith(f".{parent}"):
        return False
    return (yield from asked(subject, first, other)) is not None


def _server(by_prefix: bool) -> Server:
    allowed = "https://app.example.com"

    def server(request: Request) -> Response:
        origin = request.header("origin") or ""
        headers = {"Vary": "Origin"}
        if origin == allowed or (by_prefix and origin.startswith(allowed)):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            return answer(200, {}, headers)
        return answer(200, {"balance": 1200}, headers) if caller(request) else UNAUTHENTICATED

    return server


def vulnerable() -> Server:
    return _server(by_prefix=True)


def safe() -> Server:
    return _server(by_prefix=False)


CHECK = Check(
    name="look-alike-origin-allowed",
    title="Web sites with an address like an allowed one may read the answers",
    family="cors",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(942, 185), owasp=("API8:2023",), asvs=("3.4.2",), wstg=("WSTG-CLNT-07",)
    ),
    explanation=(
        "Origins are compared carelessly: by their beginning, their end, a pattern with an "
        "unescaped dot, or without the scheme. Anybody can register a host that fits, such as "
        "app.example.com.evil.example, and its pages can then read users' data. The check tries "
        "each of these forms by itself, against the origins that are configured or that the API "
        "names itself. An API that lets in all hosts of a domain is not reported for it."
    ),
    remedy=(
        "Compare the whole origin, scheme and port included, for equality with a list. Where a "
        "pattern cannot be avoided, anchor it at both ends and escape the dots."
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
