"""The client that a user script is given: what it can do. Pure; the engine does it.

`AsyncClient` is given to `async def` users and `Client` to plain `def` ones. They are the same but
for `await`.
"""

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any, Protocol

from withstand.client.cookies import CookieJar
from withstand.load.script.request import Expected, HeaderFields, Params
from withstand.load.script.response import Response


class AsyncCall(Protocol):
    """Sends one request and gives its response.

    `path` is a path on the target, below its base path. Places such as `{id}` in it are filled
    from further keywords (`client.get("/orders/{id}", id=7)`) or from `values`, percent-encoded,
    and the report counts all of them under the one name. Where a path is put together by hand,
    `name` says what to count it under.

    `params` become the query; `json`, `data` (a form) or `content` (text or bytes) the body.
    `headers` are added to the client's. `auth` is a user name and a password. `timeout_s` replaces
    the run's. `expect` is the status, or the statuses, that are no error; without it 2xx and 3xx
    are none. `allow_redirects` follows redirects within the target.

    Raises RequestFailed when no response came.
    """

    def __call__(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        json: object | None = None,
        data: Params | None = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        name: str | None = None,
        timeout_s: float | None = None,
        allow_redirects: bool = False,
        expect: Expected = None,
        auth: tuple[str, str] | None = None,
        values: Mapping[str, object] | None = None,
        **more_values: object,
    ) -> Coroutine[Any, Any, Response]: ...


class Call(Protocol):
    """As `AsyncCall`, without `await`."""

    def __call__(
        self,
        path: str,
        /,
        *,
        params: Params | None = None,
        json: object | None = None,
        data: Params | None = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        name: str | None = None,
        timeout_s: float | None = None,
        allow_redirects: bool = False,
        expect: Expected = None,
        auth: tuple[str, str] | None = None,
        values: Mapping[str, object] | None = None,
        **more_values: object,
    ) -> Response: ...


class BaseClient(ABC):
    """What both kinds of client have: a virtual user's own state."""

    __slots__ = ()

    @property
    @abstractmethod
    def number(self) -> int:
        """The virtual user's number, from 0, unique in the whole run."""

    @property
    @abstractmethod
    def state(self) -> SimpleNamespace:
        """Whatever the script wants to remember from one iteration to the next."""

    @property
    @abstractmethod
    def shared(self) -> Any:
        """What `before_run` gave back; None without one."""

    @property
    @abstractmethod
    def headers(self) -> HeaderFields:
        """Headers that every request of this virtual user carries; to be changed at will."""

    @property
    @abstractmethod
    def cookies(self) -> CookieJar:
        """What the target has set; sent back as a browser would."""

    @abstractmethod
    def group(self, name: str) -> AbstractContextManager[None]:
        """Within it the report counts requests under `name / …`. Groups may be nested."""


class AsyncClient(BaseClient):
    """What an `async def` user is given."""

    __slots__ = ()

    get: AsyncCall
    head: AsyncCall
    options: AsyncCall
    post: AsyncCall
    put: AsyncCall
    patch: AsyncCall
    delete: AsyncCall

    @abstractmethod
    def request(self, method: str, path: str, /, **options: Any) -> Coroutine[Any, Any, Response]:
        """A request of any method, with the options of `AsyncCall`."""

    @abstractmethod
    async def think(self, least_s: float, most_s: float | None = None) -> None:
        """Wait, as people do between two clicks: so many seconds, or any time between two."""


class Client(BaseClient):
    """What a plain `def` user is given.

    All users share one thread: while one waits in here the others go on, and while one waits
    elsewhere (`time.sleep`, another HTTP client, a lock) everything stands still.
    """

    __slots__ = ()

    get: Call
    head: Call
    options: Call
    post: Call
    put: Call
    patch: Call
    delete: Call

    @abstractmethod
    def request(self, method: str, path: str, /, **options: Any) -> Response:
        """A request of any method, with the options of `Call`."""

    @abstractmethod
    def think(self, least_s: float, most_s: float | None = None) -> None:
        """Wait, as people do between two clicks: so many seconds, or any time between two."""
