"""Who changes something sets properties that are not theirs to set."""

from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.naming import is_plural
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import ends_in_parameter, segments
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import creates_items, producer_of
from withstand.openapi.spoken import Deed, deed_of, name_of_id, spoken_deed
from withstand.scan.access.accounts import changes_the_caller, sign_up_operation
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located
from withstand.scan.access.ownership import Holding, hold, hold_again
from withstand.scan.access.users import works_on_signed_up
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
    not_applicable,
    send,
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
from withstand.scan.probes.account_changes import (
    change_own,
    change_signed_up,
    failed,
)
from withstand.scan.probes.privileges import (
    ONE_BY_ONE,
    Tries,
    document_of,
    extras,
    has,
    knows,
    nonsense,
    tries_at,
)
from withstand.scan.probes.reserved import reserved_at
from withstand.scan.subject import Subject

_NOTHING: Final = Passed(note="what it changes shows no property that callers must not set")


def applies(subject: Subject) -> Skipped | None:
    change = subject.operation
    assert change is not None, "runs once for each operation"
    if not change.bodies or not _is_update(subject, change):
        return not_applicable("it changes nothing from a body")
    own = subject.throwaway
    if works_on_signed_up(subject, change):
        if own is None:
            return Skipped(reason="it works on users, and no throw-away user could be signed up")
    elif name_of_id(change, subject.api.resolve) is not None:
        if producer_of(subject.api, change) is None:
            return Skipped(reason="no operation creates such an object, so none may be changed")
    elif own is None or subject.baseline is None or subject.baseline.identity != own.name:
        return Skipped(
            reason="no user of the scan's own has called it, and no other may be changed"
        )
    return None


def _is_update(subject: Subject, change: Operation) -> bool:
    """Whether it changes what is there already. A POST does where it says so, where a GET on its
    path shows that one thing, and on the caller's own account.
    """
    if change.method in {"PUT", "PATCH"}:
        return True
    if change.method != "POST" or change.removes or creates_items(subject.api, change):
        return False
    if deed_of(change, subject.api.resolve) is Deed.CHANGE and not change.path_parameters:
        return True
    if spoken_deed(change) is Deed.CHANGE or ends_in_parameter(change.path):
        return True
    if change == sign_up_operation(subject.api, subject.builder):
        return False
    shown_there = subject.api.operation(f"GET {change.path}") is not None
    own = changes_the_caller(change, subject.builder.slots(change))
    return own or (shown_there and not is_plural(segments(change.path)[-1]))


def run(subject: Subject) -> Steps[Outcome]:
    change = subject.operation
    assert change is not None, "runs once for each operation"
    if works_on_signed_up(subject, change):
        return (yield from change_signed_up(subject, change))
    if name_of_id(change, subject.api.resolve) is None:
        return (yield from change_own(subject, change))
    owner = subject.owner
    if subject.baseline is None:
        return Inconclusive(reason="no request of anybody's to it succeeded")
    if owner is None:
        return Inconclusive(reason="it was changed without a credential: nobody owns it")
    made = yield from create(subject, change, by=owner)
    if not isinstance(made, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    held = yield from hold(subject, change, made, owner)
    if not isinstance(held, Holding) or held.by_list:
        return Inconclusive(reason="no operation reads what it changes")
    slots = subject.builder.slots(change)
    reserved, views = reserved_at(subject, change, slots), (document_of(held.exchange),)
    tries = tries_at(subject.api, change, slots, views, reserved=reserved)
    if not tries:
        return _NOTHING
    odd = nonsense(slots, subject.nonce())
    changed = yield from _change(subject, change, made, owner, (*tries, odd))
    if changed is None:
        for single in tries[:ONE_BY_ONE]:
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
    return failed(kept, held.exchange, changed, after)


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
        "shows but the document does not let callers send, and reads it again. Of what may be "
        "sent it tries values that are others' to give: a choice that the document shows but does "
        "not offer, what only an operation for other roles brings about, an administrator's role. "
        "A value that is "
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
    needs_baseline=False,
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
