"""What a refusal says about which input: the validation errors of every common framework. Pure.

Known forms: RFC 9457 (`errors` with pointers, `invalid-params`), FastAPI (`loc`), Django REST
framework (`{"field": ["message"]}`), Laravel and ASP.NET (`errors` by field), Spring (`field`,
`defaultMessage`), Joi, Zod and express-validator (`path`), JSON:API (`source.pointer`), lists of
sentences (NestJS), and plain text or HTML in which an input is named.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.openapi.naming import canonical
from withstand.openapi.slot import Slot

_WHERE: Final = (
    *("loc", "pointer", "path", "field", "name", "property", "param", "parameter", "fieldName"),
    *("propertyPath", "instancePath", "property_path", "instance_path", "key", "attribute"),
    *("element", "dataPath", "location", "source", "target"),
)
_WHAT: Final = (
    *("msg", "message", "detail", "defaultMessage", "reason", "error", "description", "title"),
    *("errorMessage", "text", "constraints", "errors", "messages"),
)
_ROOTS: Final = frozenset({"body", "query", "path", "header", "headers", "cookie", "data"})
_ROOTS_INSIDE: Final = _ROOTS | {"attributes", "requestbody", "input", "dto", "request"}
_MOST_NODES: Final = 500
_LONGEST: Final = 20_000
_TAG: Final = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is said about one input."""

    slot: Slot
    message: str


def complaints(response: Response, slots: Sequence[Slot]) -> tuple[Complaint, ...]:
    """Each input that the answer objects to, once, the most certain first."""
    document = response.json()
    if document is None:
        text = _TAG.sub(" ", response.text[:_LONGEST])
        found = list(_named_in(text, slots))
    else:
        found = [*_placed(document, slots), *_spoken(document, slots)]
    first: dict[Slot, Complaint] = {}
    for complaint in found:
        first.setdefault(complaint.slot, complaint)
    return tuple(first.values())


def said(response: Response) -> str:
    """The sentences of a refusal in one line: what a person would want to read of it."""
    document = response.json()
    if document is None:
        text = _TAG.sub(" ", response.text[:_LONGEST])
    else:
        spoken = list(dict.fromkeys(_sentences(document)))
        text = "; ".join(spoken) if spoken else response.text
    return " ".join(text.split())[:300]


def _placed(document: Any, slots: Sequence[Slot]) -> Iterator[Complaint]:
    """Where a place and a message stand side by side, or a message under the input's name."""
    for node in _mappings(document):
        where = next((w for w in map(_place, (node.get(key) for key in _WHERE)) if w), None)
        if where is not None:
            slot = slot_of(where, slots)
            message = " ".join(_texts([node.get(key) for key in _WHAT]))
            if slot is not None and message:
                yield Complaint(slot=slot, message=message)
                continue
        for name, part in node.items():
            if name in _WHAT and not isinstance(part, Mapping):
                continue
            slot = slot_of(_place(name) or (), slots)
            message = " ".join(_texts(part)) if not isinstance(part, bool | int | float) else ""
            if slot is not None and message:
                yield Complaint(slot=slot, message=message)


def _spoken(document: Any, slots: Sequence[Slot]) -> Iterator[Complaint]:
    for sentence in _sentences(document):
        yield from _named_in(sentence, slots)


def _sentences(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    if isinstance(document, list):
        yield from (item for item in document if isinstance(item, str))
    for node in _mappings(document):
        for key, part in node.items():
            if isinstance(part, str) and (key in _WHAT or " " in part):
                yield part
            elif isinstance(part, list):
                yield from (item for item in part if isinstance(item, str) and " " in item)


def _named_in(text: str, slots: Sequence[Slot]) -> Iterator[Complaint]:
    """The inputs whose names a text holds as words: `email is invalid`, `Invalid first name`."""
    for sentence in re.split(r"[\n;]|\.\s", text):
        plain = f"_{canonical(sentence)}_" if sentence.strip() else ""
        for slot in sorted(slots, key=lambda slot: -len(slot.name)):
            name = canonical(slot.name.rsplit(".", 1)[-1])
            if f"_{name}_" in plain and (len(name) > 1 or _is_pointed_at(name, sentence)):
                yield Complaint(slot=slot, message=sentence.strip())
                break


def _is_pointed_at(letter: str, sentence: str) -> bool:
    """Whether a name of one letter is meant as one: `Missing parameter: q`, and not `a`."""
    said = r"(?i)(?:param(?:eter)?|field|argument|property|missing|required)\W+"
    return bool(re.search(rf"{said}{letter}(?:\W*$|\W+(?:is|must|should|may)\b)", sentence)) or (
        f"'{letter}'" in sentence or f'"{letter}"' in sentence or f"`{letter}`" in sentence
    )


def slot_of(place: Sequence[str], slots: Sequence[Slot]) -> Slot | None:
    """The input at a place such as ("body", "customer", "email"); None for none or for several."""
    parts = [part for part in place if part]
    for start in range(len(parts)):
        if start and parts[start - 1].lower() not in _ROOTS_INSIDE:
            break
        wanted = [canonical(part) for part in parts[start:]]
        fitting = [
            slot for slot in slots if [canonical(part) for part in slot.name.split(".")] == wanted
        ]
        if len(fitting) == 1:
            return fitting[0]
        if parts and parts[0].lower() in _ROOTS and fitting:
            of_root = [slot for slot in fitting if slot.location == parts[0].lower()]
            return (of_root or fitting)[0]
        if fitting:
            return fitting[0]
    last = [slot for slot in slots if parts and slot.name.rsplit(".", 1)[-1] == parts[-1]]
    return last[0] if len(last) == 1 else None


def _place(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and value and all(isinstance(part, str | int) for part in value):
        return tuple(str(part) for part in value)
    if isinstance(value, Mapping):
        return next(
            filter(None, (_place(value.get(key)) for key in ("pointer", "parameter"))), None
        )
    if not isinstance(value, str) or not value or " " in value or len(value) > 200:
        return None
    text = value.removeprefix("$").removeprefix("#")
    return tuple(part for part in re.split(r"[./\[\]]+", text) if part)


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for part in node[:5]:
            yield from _texts(part)
    elif isinstance(node, Mapping):
        for key, part in list(node.items())[:5]:
            if key in _WHAT or not isinstance(part, Mapping | list):
                yield from _texts(part)


def _mappings(document: Any) -> Iterator[Mapping[str, Any]]:
    pending, budget = [document], _MOST_NODES
    while pending and budget > 0:
        node = pending.pop(0)
        budget -= 1
        if isinstance(node, Mapping):
            yield node
            pending.extend(part for part in node.values() if isinstance(part, Mapping | list))
        elif isinstance(node, list):
            pending.extend(part for part in node if isinstance(part, Mapping | list))
