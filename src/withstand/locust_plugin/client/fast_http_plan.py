"""What a request of FastHttpUser comes to: where its bytes go, and which they are.

A plan is made of a request about which nothing needs more than sending bytes and reading an answer.
Of any other, a few words say why geventhttpclient has to send it.
"""

from typing import Any, Final
from urllib.parse import urlencode

from geventhttpclient.header import Headers
from geventhttpclient.url import URL
from locust import __version__ as _locusts_version
from locust.contrib import fasthttp
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent

from withstand.locust_plugin.client.cookies import Cookie, CookieHeaders, WatchedJar
from withstand.locust_plugin.client.fast_http_place import Place, Target, target_of
from withstand.locust_plugin.client.fast_http_response import Sent
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
from withstand.locust_plugin.versions import numbers_of

Plan = tuple[Place, bytes, Sent]
"""Where to, bytes of the request, and what the response is told of it."""

_MAX_TEMPLATES: Final = 64
_MAX_PLANS: Final = 64  # of each user, of whom there may be thousands
_urlopen: Final = LocustUserAgent.urlopen
_PARAMS_ONLY: Final = {"params"}
# Before, what becomes of allow_redirects=False depends on which geventhttpclient there is.
STOPS_REDIRECTS: Final = numbers_of(_locusts_version) >= (2, 47)
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


class PlanningHttpSession(FastHttpSession):
    """Locust's session, which says of each request what it comes to. What comes again is known
    again.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reason = self._reason_for_locust(args, kwargs)
        self.cookiejar = WatchedJar()
        self.client.cookiejar = self.cookiejar
        self._cookie_headers = _AgentCookies(self.client)
        self._places: dict[str, Place] = {}
        self._known: dict[tuple[Any, ...], Plan] = {}
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

    def _plan_without_body(self, method: str, url: str, headers: Any, auth: Any) -> Plan | str:
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
    ) -> Plan | str:
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
