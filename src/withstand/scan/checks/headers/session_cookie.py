"""The cookie by which users are known lacks the attributes that protect it."""

import re
from collections.abc import Iterator
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Per,
    References,
    Safety,
    Server,
    Skipped,
    Steps,
    not_applicable,
    shown,
)
from withstand.scan.examples import UNAUTHENTICATED, answer, operation
from withstand.scan.finding import Severity
from withstand.scan.seen import answers, keys_of
from withstand.scan.subject import Subject

_AGAINST_FORGERY: Final = re.compile(r"csrf|xsrf", re.IGNORECASE)
_TOKEN: Final = re.compile(r"(?:access|refresh|auth|session|id)[_-]?token|jwt", re.IGNORECASE)
"""What only a credential is called, also where requests carry another one."""
_DELETED: Final = re.compile(r"max-age=(?:0|-\d+)$|expires=.*\b19\d\d\b", re.IGNORECASE)


def applies(subject: Subject) -> Skipped | None:
    if _session_names(subject):
        return None
    return not_applicable("no identity is known by a cookie, and none is called a token")


def run(subject: Subject) -> Steps[Outcome]:
    yield from ()
    names = _session_names(subject)
    lacking: dict[tuple[str, str], tuple[Exchange, str]] = {}
    seen = 0
    for exchange in answers(subject):
        response = exchange.response
        assert response is not None, "answers() gives exchanges with a response"
        for line in response.header_values("set-cookie"):
            name, value, attributes = _parts(line)
            if name not in names or not value or any(_DELETED.match(each) for each in attributes):
                continue
            seen += 1
            for attribute in _missing(attributes, encrypted=subject.target.scheme == "https"):
                lacking.setdefault((name, attribute), (exchange, line))
    if not seen:
        return Inconclusive(
            reason=f"no answer of the run has set the cookie {' or '.join(sorted(names))}"
        )
    if not lacking:
        return Passed(note=f"the cookie {' and '.join(sorted(names))} is protected")
    described = [f"{name} lacks {attribute}" for name, attribute in lacking]
    only_same_site = {attribute for _, attribute in lacking} == {"SameSite"}
    found = [exchange for exchange, _ in lacking.values()]
    return Failed(
        detail=f"The cookie of the session is not protected: {', '.join(described)}.",
        evidence=tuple(
            shown(f"{name} is set without {attribute}", exchange)
            for (name, attribute), (exchange, _) in lacking.items()
        ),
        operations=keys_of(subject, found),
        severity=Severity.LOW if only_same_site else Severity.MEDIUM,
    )


def _missing(attributes: tuple[str, ...], *, encrypted: bool) -> Iterator[str]:
    names = {attribute.partition("=")[0].strip().lower() for attribute in attributes}
    if "httponly" not in names:
        yield "HttpOnly"
    if "samesite" not in names:
        yield "SameSite"
    if encrypted and "secure" not in names:  # over plain HTTP browsers would drop it
        yield "Secure"


def _parts(line: str) -> tuple[str, str, tuple[str, ...]]:
    pair, *attributes = (part.strip() for part in line.split(";"))
    name, _, value = pair.partition("=")
    return name.strip(), value.strip().strip('"'), tuple(attributes)


def _session_names(subject: Subject) -> frozenset[str]:
    """The cookies that make requests act as an identity, or are called a token; less those that
    pages must read.
    """
    found = {
        name
        for exchange in answers(subject)
        if exchange.response is not None
        for line in exchange.response.header_values("set-cookie")
        if _TOKEN.fullmatch(name := _parts(line)[0])
    }
    for identity in subject.identities:
        line = identity.authorize(Request(method="GET", path="/")).header("cookie") or ""
        found |= {pair.partition("=")[0].strip() for pair in line.split(";")} - {""}
    return frozenset(name for name in found if not _AGAINST_FORGERY.search(name))


def _server(attributes: str) -> Server:
    def server(request: Request) -> Response:
        key = (request.header("cookie") or "").removeprefix("session=")
        if not key.endswith("-token"):
            return UNAUTHENTICATED
        # The session is prolonged with every answer; what the page must read is no session.
        prolonged = {"Set-Cookie": f"session={key}; Path=/; Max-Age=600{attributes}"}
        return answer(200, {"name": key.removesuffix("-token")}, prolonged)

    return server


def vulnerable() -> Server:
    return _server("")


def safe() -> Server:
    return _server("; HttpOnly; SameSite=Lax")


CHECK = Check(
    name="session-cookie-unprotected",
    title="The cookie of the session lacks the attributes that protect it",
    family="headers",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.READ_ONLY,
    looks_back=True,
    references=References(
        cwe=(1004, 614, 1275),
        owasp=("API2:2023", "API8:2023"),
        asvs=("3.3.1", "3.3.2", "3.3.4"),
        wstg=("WSTG-SESS-02",),
        rfc=("RFC 6265, 4.1.2",),
    ),
    explanation=(
        "The cookie that logs users in lacks HttpOnly, so a script that gets into a page can read "
        "it; or SameSite, so that it depends on the browser whether other sites' requests carry "
        "it; or, over HTTPS, Secure, so that it may also travel unencrypted. The check looks at "
        "the answers that set the cookie of an identity, or one that is called a token. Other "
        "cookies, such as those that a page must read to prevent forgery, are not judged, nor is "
        "Secure over plain HTTP."
    ),
    remedy=(
        "Set the session's cookie with HttpOnly, Secure and SameSite=Lax or Strict; every "
        "framework has settings for it. Name it with the prefix `__Host-` where it is for one "
        "host, so that browsers hold you to that."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={"/me": {"get": operation()}}, vulnerable=vulnerable, safe=safe, cookie="session"
    ),
)
