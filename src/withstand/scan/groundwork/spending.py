"""Calls that name what is somebody's own: `POST /payments {order_id}` spends an order (V8).

Where nothing makes such a thing for the scan, only a throw-away user names one: all that it alone
is shown is the scan's own.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import cycle
from typing import Final

from withstand.client.exchange import Request
from withstand.client.identity import Identity
from withstand.openapi.naming import (
    KEY_WORDS,
    is_reference,
    names_several,
    noun,
    thing_named,
    words,
)
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.schema_merge import types_of
from withstand.openapi.spoken import only_reads, thing_of
from withstand.openapi.value_pool import as_type
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_ids import ASKS
from withstand.scan.groundwork.whose import ask_everybody, is_anybodys, is_kept, is_shown, pools_of
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import matches
from withstand.scan.seen import called
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.real_users import input_name, inputs_of, is_of_a_person

_DIGITS: Final = 6  # of a number that may be the id of something real though nothing showed it
_NOBODYS: Final = "0"  # which counts as made up for certain


def may_spend(ground: Groundwork, operation: Operation) -> bool:
    """Whether a call may use up a thing of somebody's that an input names."""
    asks = {word for part in segments(operation.path)[-1:] for word in words(part)} & ASKS
    if operation.method not in {"POST", "PUT", "PATCH"} or asks or only_reads(operation):
        return False
    return any(is_kept(ground, thing) for thing in _things(ground, operation))


async def keep_from_spending(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation
) -> None:
    """Finds out whose the things are that a call may name. From then on nobody sends it with what
    may be somebody's real one, whoever asks for that.
    """
    await ask_everybody(plan, ground, courier, _things(ground, operation))
    if not may_spend(ground, operation):
        return

    def harms(asked: Request, _sender: str | None) -> bool:
        if not plan.calls(operation, asked):
            return False
        take_in(plan, ground, courier)
        return real_thing(plan, ground, operation, asked) is not None

    courier.real_users.keep_from(harms)


def take_in(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """What was created meanwhile, by whichever check: it is the scan's own."""
    created = courier.logbook.created
    for exchange in created[ground.taken_in :]:
        operation = called(plan.api, plan.target.base_path, exchange.request)
        if operation is not None and exchange.response is not None:
            ground.made.harvest(operation, exchange.request, exchange.response)
    ground.taken_in = len(created)


def real_thing(
    plan: ScanPlan, ground: Groundwork, operation: Operation, request: Request
) -> str | None:
    """What a request names that may be somebody's real one, as a noun: `order`; None for nothing.

    What the user gave, what the scan made or made up, and what only a throw-away user is shown is
    not.
    """
    given = {_leaf(slot) for slot in ground.builder.given(operation)}
    for pattern, race in plan.policy.races.items():
        if matches(pattern, operation.key):
            given |= {input_name(name.split(".")) for name in race.values}
    for name, value in inputs_of(request):
        thing = _thing(ground, operation, name) if value and name not in given else None
        if thing is None or not is_kept(ground, thing) or _is_own(ground, thing, value):
            continue
        made_up = value.isdecimal() and len(value) <= _DIGITS and value != _NOBODYS
        shown = is_shown(ground, ground.identities, thing, value)
        if not (shown or made_up):
            ground.invented.add((thing, value))  # a card's number, which its owner is shown later
        elif not is_anybodys(ground, thing, value):
            return thing
    return None


def require_own(plan: ScanPlan, ground: Groundwork, operation: Operation, request: Request) -> None:
    """Raises Unbuildable for a request that names somebody's real thing."""
    thing = real_thing(plan, ground, operation, request)
    if thing is not None:
        raise Unbuildable(
            f"the {thing} that it names may be somebody's real one: a user of the scan's own "
            "(a sign-up, or provision under [login]) or [values] gives it another"
        )


def own_things(ground: Groundwork, operation: Operation, user: Identity) -> Mapping[Slot, object]:
    """A thing of a throw-away user's own for each input that names one."""
    found: dict[Slot, object] = {}
    for thing in _things(ground, operation):
        had = (each for pool in pools_of(ground, user.name, thing) for each in pool.ids_of(thing))
        own = [each for each in dict.fromkeys(had) if _is_own(ground, thing, str(each))]
        slots = [
            slot
            for slot in ground.builder.slots(operation)
            if slot.location in {"body", "query"} and _is_by_id(leaf := _leaf(slot))
            if _thing(ground, operation, leaf) == thing
        ]
        for slot, value in zip(slots, cycle(own), strict=False):
            fitting = as_type(value, types_of(slot.schema))
            if fitting is not None:
                found[slot] = fitting
    return found


def _things(ground: Groundwork, operation: Operation) -> Iterator[str]:
    """The kinds of things that its inputs name, however deep in a body."""
    names = [_leaf(s) for s in ground.builder.slots(operation) if s.location in {"body", "query"}]
    with suppress(Unbuildable):
        names += (name for name, _ in inputs_of(ground.builder.build(operation).request))
    things = (_thing(ground, operation, name) for name in dict.fromkeys(names))
    yield from dict.fromkeys(filter(None, things))


def _leaf(slot: Slot) -> str:
    return input_name(slot.name.split("."))


def _thing(ground: Groundwork, operation: Operation, name: str) -> str | None:
    """The kind of thing that an input names; None for people, for what anybody may read, and for
    what the call itself makes.
    """
    api = ground.builder.api
    *before, last = words(name)
    if before and last in KEY_WORDS:
        ends = [noun("_".join(before[at:])) for at in range(len(before))]  # of `to_parcel_id`
        thing = next((e for e in ends if any(thing_of(op) == e for op in api.operations)), ends[0])
    elif is_reference(name):
        return None  # a bare `id` is of what the call is about
    else:
        thing = thing_named(name) or noun(name)
    if is_of_a_person(name) or thing == thing_of(operation):
        return None
    about = [each for each in api.operations if thing_of(each) == thing]
    if thing == noun(name) and not any(map(_has_several, about)):
        return None  # `balance: 10` is an amount
    baselines = [ground.baselines.get(each.key) for each in about if each.method == "GET"]
    return None if any(each and each.identity is None for each in baselines) else thing


def _has_several(operation: Operation) -> bool:
    last = "".join(segments(operation.path)[-1:])
    return bool(operation.path_parameters) or names_several(last)


def _is_by_id(name: str) -> bool:
    return is_reference(name) or words(name)[-1] not in KEY_WORDS


def _is_own(ground: Groundwork, thing: str, value: str) -> bool:
    if (thing, value) in ground.invented:
        return True
    if any(pool.made(thing, value) for pool in (ground.made, *ground.pools.values())):
        return True
    real = is_shown(ground, ground.identities, thing, value)
    return not real and is_shown(ground, ground.throwaways, thing, value)
