"""The client of HttpUser: requests' session as Locust has it, with a short way for plain requests.

A request takes the short way when nothing about it needs more than sending bytes and reading an
answer. Any other is left to the session that this one is, and so is any answer that is not plain.
"""

from collections.abc import MutableMapping
from io import BytesIO
from time import perf_counter_ns, time
from typing import Any, Final

from locust import User
from locust.clients import HttpSession, ResponseContextManager
from requests import Response
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as PooledResponse
from urllib3.exceptions import HTTPError

from withstand.locust_plugin.client.address import Address
from withstand.locust_plugin.client.connecting import http_connector
from withstand.locust_plugin.client.connection import BrokenError
from withstand.locust_plugin.client.cookies import WatchedRequestsJar
from withstand.locust_plugin.client.head import Head
from withstand.locust_plugin.client.headers import WatchedHeaders
from withstand.locust_plugin.client.http_response import PlainHttpResponse
from withstand.locust_plugin.client.own_ways import Replaceable, WatchedAdapters, overrides
from withstand.locust_plugin.client.plan import Plan, Planner
from withstand.locust_plugin.client.pool import ConnectionPool
from withstand.locust_plugin.client.replay import TapeAdapter
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.watch import WATCH, intended_ns

_NO_CONTEXT: Final = User.context
_KEPT: Final = 10  # connections to one server, as requests keeps
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))


class FastSession(HttpSession):
    """In the place of `locust.clients.HttpSession`."""

    send = Replaceable()
    prepare_request = Replaceable()
    merge_environment_settings = Replaceable()
    resolve_redirects = Replaceable()
    _send_request_safe_mode = Replaceable()
    _build_url = Replaceable()
    _planner: Planner
    _pools: dict[Any, ConnectionPool]
    _outcome: tuple[Address, Tape | Exception] | None
    has_own_transport: bool

    def __new__(cls, *_: Any, **__: Any) -> "FastSession":
        """With what a copy needs as well, which is made without being initialised."""
        made = super().__new__(cls)
        made._planner = Planner()
        made._pools = {}
        made._outcome = None
        made.has_own_transport = True  # until it is known to have none
        return made

    def __init__(
        self,
        base_url: str,
        request_event: Any,
        user: Any,
        *args: Any,
        pool_manager: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(base_url, request_event, user, *args, pool_manager=pool_manager, **kwargs)
        self.headers = WatchedHeaders(self.headers)
        self.cookies = WatchedRequestsJar()
        self.adapters = WatchedAdapters(self.adapters)
        self.adapters.changed = False
        self.has_own_transport = pool_manager is not None or overrides(type(self), FastSession)

    def get_adapter(self, url: str) -> Any:
        """The adapter that sends; the one that replays what has come, if something has."""
        if self._outcome is None:
            return super().get_adapter(url)
        outcome, self._outcome = self._outcome, None
        return TapeAdapter(*outcome)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        super().close()
        for pool in self._pools.values():
            pool.close()

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: MutableMapping[str, Any] = {},  # noqa: B006 - as Locust's own
        *,
        data: Any = None,
        json: Any = None,
        **kwargs: Any,
    ) -> ResponseContextManager:
        """Send a request and report it; as `locust.clients.HttpSession.request`."""
        if self.request_name and not name:
            name = self.request_name
        self.explicit_name = name
        start_time, start_ns = time(), perf_counter_ns()
        WATCH.started += 1
        user, due_ns = self.user, start_ns
        if user is not None and user.withstand_due_ns:
            due_ns = intended_ns(user, start_ns)
        plan = self._planner.plan(self, method, url, data, json, kwargs)
        if WATCH.explaining:
            WATCH.note("fast" if type(plan) is tuple else f"requests: {plan}")
        response: Any = None
        if type(plan) is tuple:
            response, end_ns = self._exchange(method, plan, due_ns, start_ns)
        if response is None:
            response = self._send_request_safe_mode(
                method, self._build_url(url), data=data, json=json, **kwargs
            )
            if type(plan) is not tuple or response.history:  # sent only now, or what follows
                end_ns = perf_counter_ns()
        else:
            if user is not None:
                user.withstand_has_sent = True
                if getattr(user.context, "__func__", None) is not _NO_CONTEXT:
                    context = {**user.context(), **context}
            path, size_bytes = response.address.path, len(response._content)
            response.told = (method, name or path, size_bytes, context, start_time, name)
            response._catch_response = catch_response
            if not catch_response:
                response.__exit__(None, None, None)
            return response  # type: ignore[no-any-return]
        return self._report(
            response,
            {
                "request_type": method,
                "response_time": (end_ns - start_ns) / 1e6,
                "name": name,
                "context": context if user is None else {**user.context(), **context},
                "response": response,
                "exception": None,
                "start_time": start_time,
                "url": url,
            },
            catch_response=catch_response,
            stream=bool(kwargs.get("stream")),
            times_ns=(due_ns, start_ns, end_ns),
        )

    def _pool(self, address: Address) -> ConnectionPool:
        key = (address.origin, self.verify, self.cert)
        pool = self._pools.get(key)
        if pool is None:
            connector = http_connector(address, self.verify, self.cert)
            pool = self._pools[key] = ConnectionPool(connector, kept=_KEPT)
        return pool

    def _exchange(
        self, method: str, plan: Plan, due_ns: int, start_ns: int
    ) -> tuple[PlainHttpResponse | None, int]:
        """The response, if it is a plain one, and when it came. For any other, the session's next
        request hears what came."""
        address, request, timeout, redirects = plan
        connect_s, read_s = timeout if type(timeout) is tuple else (timeout, timeout)
        try:
            pool = self._pool(address)
            connection = pool.take(start_ns, connect_s)
        except Exception as error:
            self._outcome = (address, error)
            return None, perf_counter_ns()
        connect_ns = pool.connect_ns
        sent_ns = perf_counter_ns() if connect_ns else start_ns
        try:
            known = connection.exchange(method.upper(), request, read_s)
        except BrokenError as broken:
            self._outcome = (address, Tape(broken.received, broken.error))
            return None, perf_counter_ns()
        head, body, end_ns = connection.head, connection.body, connection.end_ns
        first_byte_ns = connection.first_byte_ns
        timing = (due_ns, start_ns, sent_ns, first_byte_ns, end_ns, connect_ns)
        reader = None if known else connection.reader
        pool.give_back(connection)
        if head.is_plain or self._is_plain_enough(head, address, redirects):
            content = decoded(head, body) if head.encoded and body else body
            if content is not None:
                event = self.request_event
                return PlainHttpResponse(head, content, address, request, timing, event), end_ns
        received = (connection.head.raw, body) if reader is None else reader.received
        self._outcome = (address, Tape(received))
        return None, end_ns

    def _is_plain_enough(self, head: Head, address: Address, redirects: bool) -> bool:
        if head.redirects and head.status in _REDIRECTS and redirects:
            return False
        if head.sets_cookies:
            lines = (value for name, value in head.fields if name == "set-cookie")
            self._planner.cookies.take(self.cookies, address.url, lines)
        return True

    def _report(
        self,
        response: Any,
        meta: dict[str, Any],
        *,
        catch_response: bool,
        stream: bool,
        times_ns: tuple[int, int, int],
    ) -> ResponseContextManager:
        """Tell Locust of a response of requests, now or at the end of the user's with-block."""
        first = (response.history or [response])[0].request
        meta["name"] = meta["name"] or (str(meta["url"]) if first is None else first.path_url)
        meta["url"] = self._build_url(meta["url"]) if first is None else str(first.url)
        meta["response_length"] = _length(response, stream=stream)
        due_ns, start_ns, end_ns = times_ns
        response.withstand_timing = (due_ns, start_ns, start_ns, end_ns, end_ns, 0)
        whole = ResponseContextManager.wrap_response(
            response,
            request_event=self.request_event,
            request_meta=meta,
            catch_response=catch_response,
        )
        if not catch_response:
            whole.__exit__(None, None, None)  # type: ignore[no-untyped-call]
        return whole


def _length(response: Response, *, stream: bool) -> int:
    if stream:  # its body is not to be fetched for this
        return int(response.headers.get("content-length") or 0)
    return len(response.content or b"")


def decoded(head: Head, body: bytes) -> bytes | None:
    """A body without its content encoding; None for one that is not what its head says."""
    headers = HTTPHeaderDict(head.items())
    try:
        return PooledResponse(BytesIO(body), headers=headers, preload_content=True).data
    except HTTPError:
        return None
