"""SQL written behind a value is obeyed: one ending leaves the answer, another changes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from withstand.client.exchange import Exchange
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.scan.answers.shape import tells
from withstand.scan.check import Failed, Steps, shown
from withstand.scan.probes.inputs import (
    changing_places,
    inserted,
    is_number,
    named,
    probe,
    same_answer,
    usual_value,
)
from withstand.scan.probes.sql.parity import ROUNDS
from withstand.scan.subject import Subject

_SEARCHES: Final = frozenset({"search", "query", "find", "filter", "lookup"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two endings for one value: with the first the query means the same, with the second not.

    `nonsense` looks like the telling one of the two to anything but a database. `finds` is for a
    value that finds nothing: then the second one is telling, because it finds something.
    `may_break` is where the second one is no SQL: an error is what it is meant to lead to.
    """

    same: str
    other: str
    nonsense: str
    finds: bool = False
    may_break: bool = False


_AND: Final = (
    Pair(same="' AND '1'='1", other="' AND '1'='2", nonsense="' QND '1'='1"),
    # Inside LIKE '%…%'.
    Pair(same="%' AND '1%'='1", other="%' AND '1%'='2", nonsense="%' QND '1%'='1"),
)
_AND_IN_DOUBLE_QUOTES: Final = Pair(
    same='" AND "1"="1', other='" AND "1"="2', nonsense='" QND "1"="1'
)
_OR: Final = (  # only for reads: a changing query with OR would change everything
    Pair(same="' OR '1'='2", other="' OR '1'='1", nonsense="' QR '1'='1", finds=True),
    Pair(same="%' OR '1%'='2", other="%' OR '1%'='1", nonsense="%' QR '1%'='1", finds=True),
)
# Where a value is stored or added there is no condition to obey: a query in its place is.
_JOINED: Final = Pair(
    same="'||(SELECT '')||'", other="'||(SELECT)||'", nonsense="'||(QELECT '')||'", may_break=True
)
_AS_NUMBER: Final = Pair(
    same="-(SELECT 0)", other="-(SELECT)", nonsense="-(QELECT 0)", may_break=True
)
_NUMERIC: Final = (Pair(same=" AND 1=1", other=" AND 1=2", nonsense=" QND 1=1"), _AS_NUMBER)
_ORDER: Final = Pair(same=",(SELECT 1)", other=",(SELECT)", nonsense=",(QELECT 1)", may_break=True)


def fitting(slot: Slot, value: str) -> tuple[Pair, ...]:
    """The pairs for a place: a number stands in a query without quotes, whatever its type says."""
    if is_number(slot):
        return _NUMERIC
    quoted = (*_AND, _JOINED, _AND_IN_DOUBLE_QUOTES)
    return (*_NUMERIC, *quoted) if value.isdecimal() else quoted


def only_reads(operation: Operation) -> bool:
    """Whether it changes nothing: by its method, or a POST that is called a search."""
    called = {*words(operation.path.rstrip("/").rpartition("/")[2])}
    return operation.is_read or (operation.method == "POST" and bool(called & _SEARCHES))


def by_condition(subject: Subject, slot: Slot, pairs: Iterable[Pair]) -> Steps[Failed | None]:
    """A condition put behind the value is obeyed: true leaves the answer, false changes it."""
    value = usual_value(subject, slot)
    plain = yield from probe(subject, slot, value)
    if plain is None:
        return None
    usual = _Plain(value=value, exchange=plain, renewed=partial(usual_value, subject, slot))
    by_content = _tells_by_content(subject, slot, usual)
    for pair in pairs:
        failure = yield from _obeyed(subject, slot, usual, pair, by_content=by_content)
        if failure is not None:
            return failure
    return None


def by_alternative(subject: Subject, slot: Slot) -> Steps[Failed | None]:
    """Where the usual value finds nothing: an alternative that is always true finds something."""
    value = subject.nonce()
    plain = yield from probe(subject, slot, value)
    if plain is None:
        return None
    for pair in _OR:
        usual = _Plain(value=value, exchange=plain, renewed=subject.nonce)
        failure = yield from _obeyed(subject, slot, usual, pair, by_content=True)
        if failure is not None:
            return failure
    return None


def by_order(subject: Subject, slot: Slot, value: str) -> Steps[Failed | None]:
    """A query in a list of columns to sort by is obeyed: `name,(SELECT 1)`, or in its place."""
    for column, pair in ((value, _ORDER), ("(SELECT 1)", _AS_NUMBER)):
        plain = yield from probe(subject, slot, column)
        if plain is None:
            return None
        usual = _Plain(value=column, exchange=plain, renewed=partial(str, column))
        failure = yield from _obeyed(subject, slot, usual, pair, by_content=True)
        if failure is not None:
            return failure
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A value without anything behind it, the answer to it, and what gives such a value again."""

    value: str
    exchange: Exchange
    renewed: Callable[[], str]


def _obeyed(
    subject: Subject, slot: Slot, usual: _Plain, pair: Pair, *, by_content: bool
) -> Steps[Failed | None]:
    """The first round beside the answer at hand, the others from scratch."""
    alike = _Alike(subject=subject, by_content=by_content)
    rounds = []
    for turn in range(ROUNDS):
        if turn:
            value = usual.renewed()
            plain = yield from probe(subject, slot, value)
            if plain is None:
                return None
            usual = replace(usual, value=value, exchange=plain)
        answers = yield from _one_round(subject, slot, usual, pair, alike)
        if answers is None:
            return None
        rounds.append(answers)
    plain, same, other = rounds[0]
    what = "SQL" if pair.may_break else "A condition"
    return Failed(
        detail=f"{what} written into {named(slot)} is obeyed by the database, "
        f"{ROUNDS} times out of {ROUNDS}.",
        evidence=(
            shown("The plain value", plain),
            shown(f"With {pair.same} behind it, which changes nothing", same),
            shown(f"With {pair.other} behind it, which changes the answer", other),
        ),
        parameter=named(slot),
    )


def _one_round(
    subject: Subject, slot: Slot, usual: _Plain, pair: Pair, alike: "_Alike"
) -> Steps[tuple[Exchange, Exchange, Exchange] | None]:
    """The plain value, the harmless and the telling ending; None as soon as one does not fit."""
    value, plain = usual.value, usual.exchange
    same_value, other_value = inserted(value, pair.same), inserted(value, pair.other)
    first_value = other_value if pair.finds else same_value
    early = yield from probe(subject, slot, first_value)
    if early is None or alike(plain, value, early, first_value) is pair.finds:
        return None
    late_value = same_value if pair.finds else other_value
    late = yield from probe(subject, slot, late_value)
    if late is None or alike(plain, value, late, late_value) is not pair.finds:
        return None
    same, other = (late, early) if pair.finds else (early, late)
    if other.response is None or (other.response.status >= 500 and not pair.may_break):
        return None
    # The same characters with a word that no database knows must not act like the telling one.
    nonsense_value = inserted(value, pair.nonsense)
    nonsense = yield from probe(subject, slot, nonsense_value)
    if nonsense is None:
        return None
    telling, telling_value = (other, other_value) if pair.finds else (same, same_value)
    if alike(telling, telling_value, nonsense, nonsense_value):
        return None
    return plain, same, other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alike:
    """Whether two answers are alike: in content where that is steady, else in success."""

    subject: Subject
    by_content: bool

    def __call__(self, one: Exchange, value: str, other: Exchange, other_value: str) -> bool:
        if self.by_content:
            return same_answer(one, value, other, other_value, changing_places(self.subject))
        return self._served(one) == self._served(other)

    def _served(self, exchange: Exchange) -> bool:
        response = exchange.response
        return response is not None and response.succeeded and not self.subject.refused(response)


def _tells_by_content(subject: Subject, slot: Slot, usual: _Plain) -> bool:
    """Whether the answers say more than that they succeed: reads, and searches by POST."""
    assert subject.operation is not None, "runs once for each operation"
    if only_reads(subject.operation):
        return True
    baseline = subject.baseline
    assert baseline is not None, "only operations with a baseline are judged"
    before = baseline.exchange.response
    if before is None or not before.succeeded or not tells(before):
        return False
    value = str(baseline.built.values.get(slot, ""))
    return same_answer(baseline.exchange, value, usual.exchange, usual.value)
