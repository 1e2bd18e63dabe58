"""Plain `def` users: ordinary functions that wait without `await`.

Each call runs in a greenlet. When it waits for something, it switches back to the asyncio Task
that started it, which awaits the thing in its place and switches the result in. So a plain user is
a Task like any other, and everything else of the engine knows no difference.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from withstand.client.cookies import CookieJar
from withstand.load.script.client import Client
from withstand.load.script.request import HeaderFields
from withstand.load.script.response import Response

if TYPE_CHECKING:
    from withstand.load.script.client import AsyncClient


class _PlainCall(greenlet):
    """The greenlet of a plain user's call: what `wait` may be used in."""


async def run_plain(function: Callable[..., Any], client: "AsyncClient") -> Any:
    """Call a plain function with the client, and await what it waits for."""
    call = _PlainCall(function)
    value = call.switch(PlainClient(client))
    while not call.dead:
        try:
            result = await value
        except BaseException as error:
            value = call.throw(error)
        else:
            value = call.switch(result)
    return value


def wait(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine, waited for in a plain user. Raises RuntimeError elsewhere."""
    call = getcurrent()
    if not isinstance(call, _PlainCall) or call.parent is None:
        work.close()
        raise RuntimeError(
            "the client can only be used in the function that it was given to, and in what that "
            "calls, not in a thread of the script's own"
        )
    return call.parent.switch(work)


class PlainClient(Client):
    """The client of a plain user."""

    __slots__ = ("_client",)

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    @property
    def number(self) -> int:
        """The virtual user's number."""
        return self._client.number

    @property
    def state(self) -> SimpleNamespace:
        """Whatever the script wants to remember."""
        return self._client.state

    @property
    def shared(self) -> Any:
        """What `before_run` gave back."""
        return self._client.shared

    @property
    def headers(self) -> HeaderFields:
        """Headers that every request carries."""
        return self._client.headers

    @property
    def cookies(self) -> CookieJar:
        """What the target has set."""
        return self._client.cookies

    def group(self, name: str) -> AbstractContextManager[None]:
        """Count requests under `name / …`."""
        return self._client.group(name)

    def think(self, least_s: float, most_s: float | None = None) -> None:
        """Wait so many seconds, or any time between two."""
        wait(self._client.think(least_s, most_s))

    def request(self, method: str, path: str, /, **options: Any) -> Response:
        """A request of any method."""
        response: Response = wait(self._client.request(method, path, **options))
        return response


def _method(name: str) -> Any:
    def call(self: PlainClient, path: str, /, **options: Any) -> Any:
        return wait(getattr(self._client, name)(path, **options))

    return call


for _name in ("get", "head", "options", "post", "put", "patch", "delete"):
    setattr(PlainClient, _name, _method(_name))
