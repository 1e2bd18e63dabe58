"""Who sent a request, and sessions that the API renews: a new cookie is sent from then on. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from withstand.client.credential import (
    Credential,
    is_csrf_field,
    request_cookies,
    variable_name,
)
from withstand.client.exchange import Exchange, Request
from withstand.client.identity import Identity
from withstand.client.session import names_session, set_cookies
from withstand.client.token_place import found_token, refresh_token

_NO_RENEWAL: Final = re.compile(
    r"(?i)log-?_?(?:in|out|off)|sign-?_?(?:in|out|up|off)|session|token|auth|regist|password|reset"
    r"|^(?:join|enrol)|(?:user|account|member|customer)s?$"
)
"""What an operation is called that gives the session of somebody else, or none."""
_VALUES: Final = (re.compile(r"=([^;\s]{8,})"), re.compile(r"[\w.~+/%:|-]{8,}={0,2}"))
"""What may be the value of a cookie: in a header, and anywhere else."""
_SHORTEST_NAMED: Final = 8
_SHORTEST: Final = 16  # what is shorter and not called a session is a language or a theme
_MOST_SET: Final = 20_000  # cookies of anybody's that are remembered


class Renewal:
    """Knows the credentials of a run by what stands for them in a request."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str, str], Identity] = {}  # by place of the credential
        self._renewed: dict[tuple[str, str], str] = {}  # cookie and old value → new value
        self._repeated: dict[str, str] = {}  # old value of a credential's header → new value
        self._sessions: dict[str, str] = {}  # values of renewed cookies → their shell variable
        self._set: dict[str, str] = {}  # cookies that any answer set, tokens of forms → variable
        self.secrets: dict[str, str] = {}  # all other secrets of the run → their shell variable

    def knows(self, identity: Identity) -> None:
        """From now on requests with this identity's credential are known to be its own."""
        self.secrets.update(identity.secrets)
        self._own(identity)

    def see(self, exchange: Exchange) -> None:
        """Remembers what an answer gives that opens a session, whoever's it may be: that of a user
        who just signed up lives on.
        """
        self._see_form(exchange)
        response = exchange.response
        if response is None:
            return
        for name, value in set_cookies(response).items():
            least = _SHORTEST_NAMED if names_session(name) else _SHORTEST
            if value and len(value) >= least:
                self._set[value] = f"$WITHSTAND_{variable_name(name)}_NEW"
        while len(self._set) > _MOST_SET:
            self._set.pop(next(iter(self._set)))
        if exchange.identity is None and exchange.request.method == "POST" and exchange.succeeded:
            document = response.json()
            for value in (found_token(document, response)[0], refresh_token(document)):
                if value is not None and value not in self.secrets:
                    self._sessions.setdefault(value, "$WITHSTAND_TOKEN_NEW")

    def _see_form(self, exchange: Exchange) -> None:
        """Its token against forgery dies with the session: who repeats it has another one."""
        request = exchange.request
        if "form-urlencoded" not in (request.header("content-type") or ""):
            return
        owner = variable_name(exchange.identity or "new")
        for part in request.body.decode("utf-8", "replace").split("&"):
            name, _, value = part.partition("=")
            if len(value) >= _SHORTEST_NAMED and is_csrf_field(unquote_plus(name)):
                for form in (value, unquote_plus(value)):
                    self._set[form] = f"$WITHSTAND_CSRF_TOKEN_{owner}"

    def secrets_in(self, texts: Iterable[str]) -> dict[str, str]:
        """The secrets of the run, and of all other sessions those in the texts: an API may renew
        one with each answer.
        """
        told = "\n".join(texts)
        values = (value for pattern in _VALUES for value in pattern.findall(told))
        return {
            **{value: self._set[value] for value in values if value in self._set},
            **{value: name for value, name in self._sessions.items() if value in told},
            **self.secrets,
        }

    def _own(self, identity: Identity) -> None:
        credential = identity.credential
        if credential is None:
            return
        for place in credential.places:
            if credential.token is None or credential.token in place[2]:
                self._owners[place] = identity

    def current(self, request: Request) -> Request:
        """The request with each renewed cookie at its newest value."""
        if not self._renewed and not self._repeated:
            return request
        changed = False
        cookies = []
        for name, value in request_cookies(request):
            newest = self._newest(name, value)
            if newest != value:
                self._renewed[name, value], changed = newest, True  # the next time in one step
            cookies.append((name, newest))
        if changed:
            request = request.with_header("Cookie", "; ".join(f"{n}={v}" for n, v in cookies))
        headers = tuple((name, self._repeat(value)) for name, value in request.headers)
        return replace(request, headers=headers)

    def sender(self, request: Request) -> Identity | None:
        """The identity whose credential a request carries."""
        places = _places(request)
        return next((self._owners[place] for place in places if place in self._owners), None)

    def follow(self, exchange: Exchange, sender: Identity) -> None:
        """Takes in the new session of an identity, where its answer sets one."""
        response, credential = exchange.response, sender.credential
        if response is None or credential is None:
            return
        last = exchange.request.operation_path.rstrip("/").rpartition("/")[2]
        new = set_cookies(response)
        if not new or _NO_RENEWAL.search(last):
            return
        sent = dict(request_cookies(exchange.request))
        for name, old in credential.cookies:
            value = new.get(name)
            if value is None or sent.get(name) != old or value == old:
                continue
            renewed = credential.with_cookie(name, value)
            self.supersede(credential, renewed)
            credential = renewed
        if credential is not sender.credential:
            renewed_sender = sender.logged_in(credential)
            self._own(renewed_sender)
            known = self.secrets.keys()
            self._sessions.update(
                (value, name)
                for value, name in renewed_sender.secrets.items()
                if value not in known
            )

    def supersede(self, old: Credential, new: Credential) -> None:
        """From now on what carries the old credential is sent with the new one."""
        after = dict(new.cookies)
        for name, value in old.cookies:
            if name in after and after[name] != value:
                self._renewed[name, self._newest(name, value)] = after[name]
                self._renewed[name, value] = after[name]
                self._renewed.pop((name, after[name]), None)  # who goes back leads round no circle
        for (name, value), (other, following) in zip(old.headers, new.headers, strict=False):
            if name == other and value != following:
                self._repeated[value] = following
                self._repeated.pop(following, None)

    def _newest(self, name: str, value: str) -> str:
        while (name, value) in self._renewed:
            value = self._renewed[name, value]
        return value

    def _repeat(self, value: str) -> str:
        while value in self._repeated:
            value = self._repeated[value]
        return value


def _places(request: Request) -> Iterator[tuple[str, str, str]]:
    for name, value in request.headers:
        yield "header", name.lower(), value
    for name, value in request_cookies(request):
        yield "cookie", name, value
    if "?" in request.path:
        query = request.path.partition("?")[2]
        for name, value in parse_qsl(query, keep_blank_values=True):
            yield "query", name, value
