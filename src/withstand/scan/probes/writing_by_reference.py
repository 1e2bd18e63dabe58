"""Whether a stranger changes what is the owner's by the owner's value in an input.

Sub-generators for checks.
"""

from withstand.client.exchange import Exchange
from withstand.client.field_names import is_password
from withstand.client.identity import Identity
from withstand.openapi.naming import thing_named
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot
from withstand.scan.access.accounts import new_password
from withstand.scan.access.audience import Audience, audience, audience_of_another
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, without_echo
from withstand.scan.access.ownership import (
    Holding,
    hold,
    hold_again,
    hold_later,
    shows,
)
from withstand.scan.access.users import NewUser, accounts_of, change_shown, logs_in, new_user
from withstand.scan.answers.similarity import same_content, volatile_places
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
from withstand.scan.probes.inputs import named
from withstand.scan.probes.references import Reference, referred
from withstand.scan.subject import Subject


def write_by(
    subject: Subject, wanted: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[Outcome]:
    """A stranger's change that names the owner's object; the owner reads what became of it."""
    reference = yield from referred(subject, wanted, slot, owner, stranger)
    if reference is None or reference.made is None or reference.item is None:
        return Skipped(reason="no object of the owner's own is known for it")
    held = yield from hold(subject, reference.item, reference.made, owner)
    if not isinstance(held, Holding):
        return Inconclusive(reason=held)
    beside = yield from _own_beside(subject, wanted, reference, stranger)
    built = subject.build(wanted, identity=stranger, replace={**beside, slot: reference.value})
    tried = yield from send(stranger.authorize(built.request))
    after = yield from hold_again(subject, reference.item, held, owner)
    before, now = held.exchange.response, after.response if after is not None else None
    if subject.seems_done(tried) and before and now and same_content(before, now):
        after = yield from hold_later(subject, reference.item, held, owner)
    if after is None or after.response is None or held.exchange.response is None:
        return Inconclusive(reason=f"afterwards {owner.name} could not read it")
    if _is_gone(subject, wanted, held, after):
        return (yield from _removed(subject, reference, held, owner, stranger, tried, after))
    if not after.succeeded:
        return Inconclusive(reason=f"afterwards {owner.name} reads {after.status}")
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


def _own_beside(
    subject: Subject, wanted: Operation, reference: Reference, stranger: Identity
) -> Steps[dict[Slot, object]]:
    """What the stranger may name in the other inputs of that kind: `toAccount` is their own."""
    thing, own = thing_named(reference.slot.name), {}
    for slot in subject.builder.slots(wanted):
        alike = thing is not None and slot != reference.slot and thing_named(slot.name) == thing
        if alike and slot.location == "body" and reference.item is not None:
            made = yield from create(subject, reference.item, by=stranger)
            if isinstance(made, Made):
                own[slot] = made.identifier
    return own


def _is_gone(subject: Subject, wanted: Operation, held: Holding, after: Exchange) -> bool:
    """Whether the owner no longer finds the object: not in the list, or what they read is a no."""
    assert after.response is not None, "looked at before"
    lost = bool(held.marks) and shows(after, held.marks) is None
    if held.by_list:
        return after.succeeded and lost
    if after.succeeded:
        return lost and (wanted.removes or subject.refused(after.response))
    return after.status in {404, 410}


def _removed(
    subject: Subject,
    reference: Reference,
    held: Holding,
    owner: Identity,
    stranger: Identity,
    tried: Exchange,
    after: Exchange,
) -> Steps[Outcome]:
    """The object is gone: by the stranger's request, if another one can be read as this one was."""
    item = reference.item
    assert item is not None, "the object was made for it"
    made = yield from create(subject, item, by=owner)
    other = (yield from hold(subject, item, made, owner)) if isinstance(made, Made) else made
    if not isinstance(other, Holding):
        return Inconclusive(reason=f"the object is gone, and so is any other: {other}")
    where = yield from audience(subject, item, other, owner, stranger)
    if where is not Audience.PRIVATE:
        return Passed(note=f"{stranger.name} may read the object too: such objects seem shared")
    return Failed(
        detail=f"With the id of {owner.name}'s object in {named(reference.slot)}, a request of "
        f"{stranger.name} deletes that object: {owner.name} no longer finds it.",
        evidence=(
            shown(f"{owner.name} reads an object of their own", held.exchange),
            attack(f"Sent by {stranger.name}", tried),
            shown(f"{owner.name} asks for it again", after),
            shown("Another object, which nobody deleted, is there", other.exchange),
        ),
        parameter=named(reference.slot),
    )


def write_of_person(
    subject: Subject, wanted: Operation, slot: Slot, stranger: Identity
) -> Steps[Outcome]:
    """A change that names somebody else: a user signed up for it, who then looks."""
    changes = [s for s in subject.builder.slots(wanted) if s.location == "body" and s != slot]
    if not any(s.is_text for s in changes):
        return Skipped(reason="it changes nothing that could be recognised")
    victim = yield from new_user(subject)
    if not isinstance(victim, NewUser):
        return Skipped(reason="no user of the scan's own")
    views = yield from accounts_of(subject, victim, wanted)
    value = victim.named(slot.name.rsplit(".", 1)[-1], next(iter(views), None))
    if value is None:
        return Skipped(reason="no value is known for the user")
    password = new_password(subject.nonce())
    secret = {s: password for s in changes if is_password(s.name)}
    built = subject.build(wanted, identity=stranger, replace={**secret, slot: value})
    tried = yield from send(stranger.authorize(built.request))
    if tried.response is None or not tried.succeeded or subject.refused(tried.response):
        return PASSED
    evidence = [attack(f"Sent by {stranger.name}, with the name of another user", tried)]
    seen = yield from change_shown(views, built.canaries)
    if seen is not None:
        before, after, mark = seen
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
        + ("." if seen is not None else ": the password that was sent now logs in."),
        evidence=tuple(evidence),
        parameter=named(slot),
    )
