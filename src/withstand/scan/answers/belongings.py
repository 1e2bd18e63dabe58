"""What somebody has, as an answer shows it to them, and what of that is no longer so. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.client.page import page_of, properties_of
from withstand.openapi.identifiers import identifier_in
from withstand.openapi.naming import words

Belongings = Mapping[str, object]
"""JSON path → value, of what a list holds with its id: `$.items[7].state`. `$.items[7]` stands for
the thing itself, `$.items[]` for how many things the list has."""

_MOVES: Final = frozenset(
    {"count", "counts", "total", "totals", "size", "page", "pages", "offset", "limit", "next"}
    | {"unread", "seen", "views", "hits", "updated", "modified", "last", "latest", "recent"}
    | {"time", "timestamp", "date", "at", "since", "now", "age", "uptime", "version", "etag"}
    | {"expires", "request", "requests", "attempts", "rank", "position", "score"}
)
"""Words of what changes by itself, or because something was added or read."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d")
_SECONDS: Final = 1e9  # since 1970: from here on a number is a time as well
_DEPTH: Final = 6
_GONE: Final = object()


def belongings_in(response: Response) -> Belongings:
    """What is scalar in an answer and stays as it is unless somebody changes it."""
    page = page_of(response)
    return dict(_told(properties_of(page) if page is not None else response.json(), "$", 0))


def has_several(had: Belongings) -> bool:
    """Whether an answer lists things."""
    return any(place.endswith("[]") for place in had)


def changed(was: Belongings, now: Belongings) -> Iterator[str]:
    """The places that have another value, or nothing any more. What pushed a thing out of a list
    that is as long as before has not taken it away; what was added is no change.
    """
    gone: tuple[str, ...] = ()
    for place, value in was.items():
        if place.endswith("[]") or now.get(place, _GONE) == value or place.startswith(gone):
            continue
        if place.endswith("]") and place not in now:
            gone += (place,)
            held = place[: place.rindex("[")] + "[]"
            if now.get(held) == was.get(held):
                continue
        yield place


def is_shared(
    place: str, mine: tuple[Belongings, Belongings], other: tuple[Belongings, Belongings]
) -> bool:
    """Whether another user was shown the same there, before and after: it is not one's own."""
    return all(
        one.get(place, _GONE) == two.get(place, _GONE) for one, two in zip(mine, other, strict=True)
    )


def _told(node: Any, path: str, depth: int) -> Iterator[tuple[str, object]]:
    if depth > _DEPTH:
        return
    if isinstance(node, Mapping):
        for name, part in node.items():
            if not _MOVES.intersection(words(str(name))):
                yield from _told(part, f"{path}.{name}", depth + 1)
    elif isinstance(node, list):
        yield f"{path}[]", len(node)
        for item in node:
            number = identifier_in(item, "id")
            if number is not None:
                yield f"{path}[{number}]", True
                yield from _told(item, f"{path}[{number}]", depth + 1)
    elif not _is_time(node):
        yield path, node


def _is_time(value: object) -> bool:
    if isinstance(value, str):
        return bool(_TIME.search(value))
    return isinstance(value, int | float) and value >= _SECONDS
