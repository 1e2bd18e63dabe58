"""A change of another user's object: what is sent, and whether its owner sees that it was made."""

from collections.abc import Mapping

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made
from withstand.scan.access.ownership import Holding, hold, hold_again, hold_later
from withstand.scan.answers.shape import leaves
from withstand.scan.answers.similarity import same_content, volatile_places
from withstand.scan.check import Steps
from withstand.scan.subject import Subject


def other_values(built: Built, held: Holding) -> Mapping[Slot, object]:
    """Where nothing in a request is recognisable, other numbers, flags and choices than the object
    has.
    """
    response = held.exchange.response
    if built.canaries or response is None:
        return {}
    has = dict(leaves(response.json()))
    found: dict[Slot, object] = {}
    for slot, value in built.values.items():
        choices, now = slot.schema.get("enum"), has.get(slot.name.rsplit(".", 1)[-1])
        if slot.location != "body" or "const" in slot.schema:
            continue
        if isinstance(choices, list):
            others = [each for each in choices if each != now]
            if now in choices and others:
                found[slot] = others[0]
        elif isinstance(value, bool):
            found[slot] = not (now if isinstance(now, bool) else value)
        elif isinstance(value, int) and value + 1 <= slot.schema.get("maximum", value + 1):
            found[slot] = value + 1 if str(value) in response.text else value
    return found


def sparing(
    subject: Subject, write: Operation, by: Identity, full: Built, text: str
) -> Request | None:
    """The change of one text and nothing else: what else was in it may be the owner's alone."""
    names = (s for s, v in full.values.items() if s.location == "body" and v in full.canaries)
    slot = next(names, None)
    if slot is None:
        return None
    place = {s: v for s, v in full.values.items() if s.location == "path"}
    try:
        built = subject.builder.build(write, None, full=False, replace={**place, slot: text})
    except Unbuildable:
        return None
    return by.authorize(built.request)


def differs(held: Holding, after: Exchange | None) -> bool:
    before, now = held.exchange.response, after.response if after is not None else None
    return before is not None and now is not None and not same_content(before, now)


def has_changed(
    subject: Subject, view: Operation, held: Holding, after: Exchange, owner: Identity
) -> Steps[bool]:
    """Whether the object is another than before, by more than what changes by itself."""
    before, now = held.exchange.response, after.response
    if before is None or now is None or not differs(held, after):
        return False
    again = yield from hold_again(subject, view, held, owner)
    moving = volatile_places(now, again.response if again is not None else None)
    told = frozenset(place for place in volatile_places(before, now) if _tells_of_reading(place))
    if same_content(before, now, volatile=moving | told):
        return False
    # What becomes "ready" soon after it was made does so in an object that nobody touches, too.
    made = yield from create(subject, view, by=owner)
    other = (yield from hold(subject, view, made, owner)) if isinstance(made, Made) else made
    if not isinstance(other, Holding) or other.exchange.response is None:
        return True
    later = yield from hold_later(subject, view, other, owner)
    by_itself = volatile_places(other.exchange.response, later.response if later else None)
    return not same_content(before, now, volatile=moving | told | by_itself)


def _tells_of_reading(place: str) -> bool:
    """Whether a property may change because somebody looked: views, hits, the last access."""
    last = place.rsplit(".", 1)[-1].lower()
    words = ("view", "hit", "seen", "read", "access", "etag", "time", "_at", "date", "request")
    return any(word in last for word in words)
