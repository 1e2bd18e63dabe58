"""Whose a thing is, told by whom the API shows it to: a plot that one user's list has and another's
has not is that user's, whatever it is called (V8).

Reads without an id are asked as everybody, each once. What they show is kept apart from the pools:
it is looked at, and not sent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.spoken import thing_of
from withstand.openapi.value_pool import ValuePool
from withstand.scan.answers.personal import speaks_of_own
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan
from withstand.scan.seen import was_served
from withstand.scan.wire.courier import Courier, NoiseStays, Withheld


async def ask_everybody(
    plan: ScanPlan, ground: Groundwork, courier: Courier, things: Iterable[str]
) -> None:
    """Has everybody read what is about things of these kinds, or shows somebody one."""
    wanted = {*things}
    for read in plan.api.operations if wanted else ():
        if read.method != "GET" or not read.is_read or read.path_parameters:
            continue
        baseline = ground.baselines.get(read.key)
        if baseline is not None:
            answered = {baseline.identity: _shown_in(read, baseline.exchange)}
            shown = ground.shown.setdefault(read.key, answered)
            if None in answered or not any(_shows(shown, thing) for thing in wanted):
                continue
            request = baseline.built.request
        elif thing_of(read) in wanted and plan.policy.forbids(read) is None:
            shown = ground.shown.setdefault(read.key, {})
            try:
                request = ground.builder.build(read, full=False).request
            except Unbuildable:
                continue
        else:
            continue
        nobody = () if read.requires_credential else (None,)
        for user in (*nobody, *ground.identities.values(), *ground.throwaways.values()):
            await _ask(ground, courier, read, request, user)


async def _ask(
    ground: Groundwork, courier: Courier, read: Operation, request: Request, user: Identity | None
) -> None:
    name, shown = user.name if user is not None else None, ground.shown[read.key]
    if name in shown:
        return
    try:
        answer = await courier.send(user.authorize(request) if user is not None else request)
    except (NoiseStays, Withheld):
        return
    shown[name] = _shown_in(read, answer)


def is_kept(ground: Groundwork, thing: str) -> bool:
    """Whether people have things of that kind for themselves. The word decides where the document
    has nothing about them, as about the `status_id` of an order, or where nobody is shown any.
    """
    shown = _by_user(ground, thing)
    values = {
        str(each) for pools in shown.values() for pool in pools for each in pool.ids_of(thing)
    }
    if not values or not any(thing_of(each) == thing for each in ground.builder.api.operations):
        return speaks_of_own(thing)
    return not all(is_anybodys(ground, thing, value) for value in values)


def is_anybodys(ground: Groundwork, thing: str, value: str) -> bool:
    """Whether everybody is shown this one. That has to be more than one user: nobody at all, a user
    of the scan's own, to whom nothing is given, or two of one role if no word says that such a
    thing is somebody's.
    """
    shown = _by_user(ground, thing)
    having = {name for name, pools in shown.items() if any(p.holds(thing, value) for p in pools)}
    if None in having:
        return True
    new = having & {*ground.throwaways}
    roles = Counter(user.role for name, user in ground.identities.items() if name in having)
    several = len(having) > 1 if new else max(roles.values(), default=0) > 1
    return having == {*shown} and several and (bool(new) or not speaks_of_own(thing))


def is_shown(ground: Groundwork, users: Iterable[str], thing: str, value: str) -> bool:
    """Whether one of these users was shown this one."""
    return any(p.holds(thing, value) for name in users for p in pools_of(ground, name, thing))


def pools_of(ground: Groundwork, name: str, thing: str) -> list[ValuePool]:
    """What a user made or was answered, and what shows them things of that kind."""
    own = [ground.pools[name]] if name in ground.pools else []
    return own + _by_user(ground, thing).get(name, [])


def _by_user(ground: Groundwork, thing: str) -> dict[str | None, list[ValuePool]]:
    """What each user, or nobody, is shown by the reads about such things; where there are none, by
    those that show one beside something else.
    """
    reads = {key: shown for key, shown in ground.shown.items() if _shows(shown, thing)}
    named = (op.key for op in ground.builder.api.operations if thing_of(op) == thing)
    about = reads.keys() & {*named}
    found: dict[str | None, list[ValuePool]] = {}
    for key in about or reads:
        for name, pool in reads[key].items():
            if pool is not None:
                found.setdefault(name, []).append(pool)
    return found


def _shows(shown: Mapping[str | None, ValuePool | None], thing: str) -> bool:
    return any(
        pool is not None and any(True for _ in pool.ids_of(thing)) for pool in shown.values()
    )


def _shown_in(read: Operation, exchange: Exchange) -> ValuePool | None:
    """The values in an answer; None where it refuses."""
    if exchange.response is None or not was_served(exchange):
        return None
    pool = ValuePool()
    pool.harvest(read, exchange.request, exchange.response)
    return pool
