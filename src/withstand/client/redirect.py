"""Where a redirect leads, within the one host that requests may go to. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from withstand.client.target import Target

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS: Final = 20
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """The request that follows a redirect. `path` is the whole path with its query."""

    method: str
    path: str
    keeps_body: bool


def hop(target: Target, *, method: str, path: str, status: int, location: str | None) -> Hop | str:
    """What to send next, or the sentence that says why nothing can be.

    303 asks for a GET (or HEAD) in any case; 301 and 302 do so for a POST, as every browser has it
    (RFC 9110, 15.4.2 to 15.4.4); 307 and 308 keep method and body.
    """
    if not location:
        return f"a redirect ({status}) without a Location"
    try:
        url = urlsplit(urljoin(f"{target.scheme}://{target.authority}{path}", location))
        port = url.port or _DEFAULT_PORTS.get(url.scheme)
    except ValueError:
        return "a redirect to what is no address"
    if (url.scheme, url.hostname, port) != (target.scheme, target.host.lower(), target.port):
        return f"a redirect to another host ({url.scheme}://{url.netloc})"
    asks_for_get = status == 303 or (status in (301, 302) and method == "POST")
    changed = asks_for_get and method not in ("GET", "HEAD")
    return Hop(
        method="GET" if changed else method,
        path=(url.path or "/") + (f"?{url.query}" if url.query else ""),
        keeps_body=not changed,
    )
