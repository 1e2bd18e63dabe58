"""Who creates something sets properties that are not theirs to set."""

from typing import Any

from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.resources import producer_of, reader_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made
from withstand.scan.access.ownership import Holding, hold
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
from withstand.scan.probes.privileged_sign_up import sign_up_with_more
from withstand.scan.probes.privileges import (
    ONE_BY_ONE,
    Tries,
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
from withstand.scan.subject import Subject


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
        return (yield from sign_up_with_more(subject, post, _views(subject, post, None)))
    read, owner = reader_of(subject.api, post), subject.owner
    assert read is not None, "applies() saw to it"
    slots = subject.builder.slots(post)
    reserved = reserved_at(subject, post, slots)
    views = _views(subject, post, read)
    tries = tries_at(subject.api, read, slots, views, reserved=reserved)
    if not tries:
        return Passed(note="what it creates shows no property that callers must not set")
    if owner is None:
        return Inconclusive(reason="it was created without a credential: nobody owns it")
    odd = nonsense(slots, subject.nonce())
    made = yield from create(subject, read, by=owner, extra=extras((*tries, odd)))
    if not isinstance(made, Made):
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
        detail=f"Created with {named(kept)}, which is not the caller's to set, the object has it; "
        "one created without has another value.",
        evidence=(
            attack("Created with the property", made.exchange),
            shown("Read again, the object has it", held.exchange, kept[0].name),
            shown("An object created without it", control.exchange),
        ),
        severity=worst(kept),
    )


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
        "again, and compares with one that was created without. Of what may be sent it tries "
        "values that the document shows but does not offer, and those that only an operation for "
        "other roles brings about, under [access]. A sign-up is tried with a role of "
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
