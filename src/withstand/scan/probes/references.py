"""Inputs outside the path that pick a thing or a person: `?account_number=`, `{"user_id": …}`.

Their values come only from what their owner was told: an object made for the check, or the
owner's own account. Sub-generators for checks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from withstand.client.exchange import Exchange, Response
from withstand.client.identity import Identity
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import (
    ID_WORDS,
    RECIPIENT_WORDS,
    canonical,
    is_reference,
    noun,
    thing_named,
    words,
)
from withstand.openapi.operation import Operation, Parameter
from withstand.openapi.page_ids import ids_listed
from withstand.openapi.path_template import item_path, segments
from withstand.openapi.request_builder import Slot
from withstand.openapi.resources import producer_of
from withstand.openapi.spoken import Deed, deed_of, only_reads, picker_of, thing_of
from withstand.scan.access.accounts import sign_up_operation
from withstand.scan.access.audience import canary_of
from withstand.scan.access.making import create
from withstand.scan.access.objects import Made, like_baseline
from withstand.scan.answers.shape import leaves
from withstand.scan.check import Steps, send
from withstand.scan.probes.file_names import file_told, names_file
from withstand.scan.subject import Subject
from withstand.scan.wire.real_users import acts

_PEOPLE: Final = frozenset(
    {"user", "username", "owner", "customer", "client", "patient", "member", "person", "employee"}
    | {"login", "email", "author", "student", "buyer", "seller", "holder"}
)
_TO_OTHERS: Final = RECIPIENT_WORDS | frozenset(
    {"friend", "invitee", "assignee", "follow", "followee", "contact", "mention", "reply", "cc"}
    | {"participant", "participants", "invite", "share", "with", "new", "referrer", "referral"}
)
"""What is meant to name somebody else."""
_THINGS: Final = frozenset(
    {"account", "wallet", "card", "cart", "basket", "order", "invoice", "booking", "ticket", "loan"}
    | {"policy", "claim", "subscription", "appointment", "prescription", "document", "iban"}
)
"""What may be named by itself: `?account=`."""
_NUMBERS: Final = frozenset({"number", "no", "iban", "code", "name", "ref"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An input and the owner's value for it. `made` is the object, None where it is a person."""

    slot: Slot
    value: object
    made: Made | None = None
    item: Operation | None = None  # an operation on that object, in the document or supposed
    is_file: bool = False  # it is the name of one
    listed: bool = False  # it stands in the owner's list, and nothing of that in the stranger's


def pointing_slots(subject: Subject, operation: Operation) -> Iterator[Slot]:
    """The inputs in query and body that name a thing or a person, but nobody else on purpose."""
    slots = subject.builder.slots(operation)
    is_framed = any(slot.name == "jsonrpc" for slot in slots)
    for slot in slots:
        name = slot.name.rsplit(".", 1)[-1]
        said = words(name)
        if is_framed and slot.name == "id":
            continue  # JSON-RPC's own, of the request
        if slot.location not in {"query", "body"} or _TO_OTHERS & {*said}:
            continue
        if "enum" in slot.schema or slot.kinds <= {"boolean", "number"}:
            continue
        if _points(subject, operation, slot) or names_file(operation, slot):
            yield slot


def _points(subject: Subject, operation: Operation, slot: Slot) -> bool:
    """Whether its name, or its type, says that an input names a thing or a person."""
    name = slot.name.rsplit(".", 1)[-1]
    said = words(name)
    return (
        is_reference(name)
        or names_person(operation, slot)
        or (len(said) > 1 and said[-1] in _NUMBERS)
        or thing_named(name) is not None
        or name.lower() in _THINGS
        or _names_by_type(subject, slot)
    )


def _names_by_type(subject: Subject, slot: Slot) -> bool:
    """Whether a bare name is that of one of the API's things, and its value can only be an id:
    `?organisation=7`, `{"project": "<uuid>"}`.
    """
    if slot.kinds != {"integer"} and slot.schema.get("format") != "uuid":
        return False
    wanted = noun(slot.name.rsplit(".", 1)[-1])
    items = (item_path(op.path) for op in subject.api.operations if op.path_parameters)
    return any(noun(segments(item)[-2]) == wanted for item in items if item and "/{" in item[1:])


def names_person(operation: Operation, slot: Slot) -> bool:
    """Whether an input says who: `username`, `user_id`, `customer`; `id` in `POST /updateUser`."""
    said = words(slot.name.rsplit(".", 1)[-1])
    if len(said) == 1 and said[0] in ID_WORDS:
        said = words(thing_of(operation))
    return bool(_PEOPLE & {*said})


def referred(
    subject: Subject, operation: Operation, slot: Slot, owner: Identity, stranger: Identity
) -> Steps[Reference | None]:
    """The owner's value for an input: of an object made now, else of their account or list."""
    name = slot.name.rsplit(".", 1)[-1]
    if not names_person(operation, slot):
        item = _item_of(subject, operation, name)
        if item is not None:
            made = yield from create(subject, item, by=owner)
            if isinstance(made, Made):
                response = made.exchange.response
                found = (
                    identifier_in(response.json(), name)
                    if response is not None and thing_named(name) is None
                    else None
                )
                value = made.identifier if found is None else found
                return Reference(slot=slot, value=value, made=made, item=item)
        linked = yield from _made_with_link(subject, operation, name, owner)
        if linked is not None:
            return Reference(slot=slot, value=linked.identifier, made=linked)
    if names_file(operation, slot):
        told = yield from file_told(subject, operation, slot, owner, stranger)
        if told is not None:
            return Reference(slot=slot, value=told, is_file=True, listed=True)
        if not _points(subject, operation, slot):
            return None
    person, bare = names_person(operation, slot), name.lower() in ID_WORDS
    value = own_value(subject, name, owner) if person or not bare else None
    if value is None and not person and not acts(operation):
        value = yield from _listed_value(subject, operation, name, owner, stranger)
        return Reference(slot=slot, value=value, listed=True) if value is not None else None
    return Reference(slot=slot, value=value) if value is not None else None


def _made_with_link(
    subject: Subject, operation: Operation, name: str, owner: Identity
) -> Steps[Made | None]:
    """What a call makes whose answer links to the operation: `{"see": "/report?report_id=7"}`."""
    for baseline in subject.baselines.values():
        usual = baseline.exchange.response
        if baseline.operation.method != "POST" or _linked(usual, operation, name) is None:
            continue
        built = like_baseline(subject, baseline)
        exchange = yield from send(owner.authorize(built.request))
        value = _linked(exchange.response, operation, name)
        if value is not None:
            return Made(
                by=owner,
                producer=baseline.operation,
                built=built,
                exchange=exchange,
                identifier=value,
                canaries=built.canaries,
            )
    return None


def _linked(response: Response | None, operation: Operation, name: str) -> str | None:
    """The value of an input in an address of the operation that an answer gives."""
    for _, text in leaves(response.json()) if response is not None else ():
        if not isinstance(text, str) or "?" not in text:
            continue
        address = urlsplit(text)
        if address.path.endswith(operation.path):
            return next((v for key, v in parse_qsl(address.query) if key == name), None)
    return None


def _listed_value(
    subject: Subject, operation: Operation, name: str, owner: Identity, stranger: Identity
) -> Steps[object | None]:
    """An id in the owner's list of such things, with which the stranger's has nothing in common."""
    wanted = _pointed_to(operation, name)
    for lister in subject.api.operations:
        if "{" in lister.path or thing_of(lister) != wanted or not only_reads(lister):
            continue
        if deed_of(lister, subject.api.resolve) is not Deed.LIST:
            continue
        if subject.policy.forbids(lister) is not None:
            continue
        request = subject.build(lister, identity=owner).request
        own = yield from send(owner.authorize(request))
        theirs = yield from send(stranger.authorize(request))
        if own.response is None or theirs.response is None or not theirs.succeeded:
            return None
        mine = sorted(ids_listed(own.response, name, wanted))
        if not mine:
            continue
        others = ids_listed(theirs.response, name, wanted)
        return mine[0] if others and not others & {*mine} else None
    return None


def _pointed_to(operation: Operation, name: str) -> str:
    """What an input names one of: a bare `id` one of what the operation is about."""
    *prefix, last = words(name)
    if not prefix and last in ID_WORDS:
        return thing_of(operation)
    return thing_named(name) or noun("_".join(prefix or [last]))


def own_value(subject: Subject, name: str, owner: Identity) -> object | None:
    """What the owner's account gives under that name, if everybody else's gives another value."""
    value = _in_account(canary_of(subject, owner), name, owner)
    if value is None:
        return None
    others = (i for i in subject.identities if i.name != owner.name)
    if any(_in_account(canary_of(subject, o), name, o) == value for o in others):
        return None
    return value


def _in_account(account: Exchange | None, name: str, person: Identity) -> object | None:
    wanted = canonical(name)
    for field, text in person.fields.items():
        if canonical(field) == wanted and "password" not in wanted:
            return text
    if account is None or account.response is None:
        return None
    known = {canonical(key): value for key, value in reversed([*leaves(account.response.json())])}
    bare = words(name)[-1]
    in_person = bool(_PEOPLE & {*words(name)})
    for key in (wanted, *((bare, "id") if in_person else ())):
        value = known.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return value
    return None


def _item_of(subject: Subject, operation: Operation, name: str) -> Operation | None:
    """An operation on one of what a name points to; one is supposed where only its POST is there.

    `order_id` → `/orders/{id}`, `POST /getOrder`; `id` in `GET /order` → the same.
    """
    wanted = _pointed_to(operation, name)
    sign_up = sign_up_operation(subject.api, subject.builder)
    order = {"GET": 0, "PUT": 1, "PATCH": 1}
    for op in sorted(subject.api.operations, key=lambda op: order.get(op.method, 2)):
        parts = segments(op.path)
        on_item = op.path_parameters and op.path.rstrip("/").endswith("}") and len(parts) > 1
        if on_item and noun(parts[-2]) == wanted:
            producer = producer_of(subject.api, op)
            if producer is not None and producer != sign_up:
                return op
    for op in (operation, *subject.api.operations):
        if picker_of(op, subject.api.resolve) is None or thing_of(op) != wanted:
            continue
        producer = producer_of(subject.api, op)
        if producer is not None and producer != sign_up:
            return op
    for post in subject.api.operations:
        if post.method == "POST" and post != operation and thing_of(post) == wanted:
            if post == sign_up or "{" in post.path:
                continue
            if deed_of(post, subject.api.resolve) is not Deed.CREATE:
                continue  # POST /rpc/deleteOrder makes no order
            place = Parameter(name=name, location="path", required=True, schema={})
            return Operation(method="PUT", path=f"{post.path}/{{{name}}}", parameters=(place,))
    return None
