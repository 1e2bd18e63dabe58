"""The client of HttpUser: requests' session as Locust has it, with a short way for plain requests.

A request takes the short way when nothing about it needs more than sending bytes and reading an
answer. Any other is left to the session that this one is, and so is any answer that is not plain.
"""

import json as standard_json
from collections.abc import MutableMapping
from contextlib import suppress
from io import BytesIO
from time import perf_counter_ns, time
from typing import Any, Final

import requests.models
from locust.clients import HttpSession, ResponseContextManager
from requests import Response
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as PooledResponse

from withstand.locust_plugin.client.address import Address, address_of
from withstand.locust_plugin.client.connection import Broken
from withstand.locust_plugin.client.connecting import http_connector
from withstand.locust_plugin.client.cookies import CookieHeaders, WatchedRequestsJar
from withstand.locust_plugin.client.head import Head
from withstand.locust_plugin.client.http_response import PlainHttpResponse
from withstand.locust_plugin.client.pool import ConnectionPool
from withstand.locust_plugin.client.replay import TapeAdapter
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.client.template import BYTES, FORM, JSON, NO_BODY, TEXT, Templates
from withstand.locust_plugin.client.timing import Timing
from withstand.locust_plugin.watch import WATCH, intended_ns

_KEPT: Final = 10  # connections to one server, as requests keeps
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_json_text: Final = standard_json.JSONEncoder(allow_nan=False).encode
_is_standard_json: Final = requests.models.complexjson is standard_json
_Plan = tuple[Address, bytes, Any, bool]
_NO_CONNECTION: Final = "it could not connect"


class WatchedHeaders(CaseInsensitiveDict[Any]):
    """The headers of a session; says when they change."""

    def __init__(self, changed: Any, headers: Any = None) -> None:
        self._changed = changed
        super().__init__(headers)

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._changed()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._changed()

    def copy(self) -> CaseInsensitiveDict[Any]:  # type: ignore[override]
        """A copy, which nobody watches."""
        return CaseInsensitiveDict(self.items())


class FastSession(HttpSession):
    """In the place of `locust.clients.HttpSession`."""

    headers: Any
    auth: Any

    def __init__(
        self,
        base_url: str,
        request_event: Any,
        user: Any,
        *args: Any,
        pool_manager: Any = None,
        **kwargs: Any,
    ) -> None:
        self._templates = Templates()
        self._cookie_headers = CookieHeaders()
        self._pools: dict[Any, ConnectionPool] = {}
        self._outcome: tuple[Address, Tape | Exception] | None = None
        self._given_pool_manager = pool_manager
        self._adapters_changed = False
        super().__init__(base_url, request_event, user, *args, pool_manager=pool_manager, **kwargs)
        self._adapters_changed = False
        self.cookies = WatchedRequestsJar()

    @property  # type: ignore[no-redef]
    def headers(self) -> Any:
        """The headers of every request. A mapping that is put here is copied."""
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self._headers = WatchedHeaders(self._templates.clear, value)
        self._templates.clear()

    @property  # type: ignore[no-redef]
    def auth(self) -> Any:
        """The credentials of every request."""
        return self._auth

    @auth.setter
    def auth(self, value: Any) -> None:
        self._auth = value
        self._templates.clear()

    def mount(self, prefix: str, adapter: Any) -> None:
        """Send with another adapter: from then on requests itself sends."""
        super().mount(prefix, adapter)
        self._adapters_changed = True

    def get_adapter(self, url: str) -> Any:
        """The adapter that sends; the one that replays what has come, if something has."""
        if self._outcome is None:
            return super().get_adapter(url)
        outcome, self._outcome = self._outcome, None
        return TapeAdapter(*outcome)

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
        due_ns = intended_ns(self.user, start_ns)
        WATCH.started += 1
        plan = self._plan(method, url, data, json, kwargs)
        if WATCH.explaining:
            WATCH.note("fast" if type(plan) is tuple else f"requests: {plan}")
        response: Any
        if type(plan) is tuple:
            response, end_ns = self._exchange(plan, due_ns, start_ns)
            if response is None:
                response = self._send_request_safe_mode(
                    method, self._build_url(url), data=data, json=json, **kwargs
                )
                if response.history:  # what followed the redirect was sent only now
                    end_ns = perf_counter_ns()
        else:
            response = self._send_request_safe_mode(
                method, self._build_url(url), data=data, json=json, **kwargs
            )
            end_ns = perf_counter_ns()
        if self.user:
            context = {**self.user.context(), **context}
        meta = {
            "request_type": method,
            "response_time": (end_ns - start_ns) / 1e6,
            "name": name,
            "context": context,
            "response": response,
            "exception": None,
            "start_time": start_time,
            "url": url,
        }
        if type(response) is not PlainHttpResponse:
            return self._report_any(response, meta, kwargs, catch_response, (due_ns, start_ns, end_ns))
        if not name:
            meta["name"] = plan[0].path
        meta["url"] = response.url
        meta["response_length"] = len(response._content)
        response.request_meta = meta
        response._catch_response = catch_response
        if not catch_response:
            if response.status_code < 400:
                self.request_event.fire(**meta)
            else:
                response.__exit__(None, None, None)
        return response

    def _plan(self, method: str, url: str, data: Any, json: Any, given: Any) -> _Plan | str:
        """Where to send what, how long to wait, and whether to follow redirects; or why requests
        has to do it.
        """
        headers = params = timeout = None
        redirects = True
        for key, value in given.items():
            if key == "headers":
                headers = value
            elif key == "allow_redirects":
                redirects = value
            elif key == "params":
                params = value
            elif key == "timeout":
                timeout = value
            elif value is not None and (key != "stream" or value):
                return f"{key}="
        if self.proxies or self.trust_env:
            return "proxies"
        if self.params or self.stream or self.hooks["response"]:
            return "params, stream or hooks of the session"
        if self._adapters_changed or self._given_pool_manager is not None:
            return "a transport adapter or pool manager of your own"
        try:
            whole = url if url.startswith("http") else f"{self.base_url}{url}"
            if params:
                whole += ("&" if "?" in whole else "?") + self._encode_params(params)
            address = address_of(whole)
            if address is None:
                return "an address that has to be encoded"
            if json is not None and not data:
                if not _is_standard_json:
                    return "simplejson"
                kind, body = JSON, _json_text(json).encode()
            elif not data and (data is None or isinstance(data, dict | str | bytes)):
                kind, body = NO_BODY, b""
            elif type(data) is bytes:
                kind, body = BYTES, data
            elif type(data) is str and data.isascii():
                kind, body = TEXT, data.encode()
            elif type(data) is dict:
                kind, body = FORM, self._encode_params(data).encode()
            else:
                return f"data= of type {type(data).__name__}"
            template = self._templates.find(self, method, headers, kind)
            if template is None:
                return "headers or auth that need more than sending"
            cookie = self._cookie_headers.header(self.cookies, address.origin, address.path)
            request = template.bytes(method.upper(), address.head, cookie, body)
        except Exception:  # whatever is wrong with the request, requests says it best
            return "a request that cannot be sent as it is"
        return address, request, timeout, redirects

    def _pool(self, address: Address) -> ConnectionPool:
        key = (address.origin, self.verify, self.cert)
        pool = self._pools.get(key)
        if pool is None:
            connector = http_connector(address, self.verify, self.cert)
            pool = self._pools[key] = ConnectionPool(connector, kept=_KEPT)
        return pool

    def _exchange(self, plan: _Plan, due_ns: int, start_ns: int) -> tuple[Any, int]:
        """The response, if it is a plain one, and when it came."""
        address, request, timeout, redirects = plan
        connect_s, read_s = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        try:
            pool = self._pool(address)
            connection = pool.take(start_ns, connect_s)
        except Exception as error:
            self._outcome = (address, error)
            return None, perf_counter_ns()
        connect_ns = pool.connect_ns
        sent_ns = perf_counter_ns() if connect_ns else start_ns
        try:
            known = connection.exchange(request.partition(b" ")[0].decode(), request, read_s)
        except Broken as broken:
            self._outcome = (address, Tape(broken.received, broken.error))
            return None, perf_counter_ns()
        head, body, end_ns = connection.head, connection.body, connection.end_ns
        first_byte_ns, reader = connection.first_byte_ns, connection.reader
        pool.give_back(connection)
        if head.redirects and head.status in _REDIRECTS and redirects:
            received = (head.raw, body) if known or reader is None else reader.received
            self._outcome = (address, Tape(received))
            return None, end_ns
        if head.sets_cookies:
            lines = (value for name, value in head.fields if name == "set-cookie")
            self._cookie_headers.take(self.cookies, address.url, lines)
        if head.encoded and body:
            try:
                body = decoded(head, body)
            except Exception:
                received = (head.raw, body) if known or reader is None else reader.received
                self._outcome = (address, Tape(received))
                return None, end_ns
        timing = Timing(due_ns, sent_ns, first_byte_ns, end_ns, connect_ns)
        return PlainHttpResponse(head, body, address.url, request, timing, self.request_event), end_ns

    def _report_any(
        self,
        response: Response,
        meta: dict[str, Any],
        given: Any,
        catch_response: bool,
        times_ns: tuple[int, int, int],
    ) -> ResponseContextManager:
        """Report a response that requests made."""
        due_ns, start_ns, end_ns = times_ns
        first = (response.history or [response])[0].request
        if first is not None:
            meta["url"] = str(first.url)
            meta["name"] = meta["name"] or first.path_url
        else:
            meta["url"] = self._build_url(meta["url"])
            meta["name"] = meta["name"] or str(meta["url"])
        if given.get("stream"):
            meta["response_length"] = int(response.headers.get("content-length") or 0)
        else:
            meta["response_length"] = len(response.content or b"")
        with suppress(AttributeError):
            response.withstand_timing = Timing(  # type: ignore[attr-defined]
                due_ns, start_ns, end_ns, end_ns, 0
            )
        whole = ResponseContextManager.wrap_response(
            response,
            request_event=self.request_event,
            request_meta=meta,
            catch_response=catch_response,
        )
        if not catch_response:
            whole.__exit__(None, None, None)
        return whole


def decoded(head: Head, body: bytes) -> bytes:
    """A body without its content encoding. Raises what urllib3 raises."""
    headers = HTTPHeaderDict(head.items())
    return PooledResponse(BytesIO(body), headers=headers, preload_content=True).data
