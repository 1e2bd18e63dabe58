"""A website in another style than the club: trailing slashes, a token in cookie and field that the
document does not name, forms that are shown again with 200, a login that does so too, uuids.
"""

import asyncio
import itertools
import uuid
from typing import Any
from urllib.parse import parse_qs, quote

import pytest

from tests.scan.small_api import planned
from withstand.client.credential import request_cookies
from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.scripted import Scripted
from withstand.scan.catalogue import check_named
from withstand.scan.records.record import CoverageState, ScanRecord
from withstand.scan.scanner import scan

CHECKS = (
    "object-changeable-by-other-user",
    "object-deletable-by-other-user",
    "object-readable-by-other-user",
    "missing-credential-accepted",
    "user-enumeration",
)
_PEOPLE = ("alice", "bob")
_FORM = "application/x-www-form-urlencoded"
_ID = {"name": "pk", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _operation(*fields: str, item: bool = False, public: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"responses": {"302": {"description": "done"}}}
    found["security"] = [] if public else [{"bearer": []}]
    if fields:
        properties = {name: {"type": "string", "minLength": 1} for name in fields}
        schema = {"type": "object", "properties": properties, "required": list(fields)}
        found["requestBody"] = {"required": True, "content": {_FORM: {"schema": schema}}}
    return found | ({"parameters": [_ID]} if item else {})


PATHS: dict[str, Any] = {
    "/accounts/login/": {"post": _operation("username", "password", public=True)},
    "/accounts/signup/": {"post": _operation("username", "password", public=True)},
    "/items/": {"get": _operation()},
    "/items/add/": {"post": _operation("headline", "body")},
    "/items/{pk}/": {"get": _operation(item=True)},
    "/items/{pk}/edit/": {"post": _operation("headline", "body", item=True)},
    "/items/{pk}/delete/": {"post": _operation(item=True)},
}


class Site:
    """The website in memory. `flaws`: "read", "edit", "delete" of anybody's items, "names"."""

    def __init__(self, *flaws: str) -> None:
        self.flaws = flaws
        self.users = {name: f"{name}-password-1" for name in _PEOPLE}
        self.sessions: dict[str, str] = {}
        self.items: dict[str, tuple[str, str, str]] = {}
        self.messages: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def __call__(self, request: Request) -> Response:
        cookies = dict(request_cookies(request))
        user = self.sessions.get(cookies.get("sessionid", ""))
        fields = {k: v[0] for k, v in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if request.method == "POST":
            secret = cookies.get("csrftoken", "")
            if not secret or not fields.get("csrfmiddlewaretoken", "").endswith(secret):
                return self._page("Forbidden", "CSRF verification failed.", status=403)
        parts = [part for part in request.operation_path.split("/") if part]
        if parts[:1] == ["accounts"]:
            return self._account(request, parts[-1], fields)
        if parts[:1] != ["items"]:
            return self._page("Page not found", status=404)
        if user is None:
            return _led(f"/accounts/login/?next={quote(request.path)}")
        return self._items(request, user, parts[1:], fields)

    def _account(self, request: Request, what: str, fields: dict[str, str]) -> Response:
        form = self._form("username", "password", action=what)
        if request.method == "GET":
            return self._page("Account", form)
        name, password = fields.get("username", ""), fields.get("password", "")
        if what == "signup":
            if not name or name in self.users:
                return self._page("Account", '<ul class="errorlist"><li>No.</li></ul>', form)
            self.users[name] = password
            return _led("/accounts/login/")
        if self.users.get(name) != password:
            known = name in self.users or "names" not in self.flaws
            said = "This does not fit." if known else "Nobody is called so."
            return self._page("Account", f'<ul class="errorlist"><li>{said}</li></ul>', form)
        key = f"session-{next(self._numbers)}-of-nobody-else"
        self.sessions[key] = name
        return _led("/items/", f"sessionid={key}; Path=/; HttpOnly; SameSite=Lax")

    def _items(
        self, request: Request, user: str, parts: list[str], fields: dict[str, str]
    ) -> Response:
        if not parts:
            rows = (
                f'<li><a href="/items/{pk}/">{headline}</a>'
                for pk, (owner, headline, _) in self.items.items()
                if owner == user
            )
            told = self.messages.pop(user, "")
            return self._page("Items", told, "<ul>", *rows, "</ul>")
        form = self._form("headline", "body")
        wanted = fields.get("headline", ""), fields.get("body", "")
        if parts == ["add"]:
            if request.method == "GET" or not all(wanted):
                return self._page("Add", '<p class="error">Fill it in</p>', form)
            self.items[str(uuid.UUID(int=next(self._numbers) + 2**100))] = (user, *wanted)
            self.messages[user] = '<ul class="messages"><li class="success">Added</li></ul>'
            return _led("/items/")
        action = {"edit": "edit", "delete": "delete"}.get(parts[-1], "read")
        owner, headline, body = self.items.get(parts[0], ("", "", ""))
        if not owner or (owner != user and action not in self.flaws):
            return self._page("Page not found", status=404)
        if action == "read" or request.method == "GET":
            return self._page(headline, f"<p>{body}</p>", form)
        if action == "delete":
            del self.items[parts[0]]
            return _led("/items/")
        if not all(wanted):
            return self._page("Edit", '<p class="error">Fill it in</p>', form)
        self.items[parts[0]] = (owner, *wanted)
        return _led(f"/items/{parts[0]}/")

    def _form(self, *names: str, action: str = "") -> str:
        inputs = "".join(
            f'<input name="{n}" type="{"password" if n == "password" else "text"}">' for n in names
        )
        secret = f"secret{next(self._numbers)}"
        masked = f"mask{next(self._numbers)}-{secret}"
        hidden = f'<input type="hidden" name="csrfmiddlewaretoken" value="{masked}">'
        self._secret = secret
        return f'<form method="post" action="{action}">{hidden}{inputs}<button>Send</button></form>'

    def _page(self, title: str, *parts: str, status: int = 200) -> Response:
        text = f"<title>{title}</title><h1>{title}</h1>{''.join(parts)}"
        headers = [("Content-Type", "text/html; charset=utf-8")]
        if "csrfmiddlewaretoken" in text:
            headers.append(("Set-Cookie", f"csrftoken={self._secret}; Path=/; SameSite=Lax"))
        return Response(status=status, headers=tuple(headers), body=text.encode())


def _led(path: str, cookie: str | None = None) -> Response:
    headers = (("Location", path), *((("Set-Cookie", cookie),) if cookie else ()))
    return Response(status=302, headers=headers)


def scanned(site: Site) -> ScanRecord:
    people = tuple(
        Identity(name=n, role="user", fields={"username": n, "password": f"{n}-password-1"})
        for n in _PEOPLE
    )
    login = LoginRecipe(
        method="POST",
        path="/accounts/login/",
        payload={"username": "{username}", "password": "{password}"},
        encoding="form",
        token_path="cookies",
    )
    checks = tuple(check_named(name) for name in CHECKS)
    plan = planned(*checks, identities=people, paths=PATHS, login=login)
    return asyncio.run(scan(plan, Scripted(site)))


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        ("read", ("object-readable-by-other-user", ("GET /items/{pk}/",))),
        ("edit", ("object-changeable-by-other-user", ("POST /items/{pk}/edit/",))),
        ("delete", ("object-deletable-by-other-user", ("POST /items/{pk}/delete/",))),
        ("names", ("user-enumeration", ("POST /accounts/login/",))),
    ],
)
def test_a_flaw_of_such_a_website_is_found_and_nothing_else(
    flaw: str, found: tuple[str, tuple[str, ...]]
) -> None:
    record = scanned(Site(flaw))

    assert [(each.check, each.operations) for each in record.findings] == [found]


def test_a_command_that_sends_a_form_again_wants_the_token_of_who_sends_it() -> None:
    (finding,) = scanned(Site("edit")).findings
    (form,) = (each.curl for each in finding.evidence if each.is_attack)

    assert "csrfmiddlewaretoken='\"$WITHSTAND_CSRF_TOKEN_" in form


def test_a_careful_one_is_silent_and_everything_is_decided() -> None:
    site = Site()
    record = scanned(site)

    assert record.void is None
    assert not record.findings
    assert not [row for row in record.coverage if row.state is CoverageState.INCONCLUSIVE]
    assert not site.items
