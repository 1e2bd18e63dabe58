"""Whom an object is for, as far as the API's answers tell.

Sub-generators for the checks of authorisation. That somebody else can read or change an object is
a flaw only where it is the owner's alone: the objects of a team, and what anybody may read, are not
judged by one answer.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import ids_listed
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import reader_of
from withstand.openapi.spoken import name_of_id, only_reads, thing_of
from withstand.scan.access.accounts import changes_an_account
from withstand.scan.access.making import create
from withstand.scan.access.objects import (
    Made,
    listed,
    lister_around,
    located,
    place_around,
    read_back,
)
from withstand.scan.access.ownership import Holding, hold, shows
from withstand.scan.answers.personal import is_personal
from withstand.scan.answers.shape import leaves
from withstand.scan.check import Steps, send
from withstand.scan.finding import Confidence
from withstand.scan.seen import operation_of
from withstand.scan.subject import Subject

OWNER_WORDS: Final = frozenset(
    {"owner", "author", "user", "username", "customer", "client", "patient", "buyer", "holder"}
)
_WRITES: Final = ("PATCH", "PUT", "DELETE")
_INSIDE: Final = frozenset(
    {"admin", "internal", "debug", "all", "export", "dump", "backup", "log", "logs", "audit"}
)
"""What shows everything to whoever gets in, which is no sign that anybody should."""
_MOST_READS: Final = 8  # reads that are asked whether they show an object


class Audience(StrEnum):
    """Whom an object is for, as far as the API's answers tell."""

    PRIVATE = "private"  # its owner alone: others are refused, or do not find it in their list
    OWNED = "owned"  # others may read it, and yet the API refuses them to change it
    PUBLISHED = "published"  # anybody may read it, and it names its owner
    SHARED = "shared"  # nothing tells that it is not everybody's


def audience(
    subject: Subject,
    operation: Operation,
    held: Holding,
    owner: Identity,
    stranger: Identity,
) -> Steps[Audience]:
    """Whether the object is the owner's alone, by what others are shown and refused."""
    if subject.policy.is_private(operation):
        return Audience.PRIVATE
    theirs = yield from read_back(subject, operation, held.made, stranger)
    if theirs is not None and theirs.response is not None and subject.refused(theirs.response):
        return Audience.PRIVATE
    anybody = None
    if theirs is not None:
        anybody = yield from send(subject.stripped(theirs.request))
    elif held.by_list:  # comments are read where they are listed
        anybody = yield from listed(subject, operation, held.made, None)
    published = anybody is not None and anybody.succeeded and same_marks(held, anybody)
    in_list = yield from in_list_of(subject, operation, held.made, stranger)
    if not published and in_list is not True:
        return Audience.PRIVATE
    guarded = yield from _refused_elsewhere(subject, operation, owner, stranger)
    named = names_owner(subject, held, owner)
    if guarded or (named and "403" in operation.responses):
        return Audience.OWNED
    return Audience.PUBLISHED if published and named else Audience.SHARED


def audience_of_another(
    subject: Subject, operation: Operation, held: Holding, owner: Identity, stranger: Identity
) -> Steps[Audience]:
    """The audience of an object like this one, which is no longer as its owner made it."""
    if subject.policy.is_private(operation):
        return Audience.PRIVATE
    made = yield from create(subject, operation, by=owner)
    other = (yield from hold(subject, operation, made, owner)) if isinstance(made, Made) else made
    if not isinstance(other, Holding):
        other = held
    return (yield from audience(subject, operation, other, owner, stranger))


def same_marks(held: Holding, other: Exchange) -> bool:
    """Whether another's answer shows the object: by its marks, else by being a success."""
    return shows(other, held.marks) is not None if held.marks else other.succeeded


def in_list_of(
    subject: Subject, operation: Operation, made: Made, reader: Identity
) -> Steps[bool | None]:
    """Whether somebody is shown this object among others; None when there is no such list.

    In the list of such objects, or in what shows the latest of everybody. A list that ends before
    it, for its owner too, tells by what it has in common with the owner's. A list inside of another
    thing was asked for by that thing's id, which only its owner told: it says no more than whether
    the reader's list shows that thing.
    """
    found = yield from listed(subject, operation, made, reader)
    shown = None
    if found is not None and found.response is not None and found.succeeded:
        name = name_of_id(operation, subject.api.resolve) or "id"
        about = thing_of(operation)
        theirs = ids_listed(found.response, name, about)
        shown = shows(found, made.canaries) is not None or str(made.identifier) in theirs
        if not shown and theirs:
            own = yield from listed(subject, operation, made, made.by)
            response = own.response if own is not None else None
            mine = ids_listed(response, name, about) if response is not None else set()
            shown = str(made.identifier) not in mine and bool(theirs & mine)
    lister = lister_around(subject, operation)
    around = place_around(made, lister) if lister is not None else None
    if shown and lister is not None and around is not None:
        outer = replace(made, identifier=around, canaries=())
        shown = (yield from in_list_of(subject, lister, outer, reader)) is not False
    if not shown and (yield from _shown_elsewhere(subject, operation, made, reader)):
        return True
    return shown


def _shown_elsewhere(
    subject: Subject, operation: Operation, made: Made, reader: Identity
) -> Steps[bool]:
    """Whether a read without an id shows somebody the object: news, a search, the latest ones.

    What people keep to themselves is nowhere shown on purpose.
    """
    if is_personal(operation) or not made.canaries:
        return False
    asked = 0
    for key, baseline in subject.baselines.items():
        read, roles = baseline.operation, subject.policy.allowed_roles(baseline.operation)
        if "{" in read.path or not read.is_read or not only_reads(read) or asked == _MOST_READS:
            continue
        if _INSIDE & {*words(key)} or (roles is not None and reader.role not in roles):
            continue
        asked += 1
        try:
            built = subject.build(read, identity=reader)
        except Unbuildable:
            continue
        found = yield from send(reader.authorize(built.request))
        if found.succeeded and shows(found, made.canaries) is not None:
            return True
    return False


def names_owner(subject: Subject, held: Holding, owner: Identity) -> bool:
    """Whether the object says who owns it: `author`, `user_id` with a value of the owner's."""
    response = held.exchange.response
    known = {str(value) for value in known_values(subject, owner)}
    return any(
        bool(OWNER_WORDS & {*words(key)}) and str(value) in known
        for key, value in leaves(response.json() if response else None)
        if value not in (None, "", True, False)
    )


def known_values(subject: Subject, identity: Identity) -> Iterator[Any]:
    """What identifies somebody: the fields of the configuration, and what the canary answered."""
    for name, value in identity.fields.items():
        if not any(word in name.lower() for word in ("password", "secret", "token", "pin")):
            yield value
    own = canary_of(subject, identity)
    if own is not None and own.response is not None:
        yield from (value for _, value in leaves(own.response.json()))


def canary_of(subject: Subject, identity: Identity) -> Exchange | None:
    """The latest answer of the canary to somebody: usually their account."""
    if subject.canary is None:
        return None
    wanted = subject.canary.operation
    for exchange in reversed(subject.observed):
        if exchange.identity != identity.name or not exchange.succeeded:
            continue
        if exchange.request.method == wanted.method and operation_of(subject, exchange) == wanted:
            return exchange
    return None


def belongs_by_answers(
    subject: Subject, operation: Operation, value: object, owner: Identity, stranger: Identity
) -> Steps[Confidence | None]:
    """How sure the API's own answers make it that an object nobody created here is the owner's.

    Firm: it stands in the owner's list, and the stranger's list has nothing in common with that.
    Tentative: the owner's account names it and the stranger's does not, and it is of a kind that
    people keep to themselves. None: nothing says so.
    """
    lister = lister_around(subject, operation)
    if lister is not None and subject.policy.forbids(lister) is None:
        try:
            request = subject.build(lister, identity=owner).request
        except Unbuildable:
            return None
        own = yield from send(owner.authorize(request))
        theirs = yield from send(stranger.authorize(request))
        if own.response and theirs.response and own.succeeded and theirs.succeeded:
            name = operation.path_parameters[-1].name
            mine = ids_listed(own.response, name, thing_of(operation))
            others = ids_listed(theirs.response, name, thing_of(operation))
            apart = str(value) in mine and bool(others) and not mine & others
            return Confidence.FIRM if apart else None
    account, other = canary_of(subject, owner), canary_of(subject, stranger)
    if account is None or other is None or not account.response or not other.response:
        return None
    named = {str(each) for _, each in leaves(account.response.json())}
    also = {str(each) for _, each in leaves(other.response.json())}
    own_alone = str(value) in named - also and is_personal(operation)
    return Confidence.TENTATIVE if own_alone else None


def write_of(
    subject: Subject, operation: Operation, made: Made, by: Identity
) -> tuple[Request, tuple[str, ...]]:
    """Somebody's request to change an object, and what it would leave in it. Raises Unbuildable."""
    built = located(subject, operation, made, by)
    return by.authorize(built.request), built.canaries


def _refused_elsewhere(
    subject: Subject, operation: Operation, owner: Identity, stranger: Identity
) -> Steps[bool]:
    """Whether another way to change such an object is refused to the stranger: so it is owned."""
    for method in _WRITES:
        other = reader_of(subject.api, operation, method=method)
        if other is None or other.key == operation.key or changes_an_account(other):
            continue
        if subject.policy.forbids(other) is not None or other.key not in subject.baselines:
            continue
        if subject.policy.allowed_roles(other) is not None:
            continue
        made = yield from create(subject, other, by=owner)
        if not isinstance(made, Made):
            return False
        try:
            request, _ = write_of(subject, other, made, stranger)
        except Unbuildable:
            continue
        tried = yield from send(request)
        if tried.status in {401, 403, 404}:
            return True
    return False
