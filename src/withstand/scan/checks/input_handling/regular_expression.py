"""A text that almost fits keeps a regular expression busy: each letter doubles the ways to try."""

import re
from collections.abc import Iterator
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
    took_s,
    usual_value,
)
from withstand.scan.probes.together import cleared
from withstand.scan.subject import Subject

# A backtracking engine takes some 5 to 50 ns a step: 2 to the 22nd steps are 20 to 200 ms.
_LENGTHS: Final = (18, 22, 24, 26, 28)
_SHORT_LENGTHS: Final = (10, 12, 14, 16, 18)  # where 18 letters take long already: 3 to the 18th
_LONG_S: Final = 0.1
_LEAST_S: Final = 0.5
_ENOUGH_S: Final = 2.0  # two letters more would take some eight seconds
_LEAST_GROWTH: Final = 20.0  # from the first length to the last; 2 to the 6th would be 64
_LEAST_STEP: Final = 1.8  # from one length to the next, two letters on; at least 4 in theory
_FLAT_S: Final = 0.01


def applies(subject: Subject) -> Skipped | None:
    if not text_slots(subject):
        return not_applicable("it takes no text")
    return left_alone(subject, delete="a DELETE is not tried with odd text")


def run(subject: Subject) -> Steps[Outcome]:
    clean = yield from _cleared(subject)
    return (yield from judged(text_slots(subject), partial(_judge, subject), clean))


def _cleared(subject: Subject) -> Steps[frozenset[Slot]]:
    """The inputs of a creation of which none takes longer, all tried at once."""
    benign: list[Exchange] = []

    def tries(slot: Slot) -> Iterator[str]:
        usual = usual_value(subject, slot)
        yield _benign(usual)
        for before, letter, shift, lengths in _series(usual):
            yield from (_almost(before, letter, length + shift) for length in lengths)

    def is_slow(exchange: Exchange) -> bool:
        benign.append(exchange)
        return _is_slow(exchange, benign[0])

    return (yield from cleared(subject, text_slots(subject), tries, is_slow, refusal_clears=True))


def _judge(subject: Subject, slot: Slot) -> Steps[Failed | bool | None]:
    usual = usual_value(subject, slot)
    benign = yield from _asked(subject, slot, _benign(usual))
    if benign is None:
        return None
    for before, letter, shift, first_lengths in _series(usual):
        for length in first_lengths:
            first = yield from _asked(subject, slot, _almost(before, letter, length + shift))
            if first is None or not _is_slow(first, benign):
                continue
            already = length == _LENGTHS[0] and took_s(first) > _LONG_S
            lengths = tuple(at + shift for at in (_SHORT_LENGTHS if already else _LENGTHS))
            failure = yield from _growing(subject, slot, usual, before, letter, lengths)
            if failure is not None:
                return failure
    return False


def _series(usual: str) -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    """What stands before the repeated letter, the letter, and how many letters, by how many more.

    Letters in what stands before may be repeated as well, or not: first as if they were.
    """
    for before, letter in _pumps(usual):
        for shift in dict.fromkeys((0, len(before))):
            yield before, letter, shift, _LENGTHS[1 if shift else 0 : 2]


def _benign(usual: str) -> str:
    return _harmless(usual, "", "a", _LENGTHS[1])


def _is_slow(exchange: Exchange, benign: Exchange) -> bool:
    """Whether it may be worth while to look how it goes on."""
    return took_s(exchange) > 3 * took_s(benign) + _FLAT_S


def _growing(
    subject: Subject, slot: Slot, usual: str, before: str, letter: str, lengths: tuple[int, ...]
) -> Steps[Failed | None]:
    """Longer and longer, each beside a harmless text of that length, until it takes half a second
    and twenty times as long as at first.

    Every step must cost more than the one before: a server that is slow now and then, or slow with
    long texts, does not grow like that.
    """
    took: list[tuple[int, Exchange, Exchange]] = []
    for at, length in enumerate(lengths):
        slow = yield from _asked(subject, slot, _almost(before, letter, length))
        fast = yield from _asked(subject, slot, _harmless(usual, before, letter, length + 1))
        if slow is None or fast is None:
            return None
        if took and took_s(slow) < _LEAST_STEP * max(took_s(took[-1][1]), took_s(fast)):
            return None
        took.append((length, slow, fast))
        grown = took_s(slow) >= _LEAST_GROWTH * took_s(took[0][1])
        if at > 1 and took_s(slow) >= (_LEAST_S if grown else _ENOUGH_S):
            break
    _, shortest, _ = took[0]
    length, longest, beside = took[-1]
    longest_s = took_s(longest)
    if longest_s < _LEAST_S or longest_s < _LEAST_GROWTH * took_s(shortest):
        return None
    if longest_s < _LEAST_GROWTH * took_s(beside):
        return None
    again = yield from _asked(subject, slot, _almost(before, letter, length))
    if again is None or took_s(again) < max(_LEAST_S, longest_s / 2):
        return None
    times = ", ".join(f"{at} letters {took_s(each):.2f} s" for at, each, _ in took)
    return Failed(
        detail=f"A text in {named(slot)} that almost fits takes ever longer: {times}.",
        evidence=(
            shown(f"{took[0][0]} letters: {took_s(shortest):.3f} s", shortest),
            shown(f"{length} letters: {longest_s:.3f} s", longest),
            shown(f"A harmless text of that length: {took_s(beside):.3f} s", beside),
        ),
        parameter=named(slot),
    )


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


def _almost(before: str, letter: str, length: int) -> str:
    """So many letters in all: those before may be repeated by the expression as well."""
    return f"{before}{letter * (length - len(before))}!"


def _harmless(usual: str, before: str, letter: str, length: int) -> str:
    """A text of that length that no expression is busy with. Letters without an `@` keep one for
    addresses as busy as those that almost fit: there it is one that is refused at its first sign.
    """
    odd = "!" if "@" in usual else ""
    return before + odd + letter * (length - len(before + odd))


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
        "each beside a harmless text of the same length. It reports an input only if every step "
        "costs more, the last at least half a second and twenty times as much as the first and as "
        "the harmless text."
    ),
    remedy=(
        "Rewrite the expression so that no two repetitions can take the same letters, or use an "
        "engine that does not backtrack (RE2, Rust's regex). Limit the length before the "
        "expression sees the text, and give it a time limit where the language has one."
    ),
    run=run,
    applies=applies,
    stands_alone=True,
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
