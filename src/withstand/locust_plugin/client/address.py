"""Addresses as users write them → where to connect, and what to say there. Pure, but for a cache.

Only addresses that mean what they say are read here: nothing to be encoded, no dots to be resolved,
no user name. The others are left to the libraries that know every corner of a URL.
"""

import re
from dataclasses import dataclass
from typing import Final

_MAX_KNOWN: Final = 8_192
_PLAIN: Final = re.compile(
    r"(https?)://([a-z0-9][a-z0-9.\-]*|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?"
    r"(/[A-Za-z0-9\-_~!$&'()*+,;=:@./]*)?(\?[A-Za-z0-9\-_~!$&'()*+,;=:@./?]+)?\Z"
)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """`path` has the query in it; `head` is what comes after the method: the rest of the request
    line, and the Host header that a client for this port sends.
    """

    origin: str
    scheme: str
    host: str
    port: int
    path: str
    head: bytes
    url: str


_known: dict[str, Address | None] = {}


def address_of(url: str) -> Address | None:
    """The address that a whole URL is; None for one that is not plain."""
    try:
        return _known[url]
    except KeyError:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        found = _known[url] = _read(url)
        return found


def _read(url: str) -> Address | None:
    match = _PLAIN.match(url)
    if match is None:
        return None
    scheme, host, port, path, query = match.groups()
    path = path or "/"
    if path.startswith("//") or "/." in path:
        return None
    number = int(port) if port else _PORTS[scheme]
    if not 0 < number < 65_536 or (port and port.startswith("0")):
        return None
    netloc = host if number == _PORTS[scheme] else f"{host}:{number}"
    whole = path + (query or "")
    origin = f"{scheme}://{host}" + (f":{port}" if port else "")
    return Address(
        origin=origin,
        scheme=scheme,
        host=host.strip("[]"),
        port=number,
        path=whole,
        head=f" {whole} HTTP/1.1\r\nHost: {netloc}\r\n".encode("ascii"),
        url=origin + whole,
    )
