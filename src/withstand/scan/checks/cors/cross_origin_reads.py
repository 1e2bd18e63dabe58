"""Other web sites may read the answers to the user's requests."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Outcome,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    send,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.subject import Baseline, Subject

_MOST_OPERATIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    value: str
    what: str


def applies(subject: Subject) -> Skipped | None:
    return None if _reads(subject) else Skipped(reason="no GET operation succeeded")


def run(subject: Subject) -> Steps[Outcome]:
    first, *others = _reads(subject)
    worst: tuple[Failed, _Origin] | None = None
    for origin in _foreign(subject):
        failure = yield from _judge(subject, first, origin)
        if failure is not None and (worst is None or _rank(failure) > _rank(worst[0])):
            worst = failure, origin
    tried = worst[1] if worst is not None else next(_foreign(subject))
    affected = [first.operation.key] if worst is not None else []
    for baseline in others[: _MOST_OPERATIONS - 1]:  # some routes have a rule of their own
        failure = yield from _judge(subject, baseline, tried)
        if failure is None or (worst is not None and _rank(failure) < _rank(worst[0])):
            continue
        affected.append(baseline.operation.key)
        worst = worst or (failure, tried)
    found = [replace(worst[0], operations=tuple(affected))] if worst is not None else []
    for value in subject.policy.cors_origins:
        exchange = yield from send(_from(subject, first, value))
        if exchange.response is not None and _allowed(exchange.response) not in {value, "*"}:
            found.append(_kept_out(first, exchange, value))
    return FailedMany(failures=tuple(found)) if found else PASSED


def _judge(subject: Subject, baseline: Baseline, origin: _Origin) -> Steps[Failed | None]:
    """What a page of a foreign origin may do, with a cookie where that opens more."""
    plain = yield from send(_from(subject, baseline, origin.value))
    request = _from(subject, baseline, origin.value)
    cookies = [value for value in (request.header("cookie"), "withstand=1") if value]
    cookied = yield from send(request.with_header("Cookie", "; ".join(cookies)))
    one = _verdict(subject, plain, origin, "")
    other = _verdict(subject, cookied, origin, " when a cookie is sent")
    if one is None or (other is not None and _rank(other) > _rank(one)):
        return other
    return one


def _verdict(subject: Subject, exchange: Exchange, origin: _Origin, when: str) -> Failed | None:
    response = exchange.response
    allowed = _allowed(response) if response is not None else ""
    if response is None or allowed not in {origin.value, "*"}:
        return None
    header = response.header("access-control-allow-credentials") or ""
    credentials = header.strip().lower() == "true" and allowed != "*"
    configured = bool(subject.policy.cors_origins)
    if credentials:
        severity = Severity.HIGH
    elif allowed != "*" and configured:
        severity = Severity.MEDIUM
    elif allowed != "*" or configured:
        severity = Severity.LOW
    else:
        return None  # `*` lets pages read what anybody may fetch: public APIs want that
    who = "any web site" if allowed == "*" else origin.what
    return Failed(
        detail=f"Pages of {who} may read the answers"
        + (", with the user's cookies" if credentials else "")
        + f"{when}.",
        evidence=(shown(f"Sent by a page of {origin.value}", exchange, allowed),),
        severity=severity,
        confidence=Confidence.CERTAIN if credentials else Confidence.FIRM,
    )


def _kept_out(baseline: Baseline, exchange: Exchange, origin: str) -> Failed:
    return Failed(
        detail=f"The configured origin {origin} may not read the answers.",
        evidence=(shown("No Access-Control-Allow-Origin for it", exchange),),
        operations=(baseline.operation.key,),
        parameter=origin,
        severity=Severity.LOW,
    )


def _rank(failure: Failed) -> int:
    return failure.severity.rank if failure.severity is not None else Severity.HIGH.rank


def _from(subject: Subject, baseline: Baseline, origin: str) -> Request:
    """The baseline's request as the browser sends it for a page of that origin."""
    request = subject.stripped(baseline.exchange.request)
    if baseline.identity is not None:
        request = subject.identity(baseline.identity).authorize(request)
    return request.with_header("Origin", origin)


def _foreign(subject: Subject) -> Iterator[_Origin]:
    """Origins that must not be let in: a stranger's, and those that look like an allowed one."""
    nonce = subject.nonce()
    yield _Origin(value=f"https://{nonce}.example", what="any web site")
    yield _Origin(value="null", what="sandboxed frames and local files (origin `null`)")
    for allowed in subject.policy.cors_origins[:3]:
        parts = urlsplit(allowed)
        host = parts.hostname or ""
        if not host:
            continue
        port = f":{parts.port}" if parts.port else ""
        longer = f"{parts.scheme}://{host}.{nonce}.example{port}"
        prefixed = f"{parts.scheme}://{nonce}{host}{port}"
        like = {
            longer: "hosts that begin like an allowed one",
            prefixed: "hosts that end like an allowed one",
        }
        if "." in host:
            twisted = host.replace(".", "x", 1)
            like[f"{parts.scheme}://{twisted}{port}"] = "hosts with any character for a dot"
        if parts.scheme == "https":
            like[f"http://{host}{port}"] = "an allowed host over plain HTTP"
        for value, what in like.items():
            if value not in subject.policy.cors_origins:
                yield _Origin(value=value, what=what)


def _allowed(response: Response) -> str:
    return (response.header("access-control-allow-origin") or "").strip()


def _reads(subject: Subject) -> tuple[Baseline, ...]:
    """The GET baselines, the canary first and those with a credential before the public ones."""
    found = [b for b in subject.baselines.values() if b.operation.method == "GET"]
    key = subject.canary.operation.key if subject.canary else None
    found.sort(key=lambda b: (b.operation.key != key, b.identity is None))
    return tuple(found)


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        headers = {
            "Access-Control-Allow-Origin": request.header("origin") or "*",
            "Access-Control-Allow-Credentials": "true",
        }
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"balance": 1200}, headers)

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        headers = {"Vary": "Origin"}
        if request.header("origin") == "https://app.example.com":
            headers["Access-Control-Allow-Origin"] = "https://app.example.com"
            headers["Access-Control-Allow-Credentials"] = "true"
        return answer(200, {"balance": 1200}, headers)

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
        "nobody allowed, `null`, and origins that look like the allowed ones at their beginning, "
        "end or dots, each with and without a cookie, because some servers open up only when "
        "there is one. Answers to everybody without credentials are reported as a note, and "
        "configured origins that are refused as a fault of function."
    ),
    remedy=(
        "Keep a list of whole origins and compare for equality, never by prefix, suffix or a "
        "pattern with unescaped dots. Do not combine a wildcard with credentials: several "
        "frameworks then reflect the origin. Send `Vary: Origin` where the answer depends on it."
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
