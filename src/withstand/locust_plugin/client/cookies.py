"""Cookie headers that need not be worked out anew for each request.

The cookie jars of the standard library decide which cookies go where; the decision holds until the
jar changes or a cookie in it expires.
"""

import copyreg
import math
import time
from collections.abc import Iterable
from http import cookiejar
from typing import Any, ClassVar

from requests.cookies import (
    MockRequest,
    RequestsCookieJar,
    get_cookie_header,
    merge_cookies,
)

_MAX_PATHS = 64


class Cookie(cookiejar.Cookie):
    """One in a watched jar. `changes` counts what was changed in any of them where it is."""

    changes: ClassVar[int] = 0

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        Cookie.changes += 1

    def __reduce_ex__(self, _: Any) -> Any:
        """A copy is one of the standard library's."""
        make = copyreg._reconstructor  # type: ignore[attr-defined] # typeshed leaves it out
        return make, (cookiejar.Cookie, object, None), dict(vars(self))


class _Watched:
    """Counts the changes of a jar."""

    version = 0

    def set_cookie(self, cookie: cookiejar.Cookie, *args: Any, **kwargs: Any) -> Any:
        self.version += 1
        done = super().set_cookie(cookie, *args, **kwargs)  # type: ignore[misc]
        if type(cookie) is cookiejar.Cookie:
            cookie.__class__ = Cookie
        return done

    def clear(self, *args: Any, **kwargs: Any) -> None:
        self.version += 1
        super().clear(*args, **kwargs)  # type: ignore[misc]

    def set_policy(self, policy: Any) -> None:
        self.version += 1
        super().set_policy(policy)  # type: ignore[misc]


class WatchedRequestsJar(_Watched, RequestsCookieJar):
    """The jar of requests, watched."""


class WatchedJar(_Watched, cookiejar.CookieJar):
    """The jar of the standard library, watched."""


class Sender:
    """What a jar must know of a request."""

    __slots__ = ("headers", "url")

    def __init__(self, url: str) -> None:
        self.url = url
        self.headers: dict[str, str] = {}


class CookieHeaders:
    """The Cookie header of each request of a user."""

    __slots__ = ("_by_path", "_changes", "_everywhere", "_jar", "_seen", "_until", "_version")

    def __init__(self) -> None:
        self._jar: Any = None
        self._version = self._changes = -1
        self._until = 0.0
        self._by_path: dict[tuple[str, str], str] = {}
        self._everywhere = False  # no cookie minds the path
        self._seen: tuple[object, ...] = ()

    def header(self, jar: Any, origin: str, path: str) -> str:
        """The cookies that a jar has for an address, as a header's value; empty without any."""
        version = getattr(jar, "version", None)
        if version == 0:
            return ""  # nothing was ever put in
        same = jar is self._jar and version is not None and version == self._version
        if not same or self._until < time.time() or self._changes != Cookie.changes:
            self._forget(jar, version)
        key = (origin, "" if self._everywhere else path)
        known = self._by_path.get(key)
        if known is None:
            if len(self._by_path) >= _MAX_PATHS:
                self._by_path.clear()
            known = self._by_path[key] = self.asked(jar, origin + path)
            self._version = getattr(jar, "version", -1)  # it throws out what has expired
        return known

    def asked(self, jar: Any, url: str) -> str:
        """The header that a jar gives to a request."""
        raise NotImplementedError

    def request(self, url: str) -> Any:
        """A request as a jar looks at it."""
        raise NotImplementedError

    def _forget(self, jar: Any, version: int | None) -> None:
        self._jar, self._version = jar, version if version is not None else -1
        self._changes = Cookie.changes
        self._by_path.clear()
        cookies = tuple(jar)
        self._everywhere = all(cookie.path == "/" for cookie in cookies)
        self._until = min(
            (cookie.expires for cookie in cookies if cookie.expires is not None), default=math.inf
        )

    @property
    def last(self) -> bool:
        """Whether the headers stay as they are until the jar changes."""
        return self._jar is None or self._until == math.inf

    def take(self, jar: Any, url: str, lines: Iterable[str]) -> None:
        """Put the cookies of an answer's Set-Cookie lines into a jar."""
        values = tuple(lines)
        seen = (jar, url, values, getattr(jar, "version", None))
        if seen == self._seen and seen[-1] is not None:
            return  # the same as last time, and there they still are
        jar.extract_cookies(SetCookies(values), self.request(url))
        lasting = any("expires" in each.lower() or "max-age" in each.lower() for each in values)
        self._seen = () if lasting else (jar, url, values, getattr(jar, "version", None))


class RequestsCookieHeaders(CookieHeaders):
    """As requests asks: a copy of the jar, so that the jar keeps what has expired, and its policy
    has no say.
    """

    def asked(self, jar: Any, url: str) -> str:
        """The header that a jar gives to a request."""
        merged = merge_cookies(RequestsCookieJar(), jar)
        return str(get_cookie_header(merged, Sender(url)) or "")  # type: ignore[arg-type]

    def request(self, url: str) -> Any:
        """A request as a jar looks at it: one of requests'."""
        return MockRequest(Sender(url))  # type: ignore[arg-type]


class SetCookies:
    """An answer as a jar looks at it."""

    __slots__ = ("_values",)

    def __init__(self, values: tuple[str, ...]) -> None:
        self._values = values

    def info(self) -> "SetCookies":
        """Its headers."""
        return self

    def get_all(self, name: str, default: Any = None) -> Any:
        """All values of a header."""
        return list(self._values) if name.lower() == "set-cookie" else default
