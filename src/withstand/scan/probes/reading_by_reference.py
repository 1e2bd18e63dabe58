"""Whether a stranger reads what is the owner's by the owner's value in an input.

Sub-generators for checks.
"""

from collections.abc import Mapping

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import address_of, collection_path, shape
from withstand.openapi.request_builder import NOTHING, Slot, Unbuildable
from withstand.openapi.resources import reader_of
from withstand.scan.access.audience import in_list_of
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, like_baseline, read_back, without_echo
from withstand.scan.access.ownership import (
    marks_in,
    shows,
)
from withstand.scan.answers.personal import is_personal, speaks_of_own
from withstand.scan.answers.shape import tells
from withstand.scan.answers.similarity import holds, same_content, volatile_places
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
from withstand.scan.probes.file_names import like
from withstand.scan.probes.inputs import named
from withstand.scan.probes.references import Reference, referred
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
    if reference.made is not None and own.response is not None and not tells(own.response):
        # A list of what is in it, and nothing is in it yet.
        inner = yield from _made_for_list(subject, wanted, owner, {slot: reference.value})
        marks = inner.canaries if inner is not None else marks
        own = yield from send(owner.authorize(request))
    if own.response is None or not own.succeeded or not tells(own.response):
        return Inconclusive(reason=f"{owner.name} gets {own.status} or nothing for their own id")
    marks = marks_in(own.response, without_echo(request, marks))
    theirs = yield from send(stranger.authorize(request))
    again = own if marks else (yield from send(owner.authorize(request)))
    changing = volatile_places(own.response, again.response)
    seen = _seen(own.response, theirs, marks, changing)
    if seen is None:  # what says no and shows it all the same has not refused it
        return PASSED
    if reference.is_file:
        invented = _with(subject, wanted, slot, like(str(reference.value), subject.nonce()))
        if subject.seems_done((yield from send(stranger.authorize(invented)))):
            return Passed(note="it answers to any name, so none picks a file")
    for control in (
        stranger.authorize(_with(subject, wanted, slot, _nobody(slot, subject.nonce()))),
        stranger.authorize(_with(subject, wanted, slot, None)),
        subject.stripped(request),
    ):
        usual = yield from send(control)
        if _seen(own.response, usual, marks, changing) is not None or (
            not marks and _is_part_of(own.response, usual, changing)
        ):
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


def _made_for_list(
    subject: Subject,
    wanted: Operation,
    owner: Identity,
    around: Mapping[Slot, object] = NOTHING,
) -> Steps[Made | None]:
    """Something that the owner adds to what the operation lists, to be recognised by.

    `around` is what it is made in, by the input of the list that picks it.
    """
    collection = shape(wanted.path)
    item = next(
        (
            op
            for op in subject.api.operations
            if op.path_parameters and shape(collection_path(op.path) or "") == collection
        ),
        None,
    )
    if item is None:
        return None
    inside = {Slot(location="body", name=slot.name): value for slot, value in around.items()}
    made = yield from create(subject, item, by=owner, extra=inside)
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
        return Request(
            method=wanted.method, path=subject.target.base_path + address_of(wanted.path)
        )


def _nobody(slot: Slot, nonce: str) -> object:
    """An id that nothing has."""
    if slot.kinds == {"integer"}:
        return 2_000_000_000 + int(nonce[2:8], 16) % 100_000_000
    return nonce


def _is_part_of(own: Response, usual: Exchange, changing: frozenset[str]) -> bool:
    """Whether what the owner gets is among what somebody is shown who does not name them."""
    found = usual.response
    return found is not None and found.succeeded and holds(found, own, volatile=changing)


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
