"""Whether a website's answer to a write says yes: Post/Redirect/Get, and forms shown again. Pure.

Websites answer a write with 302 or 303, whether they did it or not: only the page that it leads to
tells. It is a refusal where it asks for a login, or says in a message that something went wrong.
What is judged here is `Response.accepted`, and so every check understands it by `succeeded`.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from withstand.client.credential import Credential, request_cookies
from withstand.client.exchange import Exchange, Request, Response
from withstand.client.form_body import fields_of
from withstand.client.page import Element, page_of
from withstand.client.redirect import hop
from withstand.client.session import merged
from withstand.client.soft_errors import says_no
from withstand.client.target import Target
from withstand.openapi.naming import VERBS, noun, words
from withstand.openapi.path_template import segments
from withstand.scan.answers.page_messages import (
    ERROR_WORDS,
    MESSAGE_CLASSES,
    SHORTEST_MARK,
    classes_of,
    complaints_in,
    is_error,
    returned_in,
)

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MOST_HOPS: Final = 3
_LOGIN: Final = re.compile(
    r"(?i)(?<![a-z])(?:log-?_?(?:in|on)|sign-?_?in)\b|authenticate"
    r"|anmeld|einlogg|connexion|connecter|iniciar-sesi|inlogg"
)
_SESSION: Final = re.compile(r"session|\bauth\b|token", re.IGNORECASE)
_LEAVES: Final = re.compile(r"log-?_?(?:out|off)|sign-?_?out", re.IGNORECASE)
_BEFORE_LOGIN: Final = re.compile(
    r"regist|sign-?_?up|join|enrol|forg[eo]t|reset|recover|password|verif|confirm|activat"
    r"|log-?_?(?:out|off)|sign-?_?out",
    re.IGNORECASE,
)
"""What may well lead to the login: a sign-up, a new password, a logout."""
_ERROR_ADDRESS: Final = re.compile(
    r"(?i)\b(?:errors?|denied|forbidden|unauthori[sz]ed|not-?_?allowed|failed|failure|invalid)\b"
)


def followed(exchange: Exchange, target: Target) -> Generator[Request, Exchange, Exchange]:
    """The exchange with its answer judged by the page that it is, or leads to.

    Yields the requests of a browser, as who sent the write and within the one host, and is resumed
    with exchanges. What is no website's answer comes back as it is.
    """
    request, response = exchange.request, exchange.response
    if response is None or request.method not in _WRITES:
        return exchange
    if response.succeeded:
        page = page_of(response)
        if page is None:
            return exchange
        return (yield from _shown_at_once(exchange, response, page))
    cookies = dict(request_cookies(request))
    at = exchange
    for _ in range(_MOST_HOPS):
        if at.response is None or at.response.status not in {302, 303}:
            break
        path = _next(at, target)
        if path is None:
            return exchange
        if _LOGIN.search(path) and not _about_login(request):
            return _judged(exchange, replace(response, accepted=False))
        cookies = merged(cookies, at.response)
        at = yield _read(request, path, cookies)
    found = at.response
    if at is exchange or found is None or not found.succeeded:
        return exchange
    accepted, page = not _refuses(at, request), page_of(found)
    if page is not None and accepted:
        complaints, returned = complaints_in(page, request), returned_in(page, request)
        if complaints or returned:
            # What says no is shown once. What the page shows always is a part of its form.
            again = yield _read(request, at.request.path, merged(cookies, found))
            second = page_of(again.response) if again.response is not None else None
            accepted = second is not None and (
                complaints <= complaints_in(second, request)
                and returned <= returned_in(second, request)
            )
    thing = _thing(request, response.header("location") or "", page) if accepted else None
    judged = replace(response, accepted=accepted, item_path=thing)
    if page is None:  # a document is an answer to the read, not to the write
        return _judged(exchange, judged)
    headers = (
        *(pair for pair in response.headers if not pair[0].lower().startswith("content-")),
        *(pair for pair in found.headers if pair[0].lower().startswith("content-")),
        *(pair for pair in found.headers if pair[0].lower() == "set-cookie"),
    )
    return _judged(exchange, replace(judged, headers=headers, body=found.body))


def _shown_at_once(
    exchange: Exchange, response: Response, page: Element
) -> Generator[Request, Exchange, Exchange]:
    """A page in place of a redirect: the form once more with what is wrong, or what was made."""
    request = exchange.request
    sent = {name for name, _ in fields_of(request)}
    again = any(each.attributes.get("name") in sent for each in page.all("input", "textarea"))
    if _asks_for_login(page, request) or (again and complaints_in(page, request)):
        return _judged(exchange, replace(response, accepted=False))
    returned = returned_in(page, request)
    # One field may be a question with its answer beside it. What was stored is given back again.
    if len(returned) > 1 and request.method == "POST":
        cookies = merged(dict(request_cookies(request)), response)
        asked = yield _read(request, request.path, cookies)
        second = page_of(asked.response) if asked.succeeded and asked.response else None
        if second is not None and not returned & returned_in(second, request):
            return _judged(exchange, replace(response, accepted=False))
    if response.header("location") is not None:
        return exchange
    return _judged(exchange, replace(response, accepted=True, item_path=_thing(request, "", page)))


def is_gone(exchange: Exchange) -> bool:
    """Whether the answer to a read says that the thing is not there (any more).

    A website may lead to its list instead; to its login it leads whoever is not logged in.
    """
    if exchange.status in {404, 410}:
        return True
    response = exchange.response
    location = response.header("location") if response is not None else None
    return exchange.status in {302, 303} and bool(location) and not _LOGIN.search(location or "")


def leads_alike(one: Response, other: Response) -> bool:
    """Whether two redirects lead to the same kind of page: `/notes/7` and `/notes/8`."""
    return _kind_of_place(one) == _kind_of_place(other)


def _judged(exchange: Exchange, response: Response) -> Exchange:
    return replace(exchange, outcome=response)


def _next(exchange: Exchange, target: Target) -> str | None:
    """The path that a redirect leads to; None where it says nothing about the write."""
    response, asked = exchange.response, exchange.request
    assert response is not None, "it redirects"
    step = hop(
        target,
        method="POST",  # whatever was sent: a page is only looked at
        path=asked.path,
        status=response.status,
        location=response.header("location"),
    )
    if isinstance(step, str) or _LEAVES.search(step.path):
        return None
    only_a_slash = step.path != asked.path and step.path.rstrip("/") == asked.path.rstrip("/")
    return None if only_a_slash else step.path


def _read(sent: Request, path: str, cookies: Mapping[str, str]) -> Request:
    """The GET of a browser that follows, with the cookies that it holds by then."""
    headers = tuple(
        (name, value)
        for name, value in sent.headers
        if not name.lower().startswith("content-") and name.lower() not in {"cookie", "if-match"}
    )
    read = Request(method="GET", path=path, headers=headers)
    return Credential(cookies=tuple(cookies.items())).apply(read)


def _refuses(at: Exchange, sent: Request) -> bool:
    """Whether the page, whatever its messages are, is one of those for who was refused."""
    found = at.response
    assert found is not None, "the page was served"
    query = parse_qsl(urlsplit(at.request.path).query)
    if any(name in MESSAGE_CLASSES and ERROR_WORDS.search(value) for name, value in query):
        return True
    own = {*_ERROR_ADDRESS.findall(sent.path.lower())}  # POST /errors leads to /errors/7
    if {*_ERROR_ADDRESS.findall(at.request.path.lower())} - own or says_no(found):
        return True
    page = page_of(found)
    before_login = _BEFORE_LOGIN.search(sent.operation_path)
    place = at.request.operation_path
    made = re.search(r"/\d+$", _item_address(sent, place) or "")  # POST /anmeldungen, a register
    if not before_login and not made and _LOGIN.search(place):
        return True
    return page is not None and (_asks_for_login(page, sent) or is_error(page))


def _about_login(sent: Request) -> bool:
    """Whether the login's page has something to tell to who sent this."""
    path = sent.operation_path
    return bool(_LOGIN.search(path) or _SESSION.search(path) or _BEFORE_LOGIN.search(path))


def _asks_for_login(page: Element, sent: Request) -> bool:
    """Whether a form on the page is one by which one logs in."""
    if _BEFORE_LOGIN.search(sent.operation_path):
        return False
    return any(
        sum(each.attributes.get("type", "").lower() == "password" for each in form.all("input"))
        == 1
        and _LOGIN.search(f"{form.attributes.get('action', '')} {form.text}".replace(" ", "-"))
        for form in page.all("form")
    )


def _thing(sent: Request, location: str, page: Element | None) -> str | None:
    """The address of what a write made or changed: where it leads, or by a link beside its texts.

    `/notes/7` after a `POST /notes`. Of a page that lists things the smallest element counts that
    holds a text which was sent and links to such things: to one only.
    """
    own = _item_address(sent, urlsplit(location).path)
    if own is not None or page is None:
        return own
    values = [value for _, value in fields_of(sent) if len(value) >= SHORTEST_MARK]
    waiting: list[tuple[Element, tuple[Element, ...]]] = [(page, ())]
    while waiting:
        element, around = waiting.pop()
        if classes_of(element) & MESSAGE_CLASSES:
            continue  # it says what was done, and stands beside other things
        inside = (*around, element)
        if any(value in element.own_text for value in values):
            links = (set(_item_links(sent, each)) for each in reversed(inside))
            nearest = next((found for found in links if found), set())
            if len(nearest) == 1:
                return nearest.pop()
        waiting.extend((each, inside) for each in element.children if isinstance(each, Element))
    return None


def _item_links(sent: Request, element: Element) -> Iterator[str]:
    for each in element.all("a", "form"):
        link = each.attributes.get("href") or each.attributes.get("action") or ""
        address = _item_address(sent, urlsplit(link).path)
        if address is not None:
            yield address


def _item_address(sent: Request, path: str) -> str | None:
    """The part of a path that names one thing of the kind that a request is about; None else."""
    about = {noun(part) for part in segments(sent.operation_path) if not _is_verb(part)}
    parts = segments(path)
    for index, part in enumerate(parts[1:], start=1):
        before = next((each for each in reversed(parts[:index]) if not _is_verb(each)), "")
        if noun(before) in about and not _is_verb(part):
            return "/" + "/".join(parts[: index + 1])
    return None


def _is_verb(part: str) -> bool:
    return words(part)[-1] in VERBS


def _kind_of_place(response: Response) -> tuple[str, ...]:
    parts = segments(urlsplit(response.header("location") or "").path)
    return tuple("{}" if re.search(r"\d", part) else part for part in parts)
