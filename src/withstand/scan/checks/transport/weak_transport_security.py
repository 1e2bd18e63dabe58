"""HTTPS is offered, but not so that it holds: old protocols, a bad certificate, no HSTS."""

import re
from datetime import UTC, datetime
from typing import Final

from withstand.client.certificate import Handshake
from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    FailedMany,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    ShakeHands,
    Skipped,
    Steps,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.subject import Baseline, Subject

_SHORTEST_MAX_AGE_S: Final = 180 * 86_400
"""ASVS asks for a year; half of one, which frameworks had as their default, is let pass."""

_MAX_AGE: Final = re.compile(r'max-age\s*=\s*"?(\d+)"?', re.IGNORECASE)
_GOOD_VERSIONS: Final = frozenset({"TLSv1.2", "TLSv1.3"})


def applies(subject: Subject) -> Skipped | None:
    if subject.target.scheme != "https":
        return not_applicable("the target is plain HTTP, so there is no TLS to look at")
    return None if _reads(subject) else Skipped(reason="no GET operation succeeded")


def run(subject: Subject) -> Steps[Outcome]:
    read = _reads(subject)[0]
    request = subject.stripped(read.exchange.request)
    if read.identity is not None:
        request = subject.identity(read.identity).authorize(request)
    exchange = yield from send(request)
    agreed: Handshake | None = yield ShakeHands()
    failures: list[Failed] = []
    failures += _without_hsts(read, exchange)
    if agreed is not None:
        failures += _bad_protocol(read, exchange, agreed)
        failures += _bad_certificate(subject, read, exchange, agreed)
    if failures:
        return FailedMany(failures=tuple(failures))
    return Passed(note=f"{agreed.version}, HSTS" if agreed is not None else "HSTS")


def _without_hsts(read: Baseline, exchange: Exchange) -> list[Failed]:
    response = exchange.response
    if response is None:
        return []
    value = response.header("strict-transport-security")
    match = _MAX_AGE.search(value or "")
    age_s = int(match[1]) if match is not None else 0
    if age_s >= _SHORTEST_MAX_AGE_S:
        return []
    if value is None:
        what = "Strict-Transport-Security is missing."
    else:
        what = f"Strict-Transport-Security holds for {age_s:,} s only: {value}."
    return [_failed(read, exchange, "hsts", what, Severity.LOW)]


def _bad_protocol(read: Baseline, exchange: Exchange, agreed: Handshake) -> list[Failed]:
    old = agreed.old_version or (agreed.version if agreed.version not in _GOOD_VERSIONS else None)
    if old is None:
        return []
    return [_failed(read, exchange, "protocol", f"The server agrees to {old}.", Severity.MEDIUM)]


def _bad_certificate(
    subject: Subject, read: Baseline, exchange: Exchange, agreed: Handshake
) -> list[Failed]:
    now_s = subject.now_s
    if agreed.expires_at_s is not None and now_s is not None and agreed.expires_at_s < now_s:
        day = datetime.fromtimestamp(agreed.expires_at_s, UTC).date()
        what = f"The certificate has expired on {day}."
    elif agreed.problem is None or (subject.loopback and not subject.target.verify):
        return []  # a test's own certificate on this machine is what the user said it is
    else:
        what = f"The certificate is not valid: {agreed.problem}."
    return [_failed(read, exchange, "certificate", what, Severity.MEDIUM)]


def _failed(
    read: Baseline, exchange: Exchange, parameter: str, what: str, severity: Severity
) -> Failed:
    return Failed(
        detail=what,
        evidence=(shown("Asked over HTTPS", exchange),),
        operations=(read.operation.key,),
        parameter=parameter,
        severity=severity,
    )


def _reads(subject: Subject) -> tuple[Baseline, ...]:
    found = [
        b for b in subject.baselines.values() if b.operation.method == "GET" and b.operation.is_read
    ]
    return tuple(found) if subject.canary is None else (subject.canary, *found)


def _server(headers: dict[str, str]) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"balance": 12}, headers)

    return server


def vulnerable() -> Server:
    return _server({"Strict-Transport-Security": "max-age=0"})


def safe() -> Server:
    return _server({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"})


CHECK = Check(
    name="weak-transport-security",
    title="HTTPS is offered, but not so that it holds",
    family="transport",
    severity=Severity.LOW,
    per=Per.API,
    safety=Safety.READ_ONLY,
    confidence=Confidence.CERTAIN,
    references=References(
        cwe=(319, 326, 295, 298),
        owasp=("API8:2023",),
        asvs=("3.4.1", "12.1.1", "12.2.2"),
        wstg=("WSTG-CRYP-01", "WSTG-CONF-07"),
        rfc=("RFC 6797, 6.1", "RFC 8996"),
    ),
    explanation=(
        "Over HTTPS one of three things is amiss. Strict-Transport-Security is missing or holds "
        "for less than half a year, so a browser's first request may go out unencrypted. Or the "
        "server agrees to TLS 1.0 or 1.1, which RFC 8996 retired. Or its certificate has expired, "
        "names another host, or is signed by nobody known. The check shakes hands twice or three "
        "times and sends one request. It has nothing to look at where the target is plain HTTP, "
        "and lets the certificate be where this machine's need not be valid."
    ),
    remedy=(
        "Send `Strict-Transport-Security: max-age=31536000; includeSubDomains` with every answer. "
        "Allow TLS 1.2 and 1.3 only. Renew certificates by a machine, well before they end."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/account": {"get": operation()}},
        vulnerable=vulnerable,
        safe=safe,
        base_url="https://127.0.0.1:9",
    ),
)
