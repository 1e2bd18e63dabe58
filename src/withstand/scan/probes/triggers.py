"""What makes an API use an address that it keeps: `POST /webhooks/{id}/test`. Pure."""

from collections.abc import Iterator
from typing import Final

from withstand.client.exchange import Exchange, Request
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import words
from withstand.openapi.operation import Operation
from withstand.openapi.path_template import segments, values_in
from withstand.openapi.request_builder import Unbuildable
from withstand.openapi.resources import producer_of
from withstand.scan.access.objects import item_slot
from withstand.scan.subject import Subject

_USES: Final = frozenset(
    {"test", "ping", "trigger", "send", "resend", "deliver", "redeliver", "fire", "fetch", "run"}
    | {"refresh", "sync", "check", "verify", "validate", "execute", "preview", "import", "poll"}
    | {"probe"}
)
"""What is done with an address that is there."""


def triggers(subject: Subject, kept: Exchange) -> Iterator[Request]:
    """Requests about what an operation has just kept, by whoever sent it."""
    own = subject.operation
    if own is None or not kept.succeeded:
        return
    for act in subject.api.operations:
        last = segments(act.path)[-1:]
        if act.method not in {"POST", "GET"} or not _USES & {*words("".join(last))}:
            continue
        if not act.path_parameters or subject.policy.forbids(act) is not None:
            continue
        try:
            slot = item_slot(subject.builder, act)
            found = _picked(subject, own, act, slot.name, kept)
            if found is None:
                continue
            places = values_in(own.path, kept.request.operation_path)
            around = {
                other: places[other.name]
                for other in subject.builder.slots(act)
                if other.location == "path" and other.name in places
            }
            chosen = {**around, slot: found}
            request = subject.build(act, identity=subject.owner, replace=chosen).request
        except Unbuildable:
            continue
        yield subject.owner.authorize(request) if subject.owner is not None else request


def _picked(
    subject: Subject, own: Operation, act: Operation, name: str, kept: Exchange
) -> object | None:
    """The id of what was just made, or changed, where the act works on one of those."""
    response = kept.response
    if producer_of(subject.api, act) == own and response is not None:
        return identifier_in(response.json(), name)
    if act.path.startswith(own.path.rstrip("/") + "/"):
        return values_in(own.path, kept.request.operation_path).get(name)
    return None
