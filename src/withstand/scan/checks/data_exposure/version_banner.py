"""Response headers tell which software, in which version, is behind the API."""

import re
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
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, caller, operation
from withstand.scan.finding import Confidence, Severity
from withstand.scan.seen import answers, keys_of
from withstand.scan.subject import Subject

_VERSION: Final = re.compile(r"[A-Za-z][\w.+-]*[/ ]v?\d+(?:\.\d+)*")
_ALWAYS_TOLD: Final = ("x-powered-by", "x-aspnet-version", "x-aspnetmvc-version")
_TOLD_WITH_VERSION: Final = ("server", "x-generator", "x-server", "x-backend-server")


def applies(subject: Subject) -> Skipped | None:
    return None if subject.observed or subject.baselines else Skipped(reason="nothing was answered")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    banners: dict[str, Exchange] = {}
    telling: list[Exchange] = []
    for exchange in answers(subject):
        response = exchange.response
        assert response is not None, "answers() gives exchanges with a response"
        for name, value in response.headers:
            if _is_banner(name.lower(), value.strip()):
                banners.setdefault(f"{name}: {value.strip()}", exchange)
                telling.append(exchange)
    if not banners:
        return PASSED
    return Failed(
        detail="Response headers name the software behind the API: "
        + "; ".join(list(banners)[:4])
        + ".",
        evidence=tuple(
            shown("The header tells it", exchange, line)
            for line, exchange in list(banners.items())[:3]
        ),
        operations=keys_of(subject, telling),
    )


def _is_banner(name: str, value: str) -> bool:
    if name in _ALWAYS_TOLD:
        return bool(value)
    return name in _TOLD_WITH_VERSION and _VERSION.search(value) is not None


def _server(headers: dict[str, str]) -> Server:
    def server(request: Request) -> Response:
        if caller(request) is None:
            return UNAUTHENTICATED
        return answer(200, {"balance": 1200}, headers)

    return server


def vulnerable() -> Server:
    return _server({"Server": "Apache/2.4.49 (Unix) OpenSSL/1.1.1", "X-Powered-By": "PHP/7.4.3"})


def safe() -> Server:
    return _server({"Server": "nginx", "Via": "1.1 edge", "X-Request-Id": "web/7"})


CHECK = Check(
    name="version-banner",
    title="Response headers tell the version of the software behind the API",
    family="data exposure",
    severity=Severity.INFO,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    confidence=Confidence.CERTAIN,
    references=References(
        cwe=(200,), owasp=("API8:2023",), asvs=("13.4.6",), wstg=("WSTG-INFO-02",)
    ),
    explanation=(
        "A header such as Server or X-Powered-By names a product with its version. Whoever scans "
        "many hosts for a version with a known hole finds this one without trying it. The header "
        "is of no use to clients. It makes nothing insecure by itself, so this is a note and "
        "fails no build."
    ),
    remedy=(
        "Turn the header off, in the framework and in the gateway in front of it, or leave only "
        "the product's name. Keep the software up to date all the same."
    ),
    run=run,
    applies=applies,
    example=Example(paths={"/account": {"get": operation()}}, vulnerable=vulnerable, safe=safe),
)
