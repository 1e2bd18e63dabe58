"""What an operation says it does, and to what, where its path is a call and no address. Pure.

`POST /rpc/deleteOrder`, `GET /ticket_list.php`, `GET /api.php?action=view` with the tag "tickets":
verbs are left out, and what remains is the thing. The path comes first, then the operation's id,
its summary, its tag, and what its answer is called.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal

from withstand.openapi.acting import ACT_WORDS
from withstand.openapi.naming import (
    CHANGE_WORDS,
    CREATE_WORDS,
    ID_WORDS,
    KEY_WORDS,
    LIST_WORDS,
    READ_WORDS,
    REMOVE_WORDS,
    is_plural,
    noun,
    words,
    words_of_call,
)
from withstand.openapi.operation import Operation, Schema
from withstand.openapi.path_template import ends_in_parameter, parameter_in, resource_of, segments
from withstand.openapi.schema_merge import Resolve, flattened, types_of

_ENDING: Final = re.compile(
    r"\.(?:php\d?|aspx?|ashx|asmx|jspx?|do|action|cgi|pl|cfm|html?|json|xml)$", re.I
)
_WHERE: Final = frozenset(
    {"api", "rpc", "ajax", "rest", "service", "services", "controller", "gateway", "endpoint"}
    | {"handler", "call", "execute", "jsonrpc", "app", "public", "backend", "main", "cgi", "bin"}
)
"""What says where a call arrives, and not what it is about."""
_BESIDES: Final = frozenset({"my", "own", "the", "a", "an", "one", "single", "info", "do"})
_RELATION: Final = frozenset({"by", "for", "of", "with", "from", "in", "to", "that"})
WHICH_CALL: Final = frozenset(
    {"action", "act", "do", "op", "operation", "cmd", "command", "method", "function", "mode"}
)
"""What a parameter is called that says what is to be done."""
_OF_THE_CALL: Final = ("params", "arguments", "args", "data", "payload")
"""Where the inputs of a call are, whose name stands beside them: JSON-RPC's `params`."""


_ALONE: Final = ID_WORDS | {"slug", "ref", "reference", "number", "no"}
"""What picks a thing in a query without saying of what kind it is."""


class Deed(StrEnum):
    """What is done to a thing."""

    CREATE = "create"
    READ = "read"
    LIST = "list"
    CHANGE = "change"
    REMOVE = "remove"


_DEEDS: Final[Mapping[str, Deed]] = {
    **dict.fromkeys(CREATE_WORDS, Deed.CREATE),
    **dict.fromkeys(READ_WORDS, Deed.READ),
    **dict.fromkeys(LIST_WORDS, Deed.LIST),
    **dict.fromkeys(CHANGE_WORDS | ACT_WORDS, Deed.CHANGE),
    **dict.fromkeys(REMOVE_WORDS, Deed.REMOVE),
}
_SIGNS_UP: Final = frozenset({"register", "signup"})  # names what it makes, a user, nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Picker:
    """The input outside the path that picks one of what an operation is about: `?id=7`.

    In a body `name` is a dotted pointer: `params.id`.
    """

    location: Literal["query", "body"]
    name: str
    required: bool

    @property
    def depth(self) -> int:
        """How many objects of the body it is inside of, the body itself not counted."""
        return self.name.count(".") if self.location == "body" else 0


def deed_in(said: str) -> Deed | None:
    """The deed that the name of a call says: remove in `deleteOrder`; None for none."""
    return _understood(words_of_call(said))[0]


def thing_of(operation: Operation) -> str:
    """What an operation is about, as one noun: `order`; empty where nothing says it."""
    if operation.path_parameters:
        return resource_of(operation.path)
    deed, thing, is_call = _path_says(operation.path)
    if not is_call and deed is None:
        return thing
    if thing:
        return thing
    for text in (operation.operation_id or "", operation.summary):
        _, said = _understood(words_of_call(text)) if text else (None, "")
        if said:
            return said
    named = (noun(tag) for tag in operation.tags)
    return next(named, None) or next(_answered(operation), "")


def thing_in(path: str) -> str:
    """What a path alone says it is about."""
    return _path_says(path)[1]


def spoken_deed(operation: Operation) -> Deed | None:
    """What the path, the only choice of a parameter, or the id says is done; None for nothing."""
    deed, _, _ = _path_says(operation.path)
    for parameter in operation.parameters if deed is None else ():
        choice = parameter.schema.get("enum")
        if parameter.name.lower() in WHICH_CALL and isinstance(choice, list) and len(choice) == 1:
            deed, _ = _understood(words_of_call(str(choice[0])))
    if deed is None and operation.operation_id:
        deed, _ = _understood(words_of_call(operation.operation_id))
    return deed


def deed_of(operation: Operation, resolve: Resolve) -> Deed:
    """What is done: as it is said, else as its method and its inputs have it."""
    said, picker = spoken_deed(operation), picker_of(operation, resolve)
    if said is Deed.READ and picker is None and not operation.path_parameters:
        return Deed.LIST
    if said is not None:
        return said
    needed = bool(operation.path_parameters) or (picker is not None and picker.required)
    several = is_plural(_bare(segments(operation.path)[-1:]) or "s")
    match operation.method:
        case "DELETE":
            return Deed.REMOVE
        case "POST" if not needed or (picker and picker.location == "body" and several):
            return Deed.CREATE
        case "POST" | "PUT" | "PATCH":
            return Deed.CHANGE
    return Deed.READ if needed or (picker and not several) else Deed.LIST


def only_reads(operation: Operation) -> bool:
    """Whether nothing should change by it: `POST /getOrder` reads, and `GET /deleteOrder` not."""
    deed, _, _ = _path_says(operation.path)
    if operation.is_read:
        return deed not in {Deed.REMOVE, Deed.CHANGE}
    return deed in {Deed.READ, Deed.LIST} and operation.method == "POST"


def picker_of(operation: Operation, resolve: Resolve) -> Picker | None:
    """The input in query or body that picks one of what the operation is about; None without one.

    Its name is `id` or the like, or says the thing besides: `ticketId`, `invoice_number`. Where
    the path picks already, nothing else does.
    """
    if operation.path_parameters:
        return None
    about = thing_of(operation)
    if not about or spoken_deed(operation) is Deed.CREATE:
        return None
    for parameter in operation.parameters:
        if parameter.location == "query" and _picks(parameter.name, about, _ALONE):
            return Picker(location="query", name=parameter.name, required=parameter.required)
    for body in operation.bodies[:1]:
        flat, place = _inputs(flattened(body.schema, resolve), resolve)
        properties, required = flat.get("properties"), flat.get("required")
        for name, part in properties.items() if isinstance(properties, Mapping) else ():
            only_shown = flattened(part, resolve).get("readOnly") is True
            if not only_shown and _picks(name, about, ID_WORDS):
                needed = isinstance(required, list) and name in required
                return Picker(location="body", name=f"{place}{name}", required=needed)
    return None


def _inputs(flat: Schema, resolve: Resolve) -> tuple[Schema, str]:
    """The schema of a call's inputs, and the pointer to them: beside its name, or in `params`.

    JSON-RPC's own `id` is the request's, whatever `params` hold.
    """
    properties = flat.get("properties")
    if not isinstance(properties, Mapping) or not WHICH_CALL & {*map(str.lower, properties)}:
        return flat, ""
    for name in _OF_THE_CALL:
        inner = flattened(properties.get(name), resolve) if name in properties else {}
        if "properties" in inner or "jsonrpc" in properties:
            return inner, f"{name}."
    return ({} if "jsonrpc" in properties else flat), ""


def name_of_id(operation: Operation, resolve: Resolve) -> str | None:
    """What an operation calls the id of its object: the last path parameter, else the input that
    picks it. None where it names no object.
    """
    if operation.path_parameters:
        return operation.path_parameters[-1].name
    picker = picker_of(operation, resolve)
    return picker.name.rpartition(".")[2] if picker is not None else None


def _picks(name: str, about: str, alone: frozenset[str]) -> bool:
    *prefix, last = words(name)
    if not prefix:
        return last in alone
    return last in KEY_WORDS and noun("_".join(prefix)) in {about, about.rpartition("_")[2]}


@lru_cache(maxsize=16_384)
def _path_says(path: str) -> tuple[Deed | None, str, bool]:
    """What is done, to what, and whether the path is a call: ends in a verb or a program's name."""
    address, _, query = path.replace("#", "?", 1).partition("?")
    parts = [part for part in segments(address) if not parameter_in(part)]
    if not parts:
        return None, "", False
    calls = [pair.partition("=")[2] for pair in query.split("&") if "=" in pair]
    last = _bare(parts[-1:])
    is_call = bool(calls) or last != parts[-1] or not _but_where(last)
    phrases = [words_of_call(text) for text in calls] or [words_of_call(last)]
    if phrases[0][-1] in _SIGNS_UP or ends_in_parameter(address):
        return None, resource_of(address), False
    deed, thing = _understood(phrases[0])
    if deed is None and not is_call:
        return None, resource_of(address), False
    before = reversed(parts if calls else parts[:-1])
    for part in before:
        if thing:
            break
        _, thing = _understood(words(_bare([part]).rpartition(".")[2]))
    return deed, thing, is_call


def _understood(said: tuple[str, ...]) -> tuple[Deed | None, str]:
    """The deed and the thing of a phrase: `get order by id` → read, order."""
    end = next((at for at, word in enumerate(said) if at and word in _RELATION), len(said))
    phrase = said[:end]
    deed = next((_DEEDS[word] for word in phrase if word in _DEEDS), None)
    if deed is Deed.READ and LIST_WORDS & {*phrase}:
        deed = Deed.LIST
    rest = [word for word in phrase if word not in _DEEDS and word not in _WHERE | _BESIDES]
    return deed, noun("_".join(rest)) if rest else ""


def _but_where(text: str) -> bool:
    """Whether a segment says more than where the call arrives."""
    return any(word not in _WHERE for word in words(text))


def _bare(parts: Any) -> str:
    """A segment without the ending of a program's name."""
    return _ENDING.sub("", "".join(parts))


def _answered(operation: Operation) -> Iterator[str]:
    """What the schema of a success is called: `#/components/schemas/Ticket` → `ticket`."""
    for status, contents in operation.responses.items():
        if not status.startswith("2"):
            continue
        for schema in contents.values():
            items = schema.get("items") if "array" in types_of(schema) else schema
            name = items.get("$ref") or items.get("title") if isinstance(items, Mapping) else None
            if isinstance(name, str):
                yield noun(name.rpartition("/")[2])
