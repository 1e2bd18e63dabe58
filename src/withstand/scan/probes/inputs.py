"""Sending odd values into one input of an operation, everything else being as in the baseline."""

import html
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.field_names import is_password
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.schema_fit import as_list, kinds_of
from withstand.scan.access.accounts import looks_like_login
from withstand.scan.access.objects import like_baseline
from withstand.scan.answers.similarity import same_content, volatile_places
from withstand.scan.check import (
    PASSED,
    Failed,
    FailedMany,
    Inconclusive,
    Outcome,
    Skipped,
    Steps,
    not_applicable,
    send,
)
from withstand.scan.probes.stalling import stalls, until_it_stalls
from withstand.scan.subject import Subject
from withstand.units import format_names

_NUMBERS: Final = {"integer", "number"}
_INVALID: Final = frozenset({400, 415, 422})
_STRICT_FORMATS: Final = frozenset(
    {"uuid", "date", "date-time", "time", "ipv4", "ipv6", "email", "duration"}
)
_NONCE: Final = re.compile(r"ws[0-9a-f]{24}")
"""All of one: a shorter mark may be the beginning of it, and would be taken out first."""

Judge = Callable[[Slot], Steps[Failed | bool | None]]
"""A failure, False when the input is clean, None when it could not be tried."""


def judged(
    subject: Subject,
    slots: Iterable[Slot],
    judge: Judge,
    clean: Collection[Slot] = (),
    *,
    bounded: bool = False,
) -> Steps[Outcome]:
    """One input after the other: all that fail, or that none does. Of `clean` ones it is known.

    An input in which a text keeps the server busy is left alone from then on, by other checks too;
    not by one whose texts are `bounded`, so that the server is busy for seconds at most.
    """
    found: list[Failed] = []
    left: list[str] = []
    tried = len(clean)
    for slot in slots:
        if slot in clean:
            continue
        failure = None
        if bounded or not stalls(subject, slot):
            failure = yield from until_it_stalls(subject, slot, judge(slot), bounded=bounded)
        if failure is None and stalls(subject, slot):
            left.append(named(slot))
        tried += failure is not None
        if isinstance(failure, Failed):
            found.append(failure)
    if found:
        return FailedMany(failures=tuple(found))
    if left:
        reason = "an odd text there keeps the server busy, so it was left alone"
        return Inconclusive(reason=f"{format_names(left)}: {reason}")
    return PASSED if tried else Inconclusive(reason="no input could be tried")


def text_slots(subject: Subject) -> tuple[Slot, ...]:
    """The inputs of the operation that take any text.

    Of a DELETE only those in its path: with any other input odd it would delete something.
    """
    return tuple(slot for slot in _slots(subject) if slot.is_text)


def number_slots(subject: Subject) -> tuple[Slot, ...]:
    """The numbers, which arrive as text or as whatever JSON holds, and may be used as such."""
    return tuple(slot for slot in _slots(subject) if is_number(slot))


def choice_slots(subject: Subject) -> tuple[Slot, ...]:
    """The texts of which the document lists those that may be sent: not every API looks."""
    return tuple(slot for slot in _slots(subject) if _is_choice(slot))


def _is_choice(slot: Slot) -> bool:
    return "string" in slot.kinds and "enum" in slot.schema


def is_number(slot: Slot) -> bool:
    """Whether the document says that it is a number, perhaps one that may be left out."""
    return bool(_NUMBERS & {*kinds_of(slot.schema)}) and not slot.is_text


def scalar_slots(subject: Subject) -> tuple[Slot, ...]:
    """Every input: also choices, truth values and dates."""
    return _slots(subject)


def is_invalid(exchange: Exchange) -> bool:
    """Whether the answer says that the input is not as it should be."""
    return exchange.status in _INVALID


def holds_one_form(slot: Slot) -> bool:
    """Whether the document says of what form a text is: what refuses one other refuses them all."""
    return "pattern" in slot.schema or has_strict_format(slot) or _is_choice(slot)


def has_strict_format(slot: Slot) -> bool:
    """Whether a text is of a form that takes hardly a character besides letters and digits."""
    return slot.schema.get("format") in _STRICT_FORMATS


def is_login(subject: Subject) -> bool:
    """Whether the operation logs in: who guesses too often there is soon refused altogether."""
    operation, recipe = subject.operation, subject.login
    if operation is None:
        return False
    configured = (
        recipe is not None
        and recipe.method == operation.method
        and recipe.path.split("?", 1)[0].endswith(operation.path)
    )
    return configured or looks_like_login(operation, subject.builder)


def left_alone(subject: Subject, *, delete: str) -> Skipped | None:
    """Why an operation is not tried with odd input at all: it is a login, or deletes (`delete` says
    what speaks against that); None where it is tried.
    """
    if subject.operation is not None and subject.operation.removes:
        return not_applicable(delete)
    return not_applicable("every try at a login counts as a guess") if is_login(subject) else None


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
        listed = as_list(slot.schema.get("enum"))
        example = slot.schema.get("example", next(iter(listed), None))
        value = subject.baseline.built.values.get(slot, example)
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
    request = probing(subject, slot, value, raw=raw)
    if request is None:
        return None
    return (yield from send(request, fresh=fresh, noise_is_answer=noise_is_answer))


def probing(
    subject: Subject, slot: Slot, value: object, *, raw: str | None = None
) -> Request | None:
    """The request that `probe` sends."""
    if slot.location in {"header", "cookie"} and not _fits_in_a_header(slot, value):
        return None
    request = request_with(subject, {slot: value})
    if request is None or raw is None:
        return request
    return replace(request, path=request.path.replace(str(value), raw))


def request_with(subject: Subject, values: Mapping[Slot, object]) -> Request | None:
    """The baseline's request built anew with these values, as its identity sends it; None when it
    cannot be built.
    """
    assert subject.baseline is not None, "only operations with a baseline have inputs to try"
    try:
        request = like_baseline(subject, subject.baseline, values).request
    except Unbuildable:
        return None
    return subject.owner.authorize(request) if subject.owner is not None else request


def usual_request(subject: Subject) -> Request | None:
    """The baseline's request built anew; None when it cannot be built."""
    return request_with(subject, {})


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
    bare = without_nonces(one, first), without_nonces(other, second)
    if same_content(*bare, volatile=volatile):
        return True  # the value may also be part of the data: what was found has that name
    bare = (
        without_nonces(one, masked(first, value)),
        without_nonces(other, masked(second, other_value)),
    )
    return same_content(*bare, volatile=volatile)


def without_nonces(exchange: Exchange, response: Response) -> Response:
    """The response without the texts that only this request held: an echo of another input."""
    request = exchange.request
    for nonce in {*_NONCE.findall(request.path + request.body.decode("utf-8", "replace"))}:
        response = masked(response, nonce)
    return response


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


def _fits_in_a_header(slot: Slot, value: object) -> bool:
    """Whether a value arrives in a header as one value: a line break would begin another header."""
    text = str(value)
    return text.isascii() and text.isprintable() and not (slot.location == "cookie" and ";" in text)


def _slots(subject: Subject) -> tuple[Slot, ...]:
    assert subject.operation is not None, "runs once for each operation"
    everywhere = {"path", "query", "header", "cookie", "body"}
    places = {"path"} if subject.operation.removes else everywhere
    # Wrong passwords for one account would soon be refused as guesses, and then prove nothing.
    fixed = subject.baseline.fixed if subject.baseline is not None else {}
    return tuple(
        slot
        for slot in subject.builder.slots(subject.operation)
        if slot.location in places and not (slot in fixed and is_password(slot.name))
    )
