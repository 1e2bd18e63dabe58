"""What a request of requests comes to: where its bytes go, and which they are.

A plan is made of a request about which nothing needs more than sending bytes and reading an answer.
Of any other, a few words say why requests itself has to send it.
"""

import json as standard_json
import sys
from typing import Any, Final

from requests import Session
from requests.auth import HTTPBasicAuth
from requests.models import RequestEncodingMixin

from withstand.locust_plugin.client.address import Address, address_of
from withstand.locust_plugin.client.cookies import Cookie, RequestsCookieHeaders
from withstand.locust_plugin.client.headers import WatchedHeaders
from withstand.locust_plugin.client.own_ways import is_patched
from withstand.locust_plugin.client.template import (
    BYTES,
    FORM,
    JSON,
    NO_BODY,
    TEXT,
    OfText,
    Templates,
)

Plan = tuple[Address, bytes, Any, bool]
"""Address, bytes of the request, `timeout` as the user gave it, whether redirects are followed."""

_MAX_KNOWN: Final = 64  # of each user, of whom there may be thousands
_MAX_BOOKS: Final = 4
_OPTIONAL: Final = frozenset(
    ("auth", "cert", "cookies", "files", "hooks", "proxies", "stream", "verify")
)
_SECONDS: Final = (int, float)
_SAME_TEXT_IF_EQUAL: Final = frozenset((str, int, bool, bytes, type(None)))  # and of one type
_json_text: Final = standard_json.JSONEncoder(allow_nan=False).encode
IS_STANDARD_JSON: Final = sys.modules.get("simplejson") is None
_encoded: Final = RequestEncodingMixin._encode_params

_Outline = tuple[Address, bytes, bytes | None]
"""Where to, and what comes before and after the number of a body's bytes; None: the whole
request, which has no body."""


class _Book:
    """What is known of requests while the headers of the session are as they are."""

    __slots__ = ("outlines", "templates")

    def __init__(self) -> None:
        self.templates = Templates()
        self.outlines: dict[tuple[Any, ...], _Outline] = {}


class Planner:
    """The plans of one session. What comes again is known again: a request but for its body, and
    headers of the session that were there before, as when users sign in and out.
    """

    __slots__ = (
        "_auth",
        "_book",
        "_books",
        "_changes",
        "_headers",
        "_headers_version",
        "_jar",
        "_jar_version",
        "_queries",
        "cookies",
    )

    def __init__(self) -> None:
        self.cookies = RequestsCookieHeaders()
        self._book: _Book | None = None
        self._books: dict[tuple[Any, ...], _Book] = {}
        self._headers: Any = None
        self._headers_version = -1
        self._auth: Any = None
        self._jar: Any = None
        self._jar_version: Any = None
        self._changes = -1
        self._queries: dict[tuple[Any, ...], str] = {}

    def plan(
        self, session: Any, method: str, url: str, data: Any, json: Any, given: Any
    ) -> Plan | str:
        """The plan for a request, or why there is none."""
        headers = params = timeout = None
        redirects = True
        for key, value in given.items():
            if key == "allow_redirects":
                redirects = value
            elif key == "headers":
                headers = value
            elif key == "params":
                params = value
            elif key == "timeout":
                timeout = value
            elif key not in _OPTIONAL or (value is not None and (key != "stream" or value)):
                return f"{key}="
        if timeout is not None and not _is_plain_timeout(timeout):
            return "a timeout that is no number of seconds"
        if session.proxies or session.trust_env:
            return "proxies"
        if session.has_own_transport or session.adapters.changed:
            return "a transport adapter, pool manager or way of sending of your own"
        try:
            if session.params or session.stream or session.hooks["response"]:
                return "params, stream or hooks of the session"
            kind, body = NO_BODY, b""
            if data is not None or json is not None:
                found = _body(data, json)
                if isinstance(found, str):
                    return found
                kind, body = found
            query = self._query(params) if params else ""
            book = self._book
            if (
                book is None
                or session.headers is not self._headers
                or self._headers_version != getattr(session.headers, "version", None)
                or session.auth is not None
                or self._auth is not None
            ):
                book = self._open(session)
            jar = session.cookies
            version = getattr(jar, "version", None)
            if (
                version is None
                or version != self._jar_version
                or jar is not self._jar
                or self._changes != Cookie.changes
            ):
                for each in self._books.values():
                    each.outlines.clear()
                self._jar, self._jar_version, self._changes = jar, version, Cookie.changes
            fields = tuple(headers.items()) if headers else None
            place = (method, url, session.base_url, query, id(kind), fields)
            outline = book.outlines.get(place)
            if outline is None:
                made = self._outline(book, session, method, url, query, headers, kind)
                if isinstance(made, str):
                    return made
                outline = made
                if version is not None and self.cookies.last:
                    if len(book.outlines) >= _MAX_KNOWN:
                        book.outlines.clear()
                    book.outlines[place] = outline
            address, before, after = outline
            if after is None:
                return address, before, timeout, redirects
            whole = b"%b%d\r\n%b%b" % (before, len(body), after, body)
            if kind is FORM or kind is TEXT:
                whole = OfText(whole)
            return address, whole, timeout, redirects
        except Exception:  # whatever is wrong with a request, requests says it best
            return "a request that cannot be sent as it is"

    def _open(self, session: Any) -> _Book:
        """The book for the session's headers and credentials as they are now."""
        auth, headers = _credentials(session.auth), session.headers
        if auth != self._auth:
            self._books.clear()
            self._auth = auth
        is_watched = type(headers) is WatchedHeaders
        state = headers.state() if is_watched else ("of the user's own", *headers.items())
        book = self._books.get(state)
        if book is None:
            if len(self._books) >= _MAX_BOOKS:
                self._books.clear()
            book = self._books[state] = _Book()
        self._book, self._headers = book, headers
        # Others may change without a word, and are looked at each time.
        self._headers_version = headers.version if is_watched else -1
        return book

    def _query(self, params: Any) -> Any:
        """The query that requests makes of `params`, if it is text."""
        types = (*map(type, params), *map(type, params.values())) if type(params) is dict else ()
        if not types or not _SAME_TEXT_IF_EQUAL.issuperset(types):
            return _encoded(params)
        key = (tuple(params.items()), types)
        query = self._queries.get(key)
        if query is None:
            if len(self._queries) >= _MAX_KNOWN:
                self._queries.clear()
            query = self._queries[key] = _encoded(params)
        return query

    def _outline(
        self,
        book: _Book,
        session: Session,
        method: str,
        url: str,
        query: Any,
        headers: Any,
        kind: dict[str, Any],
    ) -> _Outline | str:
        if (
            is_patched()
            or "get_adapter" in vars(session)
            or any(map(_retries, session.adapters.values()))
        ):
            return "requests with patches or retries of your own"
        whole = session._build_url(url)  # type: ignore[attr-defined]
        if query:
            if whole.endswith("?"):
                return "a query that is empty"
            whole += ("&" if "?" in whole else "?") + query
        address = address_of(whole)
        if address is None:
            return "an address that has to be encoded"
        template = book.templates.find(session, method, headers, kind)
        if template is None:
            return "headers or auth that need more than sending"
        cookie = self.cookies.header(session.cookies, address.origin, address.path)
        before, after = template.around(method.upper(), address.head, cookie)
        if after is not None and kind is NO_BODY:
            return address, b"%b0\r\n%b" % (before, after), None
        return address, before, after


def _body(data: Any, json: Any) -> tuple[dict[str, Any], bytes] | str:
    """The kind of a body and its bytes, or why requests has to make it."""
    if json is not None and not data:
        if not IS_STANDARD_JSON:
            return "simplejson"
        return JSON, _json_text(json).encode()
    if not data and (data is None or isinstance(data, dict | str | bytes)):
        return NO_BODY, b""
    if type(data) is bytes:
        return BYTES, data
    if type(data) is str and data.isascii():
        return TEXT, data.encode()
    if type(data) is dict:
        body = _encoded(data).encode()
        return (FORM, body) if body else "a form without a field"
    return f"data= of type {type(data).__name__}"


def _credentials(auth: Any) -> Any:
    """Something that is equal as long as they are; they may be changed where they are."""
    if type(auth) is HTTPBasicAuth:
        return auth.username, auth.password
    return tuple(auth) if isinstance(auth, list) else auth


def _retries(adapter: Any) -> bool:
    """Whether an adapter sends a request again that went wrong."""
    most = getattr(adapter, "max_retries", None)
    return bool(getattr(most, "total", most))


def _is_plain_timeout(timeout: Any) -> bool:
    parts = timeout if type(timeout) is tuple and len(timeout) == 2 else (timeout,)
    return all(part is None or (type(part) in _SECONDS and part > 0) for part in parts)
