"""Tokens against forged requests in the forms of a website: each write is sent with one. Pure.

A browser sends the hidden field of the form that it shows. The courier sees every page, so it knows
the token of each session, and asks a page for one where a write is refused for want of it.
"""

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

from withstand.client.credential import Credential, is_csrf, is_csrf_field, request_cookies
from withstand.client.exchange import Exchange, Request
from withstand.client.form_body import fields_of, is_form, with_field
from withstand.client.page import page_of
from withstand.client.session import csrf_token, merged, wants_csrf_token

_Session = frozenset[tuple[str, str]]
_NOBODY: Final = _Session()
_ACTION: Final = re.compile(r"(?i)delet|remov|destroy|cancel|log-?_?out|sign-?_?out")
"""Where even a GET might do something."""
_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SAID: Final = re.compile(r"(?i)csrf|xsrf|forgery|forged")
_MOST_TEXT: Final = 10_000  # characters of a refusal that are read
_MOST: Final = 1_000  # sessions whose token is remembered, and pages
_ASKED: Final = 2  # pages for one token, besides the form's own


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What a page gave: a field with its value, and the cookies that go with it."""

    name: str
    value: str
    cookies: Mapping[str, str]


class Forgery:
    """The tokens that were seen, and where one is asked for."""

    def __init__(self) -> None:
        self._given: dict[_Session, _Given] = {}  # by session
        self._pages: set[str] = set()  # that gave any
        self._in_vain: set[tuple[_Session, str]] = set()  # session and path: no token helps

    def see(self, exchange: Exchange) -> None:
        """Remembers the token that a page gives to the session which asked for it."""
        response, request = exchange.response, exchange.request
        if response is None or "html" not in response.media_type:
            return
        found = csrf_token(response)
        if found is None:
            return
        held = merged(dict(request_cookies(request)), response)
        if request.method == "GET" and len(self._pages) < _MOST:
            self._pages.add(request.operation_path)
        while len(self._given) >= _MOST:
            self._given.pop(next(iter(self._given)))
        for session in (_session(request), frozenset(held.items())):
            self._given[session] = _Given(name=found[0], value=found[1], cookies=held)

    def steps(self, request: Request) -> Generator[Request, Exchange, Exchange]:
        """The exchange of a request; a form's with the token of its session, where there is one."""
        if not _is_form(request, forms_known=bool(self._pages)):
            return (yield request)
        session, path = _session(request), request.operation_path
        wanted = any(is_csrf_field(name) for name, _ in fields_of(request))
        place = session, path
        if wanted and session not in self._given and place not in self._in_vain:
            yield from self._ask(request, session)
        exchange = yield self._with_token(request, session)
        if place in self._in_vain or not _wants(exchange):
            return self._left(session, exchange)
        before = self._given.get(session)
        yield from self._ask(request, session)
        if self._given.get(session) == before:
            self._in_vain.add(place)
            return self._left(session, exchange)
        exchange = yield self._with_token(request, session)
        if _wants(exchange):
            self._in_vain.add(place)
        return self._left(session, exchange)

    def _ask(self, request: Request, session: _Session) -> Generator[Request, Exchange, None]:
        """Asks the page of the form, else those that gave tokens, the plainest first."""
        before = self._given.get(session)
        headers = tuple(h for h in request.headers if not h[0].lower().startswith("content-"))
        own = None if _ACTION.search(request.operation_path) else request.operation_path
        others = sorted(self._pages, key=lambda path: (path.count("/"), len(path), path))
        for path in dict.fromkeys((own, *others[:_ASKED])):
            if path is not None and self._given.get(session) == before:
                yield Request(method="GET", path=path, headers=headers)

    def _with_token(self, request: Request, session: _Session) -> Request:
        given = self._given.get(session)
        if given is None:
            return request
        request = with_field(
            request,
            given.name,
            given.value,
            instead_of=lambda name: is_csrf_field(name) or name == given.name,
        )
        sent = dict(request_cookies(request))
        with_it = tuple(
            (name, value)
            for name, value in given.cookies.items()
            if name not in sent or (is_csrf(name) and sent[name] != value)
        )
        return Credential(cookies=with_it).apply(request) if with_it else request

    def _left(self, session: _Session, exchange: Exchange) -> Exchange:
        """The exchange. A visitor who wrote may be logged in since: the next one is another."""
        if session == _NOBODY:
            self._given.pop(session, None)
        return exchange


def _session(request: Request) -> _Session:
    """Whose token it is: that of the cookies which are sent."""
    return frozenset(request_cookies(request))


def _is_form(request: Request, *, forms_known: bool) -> bool:
    """Whether a form is sent; one without fields where the website is known to have tokens."""
    if request.method not in _WRITES:
        return False
    bare = request.header("content-type") is None and not request.body
    return is_form(request) or (forms_known and bare)


def turned_away_unread(exchange: Exchange) -> bool:
    """Whether a write was refused, in so many words, for want of a token, whatever it said."""
    response = exchange.response
    if response is None or exchange.request.method not in _WRITES:
        return False
    if response.succeeded and response.accepted is not False:
        return False
    page = page_of(response)  # its hidden fields are named after forgery too
    said = response.text if page is None else page.text
    return _SAID.search(said[:_MOST_TEXT]) is not None


def _wants(exchange: Exchange) -> bool:
    return exchange.response is not None and wants_csrf_token(exchange.response)
