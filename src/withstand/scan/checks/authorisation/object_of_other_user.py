"""Objects of one user can be read by another."""

from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import lister_of, producer_of
from withstand.scan.access import is_guarded
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
from withstand.scan.objects import Made, create, located, without_echo
from withstand.scan.shape import tells
from withstand.scan.similarity import same_content, volatile_places
from withstand.scan.subject import Subject

_PROFILE_WORDS: Final = frozenset(
    {"users", "user", "profiles", "profile", "members", "people", "authors", "accounts"}
)


def applies(subject: Subject) -> Skipped | None:
    read = subject.operation
    assert read is not None, "runs once for each operation"
    if read.method != "GET" or not read.path_parameters:
        return not_applicable("it reads no single object")
    if subject.policy.is_public(read):
        return not_applicable("listed under public: anybody may call it")
    private = subject.policy.is_private(read)
    if not private and not is_guarded(subject, read):
        return not_applicable("nothing says that it needs a credential")
    if _pair(subject) is None:
        roles = ", ".join(dict.fromkeys(i.role for i in subject.identities)) or "user"
        return Skipped(
            reason=f"no second identity of one role ({roles}) is configured, so whether one user "
            "can read another's objects was NOT tested: add one under [identities]"
        )
    producer = producer_of(subject.api, read)
    if producer is None and not (private and subject.baseline is not None):
        return Skipped(reason="no operation creates such an object, so nobody's own is known")
    if producer is not None and producer == sign_up_operation(subject.api, subject.builder):
        return not_applicable("its objects are users who signed up: nobody else owns them")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    pair = _pair(subject)
    assert pair is not None, "applies() saw to it"
    assert subject.operation is not None, "runs once for each operation"
    owner, stranger = pair
    made = yield from create(subject, subject.operation, by=owner)
    if not isinstance(made, Made):
        if subject.policy.is_private(subject.operation):
            return (yield from _with_known_object(subject, owner, stranger))
        return Inconclusive(reason=f"{owner.name} could not create an object: {made}")
    try:
        request = located(subject, subject.operation, made, owner).request
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded:
        return Inconclusive(reason=f"{owner.name} cannot read the new object ({own.status})")
    marks = without_echo(request, made.canaries)
    marks = tuple(mark for mark in marks if mark in own.response.text)
    return (yield from _judge(subject, owner, stranger, request, own, marks))


def _judge(
    subject: Subject,
    owner: Identity,
    stranger: Identity,
    request: Request,
    own: Exchange,
    marks: tuple[str, ...],
) -> Steps[Outcome]:
    """Whether the stranger gets what the owner got: by its canaries, else by all of it."""
    assert own.response is not None, "the owner could read it"
    theirs = yield from send(stranger.authorize(request))
    again = own if marks else (yield from send(owner.authorize(request)))
    changing = volatile_places(own.response, again.response)
    seen = _seen(own.response, theirs, marks, changing)
    if seen is None:
        if marks or theirs.response is None or subject.refused(theirs.response):
            return PASSED
        return Inconclusive(
            reason="the object holds no text of the check's own by which to recognise it, and "
            f"{stranger.name} got {theirs.status} with other content"
        )
    anybody = yield from send(subject.stripped(request))
    if _seen(own.response, anybody, marks, changing) is not None:
        return Passed(note="anybody may read such objects, also without a credential")
    private = subject.policy.is_private(subject.operation) if subject.operation else False
    if not private and (yield from _is_shared(subject, stranger, marks)):
        return Inconclusive(
            reason=f"{stranger.name} finds the object of {owner.name} in the public list too, so "
            "such objects seem to be shared: if they are private, list the path under private"
        )
    review = not private and _is_profile(subject.operation)
    return Failed(
        detail=f"{stranger.name} reads what {owner.name} created"
        + (" (a profile may be meant to be public: say private if it is not)." if review else "."),
        evidence=(
            shown(f"{owner.name} reads an object of their own", own, seen),
            shown(f"{stranger.name} gets it too", theirs, seen),
            shown("Without a credential it is refused", anybody),
        ),
        confidence=Confidence.TENTATIVE if review else Confidence.FIRM,
    )


def _with_known_object(subject: Subject, owner: Identity, stranger: Identity) -> Steps[Outcome]:
    """Objects said to be private that nobody creates: by an id the owner's own responses gave."""
    baseline = subject.baseline
    if baseline is None or baseline.identity is None:
        return Inconclusive(reason="no identity could read such an object")
    if baseline.identity != owner.name:
        owner, stranger = subject.identity(baseline.identity), owner
        if owner.role != stranger.role:
            return Inconclusive(reason=f"only {owner.name} could read such an object")
    request = subject.stripped(baseline.exchange.request)
    own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded or not tells(own.response):
        return Inconclusive(reason=f"{owner.name} no longer reads it ({own.status})")
    return (yield from _judge(subject, owner, stranger, request, own, ()))


def _seen(
    own: Response, other: Exchange, marks: tuple[str, ...], changing: frozenset[str]
) -> str | None:
    """The owner's canary in another's response; all of the content where there is no canary."""
    response = other.response
    if response is None:
        return None
    if marks:
        return next((mark for mark in marks if mark in response.text), None)
    same = response.succeeded and tells(own) and same_content(own, response, volatile=changing)
    return own.text[:80] if same else None


def _is_shared(subject: Subject, stranger: Identity, marks: tuple[str, ...]) -> Steps[bool]:
    """Whether the stranger's list of such objects holds the owner's."""
    assert subject.operation is not None, "runs once for each operation"
    lister = lister_of(subject.api, subject.operation)
    if lister is None or not marks or subject.policy.forbids(lister):
        return False
    try:
        built = subject.build(lister, identity=stranger)
    except Unbuildable:
        return False
    listed = yield from send(stranger.authorize(built.request))
    return listed.response is not None and any(mark in listed.response.text for mark in marks)


def _is_profile(read: Operation | None) -> bool:
    parts = [part.lower() for part in read.path.split("/") if part] if read else []
    named = [part for part in parts if "{" not in part]
    return bool(named) and named[-1] in _PROFILE_WORDS


def _pair(subject: Subject) -> tuple[Identity, Identity] | None:
    """An owner and a stranger of the same role; the baseline's identity first."""
    logged_in = [i for i in subject.identities if i.credential is not None]
    owner = subject.owner
    logged_in.sort(key=lambda identity: owner is None or identity.name != owner.name)
    for identity in logged_in:
        for peer in subject.peers(identity):
            if peer.credential is not None:
                return identity, peer
    return None


def _server(owners_only: bool) -> Server:
    orders: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            number = str(len(orders) + 1)
            orders[number] = (name, str(sent(request).get("note")))
            return answer(201, {"id": number})
        owner, note = orders.get(last_segment(request), ("", ""))
        if not owner or (owners_only and owner != name):
            return not_found()
        return answer(200, {"id": last_segment(request), "note": note})

    return server


def vulnerable() -> Server:
    return _server(owners_only=False)


def safe() -> Server:
    return _server(owners_only=True)


CHECK = Check(
    name="object-readable-by-other-user",
    title="A user can read another user's objects",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.MUTATING,
    references=References(
        cwe=(639,), owasp=("API1:2023",), asvs=("8.2.2",), wstg=("WSTG-APIT-02",)
    ),
    explanation=(
        "The API finds an object by the id in the address and does not ask whose it is, so every "
        "logged-in user can read everybody's by trying ids. This is the most common serious flaw "
        "of APIs. The check lets one user create an object with a random text inside, and asks for "
        "it as another user of the same role: only when that text comes back, and does not come "
        "back to an anonymous caller, is it reported. Public profiles are shown for review, unless "
        "the configuration says that they are private."
    ),
    remedy=(
        "Look objects up by id and owner together (`WHERE id = ? AND owner = ?`), and answer 404 "
        "as for an id that does not exist. Random ids are no substitute: they leak through logs, "
        "links and other responses."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(
        paths={
            "/orders": {"post": operation(requestBody=body(note={"type": "string"}))},
            "/orders/{id}": {"get": operation(parameters=(("path", "id"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
