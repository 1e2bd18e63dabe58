"""Passwords can be guessed without end."""

from withstand.client.exchange import Request, Response
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
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.guessing import guess
from withstand.scan.probes.logins import logins
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    if logins(subject):
        return None
    return Skipped(reason="no operation by which one logs in is known: [login] would name it")


def run(subject: Subject) -> Steps[Outcome]:
    open_ones: list[str] = []
    evidence: list[Evidence] = []
    notes: list[str] = []
    problems: list[str] = []
    for login in logins(subject):
        series = yield from guess(subject, login)
        tried = len(series.exchanges)
        if series.problem is not None:
            problems.append(f"{login.key}: {series.problem}")
        elif series.limited is not None:
            notes.append(f"{login.key}: {series.how} after {tried} wrong passwords")
        else:
            limit = subject.policy.allowed_failures(login.key)
            open_ones.append(login.key)
            allowed = f", {limit} are allowed" if limit is not None else ""
            evidence += [
                shown(f"Wrong password number 1 for {series.account}", series.exchanges[0]),
                shown(
                    f"Wrong password number {tried}, refused no differently{allowed}",
                    series.exchanges[-1],
                ),
            ]
            problems.append(f"{login.key}: {tried} wrong passwords in a row")
    if open_ones:
        return Failed(
            detail="Nothing stops somebody who guesses passwords: " + "; ".join(problems) + ".",
            evidence=tuple(evidence),
            operations=tuple(open_ones),
        )
    if problems:
        return Inconclusive(reason="; ".join(problems))
    return Passed(note="; ".join(notes))


def _server(most_failures: int | None) -> Server:
    failures: dict[str, int] = {}

    def server(request: Request) -> Response:
        email = str(sent(request).get("email"))
        if most_failures is not None and failures.get(email, 0) >= most_failures:
            return answer(429, {"error": "too many attempts"}, {"Retry-After": "60"})
        if sent(request).get("password") == f"{email.partition('@')[0]}-password-1":
            return answer(200, {"token": "…"})
        failures[email] = failures.get(email, 0) + 1
        return answer(401, {"error": "wrong e-mail or password"})

    return server


def vulnerable() -> Server:
    return _server(most_failures=None)


def safe() -> Server:
    return _server(most_failures=10)


CHECK = Check(
    name="login-not-rate-limited",
    title="Passwords can be guessed without end",
    family="rate limiting",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(307,),
        owasp=("API2:2023", "API4:2023"),
        asvs=("6.3.1",),
        wstg=("WSTG-ATHN-03",),
    ),
    explanation=(
        "The login answers wrong password after wrong password in the same way, so a list of "
        "common or leaked passwords can be tried on every account. The check sends wrong passwords "
        "for an account that it has signed up itself, or for one that does not exist: five more "
        "than the configured limit, or thirty. A refusal with 429 or 423, a lock, dropped "
        "connections or a delay that grows all count as a limit. It runs only with the abuse "
        "profile or against a loopback address."
    ),
    remedy=(
        "Count failures by account and by source and slow down or refuse further attempts after "
        "about ten, with 429 and Retry-After. Prefer delays to locking an account, since a lock "
        "lets anybody keep its owner out. Do it where all logins pass, old and new paths alike."
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
