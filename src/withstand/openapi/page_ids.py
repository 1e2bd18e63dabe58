"""Ids that a page shows of the things it lists: in links, rows and the forms beside them. Pure."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from withstand.client.exchange import Response
from withstand.client.page import Element, page_of
from withstand.openapi.identifiers import listed_id_with, listed_ids
from withstand.openapi.naming import ID_WORDS, VERBS, noun, words
from withstand.openapi.path_template import segments
from withstand.openapi.spoken import thing_in

_ROWS: Final = ("tr", "li", "article")
_HELD: Final = frozenset({"hidden", "checkbox", "radio"})  # inputs that say which one is meant


def ids_in(element: Element, about: str) -> Iterator[str]:
    """The ids in an element of what `about` names, in the page's order and as often as they occur.

    For "order": `/orders/17`, `/order.php?id=17`, `?order_id=17`, `data-id` and `data-order-id`,
    and the inputs `id` and `order_id` of forms that nobody fills in.
    """
    for each in element.all():
        address = each.attributes.get("href") or each.attributes.get("action") or ""
        if each.tag in {"a", "form"} and address:
            yield from _in_address(address, about)
        for name, value in each.attributes.items():
            if name.startswith("data-") and value and _names(name.removeprefix("data-"), about):
                yield value
        if each.tag == "form" and thing_in(urlsplit(address).path) in {"", about}:
            for field in each.all("input"):
                held = field.attributes.get("type", "").lower() in _HELD
                value = field.attributes.get("value", "")
                if held and value and _names(field.attributes.get("name", ""), about):
                    yield value


def ids_listed(response: Response, parameter_name: str, about: str) -> set[str]:
    """The ids of the things that a response lists, as JSON or as a page."""
    page = page_of(response)
    if page is None:
        return listed_ids(response.json(), parameter_name)
    return set(ids_in(page, about))


def id_listed_with(
    response: Response,
    texts: tuple[str, ...],
    parameter_name: str,
    about: str,
    *,
    other_than: frozenset[str] = frozenset(),
) -> object | None:
    """The id of that thing in a list, JSON or a page, which holds one of the texts."""
    page = page_of(response)
    if page is None:
        return listed_id_with(response.json(), texts, parameter_name, other_than=other_than)
    rows = (row for row in page.all(*_ROWS) if any(text in row.text for text in texts))
    for row in sorted(rows, key=lambda row: len(row.text)):  # the innermost first
        found = set(ids_in(row, about)) - other_than
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _in_address(address: str, about: str) -> Iterator[str]:
    parts = urlsplit(address)
    named = [part for part in segments(parts.path) if words(part)[-1] not in VERBS]
    for before, part in pairwise(named):
        if noun(before) == about:
            yield unquote(part)
    for name, value in parse_qsl(parts.query):
        if (len(words(name)) > 1 or thing_in(parts.path) in {"", about}) and _names(name, about):
            yield value


def _names(name: str, about: str) -> bool:
    """Whether a name is that of the thing's id: `id`, `order_id`."""
    *prefix, last = words(name)
    return last in ID_WORDS and (not prefix or noun("_".join(prefix)) == about)
