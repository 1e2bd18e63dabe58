"""A large or deep body brings the request, or the server, to a stop."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response
from withstand.client.field_names import is_password
from withstand.openapi.body_encoding import best_body
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.resources import deleter_of
from withstand.scan.access.accounts import changes_an_account
from withstand.scan.access.objects import like_baseline
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    FailedMany,
    Inconclusive,
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
from withstand.scan.examples import answer, body, late, operation
from withstand.scan.finding import Severity
from withstand.scan.probes.stalling import took_s
from withstand.scan.subject import Baseline, Subject

_DEPTH: Final = 2_000
_LONG_CHARACTERS: Final = 1_000_000
_MANY: Final = 10_000
_DEEP: Final = "withstand-nested"  # stands for the lists: no JSON library nests that deep
_TIMES: Final = 3
_SLOWER: Final = 20.0
_LEAST_S: Final = 1.0  # below that nobody is harmed, whatever the usual request takes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Large:
    kind: str
    slot: Slot
    value: object


def applies(subject: Subject) -> Skipped | None:
    return None if _chosen(subject) else not_applicable("no operation takes a body")


def run(subject: Subject) -> Steps[Outcome]:
    found: dict[str, Failed] = {}
    tried = 0
    for baseline in _chosen(subject):
        for large in _large_values(subject, baseline):
            failure = yield from _judge(subject, baseline, large)
            tried += failure is not None
            if isinstance(failure, Failed):
                found.setdefault(large.kind, failure)
    if found:
        return FailedMany(failures=tuple(found.values()))
    return PASSED if tried else Inconclusive(reason="no large body could be sent")


def _chosen(subject: Subject) -> tuple[Baseline, ...]:
    """One operation for each kind of body: what reads bodies is the same for all of a kind.

    Those are preferred whose objects can be deleted again.
    """
    found: dict[str, Baseline] = {}
    ranked = sorted(
        (each for each in subject.baselines.values() if each.exchange.request.body),
        key=lambda each: (
            changes_an_account(each.operation),
            bool(each.fixed),
            deleter_of(subject.api, each.operation) is None,
        ),
    )
    for baseline in ranked:
        chosen = best_body(baseline.operation.bodies)
        if chosen is not None and not baseline.operation.is_read:
            found.setdefault(chosen.media_type.split(";", 1)[0].strip().lower(), baseline)
    return tuple(found.values())


def _large_values(subject: Subject, baseline: Baseline) -> Iterator[_Large]:
    slots = [
        slot
        for slot in subject.builder.slots(baseline.operation)
        if slot.location == "body" and not is_password(slot.name)
    ]
    texts = [slot for slot in slots if slot.is_text and slot not in baseline.fixed]
    if texts:
        yield _Large(kind="a text of 1 MB", slot=texts[-1], value="w" * _LONG_CHARACTERS)
    if not slots or "json" not in (baseline.exchange.request.header("content-type") or ""):
        return
    first = slots[-1].name.partition(".")[0]
    yield _Large(
        kind=f"lists nested {_DEPTH:,} deep", slot=Slot(location="body", name=first), value=_DEEP
    )
    lists = [slot for slot in slots if slot.name.endswith(".0") and "." not in slot.name[:-2]]
    at = lists[0].name[:-2] if lists else first
    item = baseline.built.values.get(lists[0], "w") if lists else "w"
    yield _Large(
        kind=f"a list of {_MANY:,} items",
        slot=Slot(location="body", name=at),
        value=[item] * _MANY,
    )


def _judge(subject: Subject, baseline: Baseline, large: _Large) -> Steps[Failed | bool | None]:
    """A failure when it goes wrong every time while the usual request does not."""
    evidence = []
    what, prompt = "", True
    for turn in range(_TIMES):
        # In changing order: else whoever is slow every other time would look like this.
        before = (yield from _usual(subject, baseline)) if turn % 2 else None
        request = _like(subject, baseline, large)
        if request is None:
            return None
        exchange = yield from send(request, noise_is_answer=True)
        # The usual request is sent only where the first glance says that something may be wrong.
        if not _broke(exchange) and took_s(exchange) < _LEAST_S:
            return False
        control = before or (yield from _usual(subject, baseline))
        if control is None or control.response is None or control.response.status >= 500:
            return None
        if not _broke(exchange) and took_s(exchange) < _SLOWER * took_s(control):
            return False
        what = _what(exchange)
        prompt = prompt and exchange.response is not None and took_s(exchange) < _LEAST_S
        if turn == 0:
            evidence = [shown(f"With {large.kind}", exchange), shown("As usual", control)]
    return Failed(
        detail=f"On {large.kind} in body {large.slot.name} the server {what}, {_TIMES} times out "
        f"of {_TIMES}.",
        evidence=tuple(evidence),
        operations=(baseline.operation.key,),
        parameter=large.kind,
        severity=Severity.LOW if prompt else None,
    )


def _usual(subject: Subject, baseline: Baseline) -> Steps[Exchange | None]:
    request = _like(subject, baseline, None)
    return (yield from send(request, fresh=True)) if request is not None else None


def _like(subject: Subject, baseline: Baseline, large: _Large | None) -> Request | None:
    """The baseline's request with the large value in it, or as it is."""
    try:
        chosen = {large.slot: large.value} if large is not None else {}
        request = like_baseline(subject, baseline, chosen).request
    except Unbuildable:
        return None
    if large is not None and large.value == _DEEP:
        nested = b"[" * (_DEPTH - 1) + b"]" * (_DEPTH - 1)
        request = replace(request, body=request.body.replace(f'"{_DEEP}"'.encode(), nested))
    owner = subject.identity(baseline.identity) if baseline.identity is not None else None
    return owner.authorize(request) if owner is not None else request


def _broke(exchange: Exchange) -> bool:
    """A 500, or no answer at all. A connection that is closed early may be a refusal: no proof."""
    if isinstance(exchange.outcome, Failure):
        return exchange.outcome.kind is FailureKind.TIMED_OUT
    return exchange.outcome.status == 500


def _what(exchange: Exchange) -> str:
    if exchange.response is None:
        return "gives no answer in time"
    if exchange.response.status == 500:
        return "answers 500"
    return f"takes {took_s(exchange):.1f} s"


class _Comments:
    """Takes comments of any size, and looks at each letter beside every other; or at the first."""

    def __init__(self, *, limit: int | None) -> None:
        self._limit = limit

    def __call__(self, request: Request) -> Response:
        if self._limit is not None and len(request.body) > self._limit:
            return answer(413, {"error": f"a comment has up to {self._limit} bytes"})
        try:
            comment = json.loads(request.body)
        except (ValueError, RecursionError):
            return answer(400, {"error": "nobody can read that"})
        if not isinstance(comment, dict) or not isinstance(comment.get("text"), str):
            return answer(422, {"error": "text is missing"})
        return late(answer(201, {"words": len(comment["text"].split())}), self._takes_s(request))

    def _takes_s(self, request: Request) -> float:
        """A hundredth of a second for the usual comment, and more with the square of its length."""
        read = 0 if self._limit is not None else len(request.body)
        return 0.01 + (read / 100_000) ** 2


def vulnerable() -> Server:
    return _Comments(limit=None)


def safe() -> Server:
    return _Comments(limit=64_000)


CHECK = Check(
    name="large-input-crash",
    title="A large or deep body brings the server to a stop",
    family="input handling",
    severity=Severity.MEDIUM,
    per=Per.API,
    safety=Safety.ABUSIVE,
    references=References(
        cwe=(770, 674, 400), owasp=("API4:2023",), asvs=("2.2.1", "16.5.4"), wstg=("WSTG-INPV-11",)
    ),
    explanation=(
        "One request with a large body costs the server far more than it costs the sender: a text "
        "of a megabyte, a list of 10,000 items, or lists nested 2,000 deep, which use up the stack "
        "of many JSON readers. The check sends them to one operation of each kind of body, because "
        "bodies are read in one place. It reports a 500, no answer in time, or more than a second "
        "and twenty times the usual request, three times out of three with the usual request "
        "working in between; refusals such as 413 and 422 pass. A 500 that comes at once harms "
        "only the request itself: that is of low severity."
    ),
    remedy=(
        "Limit the size of bodies before they are read (413), the depth of JSON where the library "
        "allows that, and the length of every text and list in the schema."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(
        paths={
            "/comments": {
                "post": operation(
                    secured=False, requestBody=body(text={"type": "string", "example": "Nice."})
                )
            }
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
