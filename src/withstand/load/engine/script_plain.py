"""Plain `def` users: ordinary functions that wait without `await`.

Each user has a greenlet. When its function waits for something, it switches back to the asyncio
Task of the user, which awaits the thing in its place and switches the result in. So a plain user is
a Task like any other, and everything else of the engine knows no difference.

The greenlet lives as long as the user: a new one would cost a memory mapping for its stack, which
is more than a whole request.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from greenlet import GreenletExit, getcurrent, greenlet

from withstand.client.cookies import CookieJar
from withstand.load.script.client import Client
from withstand.load.script.request import HeaderFields
from withstand.load.script.response import Response

if TYPE_CHECKING:
    from withstand.load.script.client import AsyncClient


class _Stack(greenlet):
    """The greenlet of a plain user: what `wait` may be used in."""


class _Returned:
    """What a function came to in the greenlet."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any, error: BaseException | None) -> None:
        self.value = value
        self.error = error


class PlainUser:
    """Calls plain functions with a client, one after another."""

    __slots__ = ("_client", "_stack")

    def __init__(self, client: "AsyncClient") -> None:
        self._client = PlainClient(client)
        self._stack = _Stack(_serve)

    async def call(self, function: Callable[..., Any]) -> Any:
        """What the function returns; what it waits for is awaited here."""
        stack = self._stack
        value = stack.switch(function, self._client)
        while type(value) is not _Returned:
            try:
                result = await value
            except BaseException as error:
                value = stack.throw(error)
            else:
                value = stack.switch(result)
        if value.error is not None:
            raise value.error
        return value.value


def _serve(function: Callable[..., Any], client: Client) -> None:
    """Call one function after another, in the greenlet, for as long as there is one."""
    task = getcurrent().parent
    assert task is not None
    while True:
        try:
            returned = _Returned(function(client), None)
        except GreenletExit:  # nobody needs this greenlet any more
            raise
        except BaseException as error:
            returned = _Returned(None, error)
        function, client = task.switch(returned)


def wait(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine, waited for in a plain user. Raises RuntimeError elsewhere."""
    call = getcurrent()
    if not isinstance(call, _Stack) or call.parent is None:
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

    def get(self, path: str, /, **options: Any) -> Response:
        """GET, without a detour: it is what most requests are."""
        response: Response = wait(self._client.get(path, **options))
        return response


def _method(name: str) -> Any:
    def call(self: PlainClient, path: str, /, **options: Any) -> Any:
        return wait(getattr(self._client, name)(path, **options))

    return call


for _name in ("head", "options", "post", "put", "patch", "delete"):
    setattr(PlainClient, _name, _method(_name))
