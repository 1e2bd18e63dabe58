"""Whether two users both read what neither of them owns, where nobody can make such a thing.

Sub-generators for checks. Only reads are sent.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.openapi.naming import noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import ids_listed
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.spoken import thing_of
from withstand.scan.access.audience import OWNER_WORDS, known_values
from withstand.scan.access.objects import item_slot, lister_around
from withstand.scan.answers.next_page import next_page
from withstand.scan.answers.personal import is_personal
from withstand.scan.answers.shape import leaves, tells
from withstand.scan.answers.similarity import same_content
from withstand.scan.check import Failed, Steps, attack, send, shown
from withstand.scan.finding import Evidence
from withstand.scan.subject import Subject

_FIRST: Final = (1, 2, 3)
"""What many number their first things."""
_MOST_TRIES: Final = 8
_FULL_PAGE: Final = 10
"""A list as long as this may go on elsewhere."""
_OFTEN_SHARED: Final = frozenset({"document", "file", "note", "policy", "record", "key"})


def read_of_a_third(
    subject: Subject, read: Operation, one: Identity, other: Identity
) -> Steps[Failed | None]:
    """A thing that names an owner, stands in the list of neither, and comes back to both.

    Each list ends with what is its reader's own, so the thing is at least not both's.
    """
    named = {noun(part) for part in segments(read.path)}
    if len(read.path_parameters) != 1 or not is_personal(read) or named & _OFTEN_SHARED:
        return None
    lists: list[Evidence] = []
    own: set[str] = set()
    for reader in (one, other):
        found = yield from _listed(subject, read, reader)
        if found is None:
            return None
        own |= found[1]
        lists.append(found[0])
    seen: list[str] = []
    for another in subject.identities:
        if another.role != one.role and another.credential is not None:
            found = yield from _listed(subject, read, another, whole=False)
            seen += found[1] if found is not None else ()
    for slot, value in _candidates(subject, read, own, seen):
        try:
            request = subject.build(read, identity=one, replace={slot: value}).request
        except Unbuildable:
            return None
        read_by_both = yield from _read_by_both(subject, request, one, other)
        if read_by_both is None:
            continue
        first, second = read_by_both
        anybody = yield from send(subject.stripped(request))
        if subject.seems_done(anybody):
            return None
        return Failed(
            detail=f"{one.name} and {other.name} both read what is another's: it names its owner, "
            "and their own lists do not show it.",
            evidence=(
                attack(f"{one.name} asks by its number", first),
                shown(f"{other.name} gets the same", second),
                *lists,
                shown("Without a credential it is refused", anybody),
            ),
        )
    return None


def _read_by_both(
    subject: Subject, request: Request, one: Identity, other: Identity
) -> Steps[tuple[Exchange, Exchange] | None]:
    """What both are answered alike, where it names an owner who is neither."""
    first = yield from send(one.authorize(request))
    if first.response is None or not subject.seems_done(first) or not tells(first.response):
        return None
    if not _is_of_a_third(subject, first.response.json(), one, other):
        return None
    second = yield from send(other.authorize(request))
    if second.response is None or not same_content(first.response, second.response):
        return None
    return first, second


def _listed(
    subject: Subject, read: Operation, reader: Identity, *, whole: bool = True
) -> Steps[tuple[Evidence, set[str]] | None]:
    """The reader's list of such things and the ids in it; None where the `whole` may be longer."""
    lister = lister_around(subject, read)
    if lister is None or "{" in lister.path or subject.policy.forbids(lister) is not None:
        return None
    try:
        request = reader.authorize(subject.build(lister, identity=reader).request)
    except Unbuildable:
        return None
    exchange = yield from send(request)
    response = exchange.response
    if response is None or not subject.seems_done(exchange):
        return None
    ids = ids_listed(response, read.path_parameters[-1].name, thing_of(read))
    further = next_page(request, response, subject.target.authority)
    unread = tells(response) and not ids
    if whole and (unread or further is not None or len(ids) >= _FULL_PAGE):
        return None
    return shown(f"The list of {reader.name} does not show it", exchange), ids


def _candidates(
    subject: Subject, read: Operation, own: set[str], others: list[str]
) -> Iterator[tuple[Slot, object]]:
    """Ids that were seen of such things, the neighbours of numbers, and the first numbers.

    `others` are those that another role is shown.
    """
    slot = item_slot(subject.builder, read)
    baseline = subject.baselines.get(read.key)
    seen = [*sorted(others)[:2], baseline.built.values.get(slot) if baseline else None]
    for pool in subject.pools.values():
        seen += list(pool.ids_of(thing_of(read)))[:_MOST_TRIES]
    known = [*(str(each) for each in seen if each is not None), *own]
    numbers = {int(each) for each in known if each.isascii() and each.isdecimal()}
    if numbers or slot.kinds == {"integer"}:
        around = (n for each in sorted(numbers) for n in (each - 1, each + 1) if n > 0)
        known += map(str, (*around, *_FIRST))
    for each in [each for each in dict.fromkeys(known) if each not in own][:_MOST_TRIES]:
        yield slot, int(each) if slot.kinds == {"integer"} and each.isdecimal() else each


def _is_of_a_third(subject: Subject, document: Any, one: Identity, other: Identity) -> bool:
    """Whether it names an owner, and nobody, a team say, to whom both belong."""
    named = {str(value) for value in _owners(document) if value not in (None, "", True, False)}
    both = set(map(str, known_values(subject, one))) & set(map(str, known_values(subject, other)))
    return bool(named) and not named & both


def _owners(document: Any) -> Iterator[Any]:
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, Mapping):
            for name, part in node.items():
                if not OWNER_WORDS & {*words(name)}:
                    waiting.append(part)
                elif isinstance(part, Mapping):
                    yield from (value for _, value in leaves(part))
                elif not isinstance(part, list):
                    yield part
