"""Ids in answers: of what was made, of what is listed, and in addresses. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from withstand.client.exchange import Request
from withstand.client.form_body import fields_of, is_form
from withstand.openapi.naming import (
    ID_WORDS,
    KEY_WORDS,
    VERBS,
    canonical,
    is_reference,
    noun,
    words,
)
from withstand.openapi.path_template import parameter_in, segments

_WRAPPERS = ("data", "result", "item", "payload", "response", "attributes", "content", "properties")
_OF_THE_MESSAGE = frozenset({"request", "trace", "correlation", "transaction", "span", "session"})
"""What names the exchange and not what it is about: `requestId`, `trace_id`."""
_SELF_LINKS = ("self", "href", "@id", "selfLink", "self_link", "resource_uri")
_SYNONYMS = ("id", "uuid", "_id", "guid", "pk", "key", "identifier")
_NUMBERS = frozenset({"number", "no", "nr", "code", "slug", "index", "position", "key"})
_OF_THE_ANSWER = frozenset({"status", "error", "result", "return", "response", "http"})
"""Before `code`: how it went, `{"statusCode": 200, "message": "OK", "data": []}`."""
_ENVELOPE = frozenset({"message", "msg", "data", "success"})
"""Beside a bare `code` that is a number: the same."""
_NEW = frozenset({"new", "created", "inserted", "added"})
"""What only says that it was just made: `insertedId`, `new_order_id`."""


def identifier_in(
    document: Any,
    parameter_name: str,
    *,
    other_than: frozenset[str] = frozenset(),
    about: frozenset[str] | None = None,
) -> object | None:
    """The id that a creation's response gives for a path parameter; None without one.

    The parameter's own name comes first (`order_id`, `orderId`), then `id`, `uuid` and their
    like, then the only `…_id` there is, then the same inside `data` and other wrappers, at last
    the only number or code. `other_than` are ids that are known: of what the thing was made in.

    `about` are the nouns of the thing, where a wrong id would do harm: then `customer_id` and
    `{"customer": {"id": 1}}` are no id of an order, and a number without a name is none at all.
    """
    for node in _unwrapped(document, about):
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
            and (about is None or _is_of(words(name)[:-1], about))
        ]
        if len(ids) == 1:
            return ids[0]
    for node in _unwrapped(document, about):
        numbers = [
            value
            for key, value in node.items()
            if words(key)[-1] in _NUMBERS | (KEY_WORDS - ID_WORDS)
            and isinstance(value, str | int)
            and value not in ("", True)
            and not says_how_it_went(key, node)
            and (about is None or (words(key)[:-1] and _is_of(words(key)[:-1], about)))
        ]
        if len(numbers) == 1 and not any(isinstance(part, Mapping) for part in node.values()):
            return numbers[0]
        link = own_link(node)
        if link is not None and segments(link.split("?", 1)[0]):
            return unquote(segments(link.split("?", 1)[0])[-1])
    is_number = isinstance(document, int) and not isinstance(document, bool)
    return document if is_number and about is None else None  # it may count the rows


def says_how_it_went(key: str, node: Mapping[str, Any]) -> bool:
    """Whether a property is a code of the answer's and none of what it is about: `statusCode`."""
    *before, last = words(key)
    bare = not before and isinstance(node[key], int) and bool(_ENVELOPE & node.keys())
    return last == "code" and (bare or bool(_OF_THE_ANSWER & {*before}))


def chosen_identifier(made: Request, parameter_name: str) -> object | None:
    """The name that a request chose for what it makes, where things are addressed by one: the
    `title` in its body for `/notes/{title}`. An id in a body is another thing's.
    """
    if is_reference(parameter_name):
        return None
    wanted = canonical(parameter_name)
    return next((value for name, value in _sent(made) if canonical(name) == wanted and value), None)


def _sent(request: Request) -> Iterator[tuple[str, object]]:
    if is_form(request):
        yield from fields_of(request)
        return
    document = request.json()
    if isinstance(document, Mapping):
        scalars = (str, int, float)
        yield from ((k, v) for k, v in document.items() if isinstance(v, scalars))


def without_frame(document: Any) -> Any:
    """What JSON-RPC carries: its own `id` is that of the exchange."""
    if isinstance(document, Mapping) and "jsonrpc" in document:
        return document.get("result", document.get("params"))
    return document


def _is_of(prefix: tuple[str, ...], about: frozenset[str]) -> bool:
    """Whether the words before `id` are the thing's own, or none."""
    own = [word for word in prefix if word not in _NEW]
    return not own or noun("_".join(own)) in about


def identifier_inside(document: Any, collection: str, parameter_name: str) -> object | None:
    """The id of the first thing that a response lists under a name: `items` of an order.

    `collection` is the path segment before the parameter, in `/orders/{id}/items/{n}` "items".
    """
    first = next(iter(_inside(document, collection)), None)
    if isinstance(first, Mapping):
        return identifier_in(first, parameter_name)
    return first if isinstance(first, str | int) else None


def identifier_added(document: Any, collection: str, parameter_name: str) -> object | None:
    """The id of what was added to a thing, by an answer that shows the whole thing: the order, to
    `POST /orders/{id}/lines`. The only one there, or the highest number; None where that is unsure.
    """
    ids = [
        identifier_in(each, parameter_name)
        for each in _inside(document, collection)
        if isinstance(each, Mapping)
    ]
    numbers = [each for each in ids if isinstance(each, int)]
    if len(ids) == 1 or len(numbers) != len(ids):
        return ids[0] if len(ids) == 1 else None
    return max(numbers, default=None)


def _inside(document: Any, collection: str) -> list[Any]:
    """What a document lists under a name; nothing where it lists none."""
    for node in _unwrapped(document):
        for key, value in node.items():
            if noun(str(key)) == noun(collection) and isinstance(value, list) and value:
                return value
    return []


def own_link(node: Mapping[str, Any]) -> str | None:
    """The address that an object gives for itself: HAL, JSON:API, Siren, `self`, `href`; None
    without.
    """
    for links in (node.get("_links"), node.get("links"), node):
        if isinstance(links, list):  # [{"rel": ["self"], "href": "/orders/7"}]
            own = [each for each in links if isinstance(each, Mapping) and _is_self(each)]
            links = {"self": own[0]} if own else None
        if not isinstance(links, Mapping):
            continue
        for name in _SELF_LINKS if links is node else ("self",):
            found = links.get(name)
            if isinstance(found, Mapping):
                found = found.get("href")
            if isinstance(found, str) and "/" in found:
                return found.split("#", 1)[0]
    return None


def _is_self(link: Mapping[str, Any]) -> bool:
    return link.get("rel") in ("self", ["self"])


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
    if words(before)[-1] in VERBS:  # `/order/view/{id}`, made at `/order/7`
        return unquote(found)
    return unquote(found) if noun(given[-2 - after]) == noun(before) else None


def _unwrapped(document: Any, about: frozenset[str] | None = None) -> Iterator[Mapping[str, Any]]:
    """The document, then what its wrappers hold, then its only nested object.

    With `about`, only nested objects that are called so.
    """
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    document = without_frame(document)
    if not isinstance(document, Mapping):
        return
    yield document
    inner = _nested(document, about)
    named = [part for key in _WRAPPERS if isinstance(part := document.get(key), Mapping)]
    for part in named or (inner if len(inner) == 1 else ()):
        yield part
        deeper = _nested(part, about)
        yield from (deep for key in _WRAPPERS if isinstance(deep := part.get(key), Mapping))
        if len(deeper) == 1 and len(part) == 1:  # `{"data": {"loan": {"id": 7}}}`
            yield deeper[0]


def _nested(document: Mapping[str, Any], about: frozenset[str] | None) -> list[Mapping[str, Any]]:
    return [
        part
        for key, part in document.items()
        if isinstance(part, Mapping) and (about is None or _is_of(words(str(key)), about))
    ]


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


def listed_id_with(
    document: Any,
    texts: tuple[str, ...],
    parameter_name: str,
    *,
    other_than: frozenset[str] = frozenset(),
) -> object | None:
    """The id of that thing in a list which holds one of the texts; None without just one.

    `other_than` are ids that are known: of what the thing was made in.
    """
    found = [
        item
        for items in _lists(document, 0)
        for item in items
        if isinstance(item, Mapping) and any(text in json.dumps(item) for text in texts)
    ]
    if len(found) != 1:
        return None
    return identifier_in(found[0], parameter_name, other_than=other_than)


def _lists(node: Any, depth: int) -> Iterator[list[Any]]:
    if isinstance(node, list):
        yield node
    elif isinstance(node, Mapping) and depth <= 2:
        for part in node.values():
            yield from _lists(part, depth + 1)
