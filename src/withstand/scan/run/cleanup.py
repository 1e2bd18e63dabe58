"""Deleting what the scan created, as the identity that created it, and listing what stays."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity, stripped
from withstand.client.transport import Transport
from withstand.openapi.operation import Operation
from withstand.scan.plan import ScanPlan
from withstand.scan.run.users_left import UsersLeft
from withstand.scan.seen import was_served
from withstand.scan.wire.courier import Withheld
from withstand.scan.wire.leftovers import Leftover, leftovers, listing
from withstand.scan.wire.made_by_reads import made_by_reads

_LONGEST_S: Final = 300.0  # for all deletions
_Case = tuple[str, str | None]
"""The key of an operation that deletes, and who made what it deletes."""
_GONE: Final = frozenset({404, 410})
_NOT_THEIRS: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """How many things were deleted, and a note for each operation whose things were not."""

    deleted: int
    notes: tuple[str, ...] = ()


async def clean_up(
    plan: ScanPlan,
    transport: Transport,
    observed: Iterable[Exchange],
    *,
    identities: Iterable[Identity] = (),
    sign_up: Operation | None = None,
) -> Cleared:
    """Sends a DELETE for everything that the scan created, the latest first.

    Where whoever created it may not delete it, those of other roles are asked: an administrator
    may. `sign_up` is the operation by which the scan made users.
    """
    observed = tuple(observed)
    deleted = 0
    left: dict[str, list[str]] = {}
    people = tuple(identities)
    able: dict[_Case, Identity] = {}
    users = UsersLeft(plan, transport, people)
    end_s = transport.unix_time_s() + _LONGEST_S
    for thing in leftovers(plan.api, plan.target.base_path, observed, sign_up=sign_up):
        why = f"not within the {_LONGEST_S:g} s that a scan takes to delete"
        if transport.unix_time_s() < end_s:
            try:
                why = await _deleted(plan, transport, thing, people, able)
                for remover in thing.removers if why else ():
                    shown = await users.with_deletion(thing, remover)
                    if shown is not None:
                        why = await _deleted(plan, transport, shown, people, able)
                    if not why:
                        break
            except Withheld as withheld:
                why = withheld.reason
        if why:
            what = str(thing.identifier) if thing.identifier is not None else "one without an id"
            left.setdefault(thing.producer.key, []).append(f"{what} ({why})")
        else:
            deleted += 1
    reads = made_by_reads(plan.api, plan.target.base_path, observed)
    return Cleared(deleted=deleted, notes=(*listing(left), *reads))


async def _deleted(
    plan: ScanPlan,
    transport: Transport,
    thing: Leftover,
    people: tuple[Identity, ...],
    able: dict[_Case, Identity],
) -> str:
    """Why a thing is still there; empty when it is gone.

    `able` remembers who was let delete what its maker was not: who is asked first from then on.
    """
    if thing.deletion is None or thing.deleter is None:
        return "no operation deletes it"
    forbidden = plan.policy.forbids(thing.deleter)
    if forbidden is not None:
        return f"{thing.deleter.key} is not called: {forbidden}"
    case = thing.deleter.key, thing.by
    if case in able:
        exchange = await transport.send(_sent_by(able[case], thing, people))
        if was_served(exchange) or exchange.status in _GONE:
            return ""
    exchange = await transport.send(thing.deletion)
    status = exchange.status
    if was_served(exchange) or status in _GONE or thing.claimed:
        return ""
    if status in _NOT_THEIRS or exchange.succeeded:
        for other in _others(plan, thing, people):
            if was_served(await transport.send(_sent_by(other, thing, people))):
                able[case] = other
                return ""
    said = "that it failed" if exchange.succeeded else status or exchange.outcome
    return f"{thing.deleter.key} answered {said}"


def _sent_by(other: Identity, thing: Leftover, people: tuple[Identity, ...]) -> Request:
    """The deletion in another's name."""
    assert thing.deletion is not None, "only what can be deleted is"
    return other.authorize(stripped(thing.deletion, people))


def _sent(identity: Identity, thing: Leftover) -> bool:
    credential = identity.credential
    request = thing.deletion
    return identity.name == thing.by or (
        credential is not None
        and request is not None
        and credential.headers != ()
        and {*credential.headers} <= {*request.headers}
    )


def _others(plan: ScanPlan, thing: Leftover, people: tuple[Identity, ...]) -> tuple[Identity, ...]:
    """One identity of each other role that may delete it."""
    assert thing.deleter is not None, "only what can be deleted is"
    roles = plan.policy.allowed_roles(thing.deleter)
    own = next((each.role for each in people if _sent(each, thing)), None)
    by_role: dict[str, Identity] = {}
    for each in people:
        if each.role != own and not each.throwaway and (roles is None or each.role in roles):
            by_role.setdefault(each.role, each)
    return tuple(by_role.values())
