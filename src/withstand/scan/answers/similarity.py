"""Whether two responses say the same thing, once what changes by itself is left out. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.client.page import page_of
from withstand.openapi.naming import KEY_WORDS, words

_VOLATILE_TEXT: Final = (
    (
        re.compile(
            r"(?i)<(?:input|meta)\b[^>]*"
            r"(?:csrf|xsrf|authenticity|__requestverificationtoken|[=\"'\[]_token\b)[^>]*>"
        ),
        "<csrf>",
    ),
    (re.compile(r"ws[0-9a-f]{24}"), "<canary>"),
    (re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE), "<uuid>"),
    (
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"),
        "<time>",
    ),
    (re.compile(r"\b[0-9a-f]{16,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,15}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b\d{9,}(?:\.\d+)?\b"), "<number>"),
)
_ABSENT: Final = object()


def normalised(response: Response) -> str:
    """The body with ids, times, long numbers and canaries masked; JSON in one spelling.

    Two refusals of the same kind normalise to the same text, whatever request id they carry.
    """
    document = response.json()
    text = (
        json.dumps(document, sort_keys=True, ensure_ascii=False)
        if document is not None
        else response.text
    )
    for pattern, mask in _VOLATILE_TEXT:
        text = pattern.sub(mask, text)
    return text.strip()


def same_content(
    one: Response,
    other: Response,
    *,
    repeat_of_one: Response | None = None,
    volatile: frozenset[str] = frozenset(),
) -> bool:
    """Whether two responses carry the same content.

    `repeat_of_one` is a second answer to the request that gave `one`: JSON places whose value
    differs between the two change by themselves and are not compared, nor are those in `volatile`
    (from `volatile_places`). Responses that carry nothing (an empty body) are never the same
    content: they prove nothing.
    """
    if not one.body.strip() or not other.body.strip():
        return False
    first, second = one.json(), other.json()
    if first is None or second is None:
        if first is not None or second is not None:
            return False
        return normalised(one) == normalised(other)
    places, other_places = dict(_places(first)), dict(_places(second))
    if not any(_says_something(value) for value in places.values()):
        return normalised(one) == normalised(other)
    if repeat_of_one is not None:
        volatile |= volatile_places(one, repeat_of_one)
    steady = (places.keys() | other_places.keys()) - volatile
    return all(places.get(key, _ABSENT) == other_places.get(key, _ABSENT) for key in steady)


def volatile_places(one: Response, repeat: Response | None) -> frozenset[str]:
    """The JSON places in which two answers to the same request differ; none without a repeat."""
    first, second = one.json(), repeat.json() if repeat is not None else None
    if first is None or second is None:
        return frozenset()
    places, others = dict(_places(first)), dict(_places(second))
    return frozenset(
        place
        for place in places.keys() | others.keys()
        if places.get(place, _ABSENT) != others.get(place, _ABSENT)
    )


def holds(whole: Response, part: Response, *, volatile: frozenset[str] = frozenset()) -> bool:
    """Whether one answer shows what another one lists: a thing with an id of it, else all of it.

    Lists end somewhere, so that the latest twenty of everybody's hold some of somebody's. What is
    named as a place in `volatile` (of `part`, from `volatile_places`) is not compared.
    """
    pages = page_of(whole), page_of(part)
    if pages[0] is not None and pages[1] is not None:
        rows = {row.text for row in pages[1].all("tr", "li")} - {""}
        return bool(rows) and rows <= {row.text for row in pages[0].all("tr", "li")}
    changing = frozenset(place.rpartition(".")[2] for place in volatile)
    known = {_spelled(node, changing) for node in _nodes(whole.json())}
    items = [item for node in _nodes(part.json()) if isinstance(node, list) for item in node]
    things = items or ([part.json()] if _says_something(part.json()) else [])
    named = [each for each in things if isinstance(each, dict) and _has_id(each)]
    return any(_spelled(each, changing) in known for each in named) or (
        bool(things) and all(_spelled(each, changing) in known for each in things)
    )


def _nodes(node: Any) -> Iterator[Any]:
    """Everything in a JSON document, however deep."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if isinstance(each, dict | list):
            waiting.extend(each.values() if isinstance(each, dict) else each)


def _spelled(node: Any, changing: frozenset[str]) -> str:
    kept = {k: v for k, v in node.items() if k not in changing} if isinstance(node, dict) else node
    return json.dumps(kept, sort_keys=True)


def _has_id(thing: dict[str, Any]) -> bool:
    return any(words(name)[-1] in KEY_WORDS and value for name, value in thing.items())


def _places(node: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON document with its path; empty containers are leaves."""
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _places(value, f"{path}.{key}")
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from _places(value, f"{path}[{index}]")
    else:
        yield path, node if not isinstance(node, dict | list) else type(node).__name__


def _says_something(value: Any) -> bool:
    return value is not None and value not in ("", "list", "dict")
