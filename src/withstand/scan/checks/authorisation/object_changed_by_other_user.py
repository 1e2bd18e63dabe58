"""Objects of one user can be changed by another."""

from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.form_body import is_form
from withstand.client.identity import Identity
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path
from withstand.openapi.request_builder import Unbuildable
from withstand.scan.access.audience import Audience, audience_of_another
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located, without_echo
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
from withstand.scan.probes.account_of_other_user import change_account_of_other
from withstand.scan.probes.changes import differs, has_changed, other_values, sparing
from withstand.scan.subject import Subject

_ABOUT_INPUT: Final = frozenset({400, 409, 422})
_ACCOUNT_WORDS: Final = frozenset(
    {"password", "email", "profile", "update", "edit", "change", "phone", "address"}
)


def applies(subject: Subject) -> Skipped | None:
    write = subject.operation
    assert write is not None, "runs once for each operation"
    if write.method not in {"PUT", "PATCH", "POST"} or not write.path_parameters:
        return not_applicable("it changes no single object")
    if subject.policy.is_public(write):
        return not_applicable("listed under public: anybody may call it")
    if not is_guarded(subject, write) and not _needed_credential(subject):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "one user can change another's objects")
    if not_for_these(subject, write):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    if works_on_signed_up(subject, write):
        if subject.throwaway is None:
            return Skipped(reason="it works on users, and no throw-away user could be signed up")
        if write.method == "POST" and not _ACCOUNT_WORDS & {*words(write.path)}:
            return not_applicable("it changes no account")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    write = subject.operation
    assert write is not None, "runs once for each operation"
    owner, stranger = yield from opponents(subject, write)
    if works_on_signed_up(subject, write):
        return (yield from change_account_of_other(subject, write, stranger))
    made = yield from create(subject, write, by=owner)
    if not isinstance(made, Made):
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    view = _view(subject, write)
    held = yield from hold(subject, view, made, owner)
    if not isinstance(held, Holding):
        return Inconclusive(reason=held)
    try:
        built = located(subject, write, made, stranger)
        built = located(subject, write, made, stranger, other_values(built, held))
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    tried = yield from send(stranger.authorize(built.request))
    # A refusal does not say that nothing has happened: some look at the owner only afterwards.
    after = yield from hold_again(subject, view, held, owner)
    if subject.seems_done(tried) and not differs(held, after):
        after = yield from hold_later(subject, view, held, owner)
    if after is None or after.response is None or not after.succeeded:
        status = after.status if after is not None else None
        return Inconclusive(reason=f"afterwards {owner.name} reads {status}")
    mark = shows(after, without_echo(after.request, built.canaries))
    if mark is None and write.method == "PATCH" and tried.status in _ABOUT_INPUT:
        text = subject.nonce()
        least = sparing(subject, write, stranger, built, text)
        if least is not None:
            tried = yield from send(least)
            after = (yield from hold_again(subject, view, held, owner)) or after
            mark = shows(after, (text,))
    refused = tried.response is None or not tried.succeeded or subject.refused(tried.response)
    if mark is None and refused:
        return (yield from _refused(subject, write, made, owner, tried))
    if mark is None and not (yield from has_changed(subject, view, held, after, owner)):
        return Passed(note=f"it answered {tried.status}, and nothing has changed")
    where = yield from audience_of_another(subject, view, held, owner, stranger)
    adds = write.method == "POST" or not write.path.rstrip("/").endswith("}")
    if where is Audience.SHARED or (adds and where is not Audience.PRIVATE):
        return Inconclusive(
            reason=f"{stranger.name} may read the object of {owner.name} too, so such objects seem "
            "to be shared: if they are private, list the path under private"
        )
    return Failed(
        detail=f"{stranger.name} {'acts on' if adds else 'changes'} what {owner.name} created: "
        f"it answered {tried.status}, and {owner.name} reads the change.",
        evidence=(
            shown(f"{owner.name} reads an object of their own", held.exchange),
            attack(f"Sent by {stranger.name}", tried),
            shown(f"{owner.name} reads it again", after, mark),
        ),
        confidence=Confidence.TENTATIVE if where is Audience.PUBLISHED else Confidence.FIRM,
    )


def _refused(
    subject: Subject, write: Operation, made: Made, owner: Identity, tried: Exchange
) -> Steps[Outcome]:
    """A refusal passes; one that may be about the input only where the owner is not refused."""
    if tried.response is None or tried.response.status >= 500:
        return Inconclusive(reason=f"it answered {tried.status} instead of refusing")
    # A form is refused with 403 for want of a token too, and in any language.
    sure = tried.status in {401, 404} or (tried.status == 403 and not is_form(tried.request))
    if sure or tried.response.status < 400:
        return PASSED
    try:
        request = located(subject, write, made, owner).request
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    control = yield from send(owner.authorize(request))
    if control.succeeded:
        return PASSED
    return Inconclusive(reason=f"it answered {tried.status}, and the owner {control.status}")


def _view(subject: Subject, write: Operation) -> Operation:
    """By which operation the owner looks: what is added to an object is in a list of its own."""
    beside = subject.api.operation(f"GET {write.path}")
    if beside is not None or write.method != "POST":
        return beside or write
    item = item_path(write.path) or write.path
    return replace(write, method="PUT", path=item)


def _needed_credential(subject: Subject) -> bool:
    """Whether the change of an account succeeded for an identity only, or the object is read by one
    only.
    """
    assert subject.operation is not None, "runs once for each operation"
    if subject.baseline is not None and works_on_signed_up(subject, subject.operation):
        return subject.baseline.identity is not None
    read = subject.api.operation(f"GET {subject.operation.path}")
    return read is not None and is_guarded(subject, read)


def _server(owners_only: bool) -> Server:
    """Letters. Who may not change one is told so politely: 200, and nothing happens."""
    letters: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST":
            number = str(len(letters) + 1)
            letters[number] = (name, str(sent(request).get("text")))
            return answer(201, {"id": number})
        number = last_segment(request)
        owner, text = letters.get(number, ("", ""))
        if request.method == "PUT" and owner and (name == owner or not owners_only):
            text = str(sent(request).get("text"))
            letters[number] = (owner, text)
        elif request.method == "PUT" and owner:
            return answer(200, {"id": number, "text": str(sent(request).get("text"))})
        if owner != name and not (request.method == "PUT" and owner):
            return not_found()
        return answer(200, {"id": number, "text": text})

    return server


def vulnerable() -> Server:
    return _server(owners_only=False)


def safe() -> Server:
    return _server(owners_only=True)


_ITEM = (("path", "id"),)
_LETTER = body(text={"type": "string"})

CHECK = Check(
    name="object-changeable-by-other-user",
    title="A user can change another user's objects",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(639,), owasp=("API1:2023",), asvs=("8.2.2",), wstg=("WSTG-APIT-02",)
    ),
    explanation=(
        "The API finds the object to change by the id in the address and does not ask whose it is, "
        "so every logged-in user can write into everybody's. The check lets one user create an "
        "object, changes it as another user of the same role, and lets the first read it again: "
        "only a change that the owner sees is reported, whatever the status said. The accounts of "
        "users are tried on a user signed up for it. Objects that the other user finds in their "
        "own list, or that anybody may read, are only reported where something else says that "
        "they have an owner."
    ),
    remedy=(
        "Look objects up by id and owner together (`UPDATE … WHERE id = ? AND owner = ?`) in "
        "every operation that changes them, not only where they are read, and answer 404 as for "
        "an id that does not exist."
    ),
    run=run,
    applies=applies,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/letters": {"post": operation(requestBody=_LETTER)},
            "/letters/{id}": {
                "get": operation(parameters=_ITEM),
                "put": operation(parameters=_ITEM, requestBody=_LETTER),
            },
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
