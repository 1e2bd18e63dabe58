"""A text that almost fits keeps a regular expression busy: each letter doubles the ways to try."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
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
    attack,
    not_applicable,
    send,
    shown,
)
from withstand.scan.examples import answer, late, operation, query
from withstand.scan.finding import Severity
from withstand.scan.probes.inputs import (
    judged,
    left_alone,
    named,
    probing,
    text_slots,
    usual_value,
)
from withstand.scan.probes.stalling import set_stalling, took_s
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject

# A backtracking engine takes some 5 to 50 ns a step: 2 to the 22nd steps are 20 to 200 ms.
_LENGTHS: Final = (18, 22, 24, 26, 28)
_SHORT_LENGTHS: Final = (10, 12, 14, 16)  # before, where 18 take long already: 3 to the 18th
_SHORTER: Final = 4  # letters, where the first of them took long
_LONG_S: Final = 0.1
_LEAST_S: Final = 0.5
_ENOUGH_S: Final = 2.0  # two letters more would take some eight seconds
_FEW, _SEVERAL = 2, 3  # lengths that tell, at least: where the longest takes that long, or less
_LOOKS: Final = 3  # at what does not fit
_LEAST_GROWTH: Final = 20.0  # from the first length to the last; 2 to the 6th would be 64
_LEAST_STEP: Final = 1.8  # from one length to the next, two letters on; at least 4 in theory
_FLAT_S: Final = 0.01
_CHANCE_S: Final = 0.1
_SLOW_BASE_S: Final = 0.3


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject):
        return not_applicable("it takes no text")
    return left_alone(subject, delete="a DELETE is not tried with odd text")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Texts of every length: what stands before the repeated letter, and by how many letters they
    are longer where those before it cannot be repeated.
    """

    usual: str
    before: str
    letter: str
    shift: int

    def almost(self, length: int) -> str:
        """So many letters in all: those before may be repeated by the expression as well."""
        return f"{self.before}{self.letter * (length - len(self.before))}!"

    def harmless(self, length: int) -> str:
        """A text of that length that no expression is busy with. Letters without an `@` keep one
        for addresses as busy as those that almost fit: there it is one that is refused at its first
        sign.
        """
        start = self.before + ("!" if "@" in self.usual else "")
        return start + self.letter * (length - len(start))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A text of so many letters that almost fits, beside a harmless one."""

    length: int
    slow: Exchange
    fast: Exchange

    @property
    def more_s(self) -> float:
        """By how much it takes longer: what the way there and the rest of the work take is no
        matter of the expression, seconds."""
        return max(0.0, took_s(self.slow) - took_s(self.fast))

    @property
    def tells(self) -> bool:
        """Whether that is more than chance."""
        return _is_slow(self.slow, took_s(self.fast))

    def follows(self, shorter: "_Pair") -> bool:
        """Whether it grew since a shorter one, if that was slow at all."""
        return not shorter.tells or self.more_s >= _LEAST_STEP * shorter.more_s

    def is_grown_from(self, shortest: "_Pair") -> bool:
        """Whether it grew enough on the whole."""
        return self.more_s >= _LEAST_GROWTH * shortest.more_s


def run(subject: Subject) -> Steps[Outcome]:
    clean = yield from _cleared(subject)
    judge = partial(_judge, subject)
    return (yield from judged(subject, text_slots(subject), judge, clean, bounded=True))


def _cleared(subject: Subject) -> Steps[frozenset[Slot]]:
    """The inputs of a creation of which none takes longer, all tried at once."""
    benign: list[Exchange] = []

    def tries(slot: Slot) -> Iterator[str]:
        usual = usual_value(subject, slot)
        yield _benign(usual)
        for series in _all_series(usual):
            yield from (series.almost(length + series.shift) for length in _first(series))

    def is_slow(exchange: Exchange) -> bool:
        benign.append(exchange)
        return _is_slow(exchange, _base_s(subject, benign[0]))

    return (yield from cleared(subject, text_slots(subject), tries, is_slow, refusal_clears=True))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    usual = usual_value(subject, slot)
    benign = yield from _asked(subject, slot, _benign(usual))
    if benign is None:
        return None
    base_s = _base_s(subject, benign)
    for series in _all_series(usual):
        more = (_LENGTHS[2],) if base_s > _SLOW_BASE_S else ()  # fewer letters would drown in it
        for length in (*_first(series), *more):
            gate = length + series.shift
            first = yield from _asked(subject, slot, series.almost(gate))
            if first is None or not _is_slow(first, base_s):
                continue
            already = length == _LENGTHS[0] and took_s(first) - base_s > _LONG_S
            lengths = [
                at + series.shift for at in (*(_SHORT_LENGTHS if already else ()), *_LENGTHS)
            ]
            failure = yield from _growing(subject, slot, series, gate, lengths)
            if failure is not None:
                set_stalling(subject, slot)
                return failure
    return False


def _all_series(usual: str) -> Iterator[_Series]:
    """Letters in what stands before may be repeated as well, or not: first as if they were."""
    for before, letter in _pumps(usual):
        for shift in dict.fromkeys((0, len(before))):
            yield _Series(usual=usual, before=before, letter=letter, shift=shift)


def _first(series: _Series) -> tuple[int, ...]:
    """How many letters are tried at first, apart from the shift."""
    return _LENGTHS[1 if series.shift else 0 : 2]


def _benign(usual: str) -> str:
    return _Series(usual=usual, before="", letter="a", shift=0).harmless(_LENGTHS[1])


def _base_s(subject: Subject, benign: Exchange) -> float:
    """What a request takes that keeps no expression busy, seconds."""
    usual = subject.baseline.exchange if subject.baseline is not None else benign
    return min(took_s(benign), took_s(usual))


def _is_slow(exchange: Exchange, base_s: float) -> bool:
    """Whether it takes longer than by chance, which is more where everything takes long."""
    by_chance_s = min(2 * base_s, max(_CHANCE_S, base_s / 4)) + _FLAT_S
    return took_s(exchange) > base_s + by_chance_s


def _growing(
    subject: Subject, slot: Slot, series: _Series, gate: int, lengths: Iterable[int]
) -> Steps[Failed | None]:
    """Longer and longer, until a text that almost fits takes half a second more than a harmless
    one, and twenty times as much more as the first did.

    As soon as it can be told from the harmless one, every step must cost more than the one before:
    a server that is slow now and then, or slow with long texts, does not grow like that. A busy
    machine only adds to what is measured, so whatever does not fit is measured again, and the
    least counts. `gate` is the length that was slow at first sight.
    """
    at_gate = None
    for _ in range(_LOOKS):
        at_gate = yield from _measured(subject, slot, series, gate, at_gate)
        if at_gate is None or at_gate.tells:
            break
    if at_gate is None or not at_gate.tells:
        return None
    pairs: list[_Pair] = []
    for length in lengths:
        known = at_gate if length == gate else None
        pair = known or (yield from _measured(subject, slot, series, length))
        if pair is not None and pair.more_s >= _LEAST_S:
            pair = yield from _measured(subject, slot, series, length, pair)
        for _ in range(_LOOKS):
            if pair is None or not pairs or pair.follows(pairs[-1]):
                break
            before = yield from _measured(subject, slot, series, pairs[-1].length, pairs[-1])
            pairs[-1] = before or pairs[-1]
            pair = yield from _measured(subject, slot, series, length, pair, both=False)
        if pair is None or (pairs and not pair.follows(pairs[-1])):
            return None
        pairs.append(pair)
        if pair.more_s >= _ENOUGH_S and not pair.is_grown_from(pairs[0]):
            shorter = yield from _measured(subject, slot, series, pairs[0].length - _SHORTER)
            pairs[:0] = [shorter] if shorter is not None else []
        if _is_proof(pairs):
            return _failed(slot, pairs)
        if pair.more_s >= _ENOUGH_S:
            return None
    return None


def _is_proof(pairs: Sequence[_Pair]) -> bool:
    """Whether they grow far enough, over more lengths than a coincidence would have."""
    longest = pairs[-1]
    enough = _FEW if longest.more_s >= _ENOUGH_S else _SEVERAL
    return (
        longest.more_s >= _LEAST_S
        and longest.is_grown_from(pairs[0])
        and all(longer.follows(shorter) for shorter, longer in pairwise(pairs))
        and sum(pair.tells for pair in pairs) >= enough
    )


def _failed(slot: Slot, pairs: Sequence[_Pair]) -> Failed:
    first, last = pairs[0], pairs[-1]
    times = ", ".join(f"{each.length} letters {took_s(each.slow):.2f} s" for each in pairs)
    return Failed(
        detail=f"A text in {named(slot)} that almost fits takes ever longer: {times}.",
        evidence=(
            shown(f"{first.length} letters: {took_s(first.slow):.3f} s", first.slow),
            attack(f"{last.length} letters: {took_s(last.slow):.3f} s", last.slow),
            shown(f"A harmless text of that length: {took_s(last.fast):.3f} s", last.fast),
        ),
        parameter=named(slot),
    )


def _measured(
    subject: Subject,
    slot: Slot,
    series: _Series,
    length: int,
    known: _Pair | None = None,
    *,
    both: bool = True,
) -> Steps[_Pair | None]:
    """A text that almost fits and a harmless one (or, not `both`, the latter only), each as quick
    as it was at its best, `known` included.
    """
    slow = (yield from _asked(subject, slot, series.almost(length))) if both else None
    fast = yield from _asked(subject, slot, series.harmless(length + 1))
    slows = [each for each in (slow, known.slow if known else None) if each is not None]
    fasts = [each for each in (fast, known.fast if known else None) if each is not None]
    if not slows or not fasts:
        return None
    return _Pair(length=length, slow=min(slows, key=took_s), fast=min(fasts, key=took_s))


def _pumps(usual: str) -> Iterator[tuple[str, str]]:
    """What stands before the repeated letter, and the letter."""
    letter = "1" if re.fullmatch(r"[\d +().:-]+", usual) else "a"
    yield "", letter
    # Some expressions begin with something fixed: `SKU-`, `http://`.
    fixed = re.match(r".{0,7}[^0-9A-Za-z]", usual)
    if fixed is not None:
        yield fixed.group(), letter
    if "@" in usual:
        yield "a@", letter


def _asked(subject: Subject, slot: Slot, text: str) -> Steps[Exchange | None]:
    request = probing(subject, slot, text)
    if request is None:
        return None
    exchange = yield from send(request)
    return exchange if exchange.response is not None else None


class _Matcher:
    """Looks for a name by an expression that backtracks, or by one that does not."""

    def __init__(self, *, backtracks: bool) -> None:
        self._backtracks = backtracks

    def __call__(self, request: Request) -> Response:
        name = query(request, "name")
        fits = re.fullmatch(r"[a-z]{1,64}", name) is not None
        found = answer(200, {"found": []}) if fits else answer(400, {"error": "no name"})
        return late(found, self._takes_s(name))

    def _takes_s(self, name: str) -> float:
        """`^([a-z]+)+$` on letters and an exclamation mark: 2 to the length, 40 ns each."""
        letters = re.match(r"[a-z]*", name)
        if not self._backtracks or letters is None or letters.group() == name:
            return 0.002
        return 0.002 + 40e-9 * (1 << min(len(letters.group()), 30))


def vulnerable() -> Server:
    return _Matcher(backtracks=True)


def safe() -> Server:
    return _Matcher(backtracks=False)


CHECK = Check(
    name="regular-expression-blow-up",
    title="A short text keeps a regular expression busy for seconds",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.OPERATION,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(1333, 400), owasp=("API4:2023",), asvs=("1.3.12",), wstg=("WSTG-INPV-11",)
    ),
    explanation=(
        "A regular expression with a repetition inside a repetition, such as `^([a-z]+)+$`, tries "
        "all ways of dividing a text that almost fits: one letter more doubles them, and thirty "
        "letters stop a process for minutes. The check sends such texts with up to 28 letters, "
        "each beside a harmless text of the same length. It reports an input only if what it takes "
        "longer than that text grows with every step, at the last one to half a second at least "
        "and to twenty times as much as at the first. It is the first check of an operation: an "
        "input that it reports is left alone by all others, whose texts could stop the server."
    ),
    remedy=(
        "Rewrite the expression so that no two repetitions can take the same letters, or use an "
        "engine that does not backtrack (RE2, Rust's regex). Limit the length before the "
        "expression sees the text, and give it a time limit where the language has one."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
    goes_first=True,
    example=Example(
        paths={
            "/people": {
                "get": operation(secured=False, parameters=(("query", "name"),), example="smith")
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
