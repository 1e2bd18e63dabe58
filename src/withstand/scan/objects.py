"""Objects of the scan's own: made by an identity with a canary inside, read, and given up.

Sub-generators for checks: `made = yield from create(subject, operation, by=alice)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import (
    identifier_in,
    identifier_in_location,
    producer_of,
    reader_of,
)
from withstand.scan.accounts import (
    changes_an_account,
    new_password,
    sign_up_operation,
    sign_up_request,
)
from withstand.scan.check import Steps, send
from withstand.scan.subject import Baseline, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An object that an identity created for a check.

    `canaries` are texts in it that are found nowhere else; `identifier` is the value of the last
    path parameter of the operations that work on it.
    """

    by: Identity | None
    producer: Operation
    built: Built
    exchange: Exchange
    identifier: object
    canaries: tuple[str, ...]


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


def create(subject: Subject, operation: Operation, *, by: Identity | None) -> Steps[Made | str]:
    """A new object for an operation that works on one, or why there is none."""
    producer = producer_of(subject.api, operation)
    if producer is None:
        return f"no operation creates what {operation.key} works on"
    forbidden = subject.policy.forbids(producer)
    if forbidden is not None:
        return f"{producer.key} is not called: {forbidden}"
    try:
        built = _creating(subject, producer, by)
    except Unbuildable as problem:
        return f"{producer.key}: {problem.reason}"
    request = by.authorize(built.request) if by else built.request
    exchange = yield from send(request)
    return _made(operation, producer, built, exchange, by)


def sacrifice(subject: Subject, operation: Operation, *, by: Identity | None) -> Steps[Made | str]:
    """An object that may be lost: created, or a user signed up where the operation is on users."""
    made = yield from create(subject, operation, by=by)
    if isinstance(made, Made) or not _works_on_users(operation):
        return made
    sign_up = sign_up_operation(subject.api, subject.builder)
    if sign_up is None or subject.policy.forbids(sign_up):
        return f"{made}, and there is no public sign-up operation"
    try:
        built, _ = sign_up_request(sign_up, subject.builder, new_password(subject.nonce()))
    except Unbuildable as problem:
        return f"{sign_up.key}: {problem.reason}"
    exchange = yield from send(built.request)
    return _made(operation, sign_up, built, exchange, None)


def located(
    subject: Subject,
    operation: Operation,
    made: Made,
    pool_of: Identity | None,
    replace: Mapping[Slot, object] | None = None,
) -> Built:
    """A request of the operation for this object. Raises Unbuildable."""
    slot = item_slot(subject, operation)
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
    """What the object was made in, `/accounts/{number}/transfers`: elsewhere it is not found."""
    known = {s.name: value for s, value in made.built.values.items() if s.location == "path"}
    return {
        slot: known[slot.name]
        for slot in subject.builder.slots(operation)
        if slot.location == "path" and slot.name in known
    }


def item_slot(subject: Subject, operation: Operation) -> Slot:
    """The slot of the last path parameter. Raises Unbuildable when the path has none."""
    slots = {s.name: s for s in subject.builder.slots(operation) if s.location == "path"}
    for parameter in reversed(operation.path_parameters):
        if parameter.name in slots:
            return slots[parameter.name]
    raise Unbuildable(f"{operation.key} names no object in its path")


def read_back(
    subject: Subject, operation: Operation, made: Made, reader: Identity | None
) -> Steps[Exchange | None]:
    """The object as an identity reads it now; None when no operation reads it."""
    read = operation if operation.method == "GET" else reader_of(subject.api, operation)
    if read is None:
        return None
    try:
        built = located(subject, read, made, reader)
    except Unbuildable:
        return None
    request = reader.authorize(built.request) if reader else built.request
    return (yield from send(request))


def _creating(subject: Subject, producer: Operation, by: Identity | None) -> Built:
    """The creating request; like the one that worked, where the same identity sent that."""
    baseline = subject.baselines.get(producer.key)
    if baseline is not None and baseline.identity == (by.name if by else None):
        return like_baseline(subject, baseline)
    return subject.build(producer, identity=by)


def _made(
    operation: Operation,
    producer: Operation,
    built: Built,
    exchange: Exchange,
    by: Identity | None,
) -> Made | str:
    response = exchange.response
    if response is None or not response.succeeded:
        return f"{producer.key} answered {exchange.status}"
    if not operation.path_parameters:
        return f"{operation.key} names no object in its path"
    found = identifier_in(response.json(), operation.path_parameters[-1].name)
    if found is None:
        location = response.header("location")
        found = identifier_in_location(location, operation.path) if location else None
    if found is None:
        return f"{producer.key} answered {response.status} without an id"
    return Made(
        by=by,
        producer=producer,
        built=built,
        exchange=exchange,
        identifier=found,
        canaries=built.canaries,
    )


def _works_on_users(operation: Operation) -> bool:
    collection = operation.path.split("{", 1)[0].rstrip("/").rsplit("/", 1)[-1].lower()
    return collection in {"users", "user", "accounts", "members"} or changes_an_account(operation)


def without_echo(request: Request, canaries: tuple[str, ...]) -> tuple[str, ...]:
    """The canaries that a request does not carry itself, so that an echo cannot give them away."""
    text = request.path + request.body.decode("utf-8", "replace")
    return tuple(canary for canary in canaries if canary not in text)
