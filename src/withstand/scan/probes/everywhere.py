"""Whether a flaw is that of one operation, or of what stands before them all: a middleware.

Sub-generators for checks: what most operations have is one finding (`Failed.whole_api`).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice

from withstand.client.exchange import Exchange, Request
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.answers.similarity import same_content
from withstand.scan.check import Steps, send
from withstand.scan.subject import Baseline, Subject

_SAMPLE = 6  # of the other operations: enough to tell a rule from an exception


def most_others(
    others: Iterable[Baseline], has_it: Callable[[Baseline], Steps[bool]]
) -> Steps[bool]:
    """Whether two thirds of a sample of other operations, and two at least, have a flaw as well.

    What may not be sent to one of them says nothing of it.
    """
    asked = having = 0
    for baseline in islice(others, _SAMPLE):
        with suppress(Unbuildable):
            having += yield from has_it(baseline)
            asked += 1
    return having >= 2 and having * 3 >= asked * 2


def serves_alike(subject: Subject, baseline: Baseline, request: Request) -> Steps[bool]:
    """Whether this request is answered with what the baseline gave its owner."""
    exchange = yield from asked_once(subject, request)
    one, other = baseline.exchange.response, exchange.response
    repeat = baseline.again.response if baseline.again is not None else None
    if one is None or other is None or not other.succeeded:
        return False
    return same_content(one, other, repeat_of_one=repeat)


def asked_once(
    subject: Subject, request: Request, *, noise_is_answer: bool = False
) -> Steps[Exchange]:
    """What the scan was answered to just this request before; else what is answered now."""
    known = next((each for each in subject.observed if each.request == request), None)
    if known is not None:
        return known
    return (yield from send(request, noise_is_answer=noise_is_answer))
