"""The recipe that turns an identity into a credential: what is sent, where the token is. Pure."""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol
from urllib.parse import urlencode

from withstand.client.credential import Credential, basic_credential, sent_as
from withstand.client.exchange import Headers, Request, Response, json_request
from withstand.client.session import (
    csrf_header,
    csrf_token,
    lifetime_of_cookies_s,
    merged,
    session_credential,
    shows_login_again,
    wants_csrf_token,
)
from withstand.client.token_place import (
    BEARER,
    SHORTEST_TOKEN,
    found_token,
    lifetime_s,
    named_texts,
    refresh_token,
    template_beside,
    token_at,
)

COOKIES: Final = "cookies"


class HasFields(Protocol):
    """Whoever has fields that fill placeholders: an `Identity`."""

    @property
    def fields(self) -> Mapping[str, str]:
        """Name → value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Csrf:
    """How a login and what follows is guarded against forged requests.

    `page` is asked for the token first. `sent_as` is the header, or in a form the field, that
    repeats it; None: by the name that the page gives it.
    """

    page: str
    sent_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecipe:
    """How an identity gets its credential.

    `payload` is the body with `{placeholders}` for the identity's fields, or a text that is sent
    as it is (`encoding` is then its media type). `token_path` says where the token is in the
    response: a JSON path (`$.access_token`), `header NAME`, or `cookies` for a session; None:
    wherever it is found. `send_as` is a template of `withstand.client.credential.sent_as`; None:
    as the response's `token_type` says, else as a bearer token. `headers` of the request may hold
    placeholders; `also_sent` are headers that go with the credential afterwards. `client` is user
    and password of the OAuth2 client in HTTP basic. `short_lived`, merged into the payload, asks
    for a token that expires at once; `leeway_s` is the clock skew that the API tolerates after a
    token's expiry.
    """

    method: str
    path: str
    payload: Mapping[str, object] | str
    encoding: str = "json"  # json | form | a media type, for a mapping one of JSON
    token_path: str | None = "$.access_token"  # noqa: S105 - a JSON path, no secret
    send_as: str | None = BEARER
    headers: Headers = ()
    also_sent: Headers = ()
    client: tuple[str, str] | None = None
    csrf: Csrf | None = None
    short_lived: Mapping[str, object] | None = None
    leeway_s: float = 60.0

    def request(
        self,
        identity: HasFields,
        *,
        short_lived: bool = False,
        csrf: tuple[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Request:
        """The login request of an identity. Raises KeyError naming a field that it lacks.

        `csrf` is the token of the login page with its name, `cookies` are those that it set.
        """
        fields = identity.fields
        headers = [(name, str(_fill(value, fields))) for name, value in self.headers]
        if self.client is not None:
            user, password = (str(_fill(part, fields)) for part in self.client)
            headers += basic_credential(user, password).headers
        request = self._body(fields, short_lived=short_lived, csrf=csrf)
        request = replace(request, headers=(*request.headers, *headers))
        if csrf is not None:
            request = request.with_header(self._csrf_header(csrf[0]), csrf[1])
        if cookies:
            request = Credential(cookies=tuple(cookies.items())).apply(request)
        return request

    def credential(
        self, response: Response, cookies: Mapping[str, str] | None = None
    ) -> Credential | None:
        """The credential in a login response; None when the token is not where it should be.

        `cookies` were set before. `expires_in` beside the token is heard (RFC 6749, section 5.1).
        """
        document = response.json()
        if self.token_path == COOKIES:
            return self._also(self._session(response, cookies or {}), document)
        if self.token_path is None:
            session = self._session(response, cookies or {}) if self._sends_cookie else None
            if session is not None:
                return self._also(session, document)
            token, template = found_token(document, response)
            if token is None:
                return self._also(self._session(response, cookies or {}), document)
            found = sent_as(self.send_as or template, token)
        else:
            token = token_at(self.token_path, document, response)
            if token is None:
                return None
            found = sent_as(self.send_as or template_beside(document), token)
        return self._also(replace(found, lifetime_s=lifetime_s(document, token)), document)

    def credential_of(self, token: str) -> Credential:
        """The credential that sends this token as the recipe says."""
        return sent_as(self.send_as or BEARER, token)

    def steps(
        self, identity: HasFields, *, short_lived: bool = False
    ) -> Generator[Request, Response, Credential | str]:
        """Yields the requests of a login, is resumed with responses, and returns the credential,
        or the sentence that says why there is none. Raises KeyError as `request` does.
        """
        cookies: dict[str, str] = {}
        csrf: tuple[str, str] | None = None
        guard = self.csrf
        if guard is not None:
            csrf, cookies = yield from _asked(guard.page, cookies)
            if csrf is None:
                return f"GET {guard.page} gave no token against forged requests"
        response = yield self.request(identity, short_lived=short_lived, csrf=csrf, cookies=cookies)
        if guard is None and wants_csrf_token(response):
            csrf, cookies = yield from _asked(self.path, merged(cookies, response))
            if csrf is not None:
                guard = Csrf(page=self.path)
                response = yield self.request(
                    identity, short_lived=short_lived, csrf=csrf, cookies=cookies
                )
        if response.status >= 400 or response.status < 200:
            return f"{self.operation_key} answered {response.status}"
        credential = self.credential(response, cookies)
        if credential is None:
            return f"{self.operation_key} answered {response.status} {self.what_is_missing}"
        if guard is None or csrf is None or not credential.cookies or credential.headers:
            return credential
        # The token may be bound to the session, which is another one now.
        held = dict(credential.cookies)
        again, held = yield from _asked(guard.page, held)
        return replace(
            credential,
            cookies=tuple(held.items()),
            headers=((self._csrf_header((again or csrf)[0]), (again or csrf)[1]),),
        )

    @property
    def is_personal(self) -> bool:
        """Whether the payload holds anything of the identity: one that does not logs nobody in."""
        try:
            _fill((self.payload, *self.headers, *(self.client or ())), {})
        except KeyError:
            return True
        return False

    @property
    def operation_key(self) -> str:
        """The operation that logs in, `POST /auth/token`."""
        return f"{self.method} {self.path}"

    @property
    def what_is_missing(self) -> str:
        """What an answer lacks that gives no credential."""
        if self.token_path == COOKIES:
            return "without setting a session cookie"
        if self.token_path is None:
            return "with neither a token nor a session cookie"
        return f"without {self.token_path}"

    @property
    def secrets(self) -> Mapping[str, str]:
        """Secret value in the recipe itself → the shell variable that stands for it."""
        payload = self.payload if isinstance(self.payload, Mapping) else {}
        return {
            value: f"$WITHSTAND_LOGIN_{re.sub('[^A-Z0-9]', '_', name.upper())}"
            for name, value in named_texts({**payload, **dict(self.headers)})
            if "{" not in value and len(value) >= SHORTEST_TOKEN and _is_secret(name)
        }

    def _body(
        self, fields: Mapping[str, str], *, short_lived: bool, csrf: tuple[str, str] | None
    ) -> Request:
        if isinstance(self.payload, str):
            return Request(
                method=self.method,
                path=self.path,
                headers=(("Content-Type", self.encoding),) if self.payload else (),
                body=self.payload.encode(),
            )
        payload = {key: _fill(value, fields) for key, value in self.payload.items()}
        if short_lived and self.short_lived is not None:
            payload.update(self.short_lived)
        if self.encoding == "json":
            if not payload and self.method == "GET":
                return Request(method=self.method, path=self.path)
            return json_request(self.method, self.path, payload)
        if self.encoding.partition(";")[0].endswith("json"):
            kind = {"Content-Type": self.encoding}
            return json_request(self.method, self.path, payload, kind)
        if csrf is not None:
            payload.setdefault(csrf[0], csrf[1])
        return Request(
            method=self.method,
            path=self.path,
            headers=(("Content-Type", "application/x-www-form-urlencoded"),),
            body=urlencode({key: str(value) for key, value in payload.items()}).encode(),
        )

    def _csrf_header(self, name: str) -> str:
        written = self.csrf.sent_as if self.csrf is not None else None
        return written or csrf_header("csrftoken" if "middleware" in name.lower() else name)

    @property
    def _sends_cookie(self) -> bool:
        return (self.send_as or "").lower().startswith("cookie:")

    def _also(self, found: Credential | None, document: object) -> Credential | None:
        """With what belongs to a credential besides what makes it one."""
        if found is None:
            return None
        headers = (*found.headers, *self.also_sent)
        return replace(found, headers=headers, refresh_token=refresh_token(document))

    def _session(self, response: Response, cookies: Mapping[str, str]) -> Credential | None:
        found = session_credential(merged(cookies, response))
        if found.token is None or shows_login_again(response, self.path):
            return None
        return replace(found, lifetime_s=lifetime_of_cookies_s(response))


def _asked(
    page: str, cookies: Mapping[str, str]
) -> Generator[Request, Response, tuple[tuple[str, str] | None, dict[str, str]]]:
    """The token that a page gives, and the cookies afterwards."""
    request = Request(method="GET", path=page, headers=(("Accept", "text/html, */*"),))
    response = yield Credential(cookies=tuple(cookies.items())).apply(request)
    held = merged(cookies, response)
    return csrf_token(response), held


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in ("pass", "secret", "token", "key", "authorization"))


def _fill(value: object, fields: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return re.sub(r"\{([^{}]*)\}", lambda match: fields[match[1]], value)
    if isinstance(value, Mapping):
        return {key: _fill(item, fields) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(item, fields) for item in value]
    return value
