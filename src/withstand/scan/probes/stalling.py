"""Inputs in which a text keeps the server busy: one such text is enough, for all checks.

A pattern that blows up holds up everybody where the server has one thread. What other checks send,
longer and odder than what `regular-expression-blow-up` is careful to send, would hang it for good.
"""

from typing import Any, Final, TypeVar

from withstand.client.exchange import Exchange
from withstand.openapi.request_builder import Slot
from withstand.scan.check import Steps
from withstand.scan.subject import Subject
from withstand.scan.wire.patience import hung
from withstand.scan.wire.unanswered import NoiseStays, Withheld

T = TypeVar("T")

_SLOW_S: Final = 5.0
_SLOWER: Final = 5.0  # than the usual request
_SLOW_ANSWERS: Final = 2  # one alone may be the machine's


def took_s(exchange: Exchange) -> float:
    """From the send to the last byte, seconds."""
    return exchange.timing.service_time_ns / 1_000_000_000


def stalls(subject: Subject, slot: Slot) -> bool:
    """Whether an odd text there is known to keep the server busy."""
    return subject.stalling.get(_place(subject, slot), 0) >= _SLOW_ANSWERS


def set_stalling(subject: Subject, slot: Slot) -> None:
    """From now on no check sends an odd text there."""
    subject.stalling[_place(subject, slot)] = _SLOW_ANSWERS


def until_it_stalls(
    subject: Subject, slot: Slot, steps: Steps[T], *, bounded: bool = False
) -> Steps[T | None]:
    """What the steps that try an input come to; None, and they end, once the server hangs or is
    very slow for the second time. `bounded` steps may be slow: they see to it themselves.
    """
    answer: Any = None
    place = _place(subject, slot)
    while True:
        try:
            step = steps.throw(answer) if isinstance(answer, Exception) else steps.send(answer)
        except StopIteration as end:
            outcome: T = end.value
            return outcome
        try:
            answer = yield step
        except (NoiseStays, Withheld) as none:
            answer = none
        exchange = answer.exchange if isinstance(answer, NoiseStays) else answer
        if not isinstance(exchange, Exchange):
            continue
        if hung(exchange):
            set_stalling(subject, slot)
        elif bounded or took_s(exchange) < _slow_s(subject):
            continue
        else:
            subject.stalling[place] = subject.stalling.get(place, 0) + 1
        if stalls(subject, slot):
            steps.close()
            return None


def _slow_s(subject: Subject) -> float:
    usual_s = took_s(subject.baseline.exchange) if subject.baseline is not None else 0.0
    return max(_SLOW_S, _SLOWER * usual_s)


def _place(subject: Subject, slot: Slot) -> tuple[str, Slot]:
    assert subject.operation is not None, "inputs are tried of one operation"
    return subject.operation.key, slot
