"""A refusal of further requests does not say when to come back."""

import re
from collections.abc import Iterator
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.scan.check import (
    PASSED,
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
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.guessing import guess
from withstand.scan.probes.logins import Login, logins
from withstand.scan.subject import Subject

_SECONDS_OR_DATE: Final = re.compile(
    r"\d+|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
)
_OTHER_WAYS: Final = ("ratelimit", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")


def applies(subject: Subject) -> Skipped | None:
    if logins(subject):
        return None
    return Skipped(reason="no operation by which one logs in is known: [login] would name it")


def run(subject: Subject) -> Steps[Outcome]:
    silent: list[str] = []
    evidence: list[Evidence] = []
    problems: list[str] = []
    told = 0
    for login in logins(subject):
        if any(_tells_when(each) for each in _refused_before(subject, login)):
            told += 1
            continue
        series = yield from guess(subject, login)
        if series.problem is not None:
            problems.append(f"{login.key}: {series.problem}")
        elif series.limited is not None and series.limited.status == 429:
            if _tells_when(series.limited):
                told += 1
            else:
                silent.append(login.key)
                evidence.append(shown("The refusal does not say for how long", series.limited))
    if silent:
        return Failed(
            detail="The refusal with 429 carries no usable Retry-After.",
            evidence=tuple(evidence),
            operations=tuple(silent),
        )
    if problems and not told:
        return Inconclusive(reason="; ".join(problems))
    return PASSED if told else Passed(note="wrong passwords never led to 429")


def _refused_before(subject: Subject, login: Login) -> Iterator[Exchange]:
    """What another check that guessed was refused with."""
    method, _, path = login.key.partition(" ")
    place = method, subject.target.base_path + path
    for each in subject.observed:
        if each.status == 429 and (each.request.method, each.request.operation_path) == place:
            yield each


def _tells_when(exchange: Exchange) -> bool:
    response = exchange.response
    assert response is not None, "it has a status"
    value = response.header("retry-after")
    if value is not None:
        return _SECONDS_OR_DATE.fullmatch(value.strip()) is not None
    return any(response.header(name) is not None for name in _OTHER_WAYS)


def _server(headers: dict[str, str]) -> Server:
    failures: dict[str, int] = {}

    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        if failures.get(email, 0) >= 10:
            return answer(429, {"error": "too many attempts"}, headers)
        if sent(request).get("password") == f"{email.partition('@')[0]}-password-1":
            return answer(200, {"token": "…"})
        failures[email] = failures.get(email, 0) + 1
        return answer(401, {"error": "wrong e-mail or password"})

    return server


def vulnerable() -> Server:
    return _server({})


def safe() -> Server:
    return _server({"Retry-After": "60"})


CHECK = Check(
    name="rate-limit-without-retry-after",
    title="A rate limit does not say when to try again",
    family="rate limiting",
    severity=Severity.LOW,
    per=Per.API,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(799,),
        owasp=("API4:2023",),
        rfc=("RFC 6585, 4", "RFC 9110, 10.2.3"),
    ),
    explanation=(
        "The API refuses further requests with 429 but gives no Retry-After. Honest clients then "
        "have to guess: they come back too early, all at once, and keep the limiter busy, or give "
        "up although a minute would have been enough. The check provokes a refusal with wrong "
        "passwords for an account of its own. The RateLimit headers count as an answer too."
    ),
    remedy=(
        "Send `Retry-After` with the seconds until the next attempt will be let through, in every "
        "429, also in those of a gateway in front of the API."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/login": {
                "post": operation(
                    secured=False,
                    requestBody=body(email={"type": "string"}, password={"type": "string"}),
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
