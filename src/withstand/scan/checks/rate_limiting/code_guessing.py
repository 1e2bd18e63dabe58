"""One-time codes, PINs or reset codes can be guessed without end."""

from typing import Final

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
    not_applicable,
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Evidence, Severity
from withstand.scan.probes.code_entries import code_entries, lacks_user
from withstand.scan.probes.code_guessing import guess_codes
from withstand.scan.subject import Subject

_MOST_ENTRIES: Final = 3


def applies(subject: Subject) -> Skipped | None:
    entries = code_entries(subject)
    if not entries:
        return not_applicable("no operation takes a one-time code, a PIN or a reset code")
    reasons = [lacks_user(subject, entry) for entry in entries]
    if all(reasons):
        return Skipped(reason=f"{reasons[0]}, and nobody else's codes are guessed")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    open_ones: list[str] = []
    evidence: list[Evidence] = []
    notes: list[str] = []
    problems: list[str] = []
    ready = [entry for entry in code_entries(subject) if lacks_user(subject, entry) is None]
    for entry in ready[:_MOST_ENTRIES]:
        series = yield from guess_codes(subject, entry)
        tried = len(series.exchanges)
        if series.problem is not None:
            problems.append(f"{entry.key}: {series.problem}")
        elif series.limited is not None:
            notes.append(f"{entry.key}: {series.how} after {tried} wrong codes")
        else:
            open_ones.append(entry.key)
            problems.append(f"{entry.key}: {tried} wrong codes in a row")
            evidence += [
                shown("Wrong code number 1", series.exchanges[0]),
                shown(f"Wrong code number {tried}, refused no differently", series.exchanges[-1]),
            ]
    if open_ones:
        return Failed(
            detail="Nothing stops somebody who guesses codes: " + "; ".join(problems) + ".",
            evidence=tuple(evidence),
            operations=tuple(open_ones),
        )
    if problems:
        return Inconclusive(reason="; ".join(problems))
    return Passed(note="; ".join(notes))


def _server(most_failures: int | None) -> Server:
    failures: dict[str, int] = {}

    def server(request: Request) -> Response:
        fields = sent(request)
        email = str(fields.get("email"))
        if request.path == "/register":
            return answer(201, {"id": 7})
        if request.path == "/recovery":
            return answer(202, {"message": "a code is on its way, if there is such an account"})
        if request.path != "/recovery/verify":
            return answer(404, {"error": "there is no such thing"})
        if most_failures is not None and failures.get(email, 0) >= most_failures:
            return answer(429, {"error": "too many attempts"}, {"Retry-After": "600"})
        failures[email] = failures.get(email, 0) + 1
        return answer(403, {"error": "the code is wrong or has expired"})

    return server


def vulnerable() -> Server:
    return _server(most_failures=None)


def safe() -> Server:
    return _server(most_failures=5)


_TEXT: Final = {"type": "string"}
_EMAIL: Final = {"type": "string", "format": "email"}

CHECK = Check(
    name="code-guessing-not-limited",
    title="One-time codes, PINs or reset codes can be guessed without end",
    family="rate limiting",
    severity=Severity.HIGH,
    per=Per.API,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(307, 799),
        owasp=("API2:2023", "API4:2023"),
        asvs=("6.6.3",),
        wstg=("WSTG-ATHN-03", "WSTG-ATHN-09"),
    ),
    explanation=(
        "An operation that takes a short code refuses wrong ones without end. A code of six digits "
        "has a million values, so whoever knows an e-mail address gets into the account within "
        "hours. The check has a code sent to a user whom it signed up itself, where the API offers "
        "that, and then tries sixty codes, or five more than the configured limit. A refusal with "
        "429 or 423, another answer after some tries, dropped connections or a growing delay "
        "count as a limit. It runs only with the abuse profile or against a loopback address."
    ),
    remedy=(
        "Count wrong codes for each account, not for each source, and make the code worthless "
        "after about five; say so with 429. Let a code expire after minutes, and let only one be "
        "valid at a time. Limit how often a new one can be asked for as well."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/register": {
                "post": operation(secured=False, requestBody=body(email=_EMAIL, password=_TEXT))
            },
            "/recovery": {"post": operation(secured=False, requestBody=body(email=_EMAIL))},
            "/recovery/verify": {
                "post": operation(
                    secured=False,
                    requestBody=body(
                        email=_EMAIL, code={"type": "string", "pattern": "^[0-9]{6}$"}
                    ),
                )
            },
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
