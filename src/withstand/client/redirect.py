"""Where a redirect leads, within the one host that requests may go to. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from withstand.client.exchange import Request, Response
from withstand.client.target import Target

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS: Final = 20
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


_KEEPS_METHOD: Final = frozenset({301, 307, 308})
"""By which servers lead to another spelling. 301 does not say so, but Django means it."""


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


def respelled(target: Target, request: Request, response: Response | None) -> str | None:
    """The path where a server has what was asked for, when it redirects to another spelling of the
    address: with a slash at its end or without one, or below a prefix. None for everything else: a
    redirect to another place is an answer, and often a refusal.
    """
    if response is None or (
        response.status not in _KEEPS_METHOD
        and not (response.status == 302 and request.method in ("GET", "HEAD"))
    ):
        return None
    step = hop(
        target,
        method="GET",  # whatever was sent is sent again
        path=request.path,
        status=response.status,
        location=response.header("location"),
    )
    if isinstance(step, str):
        return None
    asked, (path, _, _) = request.operation_path.strip("/"), step.path.partition("?")
    same = bool(asked) and f"/{path.strip('/')}".endswith(f"/{asked}")
    return path if same and path != request.operation_path else None


def secure_address(target: Target, request: Request, response: Response) -> str | None:
    """The https origin to which a server on plain HTTP sends everybody; None where it does not."""
    url = urlsplit(response.header("location") or "")
    same = url.path.rstrip("/") == request.operation_path.rstrip("/")
    if response.status not in REDIRECTS or target.scheme != "http" or url.scheme != "https":
        return None
    return f"https://{url.netloc}" if same and url.hostname == target.host.lower() else None
