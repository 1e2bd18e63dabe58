"""Ids that a baseline may be tried with: of what its identity made or was shown, never made up."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from withstand.client.identity import Identity
from withstand.openapi.identifiers import listed_id_with
from withstand.openapi.naming import ID_WORDS, is_plural, thing_named, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path, resource_before, segments, shape
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import lister_of
from withstand.openapi.schema_merge import Resolve
from withstand.openapi.spoken import Deed, deed_of, only_reads, spoken_deed, thing_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.courier import Courier, NoiseStays
from withstand.scan.groundwork import Groundwork
from withstand.scan.objects import item_slot
from withstand.scan.plan import ScanPlan
from withstand.scan.subject import Baseline

_PEOPLE: Final = frozenset(
    {"user", "account", "member", "customer", "employee", "staff", "person", "profile", "admin"}
)
_ACTS: Final = frozenset(
    {"close", "cancel", "archive", "approve", "reject", "suspend", "disable", "enable", "block"}
    | {"ban", "lock", "unlock", "publish", "pay", "refund", "transfer", "toggle", "set"}
)
"""What a GET may do to what it picks besides deleting it: `GET /ticket_close.php?id=1`."""
_ASKS: Final = frozenset({"search", "query", "filter", "find"})
"""What a POST may do without changing anything: `POST /search`."""


def risks_a_real_one(
    ground: Groundwork, operation: Operation, pool: ValuePool | None, built: Built
) -> bool:
    """Whether a call would change something by an id that is not of the scan's own making.

    An id that was listed, or a made-up number, may be of a configured user's real data.
    """
    if not _changes_one(operation, ground.builder.api.resolve):
        return False
    try:
        slot = item_slot(ground.builder, operation)
    except Unbuildable:
        return False
    return not _is_own(ground, operation, pool, built, slot)


def public_place(ground: Groundwork, operation: Operation) -> Mapping[Slot, object]:
    """The id of what anybody may read and nobody creates, for a POST that adds to it: a review of
    a product. Nothing otherwise.
    """
    last = "".join(segments(operation.path)[-1:])
    item = item_path(operation.path)
    adds = last.islower() and is_plural(last) and shape(f"{item}/{last}") == shape(operation.path)
    if operation.method != "POST" or item is None or not adds:
        return {}
    for baseline in ground.baselines.values():
        read = baseline.operation
        is_public = read.method == "GET" and baseline.identity is None
        if is_public and shape(read.path) in {shape(item), shape(operation.path)}:
            value = baseline.built.values.get(item_slot(ground.builder, read))
            return {} if value is None else {item_slot(ground.builder, operation): value}
    return {}


async def make_enough(
    ground: Groundwork, courier: Courier, operation: Operation, identity: Identity
) -> None:
    """Makes more of what an operation names more often than it was made: `fromAccount`,
    `toAccount`.
    """
    pool = ground.pools.get(identity.name)
    slots = ground.builder.slots(operation)
    named = Counter(thing_named(slot.name) for slot in slots if slot.location == "body")
    for thing, count in named.items():
        maker = _maker(ground, thing, identity) if thing is not None else None
        if thing is None or pool is None or maker is None:
            continue
        with suppress(Unbuildable, NoiseStays):
            for _ in range(count - len({*pool.made_of(thing)})):
                built = ground.builder.build(maker.operation, pool, replace=maker.fixed)
                exchange = await courier.send(identity.authorize(built.request))
                if exchange.response is not None:
                    pool.harvest(maker.operation, exchange.request, exchange.response)


def _maker(ground: Groundwork, thing: str, identity: Identity) -> Baseline | None:
    """The request by which an identity made such a thing."""
    return next(
        (
            baseline
            for baseline in ground.baselines.values()
            if baseline.identity == identity.name
            and thing_of(baseline.operation) == thing
            and baseline.operation.method == "POST"
            and deed_of(baseline.operation, ground.builder.api.resolve) is Deed.CREATE
        ),
        None,
    )


def names_a_real_user(ground: Groundwork, operation: Operation, built: Built) -> bool:
    """Whether a call that creates nothing says by an id on whom it works: `POST /admin/setRole`."""
    last = segments(operation.path)[-1:]
    creates = operation.method == "POST" and "".join(last).islower() and is_plural("".join(last))
    if only_reads(operation) or spoken_deed(operation) is Deed.CREATE or creates:
        return False
    return any(
        slot.location in {"query", "body"}
        and _is_of_a_person(slot.name.rsplit(".", 1)[-1])
        and not _is_own(ground, operation, None, built, slot)
        for slot in built.values
    )


def _changes_one(operation: Operation, resolve: Resolve) -> bool:
    if operation.is_read:
        last = [part for part in segments(operation.path) if "{" not in part][-1:]
        acts = {word for part in last for word in words(part)} & _ACTS
        return bool(acts) or spoken_deed(operation) is Deed.CHANGE
    asks = {word for part in segments(operation.path)[-1:] for word in words(part)} & _ASKS
    return not asks and deed_of(operation, resolve) is Deed.CHANGE


def _is_of_a_person(name: str) -> bool:
    *prefix, last = words(name)
    return last in ID_WORDS and bool(_PEOPLE & {*prefix})


def _is_own(
    ground: Groundwork, operation: Operation, pool: ValuePool | None, built: Built, slot: Slot
) -> bool:
    """Whether the value of an input was given by the user, made by the scan, or is nobody's."""
    value = built.values.get(slot)
    if value is None or slot in ground.builder.given(operation):
        return True
    if any(canary in str(value) for canary in built.canaries):
        return True
    about = resource_before(operation.path, slot.name) if slot.location == "path" else None
    return pool is not None and pool.made(about or thing_of(operation), value)


async def listed_id(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity,
    made: Built,
    name: str,
) -> object | None:
    """The id of what was made, from the list of whoever made it, by what is in it."""
    lister = lister_of(plan.api, operation)
    if lister is None or plan.policy.forbids(lister) is not None:
        return None
    listing = ground.builder.build(lister, ground.pools.get(identity.name))
    exchange = await courier.send(identity.authorize(listing.request))
    response = exchange.response
    if response is None:
        return None
    inside = frozenset(str(v) for s, v in made.values.items() if s.location == "path")
    return listed_id_with(response.json(), made.canaries, name, other_than=inside)
