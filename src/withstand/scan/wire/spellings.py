"""How an API spells its addresses: learned where it redirects to another spelling. Pure."""

from dataclasses import replace
from typing import Final

from withstand.client.exchange import Exchange, Request
from withstand.client.redirect import respelled
from withstand.client.target import Target

_MOST: Final = 2_000


class Spellings:
    """Without a target no redirect is followed."""

    def __init__(self, target: Target | None) -> None:
        self._target = target
        self._known: dict[tuple[str, str], str] = {}  # method and path → path as the API has it

    def current(self, request: Request) -> Request:
        """The request at the address that the API has, as far as it is known."""
        known = self._known.get((request.method, request.operation_path))
        return request if known is None else _at(request, known)

    def again(self, exchange: Exchange) -> Request | None:
        """The request once more at the spelling to which an answer leads; None where to none."""
        if self._target is None:
            return None
        path = respelled(self._target, exchange.request, exchange.response)
        return None if path is None else _at(exchange.request, path)

    def learn(self, asked: Request, found: Request) -> None:
        """From now on what is asked for by one spelling is asked for by the other."""
        path = found.operation_path
        if asked.operation_path != path and len(self._known) < _MOST:
            self._known[asked.method, asked.operation_path] = path


def _at(request: Request, path: str) -> Request:
    _, mark, query = request.path.partition("?")
    return replace(request, path=path + mark + query)
