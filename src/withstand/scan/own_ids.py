"""Ids that a baseline may be tried with: of what its identity made or was shown, never made up."""

from withstand.client.identity import Identity
from withstand.openapi.identifiers import listed_id_with
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Built
from withstand.openapi.resources import lister_of
from withstand.openapi.spoken import Deed, picker_of, spoken_deed, thing_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.courier import Courier
from withstand.scan.groundwork import Groundwork
from withstand.scan.plan import ScanPlan


def guesses(ground: Groundwork, operation: Operation, pool: ValuePool | None, built: Built) -> bool:
    """Whether a call would change something that nobody was shown: its id is made up."""
    picker = picker_of(operation, ground.builder.api.resolve)
    changes = spoken_deed(operation) is Deed.CHANGE or operation.method in {"PUT", "PATCH"}
    if picker is None or not changes:
        return False
    place = (picker.location, picker.name)
    if place not in {(slot.location, slot.name) for slot in built.values}:
        return False
    if place in {(slot.location, slot.name) for slot in ground.builder.given(operation)}:
        return False
    return pool is None or pool.find(picker.name, path="", about=thing_of(operation)) is None


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
    return listed_id_with(response.json(), made.canaries, name) if response is not None else None
