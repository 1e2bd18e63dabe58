"""Whose an object is: an owner, a stranger of the same role, and what says that it is private.

Sub-generators for the checks of authorisation. That somebody else can read or change an object is
a flaw only where it is the owner's alone: the objects of a team, and what anybody may read, are not
judged by one answer.
"""

from dataclasses import dataclass
from typing import Final

from withstand.client.exchange import Exchange, Response
from withstand.client.identity import Identity
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.access.objects import (
    Made,
    like_baseline,
    listed,
    read_back,
    without_echo,
)
from withstand.scan.check import Pause, SignUp, Skipped, Steps, send
from withstand.scan.subject import Subject

_SETTLED_AFTER_S: Final = 1.5
_READABLE_AFTER_S: Final = 0.5
ADMINISTRATORS: Final = frozenset({"admin", "administrator", "superadmin", "superuser", "root"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """An object of the owner's, as the owner reads it now.

    `marks` are texts in it that nobody else can know; `by_list` says that it was found in a list.
    """

    made: Made
    exchange: Exchange
    marks: tuple[str, ...]
    by_list: bool = False


def pair(subject: Subject) -> tuple[Identity, Identity] | None:
    """An owner and a stranger of the same role; the baseline's identity first.

    Two administrators see everybody's on purpose: they are no pair where there are other roles.
    """
    logged_in = [i for i in subject.identities if i.credential is not None]
    if len({identity.role for identity in subject.identities}) > 1:
        logged_in = [i for i in logged_in if not ADMINISTRATORS & {*words(i.role)}]
    owner = subject.owner
    logged_in.sort(key=lambda identity: owner is None or identity.name != owner.name)
    for identity in logged_in:
        for peer in subject.peers(identity):
            if peer.credential is not None:
                return identity, peer
    return None


def opponents(subject: Subject, operation: Operation) -> Steps[tuple[Identity, Identity]]:
    """An owner and a stranger for what an operation works on: the `pair`; where only a user of the
    scan's own was to make such a thing, as it costs something, that user and another such.
    """
    both = pair(subject)
    assert both is not None, "applies() saw to it"
    producer, own = producer_of(subject.api, operation), subject.throwaway
    maker = subject.baselines.get(producer.key) if producer is not None else None
    if own is None or maker is None or maker.identity != own.name:
        return both
    stranger: Identity | str = yield SignUp()
    return (own, stranger) if isinstance(stranger, Identity) else both


def not_for_these(subject: Subject, operation: Operation) -> bool:
    """Whether the operation is for roles of which no two identities are: one may not use it."""
    roles, both = subject.policy.allowed_roles(operation), pair(subject)
    return roles is not None and both is not None and both[0].role not in roles


def no_pair(subject: Subject, what: str) -> Skipped:
    """Why nothing about other users can be said with these identities. `what` was not tested."""
    roles = ", ".join(dict.fromkeys(i.role for i in subject.identities)) or "user"
    return Skipped(
        reason=f"no second identity of one ordinary role ({roles}) is configured, so whether "
        f"{what} was NOT tested: add one under [identities]"
    )


def hold(
    subject: Subject, operation: Operation, made: Made, owner: Identity
) -> Steps[Holding | str]:
    """The object as its owner reads it, else as it stands in the owner's list, or why not."""
    read = yield from read_back(subject, operation, made, owner)
    if read is not None and read.status == 404:  # some stores show what is new a little later
        yield Pause(seconds=_READABLE_AFTER_S)
        read = yield from read_back(subject, operation, made, owner)
    if read is not None and read.response is not None and read.succeeded:
        marks = marks_in(read.response, without_echo(read.request, made.canaries))
        return Holding(made=made, exchange=read, marks=marks)
    found = yield from listed(subject, operation, made, owner)
    if found is not None and found.response is not None and found.succeeded:
        marks = marks_in(found.response, made.canaries)
        if marks:
            return Holding(made=made, exchange=found, marks=marks, by_list=True)
    if read is not None:
        return f"{owner.name} cannot read the new object ({read.status})"
    return "no operation shows it to its owner, so no effect could be seen"


def hold_again(
    subject: Subject, operation: Operation, held: Holding, owner: Identity
) -> Steps[Exchange | None]:
    """The same view of the object once more."""
    if held.by_list:
        return (yield from listed(subject, operation, held.made, owner))
    return (yield from read_back(subject, operation, held.made, owner))


def hold_later(
    subject: Subject, operation: Operation, held: Holding, owner: Identity
) -> Steps[Exchange | None]:
    """The same view once caches and queues have caught up, where a change is said to be done."""
    yield Pause(seconds=_SETTLED_AFTER_S)
    return (yield from hold_again(subject, operation, held, owner))


def marks_in(response: Response, canaries: tuple[str, ...]) -> tuple[str, ...]:
    """Those canaries that a response shows."""
    return tuple(canary for canary in canaries if canary in response.text)


def shows(exchange: Exchange | None, canaries: tuple[str, ...]) -> str | None:
    """The first canary that an answer shows; None without an answer or without any."""
    response = exchange.response if exchange is not None else None
    return next((c for c in canaries if response is not None and c in response.text), None)


def own_account(subject: Subject, identity: Identity) -> Steps[Exchange | None]:
    """Somebody's own account as they read it now, by the canary."""
    if subject.canary is None:
        return None
    try:
        built = like_baseline(subject, subject.canary)
    except Unbuildable:
        return None
    return (yield from send(identity.authorize(built.request)))


def is_locked_out(subject: Subject, identity: Identity | None) -> Steps[bool]:
    """Whether somebody is refused where they read their own account."""
    if identity is None:
        return False
    account = yield from own_account(subject, identity)
    return account is not None and account.status in {401, 403}
