"""Objects of the scan's own: how they are asked for, read and listed. Sub-generators for checks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.naming import canonical
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import ids_listed
from withstand.openapi.path_template import item_path, shape
from withstand.openapi.places import shape_to
from withstand.openapi.request_builder import Built, RequestBuilder, Slot, Unbuildable
from withstand.openapi.resources import lister_of, reader_of
from withstand.openapi.spoken import only_reads, picker_of, thing_of
from withstand.scan.answers.next_page import next_page
from withstand.scan.check import Steps, send
from withstand.scan.made import Made as Made
from withstand.scan.subject import Baseline, Subject

_PAGE_SIZES: Final = frozenset(
    {"limit", "size", "page_size", "per_page", "take", "top", "max_results", "items_per_page"}
)
_LONG_PAGE: Final = 100  # what most APIs allow
_MOST_PAGES: Final = 10
"""How far a list is read for one object: a scan makes some hundred of a kind at most."""


def like_baseline(
    subject: Subject, baseline: Baseline, replace: Mapping[Slot, object] | None = None
) -> Built:
    """A new request like the one that succeeded: same properties, same place, fresh canaries.

    Raises Unbuildable.
    """
    pool = subject.pools.get(baseline.identity or "")
    place = {
        slot: value for slot, value in baseline.built.values.items() if slot.location == "path"
    }
    chosen = {**place, **baseline.fixed, **(replace or {})}
    built = subject.builder.build(baseline.operation, pool, replace=chosen)
    if set(built.values) - set(chosen) <= set(baseline.built.values):
        return built
    return subject.builder.build(baseline.operation, pool, full=False, replace=chosen)


def located(
    subject: Subject,
    operation: Operation,
    made: Made,
    pool_of: Identity | None,
    replace: Mapping[Slot, object] | None = None,
) -> Built:
    """A request of the operation for this object. Raises Unbuildable."""
    slot = item_slot(subject.builder, operation)
    chosen: dict[Slot, object] = {
        **_parents(subject, operation, made),
        slot: made.identifier,
        **(replace or {}),
    }
    baseline = subject.baselines.get(operation.key)
    if baseline is not None:
        return like_baseline(subject, baseline, chosen)
    return subject.build(operation, identity=pool_of, replace=chosen)


def _parents(subject: Subject, operation: Operation, made: Made) -> dict[Slot, object]:
    return parents(subject.builder, operation, made.producer, made.built, made.places)


def parents(
    builder: RequestBuilder,
    operation: Operation,
    producer: Operation,
    made: Built,
    places: Mapping[str, object] | None = None,
) -> dict[Slot, object]:
    """What the object was made in, `/accounts/{number}/transfers`: elsewhere it is not found."""
    known = {s.name: value for s, value in made.values.items() if s.location == "path"}
    by_place = {**placed(producer, made), **(places or {})}
    found: dict[Slot, object] = {}
    for slot in builder.slots(operation):
        if slot.location != "path":
            continue
        place = shape_to(operation.path, slot.name)
        if place in by_place:
            found[slot] = by_place[place]
        elif slot.name in known:
            found[slot] = known[slot.name]
    return found


def placed(producer: Operation, made: Built) -> dict[str, object]:
    """The creating request's path parameters, by the path up to each."""
    return {
        shape_to(producer.path, slot.name): value
        for slot, value in made.values.items()
        if slot.location == "path"
    }


def place_around(made: Made, operation: Operation) -> object | None:
    """The id of what the operation's last path parameter picks, where the object was made in it."""
    item = item_path(operation.path)
    known = {**placed(made.producer, made.built), **made.places}
    return known.get(shape(item)) if item is not None else None


def item_slot(builder: RequestBuilder, operation: Operation) -> Slot:
    """What picks the object: the last path parameter, else the `id` in query or body (`picker_of`).

    Raises Unbuildable when the operation names none.
    """
    slots = {(s.location, s.name): s for s in builder.slots(operation)}
    for parameter in reversed(operation.path_parameters):
        if ("path", parameter.name) in slots:
            return slots["path", parameter.name]
    picker = picker_of(operation, builder.api.resolve)
    if picker is not None and (picker.location, picker.name) in slots:
        return slots[picker.location, picker.name]
    raise Unbuildable(f"{operation.key} names no object")


def read_back(
    subject: Subject, operation: Operation, made: Made, reader: Identity | None
) -> Steps[Exchange | None]:
    """The object as an identity reads it now; None when no operation reads it."""
    reads = operation.is_read and (operation.path_parameters or only_reads(operation))
    read = operation if reads else reader_of(subject.api, operation)
    if read is None or subject.policy.forbids(read) is not None:
        return None
    try:
        built = located(subject, read, made, reader)
    except Unbuildable:
        return None
    request = reader.authorize(built.request) if reader else built.request
    return (yield from send(request))


def listed(
    subject: Subject, operation: Operation, made: Made, reader: Identity | None
) -> Steps[Exchange | None]:
    """The list that the object belongs to, as an identity reads it; None when there is none.

    Where the object is not in it, the longest page that may be asked for, and those that follow:
    what is new often comes last. It is the page with the object, else the last one looked at.
    """
    lister = lister_around(subject, operation)
    if lister is None or subject.policy.forbids(lister) is not None:
        return None
    try:
        parents = _parents(subject, lister, made)
        baseline = subject.baselines.get(lister.key)
        if baseline is not None and reader is not None and baseline.identity == reader.name:
            built = like_baseline(subject, baseline, parents)
        else:  # another's filters would list what is another's
            built = subject.build(lister, identity=reader, replace=parents)
    except Unbuildable:
        return None
    first = yield from send(reader.authorize(built.request) if reader else built.request)
    exchange = yield from _longer(subject, lister, parents, reader, first, operation, made)
    for _ in range(_MOST_PAGES):
        response = exchange.response
        if response is None or not response.succeeded or _is_listed(response, operation, made):
            break
        further = next_page(exchange.request, response, subject.target.authority)
        if further is None:
            break
        exchange = yield from send(further)
    return exchange


def _longer(
    subject: Subject,
    lister: Operation,
    parents: Mapping[Slot, object],
    reader: Identity | None,
    first: Exchange,
    operation: Operation,
    made: Made,
) -> Steps[Exchange]:
    """The longest page that may be asked for, where the first one does not show the object."""
    size = next((s for s in subject.builder.slots(lister) if _is_page_size(s)), None)
    response = first.response
    if size is None or response is None or not response.succeeded:
        return first
    if _is_listed(response, operation, made):
        return first
    longest = min(int(size.schema.get("maximum") or _LONG_PAGE), _LONG_PAGE)
    try:
        built = subject.build(lister, identity=reader, replace={**parents, size: longest})
    except Unbuildable:
        return first
    longer = yield from send(reader.authorize(built.request) if reader else built.request)
    return longer if longer.succeeded else first


def _is_page_size(slot: Slot) -> bool:
    return slot.location == "query" and canonical(slot.name) in _PAGE_SIZES


def _is_listed(response: Response, operation: Operation, made: Made) -> bool:
    if any(canary in response.text for canary in made.canaries):
        return True
    names = [parameter.name for parameter in operation.path_parameters[-1:]]
    return str(made.identifier) in ids_listed(response, "".join(names) or "id", thing_of(operation))


def lister_around(subject: Subject, operation: Operation) -> Operation | None:
    """The list that holds the object which the last path parameter picks, not one inside it."""
    item = item_path(operation.path)
    return lister_of(subject.api, replace(operation, path=item) if item else operation)


def without_echo(request: Request, canaries: tuple[str, ...]) -> tuple[str, ...]:
    """The canaries that a request does not carry itself, so that an echo cannot give them away."""
    text = request.path + request.body.decode("utf-8", "replace")
    return tuple(canary for canary in canaries if canary not in text)
