"""Objects of another user are reached by an id in the query or in the body."""

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access import is_guarded
from withstand.scan.accounts import is_password, looks_like_login, new_password, sign_up_operation
from withstand.scan.audience import Audience, audience_of_another
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
    not_found,
    operation,
    query,
    sent,
)
from withstand.scan.finding import Confidence, Severity
from withstand.scan.making import create
from withstand.scan.objects import Made, like_baseline, read_back, without_echo
from withstand.scan.ownership import (
    Holding,
    hold,
    hold_again,
    marks_in,
    no_pair,
    not_for_these,
    pair,
    shows,
)
from withstand.scan.personal import is_personal, speaks_of_own
from withstand.scan.probes.inputs import named
from withstand.scan.probes.references import Reference, names_person, pointing_slots, referred
from withstand.scan.shape import tells
from withstand.scan.similarity import same_content, volatile_places
from withstand.scan.subject import Subject
from withstand.scan.users import NewUser, account_of, logs_in, new_user


def applies(subject: Subject) -> Skipped | None:
    wanted = subject.operation
    assert wanted is not None, "runs once for each operation"
    if not any(True for _ in pointing_slots(subject, wanted)):
        return not_applicable("no input in its query or body names a thing or a person")
    if subject.policy.is_public(wanted):
        return not_applicable("listed under public: anybody may call it")
    is_sign_up = wanted == sign_up_operation(subject.api, subject.builder)
    if is_sign_up or looks_like_login(wanted, subject.builder):
        return not_applicable("it says who the caller is, or will be")
    if not is_guarded(subject, wanted) and not subject.policy.is_private(wanted):
        return not_applicable("nothing says that it needs a credential")
    if pair(subject) is None:
        return no_pair(subject, "one user reaches another's objects by their ids")
    if not_for_these(subject, wanted):
        return not_applicable("it is for other roles: operation-open-to-lower-role judges it")
    return None


def run(subject: Subject) -> Steps[Outcome]:
    both, wanted = pair(subject), subject.operation
    assert both is not None, "applies() saw to it"
    assert wanted is not None, "runs once for each operation"
    owner, stranger = both
    unclear: str | None = None
    tried = 0
    for slot in pointing_slots(subject, wanted):
        outcome: Outcome
        try:
            if wanted.is_read:
                outcome = yield from _read(subject, wanted, slot, owner, stranger)
            elif names_person(slot):
                outcome = yield from _write_of_person(subject, wanted, slot, stranger)
            else:
                outcome = yield from _write(subject, wanted, slot, owner, stranger)
        except Unbuildable as problem:
            outcome = Inconclusive(reason=problem.reason)
        if isinstance(outcome, Failed):
            return outcome
        tried += not isinstance(outcome, Skipped)
        if isinstance(outcome, Inconclusive):
            unclear = unclear or f"{named(slot)}: {outcome.reason}"
    if unclear is None and tried and subject.baseline is None and not wanted.is_read:
        unclear = "it never succeeded for anybody, so a refusal says nothing"
    if unclear is not None:
        return Inconclusive(reason=unclear)
    return PASSED if tried else Passed(note="no value of the owner's own is known for its inputs")


def _read(
    subject: Subject, wanted: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[Outcome]:
    reference = yield from referred(subject, wanted, slot, owner, stranger)
    if reference is None:
        return Skipped(reason="no value is known")
    marks = reference.made.canaries if reference.made is not None else ()
    if reference.made is None:
        # By who they are: what they made is what must not be seen.
        lone = yield from _made_for_list(subject, wanted, owner)
        marks = lone.canaries if lone is not None else ()
    request = _with(subject, wanted, slot, reference.value)
    own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded or not tells(own.response):
        return Inconclusive(reason=f"{owner.name} gets {own.status} or nothing for their own id")
    marks = marks_in(own.response, without_echo(request, marks))
    theirs = yield from send(stranger.authorize(request))
    again = own if marks else (yield from send(owner.authorize(request)))
    changing = volatile_places(own.response, again.response)
    if theirs.response is None or subject.refused(theirs.response):
        return PASSED
    seen = _seen(own.response, theirs, marks, changing)
    if seen is None:
        return PASSED
    for control in (
        stranger.authorize(_with(subject, wanted, slot, _nobody(slot, subject.nonce()))),
        stranger.authorize(_with(subject, wanted, slot, None)),
        subject.stripped(request),
    ):
        usual = yield from send(control)
        if _seen(own.response, usual, marks, changing) is not None:
            return Passed(note=f"{stranger.name} sees the same without that id, as anybody does")
    return (yield from _weighed(subject, wanted, reference, stranger, owner, own, theirs, seen))


def _weighed(
    subject: Subject,
    wanted: Operation,
    reference: Reference,
    stranger: Identity,
    owner: Identity,
    own: Exchange,
    theirs: Exchange,
    seen: str,
) -> Steps[Outcome]:
    """What is got by the id is a flaw where it is the owner's alone."""
    private = subject.policy.is_private(wanted)
    refused = False
    if reference.made is not None and reference.item is not None and not private:
        direct = yield from read_back(subject, reference.item, reference.made, stranger)
        if direct is not None and direct.succeeded and shows(direct, reference.made.canaries):
            return Passed(note=f"{stranger.name} may read the object by itself too")
        refused = direct is not None and direct.status in {401, 403, 404}
    personal = is_personal(wanted) or speaks_of_own(reference.slot.name.rsplit(".", 1)[-1])
    firm = private or refused or personal
    return Failed(
        detail=f"By the id of {owner.name} in {named(reference.slot)}, {stranger.name} gets what "
        f"is {owner.name}'s" + ("." if firm else " (if that is private, say so under private)."),
        evidence=(
            shown(f"{owner.name} asks with their own id", own, seen),
            attack(f"{stranger.name} asks with the id of {owner.name}", theirs, seen),
        ),
        parameter=named(reference.slot),
        confidence=Confidence.FIRM if firm else Confidence.TENTATIVE,
    )


def _made_for_list(subject: Subject, wanted: Operation, owner: Identity) -> Steps[Made | None]:
    """Something that the owner adds to what the operation lists, to be recognised by."""
    item = next(
        (
            op
            for op in subject.api.operations
            if op.path_parameters and op.path.rsplit("/", 1)[0] == wanted.path
        ),
        None,
    )
    if item is None:
        return None
    made = yield from create(subject, item, by=owner)
    return made if isinstance(made, Made) else None


def _write(
    subject: Subject, wanted: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[Outcome]:
    """A stranger's change that names the owner's object; the owner reads what became of it."""
    reference = yield from referred(subject, wanted, slot, owner, stranger)
    if reference is None or reference.made is None or reference.item is None:
        return Skipped(reason="no object of the owner's own is known for it")
    held = yield from hold(subject, reference.item, reference.made, owner)
    if not isinstance(held, Holding):
        return Inconclusive(reason=held)
    built = subject.build(wanted, identity=stranger, replace={slot: reference.value})
    tried = yield from send(stranger.authorize(built.request))
    after = yield from hold_again(subject, reference.item, held, owner)
    if after is None or after.response is None or held.exchange.response is None:
        return Inconclusive(reason=f"afterwards {owner.name} could not read it")
    mark = shows(after, without_echo(after.request, built.canaries))
    if mark is None and (tried.response is None or subject.refused(tried.response)):
        return PASSED
    if mark is None and not tried.succeeded:
        return (
            PASSED
            if tried.status in {400, 409, 422}
            else Inconclusive(reason=f"it answered {tried.status} instead of refusing")
        )
    if mark is None:
        again = yield from hold_again(subject, reference.item, held, owner)
        moving = volatile_places(after.response, again.response if again is not None else None)
        if same_content(held.exchange.response, after.response, volatile=moving):
            return Passed(note=f"it answered {tried.status}, and nothing has changed")
    where = yield from audience_of_another(subject, reference.item, held, owner, stranger)
    if where is not Audience.PRIVATE:
        return Passed(note=f"{stranger.name} may read the object too: such objects seem shared")
    return Failed(
        detail=f"With the id of {owner.name}'s object in {named(slot)}, a request of "
        f"{stranger.name} changes that object: {owner.name} reads the change.",
        evidence=(
            shown(f"{owner.name} reads an object of their own", held.exchange),
            attack(f"Sent by {stranger.name}", tried),
            shown(f"{owner.name} reads it again", after, mark),
        ),
        parameter=named(slot),
    )


def _write_of_person(
    subject: Subject, wanted: Operation, slot: Slot, stranger: Identity
) -> Steps[Outcome]:
    """A change that names somebody else: a user signed up for it, who then looks."""
    changes = [s for s in subject.builder.slots(wanted) if s.location == "body" and s != slot]
    if not any(s.is_text for s in changes):
        return Skipped(reason="it changes nothing that could be recognised")
    victim = yield from new_user(subject)
    if not isinstance(victim, NewUser):
        return Skipped(reason="no user of the scan's own")
    before = yield from account_of(subject, victim, wanted)
    value = victim.named(slot.name.rsplit(".", 1)[-1], before)
    if value is None:
        return Skipped(reason="no value is known for the user")
    password = new_password(subject.nonce())
    secret = {s: password for s in changes if is_password(s.name)}
    built = subject.build(wanted, identity=stranger, replace={**secret, slot: value})
    tried = yield from send(stranger.authorize(built.request))
    if tried.response is None or not tried.succeeded or subject.refused(tried.response):
        return PASSED
    evidence = [attack(f"Sent by {stranger.name}, with the name of another user", tried)]
    after = (yield from send(before.request)) if before is not None else None
    mark = shows(after, built.canaries)
    if before is not None and after is not None and mark is not None:
        evidence = [
            shown("A user of the scan's own reads their account", before),
            *evidence,
            shown("The user reads it again", after, mark),
        ]
    elif not (secret and (yield from logs_in(victim, password))):
        return Passed(note=f"it answered {tried.status}, and the other account has not changed")
    return Failed(
        detail=f"With another user's value in {named(slot)}, a request of {stranger.name} changes "
        "that user's account"
        + ("." if mark is not None else ": the password that was sent now logs in."),
        evidence=tuple(evidence),
        parameter=named(slot),
    )


def _with(subject: Subject, wanted: Operation, slot: Slot, value: object | None) -> Request:
    """The operation's request with a value in one input, or without that input. May be odd."""
    chosen = {} if value is None else {slot: value}
    baseline = subject.baselines.get(wanted.key)
    try:
        if value is None:
            return subject.builder.build(wanted, None, full=False).request
        if baseline is not None:
            return like_baseline(subject, baseline, chosen).request
        return subject.build(wanted, replace=chosen).request
    except Unbuildable:
        return Request(method=wanted.method, path=subject.target.base_path + wanted.path)


def _nobody(slot: Slot, nonce: str) -> object:
    """An id that nothing has."""
    if slot.schema.get("type") == "integer":
        return 2_000_000_000 + int(nonce[2:8], 16) % 100_000_000
    return nonce


def _seen(
    own: Response, other: Exchange, marks: tuple[str, ...], changing: frozenset[str]
) -> str | None:
    """The owner's canary in another's answer; all of the content where there is no canary."""
    response = other.response
    if response is None or not response.succeeded:
        return None
    if marks:
        return next((mark for mark in marks if mark in response.text), None)
    return own.text[:80] if same_content(own, response, volatile=changing) else None


def _server(owners_only: bool) -> Server:
    accounts: dict[str, tuple[str, str]] = {}

    def server(request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.operation_path == "/me":
            return answer(200, {"name": name})
        if request.method == "POST" and request.path == "/accounts":
            number = f"AC-{1001 + len(accounts)}"
            accounts[number] = (name, str(sent(request).get("label")))
            return answer(201, {"account_number": number})
        number = query(request, "account_number")
        owner, label = accounts.get(number, ("", ""))
        if request.operation_path != "/statement":
            return not_found()
        if not owner or (owners_only and owner != name):
            return answer(200, {"error": "no such account"})
        return answer(200, {"account": {"label": label, "cents": 271828}})

    return server


def vulnerable() -> Server:
    return _server(owners_only=False)


def safe() -> Server:
    return _server(owners_only=True)


CHECK = Check(
    name="object-of-other-user-by-parameter",
    title="An id in the query or body reaches another user's objects",
    family="authorisation",
    severity=Severity.HIGH,
    per=Per.OPERATION,
    safety=Safety.DESTRUCTIVE,
    references=References(
        cwe=(639,), owasp=("API1:2023",), asvs=("8.2.2",), wstg=("WSTG-APIT-02", "WSTG-ATHZ-04")
    ),
    explanation=(
        "The API takes from the query or from the body whose data is meant, an account number or "
        "a user id, and believes it. The check takes such values only from what their owner was "
        "told, sends them as another user of the same role, and looks whether the owner's data "
        "come back, or whether the owner reads a change. What that user sees without the id too "
        "is shared and passes; inputs that are meant to name somebody else, such as a recipient, "
        "are left alone."
    ),
    remedy=(
        "Take who is calling from the credential only. Where an id has to be sent, look it up "
        "together with the caller, as for an id in the path."
    ),
    run=run,
    applies=applies,
    needs_baseline=False,
    example=Example(
        paths={
            "/me": {"get": operation()},
            "/accounts": {"post": operation(requestBody=body(label={"type": "string"}))},
            "/statement": {"get": operation(parameters=(("query", "account_number"),))},
        },
        vulnerable=vulnerable,
        safe=safe,
    ),
)
