"""What configured users have, before the scan and after it: a note says what is no longer so.

Who they are is the canary's business. That an order lowers a balance, or that a read waters a plot,
shows in no profile; the reads without an id tell.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from withstand.client.exchange import Request
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import ends_in_parameter
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.spoken import thing_of
from withstand.scan.answers.belongings import (
    Belongings,
    belongings_in,
    changed,
    has_several,
    is_shared,
)
from withstand.scan.answers.profile import is_profile
from withstand.scan.groundwork.ground import Groundwork, Had
from withstand.scan.plan import ScanPlan
from withstand.scan.seen import was_served
from withstand.scan.wire.courier import Courier, NoiseStays, Withheld
from withstand.units import format_names

_MOST_READS: Final = 12  # of the API that are asked as each user, before and after
_SHARE: Final = 0.05  # of the requests that are left for the scan
_MOST_ACCOUNTS: Final = 3  # of these, such as list nothing, that are asked after each write
_SHOWN: Final = 3  # places that a note names


async def see_belongings(plan: ScanPlan, ground: Groundwork, courier: Courier) -> None:
    """What each configured user is shown before anything is written."""
    guarded = any(operation.security for operation in plan.api.operations)
    reads = [
        each
        for each in plan.api.operations
        if each.method == "GET" and each.is_read and not each.path_parameters
        if plan.policy.forbids(each) is None and (each.requires_credential or not guarded)
        if not any(parameter.required for parameter in each.parameters)
    ]
    left = courier.allowance.left(courier.elapsed_s) * _SHARE / max(len(ground.identities), 1)
    for read in sorted(reads, key=lambda each: len(each.path))[: int(min(left, _MOST_READS))]:
        try:
            had = Had(read=read, request=ground.builder.build(read, full=False).request)
        except Unbuildable:
            continue
        for identity in ground.identities.values():
            shown = await shown_to(courier, had.request, identity)
            if shown:
                had.first[identity.name] = had.latest[identity.name] = shown
        if had.first:
            ground.had.append(had)


async def look_before(
    ground: Groundwork, courier: Courier, operation: Operation, identity: Identity
) -> None:
    """Looks at what a read may act on: of what has changed by now another call was the cause."""
    if operation.is_read:
        await _look(ground, courier, operation, identity, since="")


async def look_after(
    plan: ScanPlan,
    ground: Groundwork,
    courier: Courier,
    operation: Operation,
    identity: Identity,
) -> None:
    """Looks whether a call of a configured user has changed something of theirs. A read that has
    is sent to no such thing again.
    """
    changes = await _look(ground, courier, operation, identity, since=operation.key)
    if operation.is_read and changes:
        courier.real_users.keep_from(lambda asked, _sender: plan.calls(operation, asked))


async def _look(
    ground: Groundwork, courier: Courier, operation: Operation, identity: Identity, *, since: str
) -> bool:
    """Whether something has changed since the last look at it."""
    below = bool(operation.path_parameters) and not ends_in_parameter(operation.path)
    asked = [] if operation.is_read else accounts(ground)
    if below:  # GET /plots/{id}/water may act: the list of plots tells
        asked += [had for had in ground.had if thing_of(had.read) == thing_of(operation)]
    found = False
    for had in asked:
        before = had.latest.get(identity.name)
        now = await shown_to(courier, had.request, identity) if before is not None else None
        if before is not None and now is not None:
            for place in await _steady(courier, had, identity, now, changed(before, now)):
                had.since.setdefault((identity.name, place), since)
                found = True
            had.latest[identity.name] = now
    return found


def accounts(ground: Groundwork) -> list[Had]:
    """The first reads that list nothing: what shows somebody's balance."""
    alone = [had for had in ground.had if not any(map(has_several, had.first.values()))]
    return alone[:_MOST_ACCOUNTS]


async def losses(ground: Groundwork, courier: Courier) -> list[str]:
    """A sentence for each user of whose things something is not as it was."""
    found: dict[str, list[tuple[Had, str]]] = {}  # by user: reads, and places in their answers
    for had in ground.had:
        told: set[str] = set()  # things in lists: an administrator is shown those of all
        now = {
            name: shown
            for name in had.first
            if (shown := await shown_to(courier, had.request, ground.identities[name])) is not None
        }
        for name in now:
            places = [each for each in _changed(had, now, name) if each not in told]
            places = await _steady(courier, had, ground.identities[name], now[name], places)
            told.update(each for each in places if "[" in each)
            found.setdefault(name, []).extend((had, each) for each in places)
    return [_note(name, changes) for name, changes in found.items() if changes]


async def _steady(
    courier: Courier, had: Had, identity: Identity, now: Belongings, places: Iterable[str]
) -> list[str]:
    """The places that do not change by themselves: they are the same a moment later."""
    found = [*places]
    again = await shown_to(courier, had.request, identity) if found else None
    return [each for each in found if again is not None and again.get(each) == now.get(each)]


def _changed(had: Had, now: dict[str, Belongings], name: str) -> Iterator[str]:
    """Places of somebody's own. Where nobody else may read it, only an account is that for sure."""
    mine = had.first[name], now[name]
    others = [(had.first[other], now[other]) for other in now if other != name]
    if not others and not is_profile(had.read.path):
        return
    for place in changed(*mine):
        if not others or not all(is_shared(place, mine, each) for each in others):
            yield place


def _note(name: str, changes: Sequence[tuple[Had, str]]) -> str:
    shown = [f"{had.read.key} {place}" for had, place in changes]
    more = [f"{len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    calls = {had.since.get((name, place), ""): None for had, place in changes}
    since = [each for each in calls if each]
    return (
        f"Something of {name}'s has changed during the scan: {format_names(shown[:_SHOWN] + more)}"
        + (f", since {format_names(since)}" if since else "")
        + ". List an operation that is not to be called as never under [access]."
    )


async def shown_to(courier: Courier, request: Request, identity: Identity) -> Belongings | None:
    """What somebody is shown; None where they are refused."""
    try:
        exchange = await courier.send(identity.authorize(request), noise_is_answer=True)
    except (NoiseStays, Withheld):
        return None
    response = exchange.response
    return belongings_in(response) if response is not None and was_served(exchange) else None
