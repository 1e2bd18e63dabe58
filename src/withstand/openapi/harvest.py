"""What an answer shows of things: their ids and named values, and where they are. Pure."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from withstand.client.exchange import Request, Response
from withstand.client.page import page_of
from withstand.openapi.identifiers import (
    identifier_in,
    own_link,
    says_how_it_went,
    without_frame,
)
from withstand.openapi.naming import (
    ID_WORDS,
    KEY_WORDS,
    PLAIN_IDS,
    is_key_of,
    is_plural,
    is_reference,
    noun,
    words,
)
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import ids_in
from withstand.openapi.path_template import resource_before, segments, values_in
from withstand.openapi.places import (
    Place,
    path_before,
    place_in,
    place_of_answer,
    place_within,
)
from withstand.openapi.spoken import only_reads, thing_in, thing_of

_NODES = 2000
_ITEMS = 20
_WRAPPERS = frozenset(
    {"data", "result", "item", "record", "content", "payload", "attribute", "value", "response"}
    | {"object", "row", "entry", "hit", "document", "node", "edge", "embedded", "element", "list"}
    | {"collection", "hydra_member", "resource", "page", "body", "model", "dto", "output", "info"}
    | {"entity", "detail", "resp", "res", "return", "doc", "member_list"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A value of a thing under a name, and where the thing is. `listed`: among others."""

    thing: str
    name: str
    value: object
    place: Place = ()
    listed: bool = False


def seen_in(operation: Operation, request: Request, response: Response) -> Iterator[Seen]:
    """What a successful exchange shows: in its path, what was sent, and the answer."""
    thing = thing_of(operation)
    in_path = values_in(operation.path, request.path)
    for name, text in in_path.items():
        above = resource_before(operation.path, name)
        place = place_in(path_before(operation.path, name), in_path)
        yield Seen(thing=above, name=name, value=text, place=place)
    place = place_of_answer(operation.path, thing, in_path)
    if operation.method in {"POST", "PUT", "PATCH"}:
        yield from _in_tree(without_frame(request.json()), thing, place)
    yield from _in_tree(without_frame(response.json()), thing, place)
    page = page_of(response)
    if page is not None:
        for shown in ids_in(page, thing):
            yield Seen(thing=thing, name="id", value=shown, place=place, listed=True)
    location = response.made_at
    made = response.status in {201, 202} or response.accepted is not None
    told = operation.method in {"POST", "PUT"} and made and location
    if told and identifier_in(response.json(), "id") is None:
        yield Seen(thing=thing, name="id", value=_last_of(told), place=place)


def made_by(operation: Operation, request: Request, response: Response) -> Iterator[Seen]:
    """The ids under which the answer to a successful creation names what was made."""
    if operation.method != "POST" or only_reads(operation):
        return
    thing, location = thing_of(operation), response.made_at
    in_path = values_in(operation.path, request.path)
    named = frozenset({thing})  # beside `ownerId`, `accountNumber` is an account's
    document, name = response.json(), f"{thing}_id"
    both = {identifier_in(document, name), identifier_in(document, name, about=named)}
    if both == {None} and location:
        both = {_last_of(location)}
    known = {"None", "", *in_path.values(), *_picked(request)}
    place = place_of_answer(operation.path, thing, in_path)
    for each in both:
        if str(each) not in known:
            yield Seen(thing=thing, name="id", value=each, place=place)


def _in_tree(tree: Any, thing: str, place: Place) -> Iterator[Seen]:
    """Values nearest to the root come first, and among the items of a list the first."""
    pending: deque[tuple[Any, str, Place, bool]] = deque([(tree, thing, place, False)])
    budget = _NODES
    while pending and budget > 0:
        node, about, place, listed = pending.popleft()
        budget -= 1
        if isinstance(node, list):
            pending.extend((item, about, place, True) for item in node[:_ITEMS])
        elif isinstance(node, Mapping):
            linked = _linked(node, about)
            if linked is not None:
                yield Seen(thing=about, name="id", value=linked, place=place, listed=listed)
            own = [key for key in node if is_key_of(about, str(key))]
            for key, part in node.items():
                if key == "@id" or says_how_it_went(key, node):  # JSON-LD's is an address
                    continue
                if isinstance(part, list | Mapping):
                    inner = noun(key)
                    # {"class": ["order"], "properties": {"id": 7}}, as Siren has it
                    wraps = key == "properties" and isinstance(part, Mapping)
                    if wraps or inner in _WRAPPERS or inner == about:
                        pending.append((part, about, place, listed))
                    else:
                        pending.append((part, inner, _inside(node, place, key), listed))
                else:
                    budget -= 1
                    picks = key in own or (not own and words(key)[-1] in KEY_WORDS)
                    where = place if picks else ()
                    yield Seen(thing=about, name=key, value=part, place=where, listed=listed)
                    yield from _asked_for_in(part, listed=listed)


def _asked_for_in(text: object, *, listed: bool) -> Iterator[Seen]:
    """The ids by which an address asks for a thing: `…/mechanic/report?report_id=7`."""
    if isinstance(text, str) and "/" in text and "?" in text:
        address, _, query = text.partition("?")
        thing = thing_in(urlsplit(address).path)
        for name, value in parse_qsl(query.partition("#")[0]):
            if is_reference(name):
                yield Seen(thing=thing, name=name, value=value, listed=listed)


def _linked(node: Mapping[str, Any], about: str) -> str | None:
    """The id in an object's own address, where the object says none itself."""
    if any(words(key)[-1] in ID_WORDS for key in node if key != "@id"):
        return None
    link = own_link(node)
    parts = segments(link.split("?", 1)[0]) if link else ()
    return unquote(parts[-1]) if len(parts) > 1 and noun(parts[-2]) == about else None


def _inside(node: Mapping[str, Any], place: Place, key: str) -> Place:
    """The place of what a thing has under a key; none where the thing says no id of its own."""
    own = next((node[word] for word in PLAIN_IDS if isinstance(node.get(word), str | int)), None)
    return place_within(place, own, key) if place and own is not None else ()


def _last_of(address: str) -> str:
    """The last part of an address, `7` of `/orders/7?x`; empty where it has none."""
    return unquote("".join(segments(address.split("?", 1)[0])[-1:]))


def _picked(request: Request) -> Iterator[str]:
    """The ids by which a call names what is there: the answer to `POST /payOrder` repeats them.

    Not those in the body for a collection, `POST /orders`: whoever makes a thing may name it.
    """
    last = "".join(segments(request.operation_path)[-1:])
    sent = request.json()
    if isinstance(sent, Mapping) and not is_plural(last):
        yield from (str(value) for name, value in sent.items() if words(name)[-1] in ID_WORDS)
    query = parse_qsl(request.path.partition("?")[2])
    yield from (value for name, value in query if words(name)[-1] in ID_WORDS)
