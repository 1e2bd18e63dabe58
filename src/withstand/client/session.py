"""Cookie sessions: what a login sets, how it is sent, and what guards it against forgery. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

from withstand.client.cookies import cookie_date_s
from withstand.client.credential import Credential, is_csrf, is_csrf_field
from withstand.client.exchange import Response
from withstand.client.page import page_of
from withstand.client.soft_errors import says_no

_SESSION: Final = re.compile(r"sess|sid\b|auth|token|jwt", re.IGNORECASE)
_FORGERY_STATUSES: Final = frozenset({400, 403, 419, 422})
_FORGERY_WORDS: Final = re.compile(
    r"csrf|forger|(?:token|form|page|session) (?:is|has|was)? ?(?:invalid|expired|missing)", re.I
)
_LONG_AGO_S: Final = 1_000_000_000.0  # who sets a cookie that expired before 2001 deletes it


def session_credential(cookies: Mapping[str, str]) -> Credential:
    """The credential of a browser that holds these cookies after a login.

    Its token is the value of the cookie that looks most like a session. A cookie against forged
    requests is repeated in the header in which its framework looks for it.
    """
    pairs = tuple(cookies.items())
    plain = [(name, value) for name, value in pairs if not is_csrf(name)]
    best = max(plain, key=lambda pair: (names_session(pair[0]), len(pair[1])), default=None)
    return Credential(
        headers=tuple(
            (csrf_header(name), unquote(value)) for name, value in pairs if is_csrf(name)
        ),
        cookies=pairs,
        token=best[1] if best is not None else None,
    )


def names_session(cookie: str) -> bool:
    """Whether a cookie of that name is likely to be a session."""
    return _SESSION.search(cookie) is not None


def csrf_header(cookie: str) -> str:
    """The header in which a framework wants the value of its cookie repeated.

    Django: `csrftoken` → `X-CSRFToken`. Angular and Laravel: `XSRF-TOKEN` → `X-XSRF-TOKEN`.
    Others, such as flask-jwt-extended and Express, agree on `X-CSRF-Token`.
    """
    if cookie.lower() == "csrftoken":
        return "X-CSRFToken"
    return "X-XSRF-TOKEN" if "xsrf" in cookie.lower() else "X-CSRF-Token"


def set_cookies(response: Response) -> Mapping[str, str | None]:
    """The cookies that a response sets; None for those that it deletes."""
    found: dict[str, str | None] = {}
    for line in response.header_values("set-cookie"):
        pair, *attributes = line.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        if equals and name:
            found[name] = value if value and not _deletes(attributes) else None
    return found


def merged(cookies: Mapping[str, str], response: Response) -> dict[str, str]:
    """The cookies that a browser holds after a response."""
    held: dict[str, str | None] = {**cookies, **set_cookies(response)}
    return {name: value for name, value in held.items() if value is not None}


def lifetime_of_cookies_s(response: Response) -> float | None:
    """The shortest Max-Age of the cookies that a response sets, in seconds; None without one."""
    lines = response.header_values("set-cookie")
    ages = [re.search(r"(?i);\s*max-age=([0-9]{1,9})\s*(?:;|$)", line) for line in lines]
    found = [float(age[1]) for age in ages if age is not None and int(age[1]) > 0]
    return min(found, default=None)


def csrf_token(response: Response) -> tuple[str, str] | None:
    """Name and value of the token against forgery in a page, its JSON or its cookies."""
    page = page_of(response)
    for element in page.all("input", "meta") if page is not None else ():
        parts = element.attributes
        name, value = parts.get("name", ""), parts.get("value", parts.get("content", ""))
        if value and is_csrf_field(name):
            return name, value
    for name, value in _texts(response.json()):
        if is_csrf(name):
            return name, value
    for name, cookie in set_cookies(response).items():
        if is_csrf(name) and cookie:
            return name, unquote(cookie)
    return None


def wants_csrf_token(response: Response) -> bool:
    """Whether a refusal may be for want of a token against forged requests."""
    page = page_of(response) if response.accepted is False else None
    if page is not None:
        return _FORGERY_WORDS.search(page.text) is not None
    if response.status not in _FORGERY_STATUSES:
        return False
    if response.status == 400 and not response.body:  # all that ASP.NET Core says
        return True
    return response.status in {403, 419} or "csrf" in response.text.lower()


def shows_login_again(response: Response, login_path: str) -> bool:
    """Whether the answer to a login asks to log in once more, or says in a 2xx that it failed."""
    if response.accepted is False:
        return True
    if 300 <= response.status < 400:
        location = (response.header("location") or "").split("?", 1)[0].rstrip("/").lower()
        last = location.rsplit("/", 1)[-1]
        return location.endswith(login_path.rstrip("/").lower()) or last in _LOGIN_PAGES
    if "html" in response.media_type:
        return re.search(r"""type\s*=\s*["']?password""", response.text, re.IGNORECASE) is not None
    document = response.json()
    unknown = isinstance(document, Mapping) and document.get("authenticated") is False
    return unknown or says_no(response)


_LOGIN_PAGES: Final = frozenset({"login", "signin", "sign-in", "sign_in"})


def _deletes(attributes: list[str]) -> bool:
    for attribute in attributes:
        key, _, text = (part.strip() for part in attribute.partition("="))
        if key.lower() == "max-age" and re.fullmatch("-[0-9]+|0+", text):
            return True
        if key.lower() == "expires":
            expires_at_s = cookie_date_s(text)
            if expires_at_s is not None and expires_at_s < _LONG_AGO_S:
                return True
    return False


def _texts(node: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The texts of a JSON document with their names, to depth 3."""
    if isinstance(node, Mapping) and depth < 3:
        for name, value in node.items():
            if isinstance(value, str) and value:
                yield str(name), value
            else:
                yield from _texts(value, depth + 1)
