"""One quote breaks a query, two are one quoted quote: nothing but SQL counts like that."""

from typing import Final

from withstand.client.exchange import Exchange
from withstand.openapi.request_builder import Slot
from withstand.scan.check import Failed, Steps, shown
from withstand.scan.finding import Confidence
from withstand.scan.probes.inputs import inserted, named, probe, usual_value
from withstand.scan.probes.sql.reaction import error_text, reacts
from withstand.scan.subject import Subject

ROUNDS: Final = 3
_REFUSED_AS_INVALID: Final = frozenset({400, 415, 422})


def by_parity(subject: Subject, slot: Slot) -> Steps[Failed | None]:
    """A finding when a quote breaks the answer, two do not, and a letter does not, every time."""
    evidence = []
    for turn in range(ROUNDS):
        letter = yield from probe(subject, slot, inserted(usual_value(subject, slot), "z"))
        one = yield from probe(subject, slot, inserted(usual_value(subject, slot), "'"))
        two = yield from probe(subject, slot, inserted(usual_value(subject, slot), "''"))
        if letter is None or one is None or two is None:
            return None
        if not reacts(one) or reacts(two) or two.status != letter.status:
            return None
        usual = subject.baseline.exchange.status if subject.baseline is not None else None
        refused = letter.status in _REFUSED_AS_INVALID and letter.status != usual
        if letter.status is None:
            return None
        if refused and not (yield from _counts_on(subject, slot, letter)):
            return None  # the pair of quotes may be refused before it meets the database
        if turn == 0:
            evidence = [
                shown("One quote: the query breaks", one, error_text(one)),
                shown("Two quotes: it is whole again", two),
                shown("A letter in their place is harmless", letter),
            ]
    return Failed(
        detail=f"A quote in {named(slot)} breaks a database query and a second one mends it, "
        f"{ROUNDS} times out of {ROUNDS}.",
        evidence=tuple(evidence),
        parameter=named(slot),
        confidence=Confidence.CERTAIN,
    )


def _counts_on(subject: Subject, slot: Slot, letter: Exchange) -> Steps[bool]:
    """Whether three quotes break it as well, and four do not: no check of the input counts so far,
    and a code that nobody has may be refused like one that is malformed.
    """
    three = yield from probe(subject, slot, inserted(usual_value(subject, slot), "'" * 3))
    four = yield from probe(subject, slot, inserted(usual_value(subject, slot), "'" * 4))
    if three is None or four is None or not reacts(three) or reacts(four):
        return False
    return four.status == letter.status
