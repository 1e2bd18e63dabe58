"""Which operations work on the same thing: who creates, reads, lists and deletes it. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from withstand.openapi.naming import ID_WORDS, KEY_WORDS, canonical, is_plural, noun, words
from withstand.openapi.operation import Api, Operation
from withstand.openapi.path_template import (
    collection_path,
    item_path,
    parameter_in,
    parameters_in,
    resource_before,
    segments,
    shape,
)
from withstand.openapi.schema_merge import Resolve, flattened

_CREATE = ("create", "new", "add", "register", "signup")
_WRAPPERS = ("data", "result", "item", "payload", "response", "attributes", "content")
_OF_THE_MESSAGE = frozenset({"request", "trace", "correlation", "transaction", "span", "session"})
"""What names the exchange and not what it is about: `requestId`, `trace_id`."""
_SELF_LINKS = ("self", "href", "@id", "selfLink", "self_link", "resource_uri")
_SYNONYMS = ("id", "uuid", "_id", "guid", "pk", "key", "identifier")
_NUMBERS = frozenset({"number", "no", "nr", "code", "slug", "index", "position", "key"})
_READ = frozenset({"get", "view", "show", "detail", "details", "read", "fetch", "find", "lookup"})
_REMOVE = frozenset({"delete", "remove", "destroy"})
_LIST = frozenset({"list", "all", "index"})
_VERBS = (
    frozenset(_CREATE) | _READ | _REMOVE | _LIST | {"edit", "update", "modify", "change", "save"}
)


def producer_of(api: Api, operation: Operation) -> Operation | None:
    """The POST that creates what the operation's last path parameter names.

    `GET /orders/{id}` → `POST /orders`; also `POST /orders/create`, `POST /order`, and where
    there is no such collection the only POST that ends in its name.
    """
    collection = collection_path(operation.path)
    if collection is None or not segments(collection):
        return None
    posts = [op for op in api.operations if op.method == "POST"]
    for wanted in (collection, *(f"{collection}/{word}" for word in _CREATE)):
        for op in posts:
            if shape(op.path) == shape(wanted):
                return op
    *parents, last = segments(shape(collection))
    for op in posts:
        *others, own = segments(shape(op.path)) or ("",)
        if others == parents and noun(own) == noun(last):
            return op
    spelled = [op for op in posts if _says(op.path, frozenset(_CREATE))]
    same_thing = [op for op in spelled if _thing(op.path) == _thing(collection)]
    if _thing(collection) and len(same_thing) == 1:
        return same_thing[0]
    same_end = [op for op in posts if segments(op.path)[-1:] == segments(collection)[-1:]]
    return same_end[0] if len(same_end) == 1 else None


def reader_of(api: Api, operation: Operation, *, method: str = "GET") -> Operation | None:
    """The GET of the item that the operation creates, reads, changes or deletes.

    `method` asks for another operation on that item.
    """
    return _on_item(api, operation, method)


def deleter_of(api: Api, producer: Operation) -> Operation | None:
    """The DELETE of the item that `producer` creates, or a POST that says it deletes."""
    found = _on_item(api, producer, "DELETE")
    if found is not None:
        return found
    item = _item_of(api, producer) if producer.method == "POST" else None
    spelled = [
        op
        for op in api.operations
        if op.method == "POST" and op.removes and op.path_parameters and item is not None
    ]
    return next(
        (op for op in spelled if shape(item_path(op.path) or "") == shape(item or "")), None
    )


def lister_of(api: Api, operation: Operation) -> Operation | None:
    """The GET of the collection that the operation's item is in."""
    creates = operation.method == "POST" and _item_of(api, operation) is not None
    is_list = creates or is_plural("".join(segments(operation.path)[-1:]) or "/")
    own = operation.path if is_list and not _ends_in_parameter(operation.path) else None
    collection = own or collection_path(operation.path)
    if collection is None:
        return None
    found = _find(api.operations, "GET", collection)
    if found is None and _thing(collection):
        lists = (op for op in api.operations if op.method == "GET" and _says(op.path, _LIST))
        same = [op for op in lists if _thing(op.path) == _thing(collection)]
        found = same[0] if len(same) == 1 else None
    return found


def identifier_in(
    document: Any, parameter_name: str, *, other_than: frozenset[str] = frozenset()
) -> object | None:
    """The id that a creation's response gives for a path parameter; None without one.

    The parameter's own name comes first (`order_id`, `orderId`), then `id`, `uuid` and their
    like, then the only `…_id` there is, then the same inside `data` and other wrappers, at last
    the only number or code. `other_than` are ids that are known: of what the thing was made in.
    """
    for node in _unwrapped(document):
        scalars = {
            canonical(key): value
            for key, value in node.items()
            if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
            if key != "@id"  # JSON-LD's is an address
        }
        for name in (canonical(parameter_name), *map(canonical, _SYNONYMS)):
            if name in scalars:
                return scalars[name]
        *prefix, last = words(parameter_name)
        if prefix and last in scalars and last not in {"name", "type"}:
            return scalars[last]
        ids = [
            value
            for name, value in scalars.items()
            if words(name)[-1] in ID_WORDS
            and words(name)[0] not in _OF_THE_MESSAGE
            and str(value) not in other_than
        ]
        if len(ids) == 1:
            return ids[0]
    for node in _unwrapped(document):
        numbers = [
            value
            for key, value in node.items()
            if words(key)[-1] in _NUMBERS | (KEY_WORDS - ID_WORDS)
            and isinstance(value, str | int)
            and value not in ("", True)
        ]
        if len(numbers) == 1 and not any(isinstance(part, Mapping) for part in node.values()):
            return numbers[0]
        link = own_link(node)
        if link is not None and segments(link.split("?", 1)[0]):
            return unquote(segments(link.split("?", 1)[0])[-1])
    return document if isinstance(document, int) and not isinstance(document, bool) else None


def identifier_inside(document: Any, collection: str, parameter_name: str) -> object | None:
    """The id of the first thing that a response lists under a name: `items` of an order.

    `collection` is the path segment before the parameter, in `/orders/{id}/items/{n}` "items".
    """
    for node in _unwrapped(document):
        for key, value in node.items():
            if noun(str(key)) != noun(collection) or not isinstance(value, list) or not value:
                continue
            first = value[0]
            if isinstance(first, Mapping):
                return identifier_in(first, parameter_name)
            return first if isinstance(first, str | int) else None
    return None


def own_link(node: Mapping[str, Any]) -> str | None:
    """The address that an object gives for itself: HAL, JSON:API, `self`, `href`; None without."""
    for links in (node.get("_links"), node.get("links"), node):
        if not isinstance(links, Mapping):
            continue
        for name in _SELF_LINKS if links is node else ("self",):
            found = links.get(name)
            if isinstance(found, Mapping):
                found = found.get("href")
            if isinstance(found, str) and "/" in found:
                return found.split("#", 1)[0]
    return None


def identifier_in_location(location: str, item_path: str) -> str | None:
    """The id in a Location header for the last parameter of `/orders/{id}`; None without one."""
    path = location.split("?", 1)[0].split("#", 1)[0]
    if "://" in path:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    wanted, given = segments(item_path), segments(path)
    at = next((i for i in reversed(range(len(wanted))) if parameter_in(wanted[i])), None)
    if at is None or not given:
        return None
    after = len(wanted) - 1 - at
    if after >= len(given):
        return None
    found = given[len(given) - 1 - after]
    before = wanted[at - 1] if at else ""
    if not before or parameter_in(before) or len(given) <= after + 1:
        return unquote(found)
    if words(before)[-1] in _VERBS:  # `/order/view/{id}`, made at `/order/7`
        return unquote(found)
    return unquote(found) if noun(given[-2 - after]) == noun(before) else None


def in_dependency_order(
    operations: Iterable[Operation], *, resolve: Resolve = lambda schema: schema
) -> tuple[Operation, ...]:
    """Producers before consumers, DELETE last; otherwise in the document's order.

    Collections' POST, their GET, items' GET, then what changes items; DELETE of what is inside
    another thing before DELETE of that thing. A body that refers to a thing (`product_id`) comes
    after what makes or lists it; `resolve` (the `Api`'s) finds that behind references too.
    """
    listed = tuple(operations)
    items = frozenset(shape(op.path) for op in listed if _ends_in_parameter(op.path))
    ranked = sorted(listed, key=lambda op: _phase(op, items))
    makers: dict[str, dict[str, Operation]] = {}  # what is made or listed → by method
    for op in ranked:
        if op.method in {"POST", "GET"} and not _ends_in_parameter(op.path):
            makers.setdefault(_last_noun(op.path), {}).setdefault(op.method, op)
    done: dict[int, Operation] = {}
    begun: set[int] = set()
    for op in ranked:
        _visit(op, makers, begun, done, resolve)
    return tuple(done.values())


def _visit(
    start: Operation,
    makers: Mapping[str, Mapping[str, Operation]],
    begun: set[int],
    done: dict[int, Operation],
    resolve: Resolve,
) -> None:
    """Depth first, so that whatever makes what `start` needs stands before it."""
    stack = [start]
    while stack:
        op = stack[-1]
        if id(op) not in begun:
            begun.add(id(op))
            if op.method != "DELETE":
                needed = (
                    maker
                    for name in _needs(op, resolve)
                    for _, maker in sorted(makers.get(name, {}).items())
                )
                stack.extend(each for each in needed if id(each) not in begun)
        else:
            done.setdefault(id(op), op)
            stack.pop()


def _needs(operation: Operation, resolve: Resolve) -> Iterator[str]:
    for name in parameters_in(operation.path):
        yield resource_before(operation.path, name)
    for body in operation.bodies:
        properties = flattened(body.schema, resolve).get("properties")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            *prefix, last = words(name)
            if prefix and last in KEY_WORDS:
                yield noun("_".join(prefix))
            elif isinstance(part, Mapping) and (
                part.get("type") == "integer" or part.get("format") == "uuid"
            ):
                yield noun(name)  # `customer: 7` names a customer as well


def _phase(operation: Operation, items: frozenset[str]) -> tuple[int, int]:
    depth = len(parameters_in(operation.path))
    if operation.removes:
        return 4, -depth
    match operation.method:
        case "POST" if not depth or shape(f"{operation.path}/{{}}") in items:
            return 0, depth
        case "GET" | "HEAD" | "OPTIONS" if not _ends_in_parameter(operation.path):
            return 1, depth
        case "GET" | "HEAD" | "OPTIONS":
            return 2, depth
    return 3, depth


def item_of(collection: str, path: str) -> bool:
    """Whether a path names one item of that collection."""
    own = item_path(path)
    return own is not None and shape(own) == shape(path) == shape(f"{collection}/{{}}")


def _item_of(api: Api, producer: Operation) -> str | None:
    """The path of the item that a POST creates; None when no operation has one."""
    for operation in api.operations:
        if item_of(producer.path, operation.path):
            return operation.path
    for operation in api.operations:
        if _ends_in_parameter(operation.path) and producer_of(api, operation) is producer:
            return operation.path
    return None


def _on_item(api: Api, operation: Operation, method: str) -> Operation | None:
    path = _item_of(api, operation) if operation.method == "POST" else None
    path = path or item_path(operation.path)
    if path is None:
        return None
    found = _find(api.operations, method, path)
    if found is not None or not _says(path, _VERBS):
        return found  # a verb in the path says that each method has a path of its own
    verbs = _REMOVE if method == "DELETE" else _READ
    same = [
        op
        for op in api.operations
        if op.method == method
        and _ends_in_parameter(op.path)
        and _thing(op.path) == _thing(path)
        and (_says(op.path, verbs) or not _says(op.path, _VERBS))
    ]
    return same[0] if len(same) == 1 else None


def _find(operations: Iterable[Operation], method: str, path: str) -> Operation | None:
    wanted = shape(path)
    return next((op for op in operations if op.method == method and shape(op.path) == wanted), None)


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
        said = [word for word in words(part) if word not in _VERBS]
        if said:
            found.append(noun("_".join(said)))
    while found and found[-1] == "{}":
        found.pop()
    return tuple(found)


def _ends_in_parameter(path: str) -> bool:
    return bool(parameter_in("".join(segments(path)[-1:])))


def _last_noun(path: str) -> str:
    parts = [part for part in segments(path) if not parameter_in(part)]
    return noun(parts[-1]) if parts else ""


def _unwrapped(document: Any) -> Iterator[Mapping[str, Any]]:
    """The document, then what its wrappers hold, then its only nested object."""
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, Mapping):
        return
    yield document
    inner = [part for part in document.values() if isinstance(part, Mapping)]
    named = [part for key in _WRAPPERS if isinstance(part := document.get(key), Mapping)]
    for part in named or (inner if len(inner) == 1 else ()):
        yield part
        deeper = [deep for deep in part.values() if isinstance(deep, Mapping)]
        yield from (deep for key in _WRAPPERS if isinstance(deep := part.get(key), Mapping))
        if len(deeper) == 1 and len(part) == 1:  # `{"data": {"loan": {"id": 7}}}`
            yield deeper[0]
