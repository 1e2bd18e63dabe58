"""A character that cannot be printed crashes the request: NUL, a lone surrogate, an escape."""

from dataclasses import replace
from functools import partial
from typing import Final

from withstand.client.exchange import Request, Response
from withstand.openapi.request_builder import Slot
from withstand.scan.check import (
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
    not_applicable,
    shown,
)
from withstand.scan.examples import answer, operation, query
from withstand.scan.finding import Severity
from withstand.scan.probes.crashes import crash_by, crashed, how_it_ended
from withstand.scan.probes.inputs import (
    holds_one_form,
    inserted,
    is_invalid,
    judged,
    named,
    probe,
    probing,
    text_slots,
    usual_value,
)
from withstand.scan.subject import Subject

_HALF: Final = "half a surrogate pair"
_KINDS: Final = (
    ("a NUL byte", "\x00a", Severity.MEDIUM),
    (_HALF, "\ud800a", Severity.INFO),  # often refused, and only the refusal cannot be written
    ("control characters", "\x1b\x0b\x7fa", Severity.LOW),
)
_SURROGATE: Final = "\ud800".encode("utf-8", "surrogatepass")


def applies(subject: Subject) -> Skipped | None:
    return None if text_slots(subject) else not_applicable("it takes no text")


def run(subject: Subject) -> Steps[Outcome]:
    return (yield from judged(subject, text_slots(subject), partial(_judge, subject)))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    for kind, text, severity in _KINDS:
        crash = yield from crash_by(partial(_with, subject, slot, text))
        if crash is None:
            return None
        if crashed(crash):
            value = inserted(usual_value(subject, slot), "za")
            control = yield from probe(subject, slot, value, fresh=True)
            if control is None or control.response is None or control.response.status >= 500:
                return False  # it fails on any unexpected text: no matter of the character
            everywhere = kind is _HALF  # text is read and written in one place, the framework
            place = "a text" if everywhere else named(slot)
            return Failed(
                detail=f"On {kind} in {place} the server {how_it_ended(crash)}.",
                evidence=(
                    shown(f"With {kind} in the text", crash),
                    shown("With letters in its place", control),
                ),
                parameter=None if everywhere else named(slot),
                severity=severity,
                whole_api=everywhere,
            )
        if is_invalid(crash) and holds_one_form(slot):
            return False
    return False


def _with(subject: Subject, slot: Slot, text: str) -> Request | None:
    """JSON can carry half a surrogate pair as an escape only; as bytes it would be no UTF-8."""
    request = probing(subject, slot, inserted(usual_value(subject, slot), text))
    if request is None or "json" not in (request.header("content-type") or ""):
        return request
    return replace(request, body=request.body.replace(_SURROGATE, b"\\ud800"))


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
    title="A NUL byte or another unprintable character crashes the request",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(158, 20), owasp=("API8:2023",), asvs=("2.2.1", "16.5.4"), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "A text with a NUL byte, half a surrogate pair or control characters, all of which are "
        "legal in JSON and in addresses, ends in an unhandled error. Databases, file systems and "
        "encoders refuse such texts, and where nobody expects that, each request fills the error "
        "log, and parts of it may already have happened. It also shows that the input reaches "
        "deeper layers unvalidated. The check compares with plain letters in the same place, "
        "twice; the finding names the character. Half a surrogate pair is one finding for the "
        "whole API, for information: frameworks fail on it in one place, often only where they "
        "write the refusal."
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
