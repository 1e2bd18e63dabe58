"""Sending odd values into one input of an operation, everything else being as in the baseline."""

import html
import json
from dataclasses import replace
from urllib.parse import quote, quote_plus

from withstand.client.exchange import Exchange, Response
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.accounts import is_password
from withstand.scan.check import Steps, send
from withstand.scan.objects import like_baseline
from withstand.scan.similarity import same_content, volatile_places
from withstand.scan.subject import Subject

_NUMBERS = {"integer", "number"}


def text_slots(subject: Subject) -> tuple[Slot, ...]:
    """The inputs of the operation that take any text, in path, query and body.

    Of a DELETE only those in its path: with any other input odd it would delete something.
    """
    return tuple(slot for slot in _slots(subject) if slot.is_text)


def number_slots(subject: Subject) -> tuple[Slot, ...]:
    """The numbers, which arrive as text or as whatever JSON holds, and may be used as such."""
    return tuple(slot for slot in _slots(subject) if slot.schema.get("type") in _NUMBERS)


def named(slot: Slot) -> str:
    """How a finding names the input: `query q`."""
    return f"{slot.location} {slot.name}"


def usual_value(subject: Subject, slot: Slot) -> str:
    """What a valid request has there, with a fresh canary where it must be unique."""
    assert subject.baseline is not None, "only operations with a baseline have inputs to try"
    try:
        value = like_baseline(subject, subject.baseline).values.get(slot)
    except Unbuildable:
        value = None
    if value is None:
        value = subject.baseline.built.values.get(slot, slot.schema.get("example"))
    return "1" if value is None and slot in number_slots(subject) else str(value or "a")


def inserted(value: str, text: str) -> str:
    """The text behind a value, in an e-mail address behind the part before the @."""
    local, at, domain = value.rpartition("@")
    return f"{local}{text}@{domain}" if at else f"{value}{text}"


def probe(
    subject: Subject,
    slot: Slot,
    value: object,
    *,
    raw: str | None = None,
    noise_is_answer: bool = False,
    fresh: bool = False,
) -> Steps[Exchange | None]:
    """The baseline's request, built anew with this value; None when it cannot be built.

    `raw` goes into the request target in place of the value, unescaped.
    """
    assert subject.baseline is not None, "only operations with a baseline have inputs to try"
    try:
        built = like_baseline(subject, subject.baseline, {slot: value})
    except Unbuildable:
        return None
    request = built.request
    if raw is not None:
        request = replace(request, path=request.path.replace(str(value), raw))
    if subject.owner is not None:
        request = subject.owner.authorize(request)
    return (yield from send(request, fresh=fresh, noise_is_answer=noise_is_answer))


def same_answer(
    one: Exchange,
    value: str,
    other: Exchange,
    other_value: str,
    volatile: frozenset[str] = frozenset(),
) -> bool:
    """Whether two answers are the same but for an echo of what was sent, and what is volatile."""
    first, second = one.response, other.response
    if first is None or second is None or first.status != second.status:
        return False
    if not first.body.strip() and not second.body.strip():
        return True
    if same_content(first, second, volatile=volatile):
        return True  # the value may also be part of the data: what was found has that name
    return same_content(masked(first, value), masked(second, other_value), volatile=volatile)


def changing_places(subject: Subject) -> frozenset[str]:
    """What in the operation's JSON answers changes by itself: times, random ids, counters."""
    baseline = subject.baseline
    if baseline is None or baseline.again is None or baseline.exchange.response is None:
        return frozenset()
    return volatile_places(baseline.exchange.response, baseline.again.response)


def masked(response: Response, value: str) -> Response:
    """The response with every spelling of a value that was sent taken out."""
    text = response.text
    spellings = {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
    }
    for spelling in sorted(spellings, key=len, reverse=True):
        if len(spelling) > 2:
            text = text.replace(spelling, "")
    return replace(response, body=text.encode())


def _slots(subject: Subject) -> tuple[Slot, ...]:
    assert subject.operation is not None, "runs once for each operation"
    places = {"path"} if subject.operation.method == "DELETE" else {"path", "query", "body"}
    # Wrong passwords for one account would soon be refused as guesses, and then prove nothing.
    fixed = subject.baseline.fixed if subject.baseline is not None else {}
    return tuple(
        slot
        for slot in subject.builder.slots(subject.operation)
        if slot.location in places and not (slot in fixed and is_password(slot.name))
    )
