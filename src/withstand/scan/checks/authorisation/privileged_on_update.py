"""Who changes something sets properties that are not theirs to set."""

from collections.abc import Mapping
from typing import Any, Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.accounts import sign_up_operation
from withstand.scan.check import (
    PASSED,
    Check,
    Example,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
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
from withstand.scan.examples import (
    UNAUTHENTICATED,
    answer,
    body,
    caller,
    last_segment,
    not_found,
    operation,
    sent,
)
from withstand.scan.finding import Severity
from withstand.scan.making import create
from withstand.scan.objects import Made, like_baseline, located
from withstand.scan.ownership import Holding, hold, hold_again, own_account
from withstand.scan.probes.privileges import (
    Attempt,
    as_user,
    attempts,
    document_of,
    extras,
    has,
    knows,
    named,
    nonsense,
    worst,
)
from withstand.scan.shape import leaves
from withstand.scan.subject import Subject

_ONE_BY_ONE: Final = 4
_STRICT: Final = Passed(note="properties that it does not know are refused")
_NOTHING: Final = Passed(note="what it changes shows no property that callers must not set")
Tries = tuple[Attempt, ...]


def applies(subject: Subject) -> Skipped | None:
    change = subject.operation
    assert change is not None, "runs once for each operation"
    if change.method not in {"PUT", "PATCH"} or not change.bodies:
        return not_applicable("it changes nothing from a body")
    own = subject.throwaway
    if change.path_parameters:
        producer = producer_of(subject.api, change)
        if producer is None:
            return Skipped(reason="no operation creates such an object, so none may be changed")
        if producer == sign_up_operation(subject.api, subject.builder):
            return not_applicable("it works on users, whose own account is changed elsewhere")
    elif own is None or subject.baseline is None or subject.baseline.identity != own.name:
        return Skipped(
            reason="no user of the scan's own has called it, and no other may be changed"
        )
    return None


def run(subject: Subject) -> Steps[Outcome]:
    change = subject.operation
    assert change is not None, "runs once for each operation"
    if not change.path_parameters:
        return (yield from _own_account(subject, change))
    owner = subject.owner
    if owner is None:
        return Inconclusive(reason="it was changed without a credential: nobody owns it")
    made = yield from create(subject, change, by=owner)
    if not isinstance(made, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    held = yield from hold(subject, change, made, owner)
    if not isinstance(held, Holding) or held.by_list:
        return Inconclusive(reason="no operation reads what it changes")
    slots = subject.builder.slots(change)
    tries = attempts(subject.api, change, slots, (document_of(held.exchange),))
    if not tries:
        return _NOTHING
    odd = nonsense(slots, subject.nonce())
    changed = yield from _change(subject, change, made, owner, (*tries, odd))
    if changed is None:
        if (yield from _change(subject, change, made, owner, (odd,))) is None:
            return _STRICT
        for single in tries[:_ONE_BY_ONE]:
            changed = yield from _change(subject, change, made, owner, (single,))
            if changed is not None:
                outcome = yield from _judge(subject, change, held, owner, (single,), changed)
                if isinstance(outcome, Failed):
                    return outcome
        return PASSED
    return (yield from _judge(subject, change, held, owner, tries, changed))


def _change(
    subject: Subject, change: Operation, made: Made, owner: Identity, tries: Tries
) -> Steps[Exchange | None]:
    """The change with these properties besides; None when it is refused."""
    try:
        built = located(subject, change, made, owner, extras(tries))
    except Unbuildable:
        return None
    exchange = yield from send(owner.authorize(built.request))
    response = exchange.response
    if response is None or not exchange.succeeded or subject.refused(response):
        return None
    return exchange


def _judge(
    subject: Subject,
    change: Operation,
    held: Holding,
    owner: Identity,
    tries: Tries,
    changed: Exchange,
) -> Steps[Outcome]:
    """Whether the object has now what was sent, and one that was changed without has not."""
    after = yield from hold_again(subject, change, held, owner)
    if after is None or not after.succeeded:
        return Inconclusive(reason="the object could not be read again")
    before = document_of(held.exchange)
    kept = tuple(t for t in tries if has(document_of(after), t) and not has(before, t))
    if not kept:
        return PASSED
    plain = yield from create(subject, change, by=owner)
    if not isinstance(plain, Made):
        return Inconclusive(reason=f"there is no object to compare with: {plain}")
    yield from _change(subject, change, plain, owner, ())
    control = yield from hold(subject, change, plain, owner)
    if not isinstance(control, Holding):
        return Inconclusive(reason=f"there is no object to compare with: {control}")
    usual = document_of(control.exchange)
    kept = tuple(each for each in kept if knows(usual, each.name) and not has(usual, each))
    if not kept:
        return PASSED
    return _failed(kept, held.exchange, changed, after)


def _failed(kept: Tries, before: Exchange, changed: Exchange, after: Exchange) -> Failed:
    return Failed(
        detail=f"Changed with {named(kept)} besides, which the document does not let callers "
        "send, it has that value when it is read again.",
        evidence=(
            shown("Before the change", before),
            attack("Changed with the property", changed),
            shown("Read again, it has the value", after, kept[0].name),
        ),
        severity=worst(kept),
    )


def _own_account(subject: Subject, change: Operation) -> Steps[Outcome]:
    """The account of the scan's own user, with everything as it was when the check is through."""
    user, baseline = subject.throwaway, subject.baseline
    assert user is not None, "applies() saw to it"
    assert baseline is not None, "applies() saw to it"
    before = yield from own_account(subject, user)
    if before is None or not before.succeeded or not _is_account(before, user):
        return Inconclusive(reason="no operation shows a user their own account")
    document = document_of(before)
    slots = subject.builder.slots(change)
    seen = attempts(subject.api, change, slots, (document,))
    known = {slot.name.rsplit(".", 1)[-1] for slot in slots if slot.location == "body"}
    more = tuple(each for each in as_user(slots) if each.name not in known)
    tries = tuple({each.name: each for each in (*more, *seen)}.values())
    usual = {s: v for s, v in baseline.built.values.items() if s.location == "body"}
    odd = nonsense(slots, subject.nonce())
    sets: tuple[Tries, ...] = ((*tries, odd),)
    changed = yield from _send_own(subject, {**usual, **extras(sets[0])}, user)
    if changed is None:
        if (yield from _send_own(subject, {**usual, **extras((odd,))}, user)) is None:
            return _STRICT
        sets = tuple((single,) for single in tries[:_ONE_BY_ONE])
    for chosen in sets:
        if changed is None:
            changed = yield from _send_own(subject, {**usual, **extras(chosen)}, user)
        if changed is None:
            continue
        after = yield from own_account(subject, user)
        now = document_of(after)
        anything = has(now, odd)
        kept = tuple(
            t
            for t in chosen
            if t is not odd
            and has(now, t)
            and not has(document, t)
            and (not anything or knows(document, t.name))
        )
        yield from _restore(subject, usual, user, document, chosen)
        if kept and after is not None:
            return _failed(kept, before, changed, after)
        changed = None
    return PASSED


def _restore(
    subject: Subject, usual: Mapping[Slot, object], user: Identity, document: Any, chosen: Tries
) -> Steps[None]:
    """The values that the account had before, where it had any."""
    had = dict(leaves(document))
    back = {t.slot: had.get(t.name, _opposite(t.value)) for t in chosen if t.name in had or t.value}
    yield from _send_own(subject, {**usual, **back}, user)


def _opposite(value: object) -> object:
    return False if isinstance(value, bool) else None


def _send_own(
    subject: Subject, values: Mapping[Slot, object], user: Identity
) -> Steps[Exchange | None]:
    assert subject.baseline is not None, "applies() saw to it"
    try:
        built = like_baseline(subject, subject.baseline, values)
    except Unbuildable:
        return None
    exchange = yield from send(user.authorize(built.request))
    response = exchange.response
    good = response is not None and exchange.succeeded and not subject.refused(response)
    return exchange if good else None


def _is_account(exchange: Exchange, user: Identity) -> bool:
    names = {v for k, v in user.fields.items() if k in {"email", "username", "login"}}
    return exchange.response is not None and any(n in exchange.response.text for n in names)


def _server(takes_everything: bool) -> Server:
    claims: dict[str, dict[str, object]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = str(len(claims) + 1)
            text = sent(request).get("text")
            claims[number] = {"id": number, "text": text, "approved": False, "owner": name}
            return answer(201, claims[number])
        claim = claims.get(last_segment(request), {})
        if claim.get("owner") != name:
            return not_found()
        if request.method == "PATCH":
            given = sent(request)
            claim |= given if takes_everything else {"text": given.get("text")}
            return answer(200, {**claim, **given})  # an echo proves nothing
        return answer(200, claim)

    return server


def vulnerable() -> Server:
    return _server(takes_everything=True)


def safe() -> Server:
    return _server(takes_everything=False)


_CLAIM = body(text={"type": "string"})
_ITEM = (("path", "id"),)

CHECK = Check(
    name="privileged-property-accepted-on-update",
    title="Callers set privileged properties of what they change",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(915,), owasp=("API3:2023",), asvs=("15.3.3",), wstg=("WSTG-INPV-20",)
    ),
    explanation=(
        "The body of a change is merged into the object as it came, so that a caller who adds a "
        "property changes it: their own role, the balance, the approval. The check changes an "
        "object of its own, or the account of a user of its own, with properties that the API "
        "shows but the document does not let callers send, and reads it again. A value that is "
        "only echoed passes, and so does one that an ordinary change brings about. Afterwards "
        "the account gets its old values back."
    ),
    remedy=(
        "Take from the body only the properties that callers may change, by a class or a list of "
        "names for each operation, and refuse the others. Do not reuse the model of the database "
        "as the model of the request."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/claims": {"post": operation(requestBody=_CLAIM)},
            "/claims/{id}": {
                "get": operation(parameters=_ITEM),
                "patch": operation(parameters=_ITEM, requestBody=_CLAIM),
            },
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
