"""Objects of one user can be read by another."""

from dataclasses import replace

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.access.audience import belongs_by_answers, in_list_of
from withstand.scan.access.guarded import is_guarded
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, located, without_echo
from withstand.scan.access.ownership import marks_in, no_pair, not_for_these, opponents, pair
from withstand.scan.answers.personal import is_about_users
from withstand.scan.answers.shape import tells
from withstand.scan.answers.similarity import same_content, volatile_places
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
from withstand.scan.probes.object_of_a_third import read_of_a_third
from withstand.scan.subject import Subject


def applies(subject: Subject) -> Skipped | None:
    read = subject.operation
    assert read is not None, "runs once for each operation"
    if read.method != "GET" or not read.is_read or not read.path_parameters:
        return not_applicable("it reads no single object")
    if subject.policy.is_public(read):
        return not_applicable("listed under public: anybody may call it")
    private = subject.policy.is_private(read)
    if not private and not is_guarded(subject, read):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "one user can read another's objects")
    if not_for_these(subject, read):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    producer = producer_of(subject.api, read)
    is_user = producer is not None and producer == sign_up_operation(subject.api, subject.builder)
    if is_user and not private and read.path.rstrip("/").endswith("}"):
        return not_applicable("its objects are users who signed up: nobody else owns them")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    read = subject.operation
    assert read is not None, "runs once for each operation"
    owner, stranger = yield from opponents(subject, read)
    made = yield from _made(subject, read, owner)
    if not isinstance(made, Made):
        return (yield from _with_known_object(subject, read, owner, stranger, made))
    try:
        request = located(subject, read, made, owner).request
    except Unbuildable as problem:
        return Inconclusive(reason=problem.reason)
    own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded:
        return Inconclusive(reason=f"{owner.name} cannot read the new object ({own.status})")
    marks = marks_in(own.response, without_echo(request, made.canaries))
    return (yield from _judge(subject, owner, stranger, request, own, marks, made=made))


def _made(subject: Subject, read: Operation, owner: Identity) -> Steps[Made | str]:
    """An object of the owner's to read; where the operation lists what is in one, with content."""
    producer = producer_of(subject.api, read)
    if producer is not None and producer == sign_up_operation(subject.api, subject.builder):
        return "its objects are in users, and a user's own are known by their account"
    made = yield from create(subject, read, by=owner)
    inner = subject.api.operation(f"POST {read.path}")
    if not isinstance(made, Made) or inner is None or subject.policy.forbids(inner) is not None:
        return made
    try:
        built = located(subject, inner, made, owner)
    except Unbuildable:
        return made
    exchange = yield from send(owner.authorize(built.request))
    canaries = built.canaries if exchange.succeeded else ()
    return replace(made, canaries=(*canaries, *made.canaries))


def _judge(
    subject: Subject,
    owner: Identity,
    stranger: Identity,
    request: Request,
    own: Exchange,
    marks: tuple[str, ...],
    review: str = "",
    made: Made | None = None,
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
        if (yield from _as_for_nothing(subject, stranger, request, theirs.response)):
            return PASSED
        return Inconclusive(
            reason="the object holds no text of the check's own by which to recognise it, and "
            f"{stranger.name} got {theirs.status} with other content"
        )
    anybody = yield from send(subject.stripped(request))
    if _seen(own.response, anybody, marks, changing) is not None:
        return Passed(note="anybody may read such objects, also without a credential")
    private = subject.policy.is_private(subject.operation) if subject.operation else False
    if not private and made is not None and (yield from _is_shared(subject, made, stranger)):
        return Inconclusive(
            reason=f"{stranger.name} finds the object of {owner.name} in a list too, so "
            "such objects seem to be shared: if they are private, list the path under private"
        )
    if not private and is_about_users(subject.operation):
        review = "a profile"
    return Failed(
        detail=f"{stranger.name} reads what "
        + (f"{owner.name} created" if marks else f"is {owner.name}'s")
        + (f" ({review} may be meant to be public: say private if it is not)." if review else "."),
        evidence=(
            shown(f"{owner.name} reads an object of their own", own, seen),
            attack(f"{stranger.name} gets it too", theirs, seen),
            shown("Without a credential it is refused", anybody),
        ),
        confidence=Confidence.TENTATIVE if review else Confidence.FIRM,
    )


def _as_for_nothing(
    subject: Subject, stranger: Identity, request: Request, response: Response
) -> Steps[bool]:
    """Whether the stranger is told what an id that nothing has is told: a refusal in a 200 (V6)."""
    path, mark, rest = request.path.partition("?")
    known = (subject.operation.path if subject.operation else "").rpartition("}")[2]
    place = path.removesuffix(known) if known else path
    head, _, last = place.rpartition("/")
    odd = str(2_000_000_000 + len(path)) if last.isdecimal() else subject.nonce()
    nothing = replace(request, path=f"{head}/{odd}{known}{mark}{rest}")
    control = yield from send(stranger.authorize(nothing))
    if control.response is None or control.status != response.status:
        return False
    return same_content(response, control.response) or response.body == control.response.body


def _with_known_object(
    subject: Subject, read: Operation, owner: Identity, stranger: Identity, why: str
) -> Steps[Outcome]:
    """Objects that nobody creates: by an id that the owner's own responses gave, else by one of
    what is neither the owner's nor the stranger's.
    """
    outcome = yield from _with_own_id(subject, read, owner, stranger, why)
    if isinstance(outcome, Inconclusive):
        return (yield from read_of_a_third(subject, read, owner, stranger)) or outcome
    return outcome


def _with_own_id(
    subject: Subject, read: Operation, owner: Identity, stranger: Identity, why: str
) -> Steps[Outcome]:
    baseline, private = subject.baseline, subject.policy.is_private(read)
    if baseline is None or baseline.identity is None:
        return Inconclusive(reason=f"no identity could read an object of its own: {why}")
    if baseline.identity != owner.name:
        return Inconclusive(reason=f"only {baseline.identity} could read such an object")
    value = next(
        (v for s, v in reversed(list(baseline.built.values.items())) if s.location == "path"), None
    )
    sure = yield from belongs_by_answers(subject, read, value, owner, stranger)
    if not private and sure is None:
        return Inconclusive(
            reason=f"{owner.name} could create no object ({why}), and nothing tells whose the one "
            "that was read is: if such objects are private, list the path under private"
        )
    request = subject.stripped(baseline.exchange.request)
    own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded or not tells(own.response):
        return Inconclusive(reason=f"{owner.name} no longer reads it ({own.status})")
    review = "" if private or sure is Confidence.FIRM else "it"
    return (yield from _judge(subject, owner, stranger, request, own, (), review))


def _seen(
    own: Response, other: Exchange, marks: tuple[str, ...], changing: frozenset[str]
) -> str | None:
    """The owner's canary in another's response; all of the content where there is no canary."""
    response = other.response
    if response is None or response.status >= 400:  # a refusal that holds data: refusal-leaks-data
        return None
    if marks:
        return next((mark for mark in marks if mark in response.text), None)
    same = response.succeeded and tells(own) and same_content(own, response, volatile=changing)
    return own.text[:80] if same else None


def _is_shared(subject: Subject, made: Made, stranger: Identity) -> Steps[bool]:
    """Whether the stranger is shown the owner's object among others."""
    assert subject.operation is not None, "runs once for each operation"
    return (yield from in_list_of(subject, subject.operation, made, stranger)) is True


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
        "back to an anonymous caller, is it reported. What nobody can create is asked for by ids "
        "that were seen and by small numbers: it is reported where it names an owner, comes back "
        "to two users, and is in the list of neither. Public profiles are shown for review, unless "
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
