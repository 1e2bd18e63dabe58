"""What the scan created, and the requests that delete it. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.soft_errors import says_no
from withstand.openapi.identifiers import (
    chosen_identifier,
    identifier_in,
    identifier_in_location,
)
from withstand.openapi.naming import words_of_call
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import item_path, segments, shape, values_in
from withstand.openapi.resources import deleter_of, item_of, nouns_of, reader_of
from withstand.openapi.spoken import Deed, deed_of, name_of_id, only_reads, picker_of, spoken_deed
from withstand.scan.access.accounts import (
    is_on_users,
    opens_a_session,
    removes_a_user,
    shows_the_user,
)
from withstand.scan.made import MARK
from withstand.scan.seen import called, was_served
from withstand.scan.wire.deletions import on_thing

_MOST_NOTES: Final = 20
_CREATING: Final = frozenset({"POST", "PUT"})
_MAKES: Final = frozenset({"create", "generate", "make"})
"""First words of a call that makes something also where it is a GET: `GET /createCart`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One thing that the scan created. `deletion` is None where no operation surely deletes it,
    `made` the request that created it.

    `claimed`: somebody else was told that they deleted it, which need not be so. `removers`
    are the operations that delete users, where it is a user.
    """

    producer: Operation
    identifier: object | None
    made: Request
    by: str | None
    deletion: Request | None = None
    deleter: Operation | None = None
    claimed: bool = False
    removers: tuple[Operation, ...] = ()


def may_create(exchange: Exchange) -> bool:
    """Whether something may be there since this exchange that was not before."""
    response = exchange.response
    if exchange.request.method == "GET":
        return response is not None and _made_by_get(exchange.request, response)
    return (
        exchange.request.method in _CREATING
        and response is not None
        and response.succeeded
        and (exchange.request.method == "POST" or response.status == 201)
    )


def _made_by_get(request: Request, response: Response) -> bool:
    """Whether a GET says that it made something: by its status, or by its name and one object."""
    last = "".join(segments(request.operation_path)[-1:])
    says_so = response.status == 201 or words_of_call(last or "-")[0] in _MAKES
    return says_so and response.succeeded and isinstance(response.json(), dict)


def leftovers(
    api: Api, base_path: str, observed: Iterable[Exchange], *, sign_up: Operation | None = None
) -> tuple[Leftover, ...]:
    """What was created and not deleted, the latest first: it may be inside something earlier.

    Users who signed up by `sign_up` are deleted wherever a user is: `DELETE /admin/users/{id}`.
    """
    each_once = {id(exchange): exchange for exchange in observed}.values()
    exchanges = sorted(each_once, key=lambda exchange: exchange.timing.sent_ns)
    gone: dict[object, dict[str | None, int]] = {}  # mark → who deleted it, and when last
    for at, exchange in enumerate(exchanges):
        if exchange.request.method in {"DELETE", "POST", "GET"} and was_served(exchange):
            for mark in _marks(exchange.request):
                gone.setdefault(mark, {})[exchange.identity] = at
    found: dict[object, Leftover] = {}
    shown: Counter[tuple[str, str]] = Counter()  # what a GET gave more than once was there before
    for at, exchange in enumerate(exchanges):
        response = exchange.response
        if not may_create(exchange) or response is None or says_no(response):
            continue
        producer = called(api, base_path, exchange.request)
        if producer is None or producer.removes or _makes_nothing(api, producer):
            continue
        is_get = exchange.request.method == "GET"
        if only_reads(producer) and not is_get:  # POST /rpc/getOrder shows what may be anybody's
            continue
        left = _leftover(api, base_path, producer, exchange, response, sign_up)
        if left is None:
            continue
        shown[producer.key, str(left.identifier)] += is_get
        # An id may be used again: only what was deleted afterwards is gone.
        deleted_by = {who for who, then in gone.get(_mark(left), {}).items() if then > at}
        if deleted_by and (left.by is None or left.by in deleted_by):
            continue
        perhaps = (gone.get(mark, {}) for mark in _perhaps(api, base_path, left))
        if any(then > at for times in perhaps for then in times.values()):
            continue
        left = replace(left, claimed=bool(deleted_by))
        named = at if left.identifier is None else str(left.identifier)
        mark = (left.by, _mark(left)) if left.deletion else (producer.key, named)
        found.setdefault(mark, left)
    return tuple(
        left
        for left in reversed(found.values())
        if shown[left.producer.key, str(left.identifier)] < 2
    )


def _makes_nothing(api: Api, operation: Operation) -> bool:
    """Whether it reads or works on what is there already: its answer's id is that of no new thing.

    `POST /rpc/getOrder` shows one that somebody had before.
    """
    said = spoken_deed(operation)
    if said not in {None, Deed.CREATE}:
        return True
    picks = not operation.path_parameters and picker_of(operation, api.resolve) is not None
    return picks and deed_of(operation, api.resolve) is not Deed.CREATE


def _leftover(
    api: Api,
    base_path: str,
    producer: Operation,
    exchange: Exchange,
    response: Response,
    sign_up: Operation | None,
) -> Leftover | None:
    deleter, removers = _deleters(api, producer, sign_up)
    item = deleter or (reader_of(api, producer) if producer.method == "POST" else None)
    identifier = None
    name = name_of_id(item, api.resolve) if item is not None else None
    if item is not None and name is not None:
        about = nouns_of(item) if producer == sign_up else nouns_of(item, producer)
        if producer != sign_up or shows_the_user(exchange.request, response):
            identifier = _identifier(item, name, about, producer, exchange, response)
        if identifier is None:
            identifier = _chosen(name, exchange)
    deletion = None
    if deleter is not None and identifier is not None:
        deletion = on_thing(api, base_path, deleter, producer, exchange.request, identifier)
    if deletion is None:
        # A 200 to a POST is as often a search or an action: only what has an address was created.
        is_thing = (
            response.status == 201
            or producer == sign_up
            or (item is not None and identifier is not None)
        )
        if not is_thing or opens_a_session(producer):  # a session ends by itself
            return None
        if identifier is None:
            named = _name_in_paths(api, producer)
            nouns = nouns_of(producer) if producer != sign_up else None
            identifier = identifier_in(response.json(), named, about=nouns)
        if identifier is None and name is not None:
            identifier = chosen_identifier(exchange.request, name)
    return Leftover(
        producer=producer,
        identifier=identifier,
        made=exchange.request,
        by=exchange.identity,
        deletion=deletion,
        deleter=deleter if deletion is not None else None,
        removers=removers,
    )


def _deleters(
    api: Api, producer: Operation, sign_up: Operation | None
) -> tuple[Operation | None, tuple[Operation, ...]]:
    """The operation that surely deletes what another makes; and all that delete users, where those
    are made.
    """
    deleter = _deleter(api, producer)
    if producer != sign_up:
        return deleter, ()
    deleting = [operation for operation in api.operations if removes_a_user(operation)]
    own = [each for each in deleting if is_on_users(api, each, producer)]
    removers = (*([deleter] if deleter else ()), *(each for each in own if each != deleter))
    if deleter is None and len(deleting) == 1:
        deleter = next(iter(own), None)
    return deleter, removers


def _perhaps(api: Api, base_path: str, left: Leftover) -> Iterator[tuple[object, ...]]:
    """What other deletions of a user are known by than the one that is sure."""
    others = [each for each in left.removers if each != left.deleter]
    for remover in others if left.identifier is not None else ():
        deletion = on_thing(api, base_path, remover, left.producer, left.made, left.identifier)
        mark = _mark(replace(left, deletion=deletion, deleter=remover))
        if mark is not None:
            yield mark


def _name_in_paths(api: Api, producer: Operation) -> str:
    """What picks one of its things in any path: `code` of `/coupons/{code}/redeem`."""
    below = f"{shape(producer.path)}/{{}}"
    for operation in api.operations:
        if f"{shape(operation.path)}/".startswith(f"{below}/"):
            return segments(operation.path)[len(segments(producer.path))].strip("{}")
    return "id"


def _mark(left: Leftover) -> tuple[object, ...] | None:
    """What its deletion is known by: the id may stand in the path, the query or the body."""
    if left.deletion is None or left.deleter is None:
        return None
    in_path, anywhere = _marks(left.deletion)
    return in_path if left.deleter.path_parameters else anywhere


def _marks(request: Request) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return (
        (request.method, request.operation_path),
        (request.method, request.path, request.body),
    )


def _deleter(api: Api, producer: Operation) -> Operation | None:
    if producer.method == "PUT":
        wanted = shape(producer.path)
        same = (op for op in api.operations if op.method == "DELETE" and shape(op.path) == wanted)
        return next(same, None)
    if producer.method == "GET":  # it does what a POST would do there
        producer = replace(producer, method="POST")
        api = replace(api, operations=(producer, *api.operations))
    deleter = deleter_of(api, producer)
    return deleter if deleter is not None and name_of_id(deleter, api.resolve) else None


def _identifier(
    item: Operation,
    name: str,
    about: frozenset[str],
    producer: Operation,
    exchange: Exchange,
    response: Response,
) -> object | None:
    if producer.method == "PUT":
        return values_in(producer.path, exchange.request.operation_path).get(name)
    inside = frozenset(values_in(producer.path, exchange.request.operation_path).values())
    found = identifier_in(response.json(), name, other_than=inside, about=about)
    location = response.made_at
    if found is None and location:
        found = identifier_in_location(location, item_path(item.path) or item.path)
    nested = response.accepted is None and item_of(producer.path, item_path(item.path) or "")
    changed = str(found) in inside and not nested  # it was there before
    return None if changed else found


def _chosen(name: str, exchange: Exchange) -> object | None:
    """The id that the request itself gave the new thing: surely new, or with the scan's mark."""
    found = chosen_identifier(exchange.request, name)
    new = exchange.status == 201 or (found is not None and MARK.search(str(found)))
    return found if new else None


def listing(left: Mapping[str, list[str]]) -> Iterator[str]:
    """One note for each operation whose creations are still there: operation key → what.

    Beyond the first twenty operations a single note says how many more there are.
    """
    for key, things in islice(left.items(), _MOST_NOTES):
        shown = ", ".join(things[:10]) + (" …" if len(things) > 10 else "")
        yield f"{key} created {len(things)} that could not be deleted: {shown}."
    others = [*left.values()][_MOST_NOTES:]
    if others:
        yield f"{len(others)} more operations created {sum(map(len, others))} such things."
