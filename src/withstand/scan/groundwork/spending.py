"""Creations that name what is somebody's own: `POST /payments {order_id}` spends an order (V8).

Where nothing makes such a thing for the scan, only a throw-away user names one: all that it alone
is shown is the scan's own.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Final

from withstand.client.exchange import Request
from withstand.client.identity import Identity
from withstand.openapi.naming import KEY_WORDS, is_reference, noun, thing_named, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.openapi.schema_merge import flattened, types_of
from withstand.openapi.spoken import only_reads, thing_of
from withstand.openapi.value_pool import as_type
from withstand.scan.answers.personal import speaks_of_own
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.own_ids import ASKS
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier
from withstand.scan.wire.real_users import inputs_of

_DIGITS: Final = 6  # of a number that may be the id of something real though nothing showed it


def may_spend(ground: Groundwork, operation: Operation) -> bool:
    """Whether a call may use up a thing of somebody's that an input names."""
    asks = {word for part in segments(operation.path)[-1:] for word in words(part)} & ASKS
    if operation.method != "POST" or asks or only_reads(operation):
        return False
    return any(_things(ground, operation))


def real_thing(ground: Groundwork, operation: Operation, request: Request) -> str | None:
    """What a request names that may be somebody's real one, as a noun: `order`; None for nothing.

    What the user gave, what the scan made, and what only a throw-away user is shown is not.
    """
    given = {slot.name.rpartition(".")[2] for slot in ground.builder.given(operation)}
    for name, value in inputs_of(request):
        thing = _thing(ground, operation, name) if value and name not in given else None
        if thing is not None and not _is_own(ground, thing, value):
            made_up = value.isdecimal() and len(value) <= _DIGITS
            if made_up or _is_shown(ground, ground.identities, thing, value):
                return thing
    return None


def require_own(
    plan: ScanPlan, ground: Groundwork, courier: Courier, operation: Operation, request: Request
) -> None:
    """Raises Unbuildable for a request that names somebody's real thing; from then on the courier
    sends none like it, whoever asks for it.
    """
    thing = real_thing(ground, operation, request)
    if thing is None:
        return

    def harms(asked: Request, _sender: str | None) -> bool:
        return plan.calls(operation, asked) and real_thing(ground, operation, asked) is not None

    courier.real_users.keep_from(operation.key, harms)
    raise Unbuildable(
        f"the {thing} that it names may be somebody's real one: a user of the scan's own "
        "(a sign-up, or provision under [login]) or [values] gives it another"
    )


async def own_things(
    ground: Groundwork, courier: Courier, operation: Operation, user: Identity
) -> Mapping[Slot, object]:
    """A thing of a throw-away user's own for each input that names one: it looks into its lists."""
    pool = ground.pools[user.name]
    found: dict[Slot, object] = {}
    for thing in dict.fromkeys(_things(ground, operation)):
        for shown in list(ground.baselines.values()):
            lists = shown.operation.method == "GET" and not shown.operation.path_parameters
            if lists and thing_of(shown.operation) == thing and shown.identity != user.name:
                exchange = await courier.send(user.authorize(shown.built.request))
                if exchange.response is not None:
                    pool.harvest(shown.operation, exchange.request, exchange.response)
        own = [each for each in pool.ids_of(thing) if _is_own(ground, thing, str(each))]
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
    """The kinds of personal things that its inputs name."""
    names = [_leaf(s) for s in ground.builder.slots(operation) if s.location in {"body", "query"}]
    for body in operation.bodies[:1]:  # a list is no slot: `order_ids`
        names += flattened(body.schema, ground.builder.api.resolve).get("properties", {})
    yield from filter(None, (_thing(ground, operation, name) for name in names))


def _leaf(slot: Slot) -> str:
    return slot.name.rpartition(".")[2]


def _thing(ground: Groundwork, operation: Operation, name: str) -> str | None:
    """The kind of personal thing that an input names; None for what anybody may read, and for what
    the call itself makes.
    """
    *before, last = words(name)
    if before and last in KEY_WORDS:
        thing = noun("_".join(before))
    elif is_reference(name):
        return None  # a bare `id` is of what the call is about
    else:
        thing = thing_named(name) or noun(name)
    if not speaks_of_own(thing) or thing == thing_of(operation):
        return None
    about = [each for each in ground.builder.api.operations if thing_of(each) == thing]
    if thing == noun(name) and not any(each.path_parameters for each in about):
        return None  # `balance: 10` is an amount
    baselines = [ground.baselines.get(each.key) for each in about if each.method == "GET"]
    return None if any(each and each.identity is None for each in baselines) else thing


def _is_by_id(name: str) -> bool:
    return is_reference(name) or words(name)[-1] not in KEY_WORDS


def _is_own(ground: Groundwork, thing: str, value: str) -> bool:
    if any(pool.made(thing, value) for pool in ground.pools.values()):
        return True
    real = _is_shown(ground, ground.identities, thing, value)
    return not real and _is_shown(ground, ground.throwaways, thing, value)


def _is_shown(ground: Groundwork, users: Mapping[str, Identity], thing: str, value: str) -> bool:
    return any(ground.pools[name].holds(thing, value) for name in users if name in ground.pools)
