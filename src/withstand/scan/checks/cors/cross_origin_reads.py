"""Other web sites may read the answers to the user's requests."""

from collections.abc import Callable
from dataclasses import replace
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
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.probes.origins import Letting, asked, reads, stranger
from withstand.scan.subject import Subject

_MOST_OPERATIONS: Final = 20
_NOBODY: Final = "null"


def applies(subject: Subject) -> Skipped | None:
    return None if reads(subject) else Skipped(reason="no GET operation succeeded")


def run(subject: Subject) -> Steps[Outcome]:
    first, *others = reads(subject)
    unknown = stranger(subject)
    worst: Failed | None = None
    tried = unknown
    for origin in (unknown, _NOBODY):
        letting = yield from asked(subject, first, origin)
        failure = _verdict(subject, letting) if letting is not None else None
        if failure is not None and (worst is None or _rank(failure) > _rank(worst)):
            worst, tried = failure, origin
    affected = [first.operation.key] if worst is not None else []
    for baseline in others[: _MOST_OPERATIONS - 1]:  # some routes have a rule of their own
        letting = yield from asked(subject, baseline, tried)
        failure = _verdict(subject, letting) if letting is not None else None
        if failure is None or (worst is not None and _rank(failure) < _rank(worst)):
            continue
        affected.append(baseline.operation.key)
        worst = worst or failure
    return replace(worst, operations=tuple(affected)) if worst is not None else PASSED


def _verdict(subject: Subject, letting: Letting) -> Failed | None:
    configured = bool(subject.policy.cors_origins)
    if letting.credentials:
        severity = Severity.HIGH
    elif not letting.everybody and configured:
        severity = Severity.MEDIUM
    elif not letting.everybody or configured:
        severity = Severity.LOW
    else:
        return None  # `*` lets pages read what anybody may fetch: public APIs want that
    nobody = letting.origin == _NOBODY and not letting.everybody
    who = "sandboxed frames and local files (origin `null`)" if nobody else "any web site"
    allowed = "*" if letting.everybody else letting.origin
    return Failed(
        detail=f"Pages of {who} may read the answers"
        + (", with the user's cookies" if letting.credentials else "")
        + (" when a cookie is sent." if letting.only_with_cookie else "."),
        evidence=(shown(f"Sent by a page of {letting.origin}", letting.exchange, allowed),),
        severity=severity,
        confidence=Confidence.CERTAIN if letting.credentials else Confidence.FIRM,
    )


def _rank(failure: Failed) -> int:
    return failure.severity.rank if failure.severity is not None else Severity.HIGH.rank


def vulnerable() -> Server:
    return _server(lambda _origin: True)


def safe() -> Server:
    return _server(lambda origin: origin == "https://app.example.com")


def _server(lets_in: Callable[[str], bool]) -> Server:
    def server(request: Request) -> Response:
        origin = request.header("origin") or ""
        headers = {"Vary": "Origin"}
        if origin and lets_in(origin):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Allow-Credentials"] = "true"
        if request.method == "OPTIONS":
            return answer(200, {}, headers)
        return answer(200, {"balance": 1200}, headers) if caller(request) else UNAUTHENTICATED

    return server


CHECK = Check(
    name="cross-origin-reads-allowed",
    title="Other web sites may read the answers",
    family="cors",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.READ_ONLY,
    references=References(
        cwe=(942,), owasp=("API8:2023",), asvs=("3.4.2",), wstg=("WSTG-CLNT-07",)
    ),
    explanation=(
        "The API repeats whatever Origin it is sent and allows credentials, so any web site that "
        "a user visits can read their data with their cookies. The check sends an origin that "
        "nobody allowed, and `null`, which a page of anybody's can have; each with a cookie, "
        "because some servers open up only when there is one. Answers to everybody without "
        "credentials are reported only where allowed origins are configured."
    ),
    remedy=(
        "Keep a list of whole origins and compare for equality. Do not combine a wildcard with "
        "credentials: several frameworks then reflect the origin. Do not allow `null`. Send "
        "`Vary: Origin` where the answer depends on it."
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
