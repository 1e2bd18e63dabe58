"""A NUL byte in a text crashes the request."""

from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.openapi.request_builder import Slot
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
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
from withstand.scan.examples import answer, operation, query
from withstand.scan.finding import Evidence, Severity
from withstand.scan.inputs import inserted, named, probe, text_slots, usual_value
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    return None if text_slots(subject) else not_applicable("it takes no text")


def run(subject: Subject) -> Steps[Outcome]:
    found: list[Failed] = []
    tested = 0
    for slot in text_slots(subject):
        failure = yield from _judge(subject, slot)
        tested += failure is not None
        if isinstance(failure, Failed):
            found.append(failure)
    if found:
        return FailedMany(failures=tuple(found))
    return PASSED if tested else Inconclusive(reason="no input could be tried")


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    """A failure, False when the input is clean, None when it could not be tried."""
    evidence: tuple[Evidence, ...] = ()
    how = ""
    for turn in (1, 2):
        value = usual_value(subject, slot)
        crash = yield from probe(
            subject, slot, inserted(value, "\x00a"), noise_is_answer=True, fresh=turn == 2
        )
        if crash is None:
            return None
        if not _crashed(crash):
            return False
        value = usual_value(subject, slot)
        control = yield from probe(subject, slot, inserted(value, "za"), fresh=True)
        if control is None or control.response is None or control.response.status >= 500:
            return False  # it fails on any unexpected text: no matter of the NUL byte
        dropped = isinstance(crash.outcome, Failure)
        how = "drops the connection" if dropped else f"answers {crash.status}"
        evidence = (
            shown("With a NUL byte in the text", crash),
            shown("With letters in its place", control),
        )
    return Failed(
        detail=f"On a NUL byte in {named(slot)} the server {how}.",
        evidence=evidence,
        parameter=named(slot),
    )


def _crashed(exchange: Exchange) -> bool:
    """An unhandled error; 502 to 504 come from gateways and say nothing about the API."""
    if isinstance(exchange.outcome, Failure):
        return exchange.outcome.kind is FailureKind.RESET
    return exchange.outcome.status == 500


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        if "\x00" in query(request, "q"):  # PostgreSQL takes no NUL in a text: nobody catches it
            return answer(500, {"error": "sorry"})
        return answer(200, {"found": []})

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        if "\x00" in query(request, "q"):
            return answer(422, {"error": "q must not contain control characters"})
        return answer(200, {"found": []})

    return server


CHECK = Check(
    name="nul-byte-crash",
    title="A NUL byte in a text crashes the request",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(158, 20), owasp=("API8:2023",), asvs=("2.2.1", "16.5.4"), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "A text with a NUL byte, which is legal in JSON and in addresses, ends in an unhandled "
        "error. Databases and file systems refuse such texts, and where nobody expects that, each "
        "request fills the error log, and parts of it may already have happened. It also shows "
        "that the input reaches deeper layers unvalidated. The check compares with plain letters "
        "in the same place, twice."
    ),
    remedy=(
        "Refuse control characters at the border, in the validation of every text, with 400 or "
        "422. A pattern in the schema such as `^[^\\x00-\\x1f]*$` does it in one place."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    example=Example(
        paths={"/products": {"get": operation(secured=False, parameters=(("query", "q"),))}},
        vulnerable=vulnerable,
        safe=safe,
    ),
)
