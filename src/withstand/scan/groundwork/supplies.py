"""What a baseline needs around it: enough of what it names, a public place to add to."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from withstand.client.identity import Identity
from withstand.openapi.naming import names_several, thing_named
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import item_path, segments, shape
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.spoken import Deed, deed_of, thing_of
from withstand.scan.access.objects import item_slot
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.subject import Baseline
from withstand.scan.wire.courier import Courier, NoiseStays


def public_place(ground: Groundwork, operation: Operation) -> Mapping[Slot, object]:
    """The id of what anybody may read and nobody creates, for a POST that adds to it: a review of
    a product. Nothing otherwise.
    """
    last = "".join(segments(operation.path)[-1:])
    item = item_path(operation.path)
    adds = names_several(last) and shape(f"{item}/{last}") == shape(operation.path)
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
