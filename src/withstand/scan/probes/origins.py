"""Asking as the pages of other web sites do, and reading who the answer lets in. Pure.

Sub-generators for the checks of cross-origin access: `letting = yield from asked(subject, …)`.
Browsers send `Origin` and obey `Access-Control-*` (https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from withstand.client.exchange import Exchange, Request, Response
from withstand.openapi.operation import Operation
from withstand.scan.check import Steps, send
from withstand.scan.subject import Baseline, Subject

_MOST_LEARNED: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Letting:
    """An answer that lets pages of an origin read it.

    `everybody` says that it names no origin but `*`; `credentials` that the browser sends the
    user's cookies along; `only_with_cookie` that it is closed to requests without one.
    """

    origin: str
    exchange: Exchange
    everybody: bool
    credentials: bool
    only_with_cookie: bool = False


def stranger(subject: Subject) -> str:
    """An origin that nobody can have allowed."""
    return f"https://{subject.nonce()}.example"


def asked(subject: Subject, baseline: Baseline, origin: str) -> Steps[Letting | None]:
    """Whether pages of an origin may read the answer; None when they may not.

    Asked with a cookie, because some servers open up only when there is one.
    """
    request = from_page(subject, baseline, origin)
    cookies = [value for value in (request.header("cookie"), "withstand=1") if value]
    with_cookie = yield from send(request.with_header("Cookie", "; ".join(cookies)))
    letting = letting_in(with_cookie, origin)
    response = with_cookie.response
    if letting is None or response is None or not response.succeeded or not response.body:
        return None  # a redirect, a refusal or an empty answer gives nothing away
    plain = letting_in((yield from send(request)), origin)
    if plain is not None and plain.credentials >= letting.credentials:
        return plain
    return Letting(
        origin=origin,
        exchange=letting.exchange,
        everybody=letting.everybody,
        credentials=letting.credentials,
        only_with_cookie=True,
    )


def letting_in(exchange: Exchange, origin: str) -> Letting | None:
    """What an answer to a page of that origin says; None when it keeps the page out."""
    response = exchange.response
    allowed = allowed_origin(response) if response is not None else ""
    if response is None or allowed not in {origin, "*"}:
        return None
    header = response.header("access-control-allow-credentials") or ""
    return Letting(
        origin=origin,
        exchange=exchange,
        everybody=allowed == "*",
        credentials=header.strip().lower() == "true" and allowed != "*",
    )


def from_page(subject: Subject, baseline: Baseline, origin: str) -> Request:
    """The baseline's request as the browser sends it for a page of that origin."""
    request = subject.stripped(baseline.exchange.request)
    if baseline.identity is not None:
        request = subject.identity(baseline.identity).authorize(request)
    return request.with_header("Origin", origin)


def preflight(subject: Subject, baseline: Baseline, origin: str) -> Steps[Exchange]:
    """The browser's question whether a page of that origin may send the baseline's request."""
    asked_for = baseline.exchange.request
    names = ["content-type"] if asked_for.body else []
    names += [name.lower() for name in credential_headers(subject, baseline)]
    headers = [("Origin", origin), ("Access-Control-Request-Method", asked_for.method)]
    if names:
        headers.append(("Access-Control-Request-Headers", ",".join(sorted(names))))
    request = Request(method="OPTIONS", path=asked_for.path, headers=tuple(headers))
    exchange = yield from send(request)
    return exchange


def credential_headers(subject: Subject, baseline: Baseline) -> tuple[str, ...]:
    """The headers that a page must set itself to act as the baseline's identity: no cookie."""
    if baseline.identity is None:
        return ()
    credential = subject.identity(baseline.identity).credential
    names = (name for name, _ in credential.headers) if credential is not None else ()
    return tuple(name for name in names if name.lower() != "cookie")


def allowed_origin(response: Response) -> str:
    """The origin that an answer lets read it; empty without one."""
    return (response.header("access-control-allow-origin") or "").strip()


def reads(subject: Subject) -> tuple[Baseline, ...]:
    """The GET baselines, the canary first and those with a credential before the public ones."""
    found = [
        b for b in subject.baselines.values() if b.operation.method == "GET" and b.operation.is_read
    ]
    key = subject.canary.operation.key if subject.canary else None
    found.sort(key=lambda b: (b.operation.key != key, b.identity is None))
    return tuple(found)


def preflighted(subject: Subject) -> tuple[Baseline, ...]:
    """Baselines for which browsers ask beforehand, one of each path, those that write first."""
    found: dict[str, Baseline] = {}
    ranked = sorted(subject.baselines.values(), key=lambda b: b.operation.is_read)
    for baseline in ranked:
        if _asks_beforehand(subject, baseline, baseline.operation):
            found.setdefault(baseline.operation.path, baseline)
    return tuple(found.values())


def known_origins(subject: Subject) -> tuple[str, ...]:
    """The origins that are allowed: configured, or named by the API to whoever asks."""
    if subject.policy.cors_origins:
        return subject.policy.cors_origins
    learned: dict[str, None] = {}
    for exchange in subject.observed:
        response = exchange.response
        named = allowed_origin(response) if response is not None else ""
        if urlsplit(named).hostname and named != exchange.request.header("origin"):
            learned[named] = None
    return tuple(learned)[:_MOST_LEARNED]


def look_alikes(subject: Subject, allowed: str) -> Iterator[tuple[str, str]]:
    """Origins of somebody else that a careless comparison takes for the allowed one, and how."""
    parts = urlsplit(allowed)
    host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
    if not host:
        return
    nonce = subject.nonce()
    yield f"{parts.scheme}://{host}.{nonce}.example{port}", "hosts that begin like an allowed one"
    end = "hosts that end like an allowed one"
    yield f"{parts.scheme}://{nonce}{host}{port}", end
    parent = host.partition(".")[2]
    if parent.count("."):
        yield f"{parts.scheme}://{nonce}{parent}{port}", end
    if "." in host:
        twisted = host.replace(".", "x", 1)
        yield f"{parts.scheme}://{twisted}{port}", "hosts with any character for a dot"
    if parts.scheme == "https":
        yield f"http://{host}{port}", "an allowed host over plain HTTP"


def sibling(subject: Subject, allowed: str) -> str | None:
    """Another host of the same domain; None where an allowed host has no domain above it."""
    parts = urlsplit(allowed)
    parent = (parts.hostname or "").partition(".")[2]
    if not parent.count("."):
        return None
    return f"{parts.scheme}://{subject.nonce()}.{parent}" + (f":{parts.port}" if parts.port else "")


def _asks_beforehand(subject: Subject, baseline: Baseline, operation: Operation) -> bool:
    """Whether a request is none that a plain form could send as well."""
    if operation.method in {"PUT", "PATCH", "DELETE"} or credential_headers(subject, baseline):
        return True
    kind = (baseline.exchange.request.header("content-type") or "").partition(";")[0].strip()
    return kind.lower().endswith("json")
