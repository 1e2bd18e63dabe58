"""The cookies of one user agent towards one host, as browsers keep them (RFC 6265). Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MAX_COOKIES: Final = 50  # per host: what RFC 6265, 6.1 asks of user agents at least
MAX_COOKIE_BYTES: Final = 4096  # name, value and attributes together, by the same section

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_DAYS_BEFORE: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie. `expires_at_s` is in Unix seconds, None for the length of the session."""

    name: str
    value: str
    path: str = "/"
    expires_at_s: float | None = None
    secure: bool = False

    def applies(self, path: str, *, secure: bool, now_s: float) -> bool:
        """Whether a request to a path carries it."""
        alive = self.expires_at_s is None or now_s < self.expires_at_s
        return alive and (secure or not self.secure) and _path_matches(path, self.path)


class CookieJar:
    """The cookies that a host has set, at most 50: the oldest goes first.

    `secure` says whether requests go over TLS; `changed` is called whenever a cookie changes.
    """

    __slots__ = ("_changed", "_cookies", "_host", "_secure")

    def __init__(
        self, host: str, *, secure: bool, changed: Callable[[], None] = lambda: None
    ) -> None:
        self._changed = changed
        self._host = host.lower()
        self._secure = secure
        self._cookies: dict[tuple[str, str], Cookie] = {}

    def __len__(self) -> int:
        return len(self._cookies)

    def get(self, name: str) -> str | None:
        """The value of a cookie, whatever its path; None without one."""
        return next((each.value for each in self._cookies.values() if each.name == name), None)

    def set(self, name: str, value: str, *, path: str = "/") -> None:
        """Keep a cookie for the length of the session."""
        self._keep(Cookie(name=name, value=value, path=path))

    def clear(self) -> None:
        """Forget all."""
        self._cookies.clear()
        self._changed()

    def take(self, line: str, *, path: str, now_s: float) -> None:
        """Take in the value of a Set-Cookie header that answered a request to a path.

        What is for another host, too large or has no name is ignored; what has expired deletes
        the cookie of its name (RFC 6265, 5.3).
        """
        cookie = parsed_cookie(line, host=self._host, path=path, now_s=now_s)
        if cookie is None or (cookie.secure and not self._secure):
            return
        if cookie.expires_at_s is not None and cookie.expires_at_s <= now_s:
            self._cookies.pop((cookie.name, cookie.path), None)
            self._changed()
        else:
            self._keep(cookie)

    def header(self, path: str, *, now_s: float) -> str:
        """The value of the Cookie header for a path; empty without any (longest path first)."""
        found = [
            each
            for each in self._cookies.values()
            if each.applies(path, secure=self._secure, now_s=now_s)
        ]
        found.sort(key=lambda each: -len(each.path))
        return "; ".join(f"{each.name}={each.value}" for each in found)

    @property
    def is_uniform(self) -> bool:
        """Whether every request at any time carries the same cookies."""
        return all(
            each.path == "/" and each.expires_at_s is None for each in self._cookies.values()
        )

    def _keep(self, cookie: Cookie) -> None:
        self._cookies[cookie.name, cookie.path] = cookie
        if len(self._cookies) > MAX_COOKIES:
            del self._cookies[next(iter(self._cookies))]
        self._changed()


def parsed_cookie(line: str, *, host: str, path: str, now_s: float) -> Cookie | None:
    """The cookie of a Set-Cookie value, or None when a user agent ignores it (RFC 6265, 5.2)."""
    pair, *attributes = line.split(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not equals or not name or len(line) > MAX_COOKIE_BYTES:
        return None
    scope, secure = _default_path(path), False
    expires_at_s: float | None = None
    max_age_s: float | None = None
    for attribute in attributes:
        key, _, text = (part.strip() for part in attribute.partition("="))
        match key.lower():
            case "path" if text.startswith("/"):
                scope = text
            case "secure":
                secure = True
            case "domain" if text.strip(".") and not _domain_matches(host, text):
                return None
            case "expires":
                found_s = cookie_date_s(text)
                expires_at_s = expires_at_s if found_s is None else found_s
            case "max-age" if re.fullmatch("-?[0-9]{1,12}", text):
                max_age_s = float(text)
    if max_age_s is not None:  # it has precedence
        expires_at_s = now_s + max_age_s if max_age_s > 0 else 0.0
    return Cookie(name=name, value=value, path=scope, expires_at_s=expires_at_s, secure=secure)


def cookie_date_s(text: str) -> float | None:
    """The Unix seconds of a cookie's date in any of the forms in use (RFC 6265, 5.1.1)."""
    time = re.search(r"(?<![0-9])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])", text)
    month = re.search(rf"\b({'|'.join(_MONTHS)})", text, re.IGNORECASE)
    if time is None or month is None:
        return None
    numbers = re.findall(r"(?<![0-9:])([0-9]{1,4})(?![0-9:])", text)
    day = next((int(each) for each in numbers if len(each) <= 2), None)
    rest = list(numbers)
    if day is None:
        return None
    rest.remove(next(each for each in numbers if len(each) <= 2))
    year = next((int(each) for each in rest if len(each) in (2, 4)), None)
    if year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000
    hour, minute, second = map(int, time.groups())
    if not (1 <= day <= 31 and year >= 1601 and hour < 24 and minute < 60 and second < 60):
        return None
    days = _days_since_1970(year, _MONTHS[month[1].lower()], day)
    return float(((days * 24 + hour) * 60 + minute) * 60 + second)


def _days_since_1970(year: int, month: int, day: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    past = year - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 - 719_162
    return days + _DAYS_BEFORE[month - 1] + (1 if leap and month > 2 else 0) + day - 1


def _default_path(path: str) -> str:
    """The folder of the request's path (RFC 6265, 5.1.4)."""
    path = path.split("?", 1)[0]
    return path.rpartition("/")[0] or "/"


def _path_matches(path: str, scope: str) -> bool:
    path = path.split("?", 1)[0]
    return path == scope or (
        path.startswith(scope) and (scope.endswith("/") or path[len(scope)] == "/")
    )


def _domain_matches(host: str, domain: str) -> bool:
    domain = domain.lower().removeprefix(".")
    return host == domain or host.endswith(f".{domain}")
