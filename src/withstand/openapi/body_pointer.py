"""Naming one place in a body: `address.city`, `items.0.sku`. Pure.

A dot in a property's own name is written `~1` and a tilde `~0`, so that every name has one
pointer. The empty pointer is the whole body.
"""

from collections.abc import Mapping, Sequence
from typing import Any

MISSING = object()


def pointer_of(parts: Sequence[str]) -> str:
    """The pointer through these names and indexes."""
    return ".".join(part.replace("~", "~0").replace(".", "~1") for part in parts)


def parts_of(pointer: str) -> tuple[str, ...]:
    """The names and indexes of a pointer."""
    if not pointer:
        return ()
    return tuple(part.replace("~1", ".").replace("~0", "~") for part in pointer.split("."))


def value_at(body: object, parts: Sequence[str]) -> object:
    """What is at that place; `MISSING` when there is no such place."""
    for part in parts:
        if isinstance(body, Mapping) and part in body:
            body = body[part]
        elif isinstance(body, list) and part.isdecimal() and int(part[:6]) < len(body):
            body = body[int(part[:6])]
        else:
            return MISSING
    return body


def with_value(body: object, parts: Sequence[str], value: object) -> object:
    """A copy with the value at that place, which is made when it is missing."""
    if not parts:
        return value
    first, *rest = parts
    if first.isdecimal() and not isinstance(body, Mapping):
        items: list[Any] = list(body) if isinstance(body, list) else []
        at = min(int(first[:6]), len(items))
        inner = with_value(items[at] if at < len(items) else None, rest, value)
        return [*items[:at], inner, *items[at + 1 :]]
    properties = dict(body) if isinstance(body, Mapping) else {}
    properties[first] = with_value(properties.get(first), rest, value)
    return properties
