"""Ids that a baseline may be tried with: of what its identity made or was shown, never made up."""

from contextlib import suppress
from typing import Final

from withstand.client.identity import Identity
from withstand.openapi.naming import (
    ID_WORDS,
    is_identifier,
    is_plural,
    is_reference,
    names_several,
    noun,
    words,
)
from withstand.openapi.operation import Api, Operation
from withstand.openapi.page_ids import id_listed_with
from withstand.openapi.path_template import parameter_in, resource_before, segments, values_in
from withstand.openapi.places import Place, path_before, place_in
from withstand.openapi.request_builder import Built, Slot, Unbuildable
from withstand.openapi.resources import lister_of, nouns_of
from withstand.openapi.schema_merge import Resolve
from withstand.openapi.spoken import Deed, deed_of, only_reads, spoken_deed, thing_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access.objects import item_slot
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.made import places_in
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.real_users import ACTS, acts, inputs_of, is_of_a_person

ASKS: Final = frozenset({"search", "query", "filter", "find"})
"""What a POST may do without changing anything: `POST /search`."""


def risks_a_real_one(
    ground: Groundwork,
    operation: Operation,
    pool: ValuePool | None,
    built: Built,
    *,
    by_own: bool = False,
) -> bool:
    """Whether a call would change something by an id that is not of the scan's own making.

    An id that was listed, or a made-up number, may be of a configured user's real data. What a user
    of the scan's own (`by_own`) does with a code that the document shows changes nobody else.
    """
    if not _changes_one(operation, ground.builder.api.resolve):
        return False
    try:
        slots = [item_slot(ground.builder, operation)]
    except Unbuildable:
        # GET /cancel?order=7: what picks the thing is not told from the rest, so none is made up.
        slots = [s for s in built.values if operation.method == "GET" and _may_be_an_id(s)]
    return not all(
        _is_own(ground, operation, pool, built, slot) or (by_own and _is_shown(slot, built))
        for slot in slots
    )


def passes_over_own(ground: Groundwork, operation: Operation, built: Built) -> bool:
    """Whether a read goes on after an id that is not the scan's own, though there is one that is.

    `GET /plots/{id}/harvest` may act, by a word that nobody knows.
    """
    last = "".join(segments(operation.path)[-1:])
    if not operation.is_read or not operation.path_parameters or parameter_in(last):
        return False
    name = operation.path_parameters[-1].name
    thing = resource_before(operation.path, name)
    if is_plural(last) or (noun(name) != thing and not is_reference(name)):
        return False
    value = next((v for s, v in built.values.items() if (s.location, s.name) == ("path", name)), "")
    pools = ground.pools.values()
    own = any(pool.made(thing, value) for pool in pools)
    return not own and any(True for pool in pools for _ in pool.made_of(thing))


def names_a_real_one(
    ground: Groundwork, operation: Operation, pool: ValuePool | None, built: Built
) -> bool:
    """Whether an input of a call may name somebody or something real to which it does something.

    Somebody where it creates nothing, `POST /admin/setRole`; something where its verb says that it
    works on what is there, be it one or a list: `POST /mergeOrders`.
    """
    does = acts(operation) and segments(operation.path)[-1] != "transfer"
    if only_reads(operation) and not does:
        return False
    known = {slot.name.split(".", 1)[0] for slot in ground.builder.given(operation)}
    with suppress(Unbuildable):  # what picks one thing was seen to before: `risks_a_real_one`
        known.add(item_slot(ground.builder, operation).name.rpartition(".")[2])
    for name, value in inputs_of(built.request):
        if name in known or not value or any(canary in value for canary in built.canaries):
            continue
        numbered = is_identifier(name) or value.isdecimal()
        if (is_of_a_person(name) and numbered) or name in {"account_id", "accountId"}:
            if not _creates(operation):
                return True
        elif does and (is_identifier(name) or _is_a_thing(ground.builder.api, name)):
            about = noun("_".join(words(name)[:-1] or words(name)))
            about = thing_of(operation) if name.lower() in ID_WORDS else about
            if _works_on(operation, about) and not (pool is not None and pool.made(about, value)):
                return True
    return False


def _works_on(operation: Operation, about: str) -> bool:
    """Whether a call does what it says to a thing of that kind: `/orders/refund`, `mergeOrders`.

    Of a verb alone, `POST /pay`, nobody knows; what `updateOrder` says of a product is left as is.
    """
    said = {noun(word) for part in segments(operation.path) for word in words(part)}
    return about in nouns_of(operation) | said or thing_of(operation) in ACTS


def _is_a_thing(api: Api, name: str) -> bool:
    """Whether an input is called like what an operation is about: `order`."""
    return any(thing_of(operation) == noun(name) for operation in api.operations)


def _creates(operation: Operation) -> bool:
    """Whether it makes something new: its verb says so, or its path names several things."""
    last = "".join(segments(operation.path)[-1:])
    several = operation.method == "POST" and names_several(last)
    return several or spoken_deed(operation) is Deed.CREATE


def _changes_one(operation: Operation, resolve: Resolve) -> bool:
    if operation.method == "GET":
        return not operation.is_read or spoken_deed(operation) is Deed.CHANGE
    asks = {word for part in segments(operation.path)[-1:] for word in words(part)} & ASKS
    return not asks and deed_of(operation, resolve) is Deed.CHANGE


def _may_be_an_id(slot: Slot) -> bool:
    typed = "integer" in slot.kinds or slot.schema.get("format") == "uuid"
    return slot.location in {"path", "query"} and (is_reference(slot.name) or typed)


def _is_shown(slot: Slot, built: Built) -> bool:
    """Whether the document gives the value as an example, and not in the path."""
    return slot.location == "body" and built.values.get(slot) == slot.schema.get("example")


def _is_own(
    ground: Groundwork, operation: Operation, pool: ValuePool | None, built: Built, slot: Slot
) -> bool:
    """Whether the value of an input was given by the user, made by the scan, or is nobody's."""
    value = built.values.get(slot)
    if value is None or slot in ground.builder.given(operation):
        return True
    if any(canary in str(value) for canary in built.canaries):
        return True
    place: Place = ()
    if slot.location == "path":
        about = {resource_before(operation.path, slot.name) or thing_of(operation)}
        sent = values_in(operation.path, built.request.operation_path)
        place = place_in(path_before(operation.path, slot.name), sent)
    else:
        named = noun("_".join(words(slot.name)[: -1 if is_reference(slot.name) else None]) or "-")
        about = {thing_of(operation), named}
    return pool is not None and any(pool.made(each, value, place) for each in about)


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
    about = thing_of(operation)
    return id_listed_with(response, made.canaries, name, about, other_than=places_in(made))
