"""Whether users who change their own account set what is not theirs to set.

Only users of the scan's own are changed, and get back what they had. Sub-generators for checks.
"""

from collections.abc import Callable, Mapping
from typing import Any

from withstand.client.exchange import Exchange
from withstand.client.field_names import is_password
from withstand.client.identity import Identity
from withstand.openapi.operation import Operation
from withstand.openapi.request_builder import Slot, Unbuildable
from withstand.scan.access.objects import like_baseline
from withstand.scan.access.ownership import own_account
from withstand.scan.access.users import NewUser, accounts_of, located_account, new_user
from withstand.scan.answers.shape import leaves
from withstand.scan.check import (
    PASSED,
    Failed,
    Inconclusive,
    Outcome,
    Steps,
    attack,
    send,
    shown,
)
from withstand.scan.probes.privileges import (
    ONE_BY_ONE,
    Tries,
    as_user,
    document_of,
    extras,
    has,
    knows,
    named,
    nonsense,
    tries_at,
    worst,
)
from withstand.scan.probes.reserved import reserved_at
from withstand.scan.subject import Subject

SendWith = Callable[[Mapping[Slot, object]], Steps[Exchange | None]]
"""Sends the change with further properties; None where it is refused."""
Look = Callable[[], Steps[tuple[Exchange, ...]]]
"""The account as the user reads it now, by each operation that shows some of it."""


def failed(kept: Tries, before: Exchange, changed: Exchange, after: Exchange) -> Failed:
    """The finding: a property that took effect, named with its value."""
    return Failed(
        detail=f"Changed with {named(kept)} besides, which is not the caller's to set, it has "
        "that value when it is read again.",
        evidence=(
            shown("Before the change", before),
            attack("Changed with the property", changed),
            shown("Read again, it has the value", after, kept[0].name),
        ),
        severity=worst(kept),
    )


def change_own(subject: Subject, change: Operation) -> Steps[Outcome]:
    """The account of the scan's own user, by an operation whose path names nobody: `PATCH /me`."""
    user, baseline = subject.throwaway, subject.baseline
    assert user is not None, "applies() saw to it"
    assert baseline is not None, "applies() saw to it"
    usual = {s: v for s, v in baseline.built.values.items() if s.location == "body"}

    def send_with(more: Mapping[Slot, object]) -> Steps[Exchange | None]:
        try:
            built = like_baseline(subject, baseline, {**usual, **more})
        except Unbuildable:
            return None
        return _taken(subject, (yield from send(user.authorize(built.request))))

    def look() -> Steps[tuple[Exchange, ...]]:
        return (yield from _shown_to(subject, change, user))

    before = yield from look()
    return (yield from _judged(subject, change, send_with, look, before, shared=True))


def change_signed_up(subject: Subject, change: Operation) -> Steps[Outcome]:
    """The account of a user signed up for it, by their id: `POST /users/{id}`."""
    user = yield from new_user(subject)
    if not isinstance(user, NewUser):
        return Inconclusive(reason="no user of the scan's own")
    accounts = yield from accounts_of(subject, user, change)
    if not accounts:
        return Inconclusive(reason="no operation shows a user their own account")
    fields = user.identity.fields
    own = {
        slot: fields[name]
        for slot in subject.builder.slots(change)
        if slot.location == "body" and (name := slot.name.rsplit(".", 1)[-1]) in fields
        if not is_password(name)
    }

    def send_with(more: Mapping[Slot, object]) -> Steps[Exchange | None]:
        try:
            built = located_account(subject, change, user, fields["password"], {**own, **more})
        except Unbuildable:
            return None
        return _taken(subject, (yield from send(user.identity.authorize(built.request))))

    def look() -> Steps[tuple[Exchange, ...]]:
        found = []
        for account in accounts:
            exchange = yield from send(account.request)
            if exchange.succeeded:
                found.append(exchange)
        return tuple(found)

    if (yield from send_with({})) is None:
        return Inconclusive(reason="a user who signed up could not change their own account")
    before = yield from look()  # after an ordinary change, which may bring a value about too
    return (yield from _judged(subject, change, send_with, look, before))


def _judged(
    subject: Subject,
    change: Operation,
    send_with: SendWith,
    look: Look,
    before: tuple[Exchange, ...],
    *,
    shared: bool = False,
) -> Steps[Outcome]:
    """Everything at once, and one by one where that is refused; then the old values again.

    What may lock the user out comes last, and not at all where other checks share the user.
    """
    if not before:
        return Inconclusive(reason="no operation shows a user their own account")
    document, slots = _document(before), subject.builder.slots(change)
    known = {slot.name.rsplit(".", 1)[-1] for slot in slots if slot.location == "body"}
    more = tuple(each for each in as_user(slots) if each.name not in known)
    seen = tries_at(
        subject.api,
        change,
        slots,
        tuple(map(document_of, before)),
        own_account=True,
        reserved=reserved_at(subject, change, slots, own_account=True),
    )
    every = tuple({each.name: each for each in (*more, *seen)}.values())
    tries = tuple(each for each in every if not each.may_lock_out)
    locks = tuple(each for each in every if each.may_lock_out and not shared)
    odd = nonsense(slots, subject.nonce())
    sets: tuple[Tries, ...] = ((*tries, odd), *([(*locks, odd)] if locks else []))
    changed = yield from send_with(extras(sets[0]))
    if changed is None:
        sets = tuple((single,) for single in (*tries, *locks)[:ONE_BY_ONE])
    for chosen in sets:
        if changed is None:
            changed = yield from send_with(extras(chosen))
        if changed is None:
            continue
        after = yield from look()
        now = _document(after)
        anything = has(now, odd)
        kept = tuple(
            t
            for t in chosen
            if t is not odd
            and has(now, t)
            and not has(document, t)
            and (not anything or knows(document, t.name))
        )
        yield from send_with(_as_before(document, chosen))
        if kept:
            telling = next(each for each in after if has(document_of(each), kept[0]))
            return failed(kept, _alike(before, telling), changed, telling)
        changed = None
    return PASSED


def _shown_to(subject: Subject, change: Operation, user: Identity) -> Steps[tuple[Exchange, ...]]:
    """What shows a user what they change: the GET on the same path, and their account."""
    found = []
    beside = subject.baselines.get(f"GET {change.path}")
    canary = subject.canary.operation.key if subject.canary is not None else None
    if beside is not None and beside.operation.key != canary:
        request = subject.stripped(beside.exchange.request)
        shows = yield from send(user.authorize(request))
        if _taken(subject, shows) is not None:
            found.append(shows)
    account = yield from own_account(subject, user)
    if account is not None and account.succeeded and _is_account(account, user):
        found.append(account)
    return tuple(found)


def _taken(subject: Subject, exchange: Exchange) -> Exchange | None:
    response = exchange.response
    good = response is not None and exchange.succeeded and not subject.refused(response)
    return exchange if good else None


def _document(exchanges: tuple[Exchange, ...]) -> dict[str, Any]:
    return {each.request.operation_path: document_of(each) for each in exchanges}


def _alike(exchanges: tuple[Exchange, ...], wanted: Exchange) -> Exchange:
    same = (e for e in exchanges if e.request.operation_path == wanted.request.operation_path)
    return next(same, exchanges[0])


def _as_before(document: Any, chosen: Tries) -> dict[Slot, object]:
    """The values that the account had before, where it had any."""
    had = dict(leaves(document))
    return {t.slot: had.get(t.name, _opposite(t.value)) for t in chosen if t.name in had or t.value}


def _opposite(value: object) -> object:
    return False if isinstance(value, bool) else None


def _is_account(exchange: Exchange, user: Identity) -> bool:
    names = {v for k, v in user.fields.items() if k in {"email", "username", "login"}}
    return exchange.response is not None and any(n in exchange.response.text for n in names)
