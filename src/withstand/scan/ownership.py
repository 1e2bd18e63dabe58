"""Whose an object is: an owner, a stranger of the same role, and what says that it is private.

Sub-generators for the checks of authorisation. That somebody else can read or change an object is
a flaw only where it is the owner's alone: the objects of a team, and what anybody may read, are not
judged by one answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity
from withstand.openapi.naming import noun, words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import identifier_in, reader_of
from withstand.scan.accounts import changes_an_account
from withstand.scan.check import Skipped, Steps, send
from withstand.scan.finding import Confidence
from withstand.scan.objects import (
    Made,
    create,
    like_baseline,
    listed,
    lister_around,
    located,
    read_back,
    without_echo,
)
from withstand.scan.seen import operation_of
from withstand.scan.shape import leaves
from withstand.scan.subject import Subject

_PROFILE_WORDS: Final = frozenset(
    {"users", "user", "profiles", "profile", "people", "authors", "persons"}
)
_OWNER_WORDS: Final = frozenset(
    {"owner", "author", "user", "username", "customer", "client", "patient", "buyer", "holder"}
)
_WRITES: Final = ("PATCH", "PUT", "DELETE")

_PERSONAL: Final = frozenset(
    {"account", "wallet", "card", "cart", "basket", "statement", "balance", "invoice", "payment"}
    | {"transaction", "transfer", "order", "address", "message", "inbox", "notification", "record"}
    | {"prescription", "appointment", "policy", "claim", "document", "file", "note", "salary"}
    | {"payslip", "subscription", "booking", "reservation", "session", "token", "key", "secret"}
    | {"setting", "preference", "draft", "bill", "loan", "deposit", "medical_record", "credit_card"}
)


class Audience(StrEnum):
    """Whom an object is for, as far as the API's answers tell."""

    PRIVATE = "private"  # its owner alone: others are refused, or do not find it in their list
    OWNED = "owned"  # others may read it, and yet the API refuses them to change it
    PUBLISHED = "published"  # anybody may read it, and it names its owner
    SHARED = "shared"  # nothing tells that it is not everybody's


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
    """An owner and a stranger of the same role; the baseline's identity first."""
    logged_in = [i for i in subject.identities if i.credential is not None]
    owner = subject.owner
    logged_in.sort(key=lambda identity: owner is None or identity.name != owner.name)
    for identity in logged_in:
        for peer in subject.peers(identity):
            if peer.credential is not None:
                return identity, peer
    return None


def not_for_these(subject: Subject, operation: Operation) -> bool:
    """Whether the operation is for roles of which no two identities are: one may not use it."""
    roles, both = subject.policy.allowed_roles(operation), pair(subject)
    return roles is not None and both is not None and both[0].role not in roles


def no_pair(subject: Subject, what: str) -> Skipped:
    """Why nothing about other users can be said with these identities. `what` was not tested."""
    roles = ", ".join(dict.fromkeys(i.role for i in subject.identities)) or "user"
    return Skipped(
        reason=f"no second identity of one role ({roles}) is configured, so whether {what} was "
        "NOT tested: add one under [identities]"
    )


def hold(
    subject: Subject, operation: Operation, made: Made, owner: Identity
) -> Steps[Holding | str]:
    """The object as its owner reads it, else as it stands in the owner's list, or why not."""
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


def marks_in(response: Response, canaries: tuple[str, ...]) -> tuple[str, ...]:
    """Those canaries that a response shows."""
    return tuple(canary for canary in canaries if canary in response.text)


def shows(exchange: Exchange | None, canaries: tuple[str, ...]) -> str | None:
    """The first canary that an answer shows; None without an answer or without any."""
    response = exchange.response if exchange is not None else None
    return next((c for c in canaries if response is not None and c in response.text), None)


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
    """Whether somebody's list of such objects shows this one; None when there is no such list."""
    found = yield from listed(subject, operation, made, reader)
    if found is None or found.response is None or not found.succeeded:
        return None
    if shows(found, made.canaries) is not None:
        return True
    name = operation.path_parameters[-1].name if operation.path_parameters else "id"
    return str(made.identifier) in listed_ids(found.response.json(), name)


def names_owner(subject: Subject, held: Holding, owner: Identity) -> bool:
    """Whether the object says who owns it: `author`, `user_id` with a value of the owner's."""
    response = held.exchange.response
    known = {str(value) for value in known_values(subject, owner)}
    return any(
        bool(_OWNER_WORDS & {*words(key)}) and str(value) in known
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
            mine = listed_ids(own.response.json(), name)
            others = listed_ids(theirs.response.json(), name)
            apart = str(value) in mine and bool(others) and not mine & others
            return Confidence.FIRM if apart else None
    account, other = canary_of(subject, owner), canary_of(subject, stranger)
    if account is None or other is None or not account.response or not other.response:
        return None
    named = {str(each) for _, each in leaves(account.response.json())}
    also = {str(each) for _, each in leaves(other.response.json())}
    own_alone = str(value) in named - also and is_personal(operation)
    return Confidence.TENTATIVE if own_alone else None


def listed_ids(document: Any, parameter_name: str, depth: int = 0) -> set[str]:
    """The ids of the things that a response lists, as a path parameter would name them."""
    if isinstance(document, list):
        found = (identifier_in(item, parameter_name) for item in document)
        return {str(each) for each in found if each is not None}
    if not isinstance(document, Mapping) or depth > 2:
        return set()
    return {
        each for part in document.values() for each in listed_ids(part, parameter_name, depth + 1)
    }


def is_personal(operation: Operation) -> bool:
    """Whether a path names what people keep to themselves: orders, accounts, messages."""
    return any(speaks_of_own(part) for part in segments(operation.path) if "{" not in part)


def speaks_of_own(name: str) -> bool:
    """Whether a name is of a kind of thing that people keep to themselves: `account_number`."""
    return noun(name) in _PERSONAL or bool(_PERSONAL & {*words(name)})


def is_profile(operation: Operation | None) -> bool:
    """Whether the operation works on users, whose profiles are often meant to be seen."""
    parts = [part.lower() for part in operation.path.split("/") if part] if operation else []
    named = [part for part in parts if "{" not in part]
    return bool(named) and named[-1] in _PROFILE_WORDS


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


def own_account(subject: Subject, identity: Identity) -> Steps[Exchange | None]:
    """Somebody's own account as they read it now, by the canary."""
    if subject.canary is None:
        return None
    try:
        built = like_baseline(subject, subject.canary)
    except Unbuildable:
        return None
    return (yield from send(identity.authorize(built.request)))
