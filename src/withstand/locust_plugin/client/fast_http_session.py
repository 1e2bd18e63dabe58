"""The client of FastHttpUser: Locust's session on geventhttpclient, with a short way for plain
requests.

A request takes the short way when nothing about it needs more than sending bytes and reading an
answer. Any other is left to the session that this one is, and so is any answer that is not plain.
"""

from time import perf_counter_ns, time
from typing import Any, Final
from urllib.parse import urlencode

from geventhttpclient.header import Headers
from geventhttpclient.url import URL
from locust import __version__ as _locusts_version
from locust.contrib import fasthttp
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent

from withstand.locust_plugin.client.connection import BrokenError
from withstand.locust_plugin.client.cookies import Cookie, CookieHeaders, WatchedJar
from withstand.locust_plugin.client.fast_http_place import Place, Target, target_of
from withstand.locust_plugin.client.fast_http_response import (
    PlainFastContext,
    PlainFastResponse,
    Sent,
    decoded,
    is_odd,
    mark_failed,
)
from withstand.locust_plugin.client.fast_http_template import (
    BYTES,
    FORM,
    JSON,
    NO_BODY,
    TEXT,
    Body,
    FastTemplate,
    fast_template,
    session_headers,
)
from withstand.locust_plugin.client.fast_replay import LateReport, Outcome, tape_of
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.timing import response_ms
from withstand.locust_plugin.versions import numbers_of
from withstand.locust_plugin.watch import WATCH, intended_ns

_Plan = tuple[Place, bytes, Sent]
_MAX_TEMPLATES: Final = 64
_MAX_PLANS: Final = 64  # of each user, of whom there may be thousands
_urlopen: Final = LocustUserAgent.urlopen
_PARAMS_ONLY: Final = {"params"}
# Before, what becomes of allow_redirects=False depends on which geventhttpclient there is.
_STOPS_REDIRECTS: Final = numbers_of(_locusts_version) >= (2, 47)
_entries: Final = dict.values  # Headers has a slower way of its own


class _AgentCookies(CookieHeaders):
    """The jar is asked as geventhttpclient asks it."""

    def __init__(self, agent: LocustUserAgent) -> None:
        super().__init__()
        self._agent = agent

    def request(self, url: str) -> Any:
        """A request as a jar looks at it: one of geventhttpclient's."""
        return self._agent._make_request(url, headers=Headers())

    def asked(self, jar: Any, url: str) -> str:
        """The header that a jar gives to a request."""
        request = self.request(url)
        jar.add_cookie_header(request)
        value = str(request.headers.get("cookie", ""))
        if not value.isprintable():
            raise ValueError("no plain cookie")
        return value


class FasterHttpSession(FastHttpSession):
    """In the place of `locust.contrib.fasthttp.FastHttpSession`."""

    request_name: str | None = None  # Locust has had one here since 2.47

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reason = self._reason_for_locust(args, kwargs)
        self.cookiejar = WatchedJar()
        self.client.cookiejar = self.cookiejar
        self._cookie_headers = _AgentCookies(self.client)
        self._places: dict[str, Place] = {}
        self._known: dict[tuple[Any, ...], _Plan] = {}
        self._known_for: tuple[Any, ...] = ()

    def _reason_for_locust(self, args: tuple[Any, ...], given: dict[str, Any]) -> str:
        """Why all requests have to be left to Locust's own session; empty if they need not."""
        if given.get("client_pool") is not None or args[4:]:
            return "client_pool"
        if given.get("proxy_host") is not None:
            return "proxy_host"
        own = type(self)
        if (own._send_request_safe_mode, own._build_url) != (
            FastHttpSession._send_request_safe_mode,
            FastHttpSession._build_url,
        ):
            return "a session class of your own"
        return ""

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        stream: bool = False,
        headers: Any = None,
        auth: Any = None,
        json: Any = None,
        allow_redirects: bool = True,
        context: dict[str, Any] = {},  # noqa: B006 - as Locust's own
        **kwargs: Any,
    ) -> Any:
        """Send a request and report it; as `locust.contrib.fasthttp.FastHttpSession.request`."""
        start_time, start_ns = time(), perf_counter_ns()
        name = name or self.request_name or url
        WATCH.started += 1
        user: Any = self.user
        due_ns = start_ns
        if user is not None and user.withstand_due_ns:
            due_ns = intended_ns(user, start_ns)
        built_url = f"{self.base_url}{url}" if url[:1] == "/" else self._build_url(url)
        plan: _Plan | str
        if stream:
            plan = "stream=True"
        elif not (allow_redirects or _STOPS_REDIRECTS):
            plan = "allow_redirects=False"
        elif data is None and json is None and not kwargs:
            plan = self._plan_without_body(method, built_url, headers, auth)
        else:
            plan = self._plan(method, built_url, data, headers, auth, json, kwargs)
        if WATCH.explaining:
            WATCH.note(f"geventhttpclient: {plan}" if isinstance(plan, str) else "fast")
        outcome: Outcome | None = None
        if not isinstance(plan, str):
            came = self._exchange(plan, built_url, allow_redirects, due_ns, start_ns)
            if isinstance(came, PlainFastResponse):
                if user is not None:
                    user.withstand_has_sent = True
                timing, size_bytes = came.withstand_timing, len(came.content)
                if (
                    WATCH.unheard is self.request_event
                    and came.told is None
                    and not catch_response
                    and WATCH.record(method, name, came.status_code, size_bytes, timing)
                ):
                    return came
                if user is not None:
                    context = {**user.context(), **context}
                meta = {
                    "request_type": method,
                    "name": name,
                    "context": context,
                    "response": came,
                    "exception": came.told,
                    "start_time": start_time,
                    "url": built_url,
                    "response_length": size_bytes,
                    "response_time": response_ms(timing),
                }
                if catch_response:
                    return PlainFastContext(came, self.request_event, meta)
                self.request_event.fire(**meta)
                return came
            outcome = came
        for place in self._places.values():
            place.lend()
        report = LateReport(self.request_event, start_time, start_ns, due_ns)
        return report.of(
            self,
            outcome,
            catch_response,
            {
                "method": method,
                "url": url,
                "name": name,
                "data": data,
                "catch_response": catch_response,
                "stream": stream,
                "headers": headers,
                "auth": auth,
                "json": json,
                "allow_redirects": allow_redirects,
                "context": context,
                **kwargs,
            },
        )

    def _plan_without_body(self, method: str, url: str, headers: Any, auth: Any) -> _Plan | str:
        """There is little to such a request, and much of it comes again."""
        agent = self.client
        jar = agent.cookiejar
        version = getattr(jar, "version", None)
        state = (jar, version, Cookie.changes, self.auth_header, *_entries(agent.default_headers))
        if state != self._known_for:
            self._known.clear()
            self._known_for = state
        try:
            key = (method, url, auth, tuple(headers.items()) if headers else None)
            return self._known[key]
        except (KeyError, TypeError, AttributeError):
            plan = self._plan(method, url, None, headers, auth, None, {})
        if version is not None and self._cookie_headers.last and not isinstance(plan, str):
            if len(self._known) >= _MAX_PLANS:
                self._known.clear()
            self._known[key] = plan
        return plan

    def _plan(
        self,
        method: str,
        url: str,
        data: Any,
        headers: Any,
        auth: Any,
        json: Any,
        given: dict[str, Any],
    ) -> _Plan | str:
        """Where to send what; or why geventhttpclient has to do it."""
        agent = self.client
        if self._reason or type(agent) is not LocustUserAgent:
            return self._reason or "an agent of your own"
        if (
            "_send_request_safe_mode" in vars(self)
            or "urlopen" in vars(agent)
            or LocustUserAgent.urlopen is not _urlopen
        ):
            return "a way of sending of your own"
        kind: Body
        params = None
        if given:
            if given.keys() != _PARAMS_ONLY:
                return f"{next(key for key in given if key != 'params')}="
            params = given["params"]
        try:
            target = target_of(url) if params is None else Target(URL(url, params=params))
            if target is None:
                return "an address that is not plain"
            if not data:
                if json is not None:
                    data = fasthttp.unshadowed_json.dumps(json)  # type: ignore[attr-defined]
                    kind, body = JSON, data.encode()
                elif data is None or isinstance(data, dict | str | bytes):
                    kind, body = NO_BODY, b""
                else:
                    return f"data= of type {type(data).__name__}"
            elif type(data) is str:
                kind, body = TEXT, data.encode()
            elif type(data) is bytes:
                kind, body = BYTES, data
            elif type(data) is dict:
                kind, body = FORM, urlencode(data).encode()
            else:
                return f"data= of type {type(data).__name__}"
            place = self._places.get(target.origin)
            if place is None:
                place = self._open(target)
            key = (
                method,
                kind[0],
                tuple(headers.items()) if headers else None,
                auth,
                self.auth_header,
                *_entries(agent.default_headers),
            )
            try:
                template = place.templates[key]
            except KeyError:
                template = self._learn(place, key, method, kind, headers, auth)
            if template is None:
                return "headers that need more than sending"
            jar = agent.cookiejar
            cookie = ""
            if jar is not None and getattr(jar, "version", None) != 0:
                cookie = self._cookie_headers.header(jar, target.origin, target.path)
            if body or cookie:
                request = template.whole(target.uri, cookie, body)
            else:
                request = b"%b%b%b" % (template.start, target.uri, template.plain)
        except Exception:  # whatever is wrong with the request, geventhttpclient says it best
            return "a request that cannot be sent as it is"
        return place, request, (template, target.uri, cookie, body, data, params)

    def _open(self, target: Target) -> Place:
        client = self.client.clientpool.get_client(target.split)
        places, known, origin = self._places, self._known, target.origin

        def forget() -> None:
            places.pop(origin, None)
            known.clear()

        return places.setdefault(origin, Place(client, forget))

    def _learn(
        self, place: Place, key: Any, method: str, kind: Body, headers: Any, auth: Any
    ) -> FastTemplate | None:
        whole = session_headers(headers, auth, self.auth_header, kind)
        template = fast_template(self.client, place.client, method, whole, kind)
        if template is not None:
            if len(place.templates) >= _MAX_TEMPLATES:
                place.templates.clear()
            place.templates[key] = template
        return template

    def _exchange(
        self, plan: _Plan, url: str, allow_redirects: bool, due_ns: int, start_ns: int
    ) -> PlainFastResponse | Outcome:
        """The response if it is a plain one, else what geventhttpclient has to hear."""
        place, request, sent = plan
        try:
            connection = place.take(start_ns)
        except Exception as error:
            return Outcome(error, perf_counter_ns())
        connect_ns = place.connect_ns
        sent_ns = perf_counter_ns() if connect_ns else start_ns
        try:
            known = connection.exchange(sent[0].method, request, place.timeout_s)
        except BrokenError as broken:
            return Outcome(tape_of(broken), perf_counter_ns())
        else:
            head, content, reader = connection.head, connection.body, connection.reader
            end_ns = connection.end_ns
            first_byte_ns = connection.first_byte_ns
            timing = (due_ns, start_ns, sent_ns, first_byte_ns, end_ns, connect_ns)
        finally:
            place.give_back(connection)
        response = PlainFastResponse(head, content, url, sent, timing)
        agent = self.client
        is_good = head.status in agent.valid_response_codes
        if known and is_good and not (head.encoded or head.redirects or head.sets_cookies):
            return response
        received = (head.raw, content) if known or reader is None else reader.received
        if (
            head.status < 200
            or (not known and reader is not None and is_odd(reader))
            or (head.redirects and allow_redirects and head.status in agent.redirect_response_codes)
        ):
            return Outcome(Tape(received), end_ns)
        try:
            if head.encoded:
                response.content = decoded(head, content)
            if head.sets_cookies and agent.cookiejar is not None:
                lines = [value for name, value in head.fields if name == "set-cookie"]
                self._cookie_headers.take(agent.cookiejar, url, lines)
            if not is_good:
                mark_failed(agent, response)
        except Exception:  # geventhttpclient says best what is wrong
            return Outcome(Tape(received), end_ns)
        return response
