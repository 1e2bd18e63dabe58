"""Where a list goes on that is given out in pages. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from withstand.client.exchange import Request, Response
from withstand.openapi.naming import words

_LINK: Final = re.compile(r"<([^<>]*)>[^<>]*?\brel\s*=\s*\"?next\b", re.IGNORECASE)
_NAMES: Final = frozenset({"next", "next_page_url", "next_url", "next_link", "odata_next_link"})
_HOLDERS: Final = frozenset(
    {"links", "_links", "meta", "pagination", "paging", "page", "page_info"}
)


def next_page(request: Request, response: Response, authority: str) -> Request | None:
    """The request for the page after this one, where the answer gives its address.

    Known are the Link header (RFC 8288), `next` and its like at the top, in `links`, `_links`,
    `meta` and `paging`. `authority` is the target's `host:port`: no other is asked.
    """
    for text in _addresses(response):
        try:
            address = urlsplit(urljoin(request.path, text))
        except ValueError:  # an open bracket, say: no address
            continue
        if address.netloc not in {"", authority} or not address.path.startswith("/"):
            continue
        path = address.path + (f"?{address.query}" if address.query else "")
        if path != request.path:
            return Request(method=request.method, path=path, headers=request.headers)
    return None


def _addresses(response: Response) -> Iterator[str]:
    link = _LINK.search(response.header("link") or "")
    if link is not None:
        yield link[1]
    document = response.json()
    if isinstance(document, Mapping):
        yield from _named(document)
        for name, part in document.items():
            if name in _HOLDERS and isinstance(part, Mapping):
                yield from _named(part)


def _named(node: Mapping[str, Any]) -> Iterator[str]:
    for name, part in node.items():
        if "_".join(words(name)) in _NAMES:
            address = part.get("href") if isinstance(part, Mapping) else part
            if isinstance(address, str) and re.match(r"https?://|[/?]", address):
                yield address
