"""Whether somebody who signs up gets properties, or a role, that are not theirs to set."""

from typing import Any

from withstand.client.exchange import Exchange
from withstand.client.identity import jwt_claims
from withstand.openapi.operation import Operation
from withstand.scan.access.users import NewUser, accounts_of, new_user
from withstand.scan.answers.shape import same_shape, tells
from withstand.scan.check import (
    PASSED,
    Failed,
    Inconclusive,
    Outcome,
    Steps,
    attack,
    send,
    shown,
)
from withstand.scan.finding import Severity
from withstand.scan.probes.privileges import (
    ONE_BY_ONE,
    Tries,
    Try,
    as_user,
    document_of,
    extras,
    has,
    knows,
    named,
    nonsense,
    tries_at,
    worst,
)
from withstand.scan.probes.reserved import reserved_at
from withstand.scan.subject import Baseline, Subject


def sign_up_with_more(subject: Subject, post: Operation, views: tuple[Any, ...]) -> Steps[Outcome]:
    """A user who signs up with a role; who they are is read after logging in.

    `views` are documents that show how such users look.
    """
    slots = subject.builder.slots(post)
    reserved = reserved_at(subject, post, slots, own_account=True)
    shown_ones = tries_at(subject.api, post, slots, views, own_account=True, reserved=reserved)
    tries = tuple({each.name: each for each in (*shown_ones, *as_user(slots))}.values())
    odd = nonsense(slots, subject.nonce())
    user = yield from new_user(subject, extras((*tries, odd)))
    if isinstance(user, Exchange):
        for single in tries[:ONE_BY_ONE]:
            user = yield from new_user(subject, extras((single,)))
            if isinstance(user, NewUser):
                outcome = yield from _judge_user(subject, post, user, (single,), None)
                if isinstance(outcome, Failed):
                    return outcome
        return PASSED
    if isinstance(user, str):
        return Inconclusive(reason=user)
    return (yield from _judge_user(subject, post, user, tries, odd))


def _judge_user(
    subject: Subject, post: Operation, user: NewUser, tries: Tries, odd: Try | None
) -> Steps[Outcome]:
    views = yield from accounts_of(subject, user, post)
    told = (*map(document_of, views), _claims(user))
    kept = tuple(each for each in tries if any(has(document, each) for document in told))
    opened = yield from _opens(subject, user)
    if not kept and opened is None:
        return (
            PASSED if views else Inconclusive(reason="no operation shows a user their own account")
        )
    control = yield from new_user(subject)
    if not isinstance(control, NewUser):
        return Inconclusive(reason="there is no other user to compare with")
    others = yield from accounts_of(subject, control, post)
    usual = (*map(document_of, others), _claims(control))
    anything = odd is not None and any(has(document, odd) for document in told)

    def counts(each: Try) -> bool:
        unusual = not any(has(document, each) for document in usual)
        return unusual and (not anything or any(knows(document, each.name) for document in usual))

    kept = tuple(filter(counts, kept))
    evidence = [attack("Signed up with the property", user.exchange)]
    without = "A user who signed up without it"
    for view, other in zip(views, others, strict=False):
        if any(has(document_of(view), each) for each in kept):
            evidence += [shown("The user has it", view, kept[0].name), shown(without, other)]
            break
    else:
        evidence += [shown(without, other) for other in others[:1]]
    if opened is not None:
        baseline, exchange = opened
        refused = yield from send(
            control.identity.authorize(subject.stripped(baseline.exchange.request))
        )
        if refused.response is not None and subject.refused(refused.response):
            evidence.insert(1, shown("It opens what is meant for another role", exchange))
            kept = kept or tries
        elif not kept:
            return PASSED
    if not kept:
        return PASSED
    return Failed(
        detail=f"Signed up with {named(kept)}, a user has "
        + ("what is meant for another role." if opened is not None and not views else "it.")
        + " One who signed up without has not.",
        evidence=tuple(evidence),
        severity=Severity.CRITICAL if worst(kept) is Severity.HIGH else worst(kept),
    )


def _opens(subject: Subject, user: NewUser) -> Steps[tuple[Baseline, Exchange] | None]:
    """What only another role could read so far, and the new user reads."""
    usual = {i.role for i in subject.identities[:1]} | {user.identity.role}
    for baseline in subject.baselines.values():
        owner = subject.identity(baseline.identity) if baseline.identity is not None else None
        if owner is None or not baseline.operation.is_read or owner.role in usual:
            continue
        bare = subject.stripped(baseline.exchange.request)
        exchange = yield from send(user.identity.authorize(bare))
        expected = baseline.exchange.response
        response = exchange.response
        if not exchange.succeeded or response is None or expected is None:
            return None
        return (baseline, exchange) if tells(response) and same_shape(expected, response) else None
    return None


def _claims(user: NewUser) -> Any:
    credential = user.identity.credential
    return jwt_claims(credential.token) if credential is not None and credential.token else None
