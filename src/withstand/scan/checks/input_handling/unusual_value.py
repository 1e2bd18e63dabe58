"""A value of another type or at the edge crashes the request."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from withstand.client.exchange import Request, Response
from withstand.openapi.request_builder import Slot
from withstand.openapi.schema_fit import kinds_of
from withstand.scan.check import (
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
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import answer, body, operation, sent
from withstand.scan.finding import Severity
from withstand.scan.probes.crashes import crash_by, crashed, how_it_ended, still_works
from withstand.scan.probes.inputs import judged, named, probing, scalar_slots, usual_request
from withstand.scan.subject import Subject
from withstand.scan.wire.leftovers import may_create

_MOST_SLOTS: Final = 20  # of one operation: what more would tell costs more than it is worth
_HUGE: Final = 10**30  # beyond 64 bits, and beyond what any table holds
_LONG: Final = 2_000  # longer than columns are, shorter than what servers refuse in an address
_WORD: Final = "withstand"

_Kind = tuple[str, object, Severity]


def applies(subject: Subject) -> Skipped | None:
    return None if scalar_slots(subject) else not_applicable("it takes no input")


def run(subject: Subject) -> Steps[Outcome]:
    slots = (*scalar_slots(subject), *_containers(subject))[:_MOST_SLOTS]
    outcome = yield from judged(subject, slots, partial(_judge, subject))
    twice = yield from _sent_twice(subject)
    if twice is None:
        return outcome
    return FailedMany(failures=(*_failures(outcome), twice))


def _failures(outcome: Outcome) -> tuple[Failed, ...]:
    return outcome.failures if isinstance(outcome, FailedMany) else ()


def _sent_twice(subject: Subject) -> Steps[Failed | None]:
    """The same creation once more, which what must be unique allows once."""
    assert subject.baseline is not None, "only operations with a baseline are tried"
    request = usual_request(subject)
    if request is None or not may_create(subject.baseline.exchange):
        return None
    first = yield from send(request)
    second = (yield from crash_by(lambda: request)) if first.succeeded else None
    if second is None or not crashed(second) or (yield from still_works(subject)) is None:
        return None
    return Failed(
        detail=f"On the same request a second time the server {how_it_ended(second)}.",
        evidence=(shown("Sent once more", second), shown("The first time", first)),
    )


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    """The first kind of value that crashes the request, if any does."""
    tried = False
    for kind, value, severity in _values(slot):
        crash = yield from crash_by(partial(probing, subject, slot, value))
        if crash is None:
            continue
        tried = True
        if not crashed(crash):
            continue
        control = yield from still_works(subject)
        if control is None:
            return None
        return Failed(
            detail=f"On {kind} in {named(slot)} the server {how_it_ended(crash)}.",
            evidence=(shown(f"With {kind}", crash), shown("With the usual value", control)),
            parameter=named(slot),
            severity=severity,
        )
    return False if tried else None


def _containers(subject: Subject) -> tuple[Slot, ...]:
    """The lists and objects of the body, each once, named as the inputs in them begin."""
    found: dict[str, Slot] = {}
    for slot in scalar_slots(subject):
        first, dot, rest = slot.name.partition(".")
        if slot.location == "body" and dot and not first.isdecimal():
            kind = "array" if rest.partition(".")[0].isdecimal() else "object"
            found.setdefault(first, Slot(location="body", name=first, schema={"type": kind}))
    return tuple(found.values())


def _values(slot: Slot) -> Iterator[_Kind]:
    """What to try, the likeliest to hurt first. Only JSON tells types apart."""
    kinds = {*kinds_of(slot.schema)}
    in_body = slot.location == "body"
    if in_body:
        yield "null", None, Severity.MEDIUM
    if kinds & {"array", "object"}:
        yield "a text in place of what it holds", _WORD, Severity.MEDIUM
        return
    if kinds & {"integer", "number"} and not slot.is_text:
        yield from _numbers(in_body=in_body or slot.location == "query")
        return
    if in_body:
        yield "an object in place of a text", {_WORD: 1}, Severity.MEDIUM
    if not slot.is_text or slot.schema.keys() & {"format", "pattern"}:
        yield "a text of another form", _WORD, Severity.MEDIUM
    if not slot.is_text:
        return
    if slot.location == "query":
        yield "two values", [_WORD, _WORD], Severity.MEDIUM
    if slot.location != "path":
        yield "an empty text", "", Severity.MEDIUM
    yield f"a text of {_LONG:,} characters", "w" * _LONG, Severity.LOW


def _numbers(*, in_body: bool) -> Iterator[_Kind]:
    yield "a text in place of a number", _WORD, Severity.MEDIUM
    if in_body:
        yield "0", 0, Severity.MEDIUM
    yield "-1", -1, Severity.MEDIUM
    yield "a number of 31 digits", _HUGE, Severity.LOW


def vulnerable() -> Server:
    def server(request: Request) -> Response:
        amount = sent(request).get("amount")
        if isinstance(amount, str):  # nobody thought of it: a text is not greater than 0
            return answer(500, {"error": "sorry"})
        return _booked(amount)

    return server


def safe() -> Server:
    def server(request: Request) -> Response:
        return _booked(sent(request).get("amount"))

    return server


def _booked(amount: Any) -> Response:
    if not isinstance(amount, int) or not 0 < amount < 1000:
        return answer(422, {"error": f"amount is {amount}, not a whole number from 1 to 999"})
    return answer(201, {"booked": amount})


CHECK = Check(
    name="unusual-value-crash",
    title="A value of another type or at the edge crashes the request",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(20, 755), owasp=("API8:2023",), asvs=("2.2.1", "16.5.4"), wstg=("WSTG-ERRH-01",)
    ),
    explanation=(
        "A value that the operation does not expect ends in an unhandled error instead of a "
        "refusal: null, a text in place of a number, a list or an object, an empty or a very long "
        "text, zero, a negative number, one beyond 64 bits, or what exists already. So input "
        "reaches code that was not written for it, each such request fills the error log, and "
        "parts of it may already have happened. The check compares with the usual value, twice, "
        "and stops at the first crash of an input. Values that no client sends by accident weigh "
        "less. What creates something gets the same request twice: a name that must be unique is "
        "taken then."
    ),
    remedy=(
        "Validate every input at the border against its schema (type, bounds, length, whether it "
        "may be null) and answer 400 or 422, and 409 for what exists already. Let a handler of "
        "last resort turn what is left into a 500 that is alarmed on."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/payments": {
                "post": operation(
                    secured=False, requestBody=body(amount={"type": "integer", "example": 5})
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
