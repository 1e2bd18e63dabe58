"""A text that almost fits keeps a regular expression busy: each letter doubles the ways to try."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
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
from withstand.scan.probes.almost_fitting import Series, all_series
from withstand.scan.probes.growing_time import ENOUGH_S, LEAST_S, Pair, is_proof, is_slow
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
_LONG_S: Final = 0.1  # for 18
_LOOKS: Final = 3  # at what does not fit
_SLOW_BASE_S: Final = 0.3  # of a request, in which what 22 letters take would drown


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject):
        return not_applicable("it takes no text")
    return left_alone(subject, delete="a DELETE is not tried with odd text")


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
        for series in all_series(usual):
            yield from (series.almost(length + series.shift) for length in _first(series))

    def shows(exchange: Exchange) -> bool:
        benign.append(exchange)
        return is_slow(exchange, _base_s(subject, benign[0]))

    return (yield from cleared(subject, text_slots(subject), tries, shows, refusal_clears=True))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    usual = usual_value(subject, slot)
    benign = yield from _asked(subject, slot, _benign(usual))
    if benign is None:
        return None
    base_s = _base_s(subject, benign)
    for series in all_series(usual):
        more = (_LENGTHS[2],) if base_s > _SLOW_BASE_S else ()
        for length in (*_first(series), *more):
            gate = length + series.shift
            first = yield from _asked(subject, slot, series.almost(gate))
            if first is None or not is_slow(first, base_s):
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


def _first(series: Series) -> tuple[int, ...]:
    """How many letters are tried at first, apart from the shift."""
    return _LENGTHS[1 if series.shift else 0 : 2]


def _benign(usual: str) -> str:
    return Series(usual=usual, before="", letter="a", shift=0).harmless(_LENGTHS[1])


def _base_s(subject: Subject, benign: Exchange) -> float:
    """What a request takes that keeps no expression busy, seconds."""
    usual = subject.baseline.exchange if subject.baseline is not None else benign
    return min(took_s(benign), took_s(usual))


def _growing(
    subject: Subject, slot: Slot, series: Series, gate: int, lengths: Iterable[int]
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
    pairs: list[Pair] = []
    for length in lengths:
        known = at_gate if length == gate else None
        pair = known or (yield from _measured(subject, slot, series, length))
        if pair is not None and pair.more_s >= LEAST_S:
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
        if pair.more_s >= ENOUGH_S and not pair.is_grown_from(pairs[0]):
            shorter = yield from _measured(subject, slot, series, pairs[0].length - _SHORTER)
            pairs[:0] = [shorter] if shorter is not None else []
        if is_proof(pairs):
            return _failed(slot, pairs)
        if pair.more_s >= ENOUGH_S:
            return None
    return None


def _failed(slot: Slot, pairs: Sequence[Pair]) -> Failed:
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
    series: Series,
    length: int,
    known: Pair | None = None,
    *,
    both: bool = True,
) -> Steps[Pair | None]:
    """A text that almost fits and a harmless one (or, not `both`, the latter only), each as quick
    as it was at its best, `known` included.
    """
    slow = (yield from _asked(subject, slot, series.almost(length))) if both else None
    fast = yield from _asked(subject, slot, series.harmless(length + 1))
    slows = [each for each in (slow, known.slow if known else None) if each is not None]
    fasts = [each for each in (fast, known.fast if known else None) if each is not None]
    if not slows or not fasts:
        return None
    return Pair(length=length, slow=min(slows, key=took_s), fast=min(fasts, key=took_s))


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
