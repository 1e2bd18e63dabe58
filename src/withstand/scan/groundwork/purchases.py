"""Creations that cost their caller something: `POST /gift-cards {amount}` (V8).

Only an account tells, and only afterwards. So where a name speaks of money a throw-away user makes
the first; if its account shows less of something then, nobody configured makes another.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.identity import Identity
from withstand.openapi.naming import names_several, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.resources import producer_of
from withstand.openapi.schema_merge import flattened
from withstand.openapi.spoken import Deed, deed_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.groundwork.belongings import accounts, shown_to
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.groundwork.self_change import may_change_the_caller
from withstand.scan.plan import ScanPlan
from withstand.scan.wire.courier import Courier

_MONEY: Final = frozenset(
    {"amount", "price", "cost", "fee", "total", "balance", "credit", "credits", "cents", "currency"}
    | {"money", "points", "coins", "quota", "paid"}
)
_DEPTH: Final = 3  # of an answer's schema: things are in a frame, or in a list in it

Purse = Mapping[tuple[str, str], float]
"""The numbers in a user's accounts, by operation key and place."""


def may_cost(plan: ScanPlan, ground: Groundwork, operation: Operation) -> bool:
    """Whether a throw-away user is to find out what a creation costs: its names speak of money, and
    an account shows a number.
    """
    if operation.method != "POST" or plan.policy.races_with(operation):
        return False
    if may_change_the_caller(operation, ground.builder):
        return False  # what it did to the account decides
    if plan.policy.allowed_roles(operation) is not None:
        return False  # it is not for a user who has just signed up
    api, builder = ground.builder.api, ground.builder
    several = names_several("".join(segments(operation.path)[-1:]))
    if not (several or deed_of(operation, api.resolve) is Deed.CREATE):
        return False
    if operation == sign_up_operation(api, builder) or ground.throwaway is None:
        return False
    names = [*segments(operation.path), *(slot.name for slot in builder.slots(operation))]
    speaks = any(_MONEY & {*words(name)} for name in (*names, *_answered(ground, operation)))
    return speaks and any(
        _numbers(shown) for had in accounts(ground) for shown in had.first.values()
    )


def is_bought_by_own(ground: Groundwork, operation: Operation) -> bool:
    """Whether what a call works on was bought by a throw-away user, and is by nobody else."""
    maker = producer_of(ground.builder.api, operation)
    baseline = ground.baselines.get(maker.key) if maker is not None else None
    return baseline is not None and baseline.identity in ground.throwaways


async def purse_of(ground: Groundwork, courier: Courier, user: Identity) -> Purse:
    """What the accounts of a user show right now."""
    found: dict[tuple[str, str], float] = {}
    for had in accounts(ground):
        shown = await shown_to(courier, had.request, user) or {}
        found |= {(had.read.key, place): value for place, value in _numbers(shown).items()}
    return found


async def has_paid(ground: Groundwork, courier: Courier, user: Identity, before: Purse) -> bool:
    """Whether a user has less of something than before, and a moment later as much less."""
    now = await purse_of(ground, courier, user)
    less = [place for place, value in before.items() if now.get(place, value) < value]
    again = await purse_of(ground, courier, user) if less else now
    return any(again.get(place) == now[place] for place in less)


def _numbers(shown: Mapping[str, object]) -> dict[str, float]:
    """The numbers among what somebody has, also where they are written as text: `"12.50"`."""
    found: dict[str, float] = {}
    for place, value in shown.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[place] = value
        elif isinstance(value, str) and value.replace(".", "", 1).removeprefix("-").isdecimal():
            found[place] = float(value)
    return found


def _answered(ground: Groundwork, operation: Operation) -> Iterator[str]:
    for status, contents in operation.responses.items():
        for schema in contents.values() if status.startswith("2") else ():
            yield from _named(ground, schema, 0)


def _named(ground: Groundwork, schema: Any, depth: int) -> Iterator[str]:
    flat = flattened(schema, ground.builder.api.resolve)
    below = flat.get("properties")
    below = dict(below) if isinstance(below, Mapping) else {}
    yield from map(str, below)
    for each in (*below.values(), flat.get("items")) if depth < _DEPTH else ():
        if isinstance(each, Mapping):
            yield from _named(ground, each, depth + 1)
