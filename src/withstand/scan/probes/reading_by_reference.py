"""Whether a stranger reads what is the owner's by the owner's value in an input.

Sub-generators for checks.
"""

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.resources import reader_of
from withstand.openapi.schema_merge import types_of
from withstand.scan.audience import in_list_of
from withstand.scan.check import (
    PASSED,
    Failed,
    Inconclusive,
    Outcome,
    Passed,
    Skipped,
    Steps,
    attack,
    send,
    shown,
)
from withstand.scan.finding import Confidence
from withstand.scan.making import create
from withstand.scan.objects import Made, like_baseline, read_back, without_echo
from withstand.scan.ownership import (
    marks_in,
    shows,
)
from withstand.scan.personal import is_personal, speaks_of_own
from withstand.scan.probes.inputs import named
from withstand.scan.probes.references import Reference, referred
from withstand.scan.shape import tells
from withstand.scan.similarity import same_content, volatile_places
from withstand.scan.subject import Subject


def read_by(
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
    refused = reference.listed
    made, item = reference.made, reference.item
    if made is not None and item is not None and not private:
        if reader_of(subject.api, item) == wanted:  # nothing else reads it
            found = yield from in_list_of(subject, item, made, stranger)
            if found is True:
                return Passed(note=f"{stranger.name} finds the object in a list too")
            refused = found is False
        else:
            direct = yield from read_back(subject, item, made, stranger)
            if direct is not None and direct.succeeded and shows(direct, made.canaries):
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
    if "integer" in types_of(slot.schema):
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
