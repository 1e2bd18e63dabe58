"""Which operations work on the same thing: who creates, reads, lists and deletes it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from withstand.openapi.naming import (
    CREATE_WORDS,
    LIST_WORDS,
    READ_WORDS,
    REMOVE_WORDS,
    VERBS,
    is_plural,
    noun,
    words,
)
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import (
    collection_path,
    ends_in_parameter,
    item_path,
    parameter_in,
    segments,
    shape,
)
from withstand.openapi.spoken import Deed, deed_of, picker_of, thing_of

_indexed: dict[int, tuple[Api, Mapping[str, Sequence[tuple[Operation, Deed, bool]]]]] = {}
"""The latest document, by its id(): whoever looks for relations asks again and again."""


def producer_of(api: Api, operation: Operation) -> Operation | None:
    """The POST that creates what the operation's last path parameter names.

    `GET /orders/{id}` → `POST /orders`; also `POST /orders/create`, `POST /order`, the
    `POST /order/orders` of `/order/{id}`, and where there is no such collection the only POST that
    ends in its name.
    """
    collection = collection_path(operation.path)
    if collection is None:
        return _same_thing(api, operation, Deed.CREATE) if _picks(api, operation) else None
    if not segments(collection):
        return None
    posts = [op for op in api.operations if op.method == "POST"]
    for wanted in (collection, *(f"{collection}/{word}" for word in CREATE_WORDS)):
        for op in posts:
            if shape(op.path) == shape(wanted):
                return op
    for op in _named_alike(posts, collection):
        return op
    spelled = [op for op in posts if _says(op.path, frozenset(CREATE_WORDS))]
    same_thing = [op for op in spelled if _thing(op.path) == _thing(collection)]
    if _thing(collection) and len(same_thing) == 1:
        return same_thing[0]
    same_end = [op for op in posts if segments(op.path)[-1:] == segments(collection)[-1:]]
    return same_end[0] if len(same_end) == 1 else None


def reader_of(api: Api, operation: Operation, *, method: str = "GET") -> Operation | None:
    """The GET of the item that the operation creates, reads, changes or deletes.

    `method` asks for another operation on that item.
    """
    found = _on_item(api, operation, method)
    if found is None and method == "GET" and _is_call(api, operation):
        found = _same_thing(api, operation, Deed.READ) or _same_thing(
            api, operation, Deed.LIST, picked=True
        )
    return found


def deleter_of(api: Api, producer: Operation) -> Operation | None:
    """The DELETE of the item that `producer` creates, or a POST that says it deletes."""
    found = _on_item(api, producer, "DELETE")
    if found is not None:
        return found
    item = _item_of(api, producer) if producer.method == "POST" else None
    spelled = [
        op
        for op in api.operations
        if item is not None and op.method == "POST" and op.path_parameters and op.removes
    ]
    same = (op for op in spelled if shape(item_path(op.path) or "") == shape(item or ""))
    found = next(same, None)
    if found is None and _is_call(api, producer):
        found = _same_thing(api, producer, Deed.REMOVE)
    return found


def lister_of(api: Api, operation: Operation) -> Operation | None:
    """The GET of the collection that the operation's item is in."""
    creates = operation.method == "POST" and _item_of(api, operation) is not None
    is_list = creates or is_plural("".join(segments(operation.path)[-1:]) or "/")
    own = operation.path if is_list and not ends_in_parameter(operation.path) else None
    collection = own or collection_path(operation.path)
    found = _find(api.operations, "GET", collection) if collection is not None else None
    if found is None and collection is not None and segments(collection):
        gets = (op for op in api.operations if op.method == "GET" and op != operation)
        found = next(_named_alike(gets, collection), None)
    if found is None and collection is not None and _thing(collection):
        lists = (op for op in api.operations if op.method == "GET" and _says(op.path, LIST_WORDS))
        same = [op for op in lists if _thing(op.path) == _thing(collection)]
        found = same[0] if len(same) == 1 else None
    if found is None and _is_call(api, operation):
        found = _same_thing(api, operation, Deed.LIST)
    if found is None and collection is not None:  # `/comments/{id}` of `/products/{id}/comments`
        producer = producer_of(api, operation)
        found = _find(api.operations, "GET", producer.path) if producer is not None else None
    return found


def nouns_of(*operations: Operation) -> frozenset[str]:
    """What the thing may be called that operations work on: `purchase_order`, `order`."""
    whole = {name for op in operations for name in (thing_of(op), *_thing(op.path)[-1:]) if name}
    return frozenset(whole | {name.rpartition("_")[2] for name in whole})


def item_of(collection: str, path: str) -> bool:
    """Whether a path names one item of that collection."""
    own = item_path(path)
    return own is not None and shape(own) == shape(path) == shape(f"{collection}/{{}}")


def _is_call(api: Api, operation: Operation) -> bool:
    """Whether what it is about is not told by a path parameter: it creates, or an input picks."""
    creates = operation.method == "POST" and not operation.path_parameters
    return _picks(api, operation) or (creates and deed_of(operation, api.resolve) is Deed.CREATE)


def _picks(api: Api, operation: Operation) -> bool:
    return picker_of(operation, api.resolve) is not None


def _same_thing(
    api: Api, operation: Operation, deed: Deed, *, picked: bool | None = None
) -> Operation | None:
    """The operation that does this to what another one is about, both without an id in the path.

    Itself where it does; otherwise the first. `picked` says whether an input has to pick one.
    """
    wanted = thing_of(operation)
    if picked is None:
        picked = deed in {Deed.READ, Deed.CHANGE, Deed.REMOVE}
    found = [
        op
        for op, does, picks in (_calls_by_thing(api).get(wanted, ()) if wanted else ())
        if does is deed and (picks or not picked)
    ]
    if deed is Deed.CREATE:
        found = [op for op in found if op.method == "POST"]
    return operation if operation in found else next(iter(found), None)


def _calls_by_thing(api: Api) -> Mapping[str, Sequence[tuple[Operation, Deed, bool]]]:
    """The operations without a path parameter: what they do, and whether an input picks."""
    known = _indexed.get(id(api))
    if known is None or known[0] is not api:
        found: dict[str, list[tuple[Operation, Deed, bool]]] = {}
        for op in api.operations:
            if not op.path_parameters:
                told = (op, deed_of(op, api.resolve), _picks(api, op))
                found.setdefault(thing_of(op), []).append(told)
        _indexed.clear()
        known = _indexed[id(api)] = (api, found)
    return known[1]


def creates_items(api: Api, operation: Operation) -> bool:
    """Whether a POST's path is that of a collection: an operation works on one item of it."""
    return any(item_of(operation.path, op.path) for op in api.operations)


def _item_of(api: Api, producer: Operation) -> str | None:
    """The path of the item that a POST creates; None when no operation has one."""
    for operation in api.operations:
        if item_of(producer.path, operation.path):
            return operation.path
    for operation in api.operations:
        if ends_in_parameter(operation.path) and producer_of(api, operation) is producer:
            return operation.path
    return None


def _on_item(api: Api, operation: Operation, method: str) -> Operation | None:
    path = _item_of(api, operation) if operation.method == "POST" else None
    path = path or item_path(operation.path)
    if path is None:
        return None
    found = _find(api.operations, method, path)
    if found is not None or not _says(path, VERBS):
        return found  # a verb in the path says that each method has a path of its own
    verbs = REMOVE_WORDS if method == "DELETE" else READ_WORDS
    same = [
        op
        for op in api.operations
        if op.method == method
        and ends_in_parameter(op.path)
        and _thing(op.path) == _thing(path)
        and (_says(op.path, verbs) or not _says(op.path, VERBS))
    ]
    return same[0] if len(same) == 1 else None


def _find(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
    wanted = shape(path)
    return next((op for op in operations if op.method == method and shape(op.path) == wanted), None)


def _named_alike(operations: Iterable[Operation], collection: str) -> Iterator[Operation]:
    """Those at the collection's name in another number, or below it: `/order`, `/order/orders`."""
    *parents, last = segments(shape(collection))
    for op in operations:
        *others, own = segments(shape(op.path)) or ("",)
        if others in (parents, [*parents, last]) and noun(own) == noun(last):
            yield op


def _says(path: str, verbs: frozenset[str]) -> bool:
    """Whether a path spells out what is done: `/order/view/{id}`, `/create-order`."""
    return any(
        word in verbs for part in segments(path) if not parameter_in(part) for word in words(part)
    )


def _thing(path: str) -> tuple[str, ...]:
    """What a path is about, without what is done: `/order/view/{id}` → ("order", "{}")."""
    found = []
    for part in segments(path):
        if parameter_in(part):
            found.append("{}")
            continue
        said = [word for word in words(part) if word not in VERBS]
        if said:
            found.append(noun("_".join(said)))
    while found and found[-1] == "{}":
        found.pop()
    return tuple(found)
