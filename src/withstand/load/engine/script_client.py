"""The client of a virtual user, on the engine.

`get` is written for speed: a request of the usual kind (a known name, no options, a connection at
rest) takes the short way, and everything else that of `request`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from time import perf_counter_ns
from types import SimpleNamespace
from typing import Any, Final

from withstand.client.redirect import MAX_REDIRECTS, REDIRECTS, Hop, hop
from withstand.load.engine.script_connection import IDEMPOTENT, ConnectionWentStale
from withstand.load.engine.script_plain import PlainUser
from withstand.load.engine.script_requests import UserRequests, without_content
from withstand.load.engine.script_scene import Scene
from withstand.load.script.client import AsyncClient
from withstand.load.script.count import Ticket
from withstand.load.script.operations import Operations
from withstand.load.script.request import (
    ANY_SUCCESS,
    Expected,
    HeaderFields,
    Params,
    body_of,
    checked_method,
    checked_path,
    expected_statuses,
    filled,
    with_params,
)
from withstand.load.script.response import Response
from withstand.load.script.script import UserFunction

_TOO_MANY: Final = f"more than {MAX_REDIRECTS} redirects"


class EngineClient(UserRequests, AsyncClient):
    """One virtual user's client; `is_set_up` says that its setup went well."""

    __slots__ = (
        "_group",
        "_number",
        "_operations",
        "_plain",
        "_state",
        "_tickets",
        "is_set_up",
    )

    def __init__(self, scene: Scene, number: int, kind: UserFunction | None) -> None:
        super().__init__(scene, kind)
        self._number = number
        self._operations = scene.operations
        self._state: SimpleNamespace | None = None
        self._plain: PlainUser | None = None
        self.is_set_up = False
        self._enter("")
        if kind is not None:
            self._headers.update(kind.headers)
            if kind.identities:
                who = kind.identities[number % len(kind.identities)]
                self.take_on(scene.credentials[who])

    # What a script sees.

    @property
    def number(self) -> int:
        """The virtual user's number, from 0, unique in the whole run."""
        return self._number

    @property
    def state(self) -> SimpleNamespace:
        """Whatever the script wants to remember."""
        if self._state is None:
            self._state = SimpleNamespace()
        return self._state

    @property
    def shared(self) -> Any:
        """What `before_run` gave back."""
        return self._scene.shared

    @contextlib.contextmanager
    def group(self, name: str) -> Iterator[None]:
        """Count requests under `name / …`."""
        before = self._group
        self._enter(f"{before}{name} / ")
        try:
            yield
        finally:
            self._enter(before)

    async def think(self, least_s: float, most_s: float | None = None) -> None:
        """Wait so many seconds, or any time between two."""
        most_s = least_s if most_s is None else most_s
        if not 0 <= least_s <= most_s:
            raise ValueError(
                f"think({least_s}, {most_s}) is no time; give seconds, the least first"
            )
        await asyncio.sleep(self._scene.draw.uniform(least_s, most_s))

    async def get(self, path: str, /, *, name: str | None = None, **options: Any) -> Response:
        """GET."""
        head = self._head
        if head is not None and not options and self.idle and not self.leaving:
            ticket = self._tickets.get(path if name is None else (name, path))
            if ticket is None:
                ticket = self._new_ticket(path, name)
            if ticket is not None:
                connection = self.idle.pop()
                if connection.reusable:
                    # `exchange` and `start`, written out: this is what each request costs.
                    data = ticket.line + head
                    self.asked += 1
                    count = ticket.count
                    count.sent += 1
                    count.bytes_sent += len(data)
                    scene = self._scene
                    connection.ticket = ticket
                    future: asyncio.Future[Response] = asyncio.Future(loop=scene.loop)
                    connection.future = future
                    connection.swift = connection.has_answered
                    connection.in_flight = True
                    connection.reusable = False
                    connection.first_byte_ns = None
                    connection.bytes_received = 0
                    connection.sent_ns = sent_ns = perf_counter_ns()
                    connection.transport.write(data)
                    connection.intended_ns = sent_ns - self._delay_ns
                    self._delay_ns = 0
                    connection.deadline_ns = sent_ns + scene.timeout_ns
                    try:
                        return await future
                    except ConnectionWentStale:
                        return await self.exchange(ticket, data, resent=connection)
                    except asyncio.CancelledError:
                        connection.abandon(future)
                        raise
                self.idle.append(connection)
        return await self.request("GET", path, name=name, **options)

    async def request(
        self,
        method: str,
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
    ) -> Response:
        """A request of any method."""
        checked_method(method)
        known_values = more_values if values is None else {**values, **more_values}
        plain = filled(path, known_values) if known_values or "{" in path else path
        whole = self._base + checked_path(with_params(plain, params))
        if self._query:
            whole = with_params(whole, self._query)
        count = self._operations.find(
            self._group, method, path.partition("?")[0] if name is None else name
        )
        body, media_type = body_of(json=json, data=data, content=content)
        expected = expected_statuses(expect)
        fields = self.fields_of(headers, auth, media_type)
        ticket = Ticket(
            count,
            whole,
            expected=expected | REDIRECTS if allow_redirects else expected,
            resendable=method in IDEMPOTENT,
        )
        response = await self.exchange(
            ticket,
            self.rendered(method, whole, fields, body),
            head=method == "HEAD",
            timeout_s=timeout_s,
        )
        if not allow_redirects:
            return response
        return await self._follow(response, method, fields, body, expected, timeout_s)

    # What the engine sees.

    def call_plain(self, function: Callable[..., Any]) -> Coroutine[Any, Any, Any]:
        """Call a plain `def` function with this client's plain counterpart."""
        if self._plain is None:
            self._plain = PlainUser(self)
        return self._plain.call(function)

    @property
    def is_measured(self) -> bool:
        """Whether its requests count."""
        return self._operations is self._scene.operations

    def go_off_the_record(self) -> None:
        """From now on its requests are not measured."""
        self.leaving = False
        self._operations = Operations(width_s=1)
        self._enter("")

    # How a request is made.

    def _enter(self, group: str) -> None:
        self._group = group
        self._tickets = self._operations.tickets(group)

    def _new_ticket(self, path: str, name: str | None) -> Ticket | None:
        """A ticket for requests like this one; None where `request` has to look closer."""
        label = path.partition("?")[0] if name is None else name
        count = self._operations.known(self._group)["GET"].get(label)
        if count is None or "{" in path:
            return None
        whole = self._base + checked_path(path)
        line = f"GET {self._origin}{whole} HTTP/1.1\r\n".encode()
        ticket = Ticket(count, whole, expected=ANY_SUCCESS, resendable=True, line=line)
        self._operations.keep(self._group, path if name is None else (name, path), ticket)
        return ticket

    async def _follow(
        self,
        response: Response,
        method: str,
        fields: HeaderFields | None,
        body: bytes,
        expected: frozenset[int],
        timeout_s: float | None,
    ) -> Response:
        """Send what redirects ask for; each is a request of its own in the report."""
        name = f"{response.name} (redirected)"
        for _ in range(MAX_REDIRECTS):
            if response.status not in REDIRECTS:
                break
            found = hop(
                self._scene.way.target,
                method=method,
                path=response.path,
                status=response.status,
                location=response.headers.get("location"),
            )
            if not isinstance(found, Hop):
                response.fail(found)
                return response
            if not found.keeps_body:
                body, fields = b"", without_content(fields)
            method, path = found.method, checked_path(found.path)
            ticket = Ticket(
                self._operations.named(name),
                path,
                expected=expected | REDIRECTS,
                resendable=method in IDEMPOTENT,
            )
            response = await self.exchange(
                ticket,
                self.rendered(method, path, fields, body),
                head=method == "HEAD",
                timeout_s=timeout_s,
            )
        else:
            if response.status in REDIRECTS:
                response.fail(_TOO_MANY)
                return response
        if response.status not in expected:
            response.fail(f"status {response.status}")
        return response


def _method(method: str) -> Any:
    def call(self: EngineClient, path: str, /, **options: Any) -> Any:
        return self.request(method, path, **options)

    return call


for _name in ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
    setattr(EngineClient, _name.lower(), _method(_name))
