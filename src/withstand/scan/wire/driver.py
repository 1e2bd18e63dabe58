"""Drives the generator of a check: steps out, answers in, until it returns its outcome."""

from typing import Any, Final, TypeVar

from withstand.client.exchange import Exchange
from withstand.client.identity import Credential
from withstand.scan.check import (
    AwaitCalls,
    Burst,
    Check,
    Failed,
    FailedMany,
    Inconclusive,
    Listen,
    LogIn,
    Outcome,
    Passed,
    Pause,
    Send,
    ShakeHands,
    SignUp,
    Skipped,
    Step,
    Steps,
)
from withstand.scan.subject import Subject
from withstand.scan.wire.courier import Courier, NoiseStays, Withheld
from withstand.scan.wire.forgery import turned_away_unread
from withstand.scan.wire.login import log_in
from withstand.scan.wire.patience import LONGEST_WAIT_S

T = TypeVar("T")


_NOISE: Final = "the target gave no usable answer: "
LEAST_REST_S: Final = 1.0
"""A pause from this long on is used for other checks."""


async def judge(check: Check, subject: Subject, courier: Courier) -> Outcome:
    """The outcome of a check, a failure only if it happens twice.

    The second run starts from scratch: new objects, new canaries, a new connection (V4).
    """
    return await carried(_judging(check, subject, courier), subject, courier)


class Errand:
    """A check that is being judged, and that may be left alone while it pauses."""

    def __init__(self, check: Check, subject: Subject, courier: Courier) -> None:
        self.check = check
        self.wakes_s = 0.0  # when its pause is over, Unix seconds
        self._subject, self._courier = subject, courier
        self._steps = _judging(check, subject, courier)

    async def until_it_rests(self) -> Outcome | None:
        """The outcome, or None when the check pauses: then this is to be called at `wakes_s`."""
        answer: Any = None
        try:
            while True:
                step = _next(self._steps, answer)
                if isinstance(step, Pause) and step.seconds >= LEAST_REST_S:
                    self.wakes_s = self._courier.now_s() + step.seconds
                    return None
                answer = await _answer(step, self._subject, self._courier)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    def close(self) -> None:
        """Gives it up."""
        self._steps.close()


def confirmed(first: Outcome, second: Outcome) -> Outcome:
    """What two runs of a check agree on."""
    one, two = _by_flaw(first), _by_flaw(second)
    both = tuple(failure for flaw, failure in two.items() if flaw in one)
    if not both:
        return Inconclusive(
            reason="failed once but not when repeated from scratch: "
            + "; ".join(failure.detail for failure in one.values())
        )
    if isinstance(second, Failed):
        return second
    return FailedMany(failures=both)


def _judging(check: Check, subject: Subject, courier: Courier) -> Steps[Outcome]:
    outcome = yield from _run(check, subject)
    if not isinstance(outcome, Failed | FailedMany) or check.proves_at_once:
        return outcome
    courier.fresh_next = True
    again = yield from _run(check, subject)
    if isinstance(again, Inconclusive) and again.reason.startswith(_NOISE):
        yield Pause(seconds=LONGEST_WAIT_S)  # a limit on this one thing: the flaw is worth the wait
        again = yield from _run(check, subject)
    return confirmed(outcome, again)


def _run(check: Check, subject: Subject) -> Steps[Outcome]:
    """One run of a check's generator. Noise that stays ends it as inconclusive (V5)."""
    skipped: Skipped | None = check.applies(subject)
    if skipped is not None:
        return skipped
    try:
        return (yield from _watched(check.run(subject)))
    except NoiseStays as noise:
        return Inconclusive(reason=f"{_NOISE}{noise}")
    except Withheld as withheld:
        return Inconclusive(reason=withheld.reason)


def _watched(steps: Steps[Outcome]) -> Steps[Outcome]:
    """The outcome of a check; no pass where a write was turned away before it was looked at."""
    answer: Any = None
    turned_away: dict[tuple[str | None, str], Exchange] = {}  # by who wrote, and where
    try:
        while True:
            step = _next(steps, answer)
            try:
                answer = yield step
            except (NoiseStays, Withheld) as none:
                answer = none
            if isinstance(answer, Exchange):
                place = answer.identity, answer.request.operation_path
                if turned_away_unread(answer):
                    turned_away[place] = answer
                elif answer.request.method != "GET":  # it was asked once more, with a token
                    turned_away.pop(place, None)
    except StopIteration as end:
        outcome: Outcome = end.value
    if isinstance(outcome, Passed) and turned_away:
        request = next(iter(turned_away.values())).request
        return Inconclusive(
            reason=f"{request.method} {request.operation_path} was refused for want of a token "
            "against forged requests, so what was sent was not looked at"
        )
    return outcome


async def carried(steps: Steps[T], subject: Subject, courier: Courier) -> T:
    """What a generator of steps returns once they are carried out. Raises NoiseStays, Withheld."""
    answer: Any = None
    try:
        while True:
            answer = await _answer(_next(steps, answer), subject, courier)
    except StopIteration as end:
        returned: T = end.value
        return returned
    finally:
        steps.close()


def _next(steps: Steps[T], answer: Any) -> Step:
    """The next step. Why there is no answer is raised where the step was yielded."""
    unanswered = isinstance(answer, NoiseStays | Withheld)
    return steps.throw(answer) if unanswered else steps.send(answer)


async def _answer(step: Step, subject: Subject, courier: Courier) -> Any:
    """What a step led to, or why it got no answer."""
    try:
        return await _do(step, subject, courier)
    except (NoiseStays, Withheld) as none:
        return none


async def _do(step: Step, subject: Subject, courier: Courier) -> Any:
    match step:
        case Send():
            return await courier.send(
                step.request,
                fresh=step.fresh,
                to=step.to,
                noise_is_answer=step.noise_is_answer,
            )
        case Burst():
            return await courier.burst(step.requests)
        case Pause():
            return await courier.pause(step.seconds)
        case LogIn():
            return await _log_in(step, subject, courier)
        case SignUp():
            return await courier.new_user()
        case Listen():
            return await courier.listener.address()
        case AwaitCalls():
            return await courier.listener.calls(step.text, step.within_s)
        case ShakeHands():
            return await courier.shake_hands()


async def _log_in(step: LogIn, subject: Subject, courier: Courier) -> Credential | None:
    identity = step.user or subject.identity(step.identity)
    recipe = identity.login or subject.login
    if recipe is None or (step.short_lived and recipe.short_lived is None):
        return None
    attempt = await log_in(
        recipe,
        identity,
        courier,
        base_path=subject.target.base_path,
        short_lived=step.short_lived,
    )
    if not isinstance(attempt, Credential):
        return None
    courier.secrets.update(identity.logged_in(attempt).secrets)
    if step.keep:
        courier.kept[identity.name] = attempt
    return attempt


def _by_flaw(outcome: Outcome) -> dict[tuple[str | None, bool], Failed]:
    """Which input fails, and whether it is the whole API's flaw → the failure."""
    match outcome:
        case Failed():
            return {(outcome.parameter, outcome.whole_api): outcome}
        case FailedMany():
            return {(each.parameter, each.whole_api): each for each in outcome.failures}
        case _:
            return {}
