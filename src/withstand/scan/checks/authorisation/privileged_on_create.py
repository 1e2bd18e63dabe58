"""Who creates something sets properties that are not theirs to set."""

from typing import Any

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity, jwt_claims
from withstand.openapi.operation import Operation
from withstand.openapi.resources import producer_of, reader_of
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
from withstand.scan.objects import Made
from withstand.scan.ownership import Holding, hold
from withstand.scan.probes.privileges import (
    ONE_BY_ONE,
    STRICT,
    Attempt,
    Tries,
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
from withstand.scan.shape import same_shape, tells
from withstand.scan.subject import Baseline, Subject
from withstand.scan.users import NewUser, account_of, new_user


def applies(subject: Subject) -> Skipped | None:
    post = subject.operation
    assert post is not None, "runs once for each operation"
    if post.method != "POST" or not post.bodies:
        return not_applicable("it creates nothing from a body")
    if post == sign_up_operation(subject.api, subject.builder):
        if subject.throwaway is None:
            return Skipped(reason="no user of the scan's own could be signed up and logged in")
        return None
    read = reader_of(subject.api, post)
    if read is None or producer_of(subject.api, read) != post:
        return not_applicable("no operation reads what it creates")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    post = subject.operation
    assert post is not None, "runs once for each operation"
    if post == sign_up_operation(subject.api, subject.builder):
        return (yield from _sign_up(subject, post))
    read, owner = reader_of(subject.api, post), subject.owner
    assert read is not None, "applies() saw to it"
    slots = subject.builder.slots(post)
    tries = attempts(subject.api, read, slots, _views(subject, post, read))
    if not tries:
        return Passed(note="what it creates shows no property that callers must not set")
    if owner is None:
        return Inconclusive(reason="it was created without a credential: nobody owns it")
    odd = nonsense(slots, subject.nonce())
    made = yield from create(subject, read, by=owner, extra=extras((*tries, odd)))
    if not isinstance(made, Made):
        made = yield from create(subject, read, by=owner, extra=extras((odd,)))
        if not isinstance(made, Made):
            return STRICT
        for single in tries[:ONE_BY_ONE]:
            made = yield from create(subject, read, by=owner, extra=extras((single,)))
            if isinstance(made, Made):
                outcome = yield from _judge(subject, read, owner, made, (single,))
                if isinstance(outcome, Failed):
                    return outcome
        return PASSED
    return (yield from _judge(subject, read, owner, made, tries))


def _judge(
    subject: Subject, read: Operation, owner: Identity, made: Made, tries: Tries
) -> Steps[Outcome]:
    """Whether the object has what was sent, and one that was made without has not."""
    held = yield from hold(subject, read, made, owner)
    if not isinstance(held, Holding):
        return Inconclusive(reason=held)
    kept = tuple(each for each in tries if has(document_of(held.exchange), each))
    if not kept:
        return PASSED
    plain = yield from create(subject, read, by=owner)
    control = (yield from hold(subject, read, plain, owner)) if isinstance(plain, Made) else plain
    if not isinstance(control, Holding):
        return Inconclusive(reason=f"there is no object to compare with: {control}")
    usual = document_of(control.exchange)
    kept = tuple(each for each in kept if knows(usual, each.name) and not has(usual, each))
    if not kept:
        return PASSED
    return Failed(
        detail=f"Created with {named(kept)}, which the document does not let callers send, the "
        "object has it; one created without has another value.",
        evidence=(
            attack("Created with the property", made.exchange),
            shown("Read again, the object has it", held.exchange, kept[0].name),
            shown("An object created without it", control.exchange),
        ),
        severity=worst(kept),
    )


def _sign_up(subject: Subject, post: Operation) -> Steps[Outcome]:
    """A user who signs up with a role; who they are is read after logging in."""
    slots = subject.builder.slots(post)
    shown_ones = attempts(subject.api, post, slots, _views(subject, post, None), own_account=True)
    tries = tuple({each.name: each for each in (*shown_ones, *as_user(slots))}.values())
    odd = nonsense(slots, subject.nonce())
    user = yield from new_user(subject, extras((*tries, odd)))
    if isinstance(user, Exchange):
        plain = yield from new_user(subject, extras((odd,)))
        if isinstance(plain, Exchange):
            return STRICT
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
    subject: Subject, post: Operation, user: NewUser, tries: Tries, odd: Attempt | None
) -> Steps[Outcome]:
    view = yield from account_of(subject, user, post)
    told = (document_of(view), _claims(user))
    kept = tuple(each for each in tries if any(has(document, each) for document in told))
    opened = yield from _opens(subject, user)
    if not kept and opened is None:
        return (
            PASSED
            if view is not None
            else Inconclusive(reason="no operation shows a user their own account")
        )
    control = yield from new_user(subject)
    if not isinstance(control, NewUser):
        return Inconclusive(reason="there is no other user to compare with")
    other = yield from account_of(subject, control, post)
    usual = (document_of(other), _claims(control))
    anything = odd is not None and any(has(document, odd) for document in told)

    def counts(each: Attempt) -> bool:
        unusual = not any(has(document, each) for document in usual)
        return unusual and (not anything or any(knows(document, each.name) for document in usual))

    kept = tuple(filter(counts, kept))
    evidence = [attack("Signed up with the property", user.exchange)]
    if view is not None and any(has(told[0], each) for each in kept):
        evidence.append(shown("The user has it", view, kept[0].name))
    if other is not None:
        evidence.append(shown("A user who signed up without it", other))
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
        + ("what is meant for another role." if opened is not None and not view else "it.")
        + " One who signed up without has not.",
        evidence=tuple(evidence),
        severity=Severity.CRITICAL if worst(kept) is Severity.HIGH else worst(kept),
    )


def _opens(subject: Subject, user: NewUser) -> Steps[tuple[Baseline, Exchange] | None]:
    """What only another role could read so far, and the new user reads."""
    usual = {i.role for i in subject.identities[:1]} | {user.identity.role}
    for baseline in subject.baselines.values():
        owner = subject.identity(baseline.identity) if baseline.identity is not None else None
        if owner is None or baseline.operation.method != "GET" or owner.role in usual:
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


def _views(subject: Subject, post: Operation, read: Operation | None) -> tuple[Any, ...]:
    """How such an object was shown so far: by its creation, and read again."""
    known = [subject.baselines.get(op.key) for op in (post, read) if op is not None]
    if read is None:
        known.append(subject.canary)
    return tuple(document_of(each.exchange) for each in known if each is not None)


def _server(takes_everything: bool) -> Server:
    vouchers: dict[str, dict[str, object]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = str(len(vouchers) + 1)
            given = sent(request)
            known = given if takes_everything else {"text": given.get("text")}
            voucher = {"text": "", "balance_cents": 0, **known, "id": number, "owner": name}
            vouchers[number] = voucher
            return answer(201, {**voucher, **given})  # an echo proves nothing
        voucher = vouchers.get(last_segment(request), {})
        return answer(200, voucher) if voucher.get("owner") == name else not_found()

    return server


def vulnerable() -> Server:
    return _server(takes_everything=True)


def safe() -> Server:
    return _server(takes_everything=False)


CHECK = Check(
    name="privileged-property-accepted-on-create",
    title="Callers set privileged properties of what they create",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(915,), owasp=("API3:2023",), asvs=("15.3.3",), wstg=("WSTG-INPV-20",)
    ),
    explanation=(
        "The body of the request is written into the object as it came, so that a caller who adds "
        "a property gets it: a role, a balance, an approval. The check creates an object with "
        "properties that the API shows but the document does not let callers send, reads it "
        "again, and compares with one that was created without. A sign-up is tried with a role of "
        "an administrator, for a user of the scan's own, and that user's account is read after "
        "logging in. A value that is only echoed passes."
    ),
    remedy=(
        "Take from the body only the properties that callers may set, by a class or a list of "
        "names for each operation, and refuse the others. Never pass a body on to the model or "
        "the query as it is."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/vouchers": {"post": operation(requestBody=body(text={"type": "string"}))},
            "/vouchers/{id}": {"get": operation(parameters=(("path", "id"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
