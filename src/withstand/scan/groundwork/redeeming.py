"""Calls that credit whoever shows a code: `POST /coupons/{code}/redeem` (V8).

Only a throw-away user redeems, by a code of what the scan made: that is no secret between the
scan's own users.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from withstand.client.identity import Identity
from withstand.openapi.naming import KEY_WORDS, noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import parameter_in, segments
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_objects import on_own_object
from withstand.scan.groundwork.spending import take_in
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier, NoiseStays

_REDEEMS: Final = frozenset({"redeem", "redemption"})


def redeems(operation: Operation) -> bool:
    """Whether a call hands to its caller what a code stands for."""
    last = [part for part in segments(operation.path) if not parameter_in(part)][-1:]
    said = {noun(word) for part in last for word in words(part)}
    return not operation.is_read and not operation.removes and bool(said & _REDEEMS)


def is_for_configured(plan: ScanPlan, ground: Groundwork, operation: Operation) -> bool:
    """Whether the user named what is to be redeemed, or wants the call raced."""
    return bool(ground.builder.given(operation)) or plan.policy.races_with(operation)


async def own_code(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """The code of what `user` makes for it; where they cannot, of what anybody of the scan made."""
    with suppress(Unbuildable, NoiseStays):
        built = await on_own_object(plan, ground, courier, operation, user, full=True)
        return {slot: value for slot, value in built.values.items() if slot.location == "path"}
    take_in(plan, ground, courier)
    found: dict[Slot, object] = {}
    for slot in ground.builder.slots(operation):
        name = slot.name.rpartition(".")[2]
        if words(name)[-1] in KEY_WORDS and slot.location in {"path", "query", "body"}:
            value = ground.made.find(name, path=operation.path, schema=slot.schema)
            if value is not None:
                found[slot] = value
    return found
