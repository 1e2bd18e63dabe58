"""Several inputs of a creation tried in one request, which clears all of them or none.

Each try at a creation makes one thing more, and at a sign-up one user more. An answer like the
usual one says that every input was taken; after one that is unlike it, and does not say which input
it refuses, each input is tried by itself.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Final

from withstand.client.exchange import Exchange
from withstand.openapi.request_builder import Slot
from withstand.scan.access.granted import same_kind
from withstand.scan.answers.complaints import complaints
from withstand.scan.check import Steps, send
from withstand.scan.probes.inputs import has_strict_format, request_with
from withstand.scan.probes.stalling import stalls
from withstand.scan.subject import Subject
from withstand.scan.wire.leftovers import may_create
from withstand.scan.wire.patience import hung
from withstand.scan.wire.unanswered import NoiseStays

_USUAL: Final = object()
"""Stands for the value of the baseline, where an input has fewer tries than others."""


def cleared(
    subject: Subject,
    slots: Iterable[Slot],
    tries: Callable[[Slot], Iterable[object]],
    shows: Callable[[Exchange], bool],
    *,
    refusal_clears: bool = False,
) -> Steps[frozenset[Slot]]:
    """Those of the inputs that share a body and are clean; none where an answer leaves a doubt.

    The first request has the first of each input's `tries`, and so on. `shows` says whether an
    answer may show the flaw. An input that is refused by name is left out of that request;
    `refusal_clears` says that it is as clean as one that is taken.
    """
    shared = _sharing(subject, slots)
    if len(shared) < 2:
        return frozenset()
    refused: set[Slot] = set()
    for values in zip_longest(*map(tries, shared), fillvalue=_USUAL):
        odd = {s: v for s, v in zip(shared, values, strict=True) if v is not _USUAL}
        while odd:
            request = request_with(subject, odd)
            if request is None:
                return frozenset()
            try:
                exchange = yield from send(request)
            except NoiseStays as noise:
                if hung(noise.exchange):
                    return frozenset()
                raise
            if shows(exchange):
                return frozenset()
            if _is_usual(subject, exchange):
                break
            named = _named(exchange, tuple(odd))
            if not named:
                return frozenset()
            refused |= named
            odd = {slot: value for slot, value in odd.items() if slot not in named}
    return frozenset(shared) if refusal_clears else frozenset(shared) - refused


def _named(exchange: Exchange, odd: Sequence[Slot]) -> set[Slot]:
    """The inputs that a refusal objects to."""
    response = exchange.response
    if response is None or response.status >= 500:
        return set()
    return {complaint.slot for complaint in complaints(response, odd)}


def _sharing(subject: Subject, slots: Iterable[Slot]) -> Sequence[Slot]:
    """The texts of a body that creates something; not those that refuse whatever is odd."""
    baseline = subject.baseline
    if baseline is None or not may_create(baseline.exchange):
        return ()
    return [
        slot
        for slot in slots
        if slot.location == "body" and slot.is_text and not has_strict_format(slot)
        if slot in baseline.built.values and not stalls(subject, slot)
    ]


def _is_usual(subject: Subject, exchange: Exchange) -> bool:
    assert subject.baseline is not None, "only operations with a baseline have inputs to share"
    usual, response = subject.baseline.exchange.response, exchange.response
    if usual is None or response is None or response.status != usual.status:
        return False
    return not subject.refused(response) and same_kind(usual, response)
