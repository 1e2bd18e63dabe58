"""Objects of one user can be deleted by another."""

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.form_body import is_form
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.audience import Audience, audience
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located
from withstand.scan.access.ownership import (
    Holding,
    hold,
    hold_again,
    hold_later,
    no_pair,
    not_for_these,
    opponents,
    pair,
    shows,
)
from withstand.scan.access.users import (
    NewUser,
    account_of,
    located_account,
    new_user,
    works_on_signed_up,
)
from withstand.scan.answers.removal import how_gone
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
from withstand.scan.finding import Confidence, Severity
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    removal = subject.operation
    assert removal is not None, "runs once for each operation"
    if not removal.path_parameters or not removal.removes:
        return not_applicable("it deletes no single object")
    if subject.policy.is_public(removal):
        return not_applicable("listed under public: anybody may call it")
    read = subject.api.operation(f"GET {removal.path}")
    if not is_guarded(subject, removal) and not (read and is_guarded(subject, read)):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "one user can delete another's objects")
    if not_for_these(subject, removal):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    if works_on_signed_up(subject, removal) and subject.throwaway is None:
        return Skipped(reason="it works on users, and no throw-away user could be signed up")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    removal = subject.operation
    assert removal is not None, "runs once for each operation"
    owner, stranger = yield from opponents(subject, removal)
    if works_on_signed_up(subject, removal):
        return (yield from _another_user(subject, removal, stranger))
    kept = yield from create(subject, removal, by=owner)
    made = yield from create(subject, removal, by=owner)
    if not isinstance(made, Made) or not isinstance(kept, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    held = yield from hold(subject, removal, made, owner)
    if not isinstance(held, Holding):
        return Inconclusive(reason=held)
    try:
        request = located(subject, removal, made, stranger).request
        other = located(subject, removal, kept, stranger).request
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    if request.path == other.path:
        return Inconclusive(reason=f"{made.producer.key} gives the same object twice")
    tried = yield from send(stranger.authorize(request))
    after = yield from hold_again(subject, removal, held, owner)
    if subject.seems_done(tried) and after is not None and _gone(held, after) is None:
        after = yield from hold_later(subject, removal, held, owner)
    if after is None or after.response is None or after.response.status >= 500:
        return Inconclusive(reason=f"afterwards {owner.name} could not read it")
    how = _gone(held, after)
    if how is None and tried.status == 403 and is_form(tried.request):
        # A form is refused for want of a token too, and in any language.
        control = yield from send(owner.authorize(request))
        if control.status == 403:
            return Inconclusive(reason=f"{owner.name} may not delete it either")
    if how is None:
        return _still_there(subject, tried, after)
    second = yield from hold(subject, removal, kept, owner)
    if not isinstance(second, Holding):
        return Inconclusive(reason=f"another object that nobody deleted is gone as well: {second}")
    where = yield from audience(subject, removal, second, owner, stranger)
    if where is Audience.SHARED:
        return Inconclusive(
            reason=f"{stranger.name} may read the objects of {owner.name} too, so they seem to be "
            "shared: if they are private, list the path under private"
        )
    return Failed(
        detail=f"{stranger.name} deletes what {owner.name} created: it answered {tried.status}, "
        f"and {how}.",
        evidence=(
            shown(f"{owner.name} reads an object of their own", held.exchange),
            attack(f"Sent by {stranger.name}", tried),
            shown(f"{owner.name} asks for it again", after),
            shown("Another object, which nobody deleted, is still there", second.exchange),
        ),
        confidence=Confidence.TENTATIVE if where is Audience.PUBLISHED else Confidence.FIRM,
    )


def _gone(held: Holding, after: Exchange) -> str | None:
    """How the owner's object has gone; None when it is still there."""
    before, now = held.exchange.response, after.response
    assert before is not None, "the owner could read it"
    if now is None or now.status >= 500:
        return None
    if held.by_list:
        return (
            None if not now.succeeded or shows(after, held.marks) else "the owner's list lacks it"
        )
    if now.succeeded and held.marks and not shows(after, held.marks):
        return "the owner reads nothing of it any more"
    return how_gone(before, after)


def _still_there(subject: Subject, tried: Exchange, after: Exchange) -> Outcome:
    if tried.response is None or tried.response.status >= 500:
        return Inconclusive(reason=f"it answered {tried.status} instead of refusing")
    if not after.succeeded:
        return Inconclusive(reason=f"afterwards its owner got {after.status}")
    if tried.succeeded and not subject.refused(tried.response):
        return Passed(note=f"it answered {tried.status}, and the object is still there")
    return PASSED


def _another_user(subject: Subject, removal: Operation, stranger: Identity) -> Steps[Outcome]:
    """A user signed up for it, deleted by somebody else; a second one stays."""
    kept = yield from new_user(subject)
    victim = yield from new_user(subject)
    if not isinstance(victim, NewUser) or not isinstance(kept, NewUser):
        why = victim if isinstance(victim, str) else "signing up was refused"
        return Inconclusive(reason=f"no user of the scan's own: {why}")
    before = yield from account_of(subject, victim, removal)
    other = yield from account_of(subject, kept, removal)
    if before is None or other is None:
        return Inconclusive(reason="no operation shows a user their own account")
    try:
        built = located_account(subject, removal, victim, "")
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    tried = yield from send(stranger.authorize(built.request))
    after = yield from send(before.request)
    if after.response is None or after.response.status >= 500:
        return Inconclusive(reason=f"afterwards the user got {after.status}")
    if after.succeeded and not subject.refused(after.response):
        return _still_there(subject, tried, after)
    control = yield from send(other.request)
    if not control.succeeded:
        return Inconclusive(reason=f"a user whom nobody deleted gets {control.status} as well")
    return Failed(
        detail=f"{stranger.name} deletes the account of another user: it answered "
        f"{tried.status}, and that user is gone.",
        evidence=(
            shown("A user of the scan's own reads their account", before),
            attack(f"Sent by {stranger.name}", tried),
            shown("The user asks again", after),
            shown("Another user, whom nobody deleted, is still there", control),
        ),
    )


def _server(owners_only: bool) -> Server:
    """Drafts. Deleting somebody else's answers 204, and does nothing where all is well."""
    drafts: dict[str, tuple[str, str]] = {}
    numbers = iter(range(1, 1_000_000))

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = str(next(numbers))
            drafts[number] = (name, str(sent(request).get("text")))
            return answer(201, {"id": number})
        owner, text = drafts.get(last_segment(request), ("", ""))
        if request.method == "DELETE" and owner:
            if owner == name or not owners_only:
                del drafts[last_segment(request)]
            return Response(status=204)
        if owner != name:
            return not_found()
        return answer(200, {"id": last_segment(request), "text": text})

    return server


def vulnerable() -> Server:
    return _server(owners_only=False)


def safe() -> Server:
    return _server(owners_only=True)


_ITEM = operation(parameters=(("path", "id"),))

CHECK = Check(
    name="object-deletable-by-other-user",
    title="A user can delete another user's objects",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(639,), owasp=("API1:2023",), asvs=("8.2.2",), wstg=("WSTG-APIT-02",)
    ),
    explanation=(
        "The API finds the object to delete by the id in the address and does not ask whose it is, "
        "so every logged-in user can delete everybody's. The check lets one user create two "
        "objects, deletes the first as another user of the same role, and lets their owner look: "
        "only when the first is gone, or marked as deleted, and the second is still there, is it "
        "reported. Users are tried on users signed up for it. A 204 that deletes nothing passes."
    ),
    remedy=(
        "Delete by id and owner together (`DELETE … WHERE id = ? AND owner = ?`), and answer 404 "
        "as for an id that does not exist."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/drafts": {"post": operation(requestBody=body(text={"type": "string"}))},
            "/drafts/{id}": {"get": _ITEM, "delete": _ITEM},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
