"""What makes a request act as somebody: header fields, cookies and query parameters. Pure."""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, unquote, unquote_plus

from withstand.client.exchange import Headers, Request

_CSRF: Final = re.compile(r"csrf|xsrf", re.IGNORECASE)
# ASP.NET; Rails; Laravel and Symfony. A cookie of such a name may well be a session.
_CSRF_FIELD: Final = re.compile(
    r"csrf|xsrf|^__requestverificationtoken$|^authenticity_token$|^_token$|\[_token\]$",
    re.IGNORECASE,
)
_SHORTEST_SECRET: Final = 8  # `lang=en` and `seen=1` are cookies too, and no secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where a request says who sends it, and the bare token when there is one.

    `cookies` and `query` are names with values as they are meant, not as they are escaped.
    `lifetime_s` is how long it is good from the login on, `refresh_token` what gets the next one;
    None where the login did not say.
    """

    headers: Headers = ()
    cookies: Headers = ()
    query: Headers = ()
    token: str | None = None
    lifetime_s: float | None = field(default=None, compare=False)
    refresh_token: str | None = field(default=None, compare=False)

    def apply(self, request: Request) -> Request:
        """The request with this credential in place of any other in the same places."""
        request = self.strip(request)
        for name, value in self.headers:
            request = request.with_header(name, value)
        if self.cookies:
            kept = request.header("cookie")
            own = "; ".join(f"{name}={value}" for name, value in self.cookies)
            request = request.with_header("Cookie", f"{kept}; {own}" if kept else own)
        for name, value in self.query:
            sign = "&" if "?" in request.path else "?"
            request = replace(
                request, path=f"{request.path}{sign}{quote(name)}={quote(value, safe='')}"
            )
        return request

    def strip(self, request: Request) -> Request:
        """The request without what carries this credential; other cookies and parameters stay."""
        for name, _ in self.headers:
            request = request.without_header(name)
        if self.cookies:
            names = {name for name, _ in self.cookies}
            request = _with_cookies(request, lambda name: name not in names)
        if self.query and "?" in request.path:
            names = {name for name, _ in self.query}
            path, _, query = request.path.partition("?")
            parts = [p for p in query.split("&") if unquote_plus(p.partition("=")[0]) not in names]
            request = replace(request, path=path + ("?" + "&".join(parts) if parts else ""))
        return request

    def with_token(self, token: str) -> "Credential":
        """The same places with another token; as it is where no token is known.

        Of several cookies nobody knows which one counts: all but those against forgery change.
        """
        if not self.token:
            return self

        def other(pairs: Headers) -> Headers:
            return tuple((name, value.replace(self.token or "", token)) for name, value in pairs)

        in_cookies = any(self.token in value for _, value in self.cookies)
        cookies = other(self.cookies)
        if in_cookies:
            cookies = tuple(
                (name, value if is_csrf(name) or token in value else token)
                for name, value in cookies
            )
        return Credential(
            headers=other(self.headers), cookies=cookies, query=other(self.query), token=token
        )

    def with_cookie(self, name: str, value: str) -> "Credential":
        """With a new value of one of its cookies, also where that is repeated in a header."""
        old = dict(self.cookies).get(name)
        if not old or old == value:
            return self
        return replace(
            self,
            cookies=tuple((key, value if key == name else kept) for key, kept in self.cookies),
            headers=tuple(
                (key, kept if kept != unquote(old) else unquote(value))
                for key, kept in self.headers
            ),
            token=value if self.token == old else self.token,
        )

    def secrets(self, label: str) -> Mapping[str, str]:
        """Secret value → the shell variable that stands for it, each ending in the label."""
        found: dict[str, str] = {}
        user, password = self._basic()
        if password:
            # So curl is given the pair, and nobody has to encode it.
            variable = f"$WITHSTAND_PASSWORD_{label}"
            found = {password: variable, self.token or "": f"base64({user}:{variable})"}
        elif self.token:
            found[self.token] = f"$WITHSTAND_TOKEN_{label}"
        for name, value in (*self.cookies, *self.query, *self.headers):
            known = self.token and self.token in value
            if not known and len(value) >= _SHORTEST_SECRET:
                found.setdefault(value, f"$WITHSTAND_{variable_name(name)}_{label}")
        if self.refresh_token is not None:
            found.setdefault(self.refresh_token, f"$WITHSTAND_REFRESH_TOKEN_{label}")
        return found

    def _basic(self) -> tuple[str, str]:
        """User and password of HTTP basic; empty where it is something else."""
        if ("Authorization", f"Basic {self.token}") not in self.headers:
            return "", ""
        try:
            user, _, password = base64.b64decode(self.token or "").decode().partition(":")
        except ValueError:
            return "", ""
        return user, password

    @property
    def places(self) -> tuple[tuple[str, str, str], ...]:
        """Each part as (`header`, `cookie` or `query`; name; value), header names in lower case."""
        return (
            *(("header", name.lower(), value) for name, value in self.headers),
            *(("cookie", name, value) for name, value in self.cookies),
            *(("query", name, value) for name, value in self.query),
        )

    @property
    def expires_at_s(self) -> float | None:
        """The `exp` claim (Unix seconds) when the token is a JWT that has one, unverified."""
        claims = jwt_claims(self.token or "")
        value = claims.get("exp") if claims else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        try:
            return float(value)
        except OverflowError:  # a whole number beyond any float: never
            return math.inf


def basic_credential(user: str, password: str) -> Credential:
    """HTTP basic (RFC 7617)."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Credential(headers=(("Authorization", f"Basic {token}"),), token=token)


def sent_as(template: str, token: str) -> Credential:
    """The credential that sends a token as a template says.

    A template is a header line (`Authorization: Bearer {token}`, `Cookie: session={token}`) or a
    query parameter (`?api_key={token}`).
    """
    if template.startswith("?"):
        name, _, value = template[1:].partition("=")
        return Credential(query=((name, value.replace("{token}", token)),), token=token)
    name, _, line = template.partition(":")
    name, line = name.strip(), line.strip()
    if name.lower() != "cookie":
        return Credential(headers=((name, line.replace("{token}", token)),), token=token)
    pairs = (part.strip().partition("=") for part in line.split(";"))
    cookies = tuple((key, value.replace("{token}", token)) for key, _, value in pairs)
    return Credential(cookies=cookies, token=token)


def is_csrf(name: str) -> bool:
    """Whether a cookie or header of that name is against cross-site request forgery."""
    return _CSRF.search(name) is not None


def is_csrf_field(name: str) -> bool:
    """Whether a field of a form that has this name is against cross-site request forgery."""
    return _CSRF_FIELD.search(name) is not None


def request_cookies(request: Request) -> tuple[tuple[str, str], ...]:
    """The cookies that a request carries, in order."""
    found = []
    for name, value in request.headers:
        if name.lower() == "cookie":
            for part in value.split(";"):
                key, equals, content = part.strip().partition("=")
                if equals:
                    found.append((key, content))
    return tuple(found)


def _with_cookies(request: Request, keep: Callable[[str], bool]) -> Request:
    if request.header("cookie") is None:
        return request
    cookies = [(name, value) for name, value in request_cookies(request) if keep(name)]
    if not cookies:
        return request.without_header("cookie")
    return request.with_header("Cookie", "; ".join(f"{name}={value}" for name, value in cookies))


def jwt_claims(token: str) -> dict[str, Any] | None:
    """The claims of a JWT without verifying anything; None when the text is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        text = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def variable_name(text: str) -> str:
    """The text as a part of a shell variable's name: ASCII capitals, digits, underscores."""
    return re.sub(r"[^A-Z0-9]", "_", text.upper())
