"""What kind of thing a response holds, whatever the values are. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from withstand.client.exchange import Response
from withstand.client.page import Element, page_of
from withstand.client.soft_errors import ENVELOPE

_PAGING: Final = frozenset(
    {"limit", "offset", "page", "pages", "size", "per_page", "skip", "total", "count", "next"}
)
_DATA: Final = frozenset({"data", "result", "results"})
_HOW_IT_WENT: Final = ENVELOPE - _DATA
_BESIDE: Final = ENVELOPE | _PAGING
_SHORT: Final = 8  # characters: shorter texts are words that everybody's answers have


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a JSON document with the name of the property that holds it."""
    waiting = [(key, node)]  # not by recursion: an echo may be nested thousands of levels deep
    while waiting:
        name, item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend((str(inner), value) for inner, value in reversed(item.items()))
        elif isinstance(item, list):
            waiting.extend((name, value) for value in reversed(item))
        else:
            yield name, item


def tells(response: Response) -> bool:
    """Whether the response holds data of any kind: an empty list with its paging does not, nor
    does what stands beside `data` and says how it went.
    """
    document = response.json()
    if document is None:
        return bool(response.text.strip()) and response.text.strip() != "null"
    if isinstance(document, dict) and _DATA & document.keys():
        document = {key: part for key, part in document.items() if key.lower() not in _HOW_IT_WENT}
    return any(
        value not in (None, "", True, False) and key.lower() not in _PAGING
        for key, value in leaves(document)
    )


def is_empty(response: Response) -> bool:
    """Whether a success has room for data and none in it: `[]`, `{"data": null}`, `{"total": 0,
    "items": []}`, no body at all. Truth values and numbers of an object's own are data.
    """
    document = response.json()
    if document is None:
        return response.text.strip() in {"", "null"}
    waiting, room = [document], False
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            room = room or not node
            waiting.extend(node)
        elif isinstance(node, dict):
            room = room or not node
            waiting.extend(
                part
                for name, part in node.items()
                if isinstance(part, list | dict) or part is None or name.lower() not in _BESIDE
            )
        elif node is not None:
            return False
        else:
            room = True
    return room


def gives_all(more: Response, some: Response) -> bool:
    """Whether an answer holds all that another one tells, and more: everybody's rows, not only
    one's own. Pages are not compared: most of their lines are those of every page.
    """
    told = _facts(some)
    return bool(told) and page_of(some) is None and told <= _facts(more)


def _facts(response: Response) -> set[object]:
    """The texts that tell something: of JSON with their names, else line by line."""
    document = response.json()
    if document is None:
        return {line.strip() for line in response.text.splitlines()[1:] if line.strip()}
    told = leaves(document)
    return {(key, value) for key, value in told if isinstance(value, str) and len(value) > _SHORT}


def same_shape(one: Response, other: Response) -> bool:
    """Whether both are JSON with the same properties, however many items their lists have.

    Pages are of one shape where their headings and labels are the same, and both have rows or none.
    """
    pages = page_of(one), page_of(other)
    if pages[0] is not None and pages[1] is not None:
        labels = set(_labels(pages[0]))
        return len(labels) > 1 and labels == set(_labels(pages[1]))
    first, second = one.json(), other.json()
    if first is None or second is None:
        return False
    return set(_properties(first)) == set(_properties(second))


def _labels(page: Element) -> Iterator[str]:
    for element in page.all("title", "h1", "h2", "th", "dt", "label", "legend", "td"):
        yield f"{element.tag} {element.own_text if element.tag != 'td' else ''}"


def _properties(node: Any, path: str = "$") -> Iterator[str]:
    yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _properties(value, f"{path}.{name}")
    elif isinstance(node, list):
        for value in node:
            yield from _properties(value, f"{path}[]")
