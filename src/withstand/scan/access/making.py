"""Objects of the scan's own: made by an identity with a canary inside.

Sub-generators for checks: `made = yield from create(subject, operation, by=alice)`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange
from withstand.client.identity import Identity
from withstand.openapi.identifiers import identifier_inside
from withstand.openapi.naming import canonical
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import id_listed_with
from withstand.openapi.path_template import collection_path, item_path, segments, shape
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import producer_of, reader_of
from withstand.openapi.spoken import name_of_id, thing_of
from withstand.scan.access.accounts import (
    is_on_users,
    new_password,
    shows_the_user,
    sign_up_operation,
    sign_up_request,
)
from withstand.scan.access.new_id import id_of_new
from withstand.scan.access.objects import (
    Made,
    item_slot,
    like_baseline,
    listed,
    located,
    placed,
    read_back,
)
from withstand.scan.access.users import id_as_read
from withstand.scan.check import Steps, send
from withstand.scan.made import places_in
from withstand.scan.subject import Subject

MISPLACED: Final = frozenset({400, 403, 404, 409, 422})
"""Answers to a creation whose place, `/orders/{id}` of `/orders/{id}/items`, may be at fault."""
_DEPTH: Final = 3


def create(
    subject: Subject,
    operation: Operation,
    *,
    by: Identity | None,
    extra: Mapping[Slot, object] | None = None,
    depth: int = 0,
) -> Steps[Made | str]:
    """A new object for an operation that works on one, or why there is none.

    What it has to be made in (`/orders/{id}` for an item) is made as well where it is missing.
    `extra` are inputs besides those that the creation needs.
    """
    producer = producer_of(subject.api, operation)
    if producer is None:
        return (yield from _without_producer(subject, operation, by, depth))
    forbidden = subject.policy.forbids(producer)
    if forbidden is not None:
        return f"{producer.key} is not called: {forbidden}"
    for _ in range(2):  # on the day of the first there may be another of the scan's own already
        try:
            built = _creating(subject, producer, by, extra or {})
            name = _own_name(subject, operation, built)
            if name:
                built = _creating(subject, producer, by, {**(extra or {}), **name})
        except Unbuildable as problem:
            return f"{producer.key}: {problem.reason}"
        exchange = yield from send(by.authorize(built.request) if by else built.request)
        if exchange.status != 409:
            break
    places: Mapping[str, object] = {}
    if exchange.status in MISPLACED and producer.path_parameters and depth < _DEPTH:
        parent = yield from create(subject, producer, by=by, depth=depth + 1)
        if isinstance(parent, Made):
            try:
                built = located(subject, producer, parent, by, extra)
            except Unbuildable as problem:
                return f"{producer.key}: {problem.reason}"
            request = by.authorize(built.request) if by else built.request
            exchange = yield from send(request)
            places = parent.places
    made = yield from _made(subject, operation, producer, built, exchange, by)
    return replace(made, places={**places, **made.places}) if isinstance(made, Made) else made


def _without_producer(
    subject: Subject, operation: Operation, by: Identity | None, depth: int
) -> Steps[Made | str]:
    """An object that no POST of its own creates: it comes with its parent, or with a PUT."""
    nobody = f"no operation creates what {operation.key} works on"
    collection = collection_path(operation.path)
    if collection is None or depth >= _DEPTH:
        return nobody
    if item_path(collection) is not None:
        return (yield from _inside(subject, operation, by, depth, nobody))
    put = reader_of(subject.api, operation, method="PUT")
    if put is None or "201" not in put.responses or subject.policy.forbids(put) is not None:
        return nobody
    try:
        slot = item_slot(subject.builder, put)
        if slot.kinds == {"integer"} or "enum" in slot.schema:
            return nobody  # only a name that the caller may choose is certainly a new one
        built = subject.build(put, identity=by, replace={slot: _fresh_name(subject, slot)})
    except Unbuildable as problem:
        return f"{put.key}: {problem.reason}"
    exchange = yield from send(by.authorize(built.request) if by else built.request)
    if exchange.status != 201:
        return f"{put.key} answered {exchange.status}"
    return Made(
        by=by,
        producer=put,
        built=built,
        exchange=exchange,
        identifier=built.values[slot],
        canaries=built.canaries,
    )


def _inside(
    subject: Subject, operation: Operation, by: Identity | None, depth: int, nobody: str
) -> Steps[Made | str]:
    """Something that was made together with what it is in: the items of a new order."""
    collection = collection_path(operation.path) or ""
    own_names = [p.name for p in operation.path_parameters]
    kept = (
        p for p in operation.parameters if p.location == "path" and f"{{{p.name}}}" in collection
    )
    parent = replace(operation, method="GET", path=collection, bodies=(), parameters=tuple(kept))
    made = yield from create(subject, parent, by=by, depth=depth + 1)
    if not isinstance(made, Made) or not own_names:
        return nobody if isinstance(made, str) else made
    documents = [made.exchange.response.json() if made.exchange.response else None]
    reader = reader_of(subject.api, parent)
    name = segments(collection)[-1]
    found = identifier_inside(documents[0], name, own_names[-1])
    if found is None and reader is not None:
        read = yield from read_back(subject, reader, made, by)
        found = identifier_inside(
            read.response.json() if read and read.response else None, name, own_names[-1]
        )
    if found is None:
        return nobody
    place = {shape(item_path(collection) or ""): made.identifier}
    places = {**made.places, **placed(made.producer, made.built), **place}
    return replace(made, identifier=found, places=places)


def _fresh_name(subject: Subject, slot: Slot) -> object:
    digits = subject.nonce().removeprefix("ws")
    if slot.schema.get("format") == "uuid":
        return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-8{digits[15:18]}-{digits[:12]}"
    return f"ws{digits}"


def sacrifice(subject: Subject, operation: Operation, *, by: Identity | None) -> Steps[Made | str]:
    """An object that may be lost: one that was spared, else one that is created, or a user signed
    up where the operation is on users.
    """
    spared = subject.spared.pop((operation.key, by.name if by else None), None)
    if spared is not None:
        return spared
    made = yield from create(subject, operation, by=by)
    sign_up = sign_up_operation(subject.api, subject.builder)
    if isinstance(made, Made) or not is_on_users(subject.api, operation, sign_up):
        return made
    if sign_up is None or subject.policy.forbids(sign_up):
        return f"{made}, and there is no public sign-up operation"
    try:
        built, _ = sign_up_request(sign_up, subject.builder, new_password(subject.nonce()))
    except Unbuildable as problem:
        return f"{sign_up.key}: {problem.reason}"
    exchange = yield from send(built.request)
    return (yield from _made(subject, operation, sign_up, built, exchange, None))


def spare(subject: Subject, operation: Operation, made: Made, *, by: Identity | None) -> None:
    """Keeps an object to which nothing happened for whoever next needs one that may be lost."""
    subject.spared[operation.key, by.name if by else None] = made


def _creating(
    subject: Subject, producer: Operation, by: Identity | None, extra: Mapping[Slot, object]
) -> Built:
    """The creating request; like the one that worked, where the same identity sent that."""
    baseline = subject.baselines.get(producer.key)
    if baseline is not None and baseline.identity == (by.name if by else None):
        return like_baseline(subject, baseline, extra)
    return subject.build(producer, identity=by, replace=extra)


def _own_name(subject: Subject, operation: Operation, built: Built) -> Mapping[Slot, object]:
    """Another mark in what the object is addressed by, `title` for `/notes/{title}`, than in the
    rest of it: whoever asks for it sends the one, and only an answer can show the other.
    """
    wanted = name_of_id(operation, subject.api.resolve) or ""
    named = {
        slot: str(value)
        for slot, value in built.values.items()
        if slot.location == "body" and canonical(slot.name) == canonical(wanted)
    }
    others = [str(v) for s, v in built.values.items() if s.location == "body" and s not in named]
    for slot, text in named.items():
        for mark in built.canaries:
            if mark in text and any(mark in other for other in others):
                return {slot: text.replace(mark, subject.nonce())}
    return {}


def _made(
    subject: Subject,
    operation: Operation,
    producer: Operation,
    built: Built,
    exchange: Exchange,
    by: Identity | None,
) -> Steps[Made | str]:
    response = exchange.response
    if response is None or not response.succeeded:
        return f"{producer.key} answered {exchange.status}"
    name = name_of_id(operation, subject.api.resolve)
    if name is None:
        return f"{operation.key} names no object"
    sign_up = sign_up_operation(subject.api, subject.builder)
    signs_up = producer == sign_up
    if signs_up and not shows_the_user(built.request, response):
        found = yield from id_as_read(subject, operation, built, exchange, name)
        if found is None:
            return f"{producer.key} answered {response.status} with nothing of the new user"
    else:
        found = id_of_new(operation, producer, built, response, name, signs_up=signs_up)
    made = Made(
        by=by,
        producer=producer,
        built=built,
        exchange=exchange,
        identifier=found,
        canaries=built.canaries,
    )
    if found is None:  # whoever made it may find it in their list, by what is in it
        found = yield from _listed_id(subject, operation, made, name)
    if found is None:
        return f"{producer.key} answered {response.status} without an id"
    return replace(made, identifier=found)


def _listed_id(
    subject: Subject, operation: Operation, made: Made, name: str
) -> Steps[object | None]:
    if made.by is None or not made.canaries:
        return None
    shown = yield from listed(subject, operation, made, made.by)
    response = shown.response if shown is not None else None
    if response is None:
        return None
    inside = places_in(made.built)
    about = thing_of(operation)
    return id_listed_with(response, made.canaries, name, about, other_than=inside)
