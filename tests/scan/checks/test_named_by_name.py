"""An API whose users and notes are addressed by the names that their makers chose for them."""

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import check_named
from withstand.scan.examples import UNAUTHENTICATED, answer, body, not_found, operation, sent

from .tiny_api import findings, identities, scanned

LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"username": "{username}", "password": "{password}"},
    token_path="$.auth_token",
)
CHANGEABLE = "object-changeable-by-other-user"
CREATE = "privileged-property-accepted-on-create"
REFUSAL = "refusal-leaks-data"
SECRET = "secret-in-response"

TEXT = {"type": "string"}
USER = (("path", "username"),)
NOTE = (("path", "note_title"),)
SIGN_UP = body(username=TEXT, password=TEXT, email=TEXT)
ADDED = body(note_title={**TEXT, "example": "shopping"}, secret={**TEXT, "example": "milk"})
PATHS: dict[str, Any] = {
    "/register": {"post": operation(secured=False, requestBody=SIGN_UP)},
    "/login": {"post": operation(secured=False, requestBody=body(username=TEXT, password=TEXT))},
    "/me": {"get": operation()},
    "/users/{username}": {
        "get": operation(secured=False, parameters=USER),
        "delete": operation(parameters=USER),
    },
    "/users/{username}/email": {
        "put": operation(parameters=USER, requestBody=body(email=TEXT)),
    },
    "/users/{username}/password": {  # as documents forget it, without its security
        "put": operation(secured=False, parameters=USER, requestBody=body(password=TEXT)),
    },
    "/notes": {"get": operation(), "post": operation(requestBody=ADDED)},
    "/notes/{note_title}": {
        "get": operation(parameters=NOTE),
        "put": operation(parameters=NOTE, requestBody=body(secret=TEXT)),
        "delete": operation(parameters=NOTE),
    },
}


def _parts(request: Request) -> list[str]:
    return [unquote(part) for part in request.operation_path.strip("/").split("/")]


class Diary:
    """The server. `flaw` is "email" or "password" of anybody's set by anybody, "admin" taken from a
    sign-up, or "refusal", which shows what it refuses.
    """

    def __init__(self, flaw: str = "") -> None:
        self.flaw = flaw
        self.notes: dict[str, tuple[str, str]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        for name in ("alice", "bob", "root"):
            self._add(name, f"{name}-password-1", f"{name}@example.com", admin=name == "root")

    def _add(self, name: str, password: str, email: str, *, admin: bool) -> None:
        self.users[name] = {"password": password, "email": email, "admin": admin}

    def __call__(self, request: Request) -> Response:
        fields = sent(request)
        match request.method, *_parts(request):
            case "POST", "register":
                name, admin = (
                    str(fields.get("username")),
                    self.flaw == "admin" and "admin" in fields,
                )
                if name in self.users:
                    return answer(403, {"status": "fail", "message": "Choose another name."})
                self._add(name, str(fields.get("password")), str(fields.get("email")), admin=admin)
                return answer(200, {"status": "success", "message": "Registered. Log in now."})
            case "POST", "login":
                name = str(fields.get("username"))
                if self.users.get(name, {}).get("password") != fields.get("password"):
                    return answer(200, {"status": "fail", "message": "Not you."})
                return answer(200, {"status": "success", "auth_token": f"{name}-token"})
            case "GET", "users", name:
                return answer(200, {"username": name}) if name in self.users else not_found()
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        me = token.removesuffix("-token")
        return self._known(request, fields, me) if me in self.users else UNAUTHENTICATED

    def _known(self, request: Request, fields: dict[str, Any], me: str) -> Response:
        user = self.users[me]
        match request.method, *_parts(request):
            case "GET", "me":
                shown = {key: user[key] for key in ("email", "admin")}
                return answer(200, {"status": "success", "data": {"username": me, **shown}})
            case "DELETE", "users", name if user["admin"]:
                return Response(status=204 if self.users.pop(name, None) else 404)
            case "PUT", "users", name, field if name in self.users:
                if name != me and self.flaw != field:
                    return answer(401, {"status": "fail", "message": "Not your account."})
                self.users[name][field] = fields.get(field)
                return Response(status=204)
            case "GET", "notes":
                own = [{"note_title": n} for n, (who, _) in self.notes.items() if who == me]
                return answer(200, {"notes": own})
            case "POST", "notes" if isinstance(title := fields.get("note_title"), str):
                self.notes[title] = (me, str(fields.get("secret")))
                return answer(200, {"status": "success", "message": "Note has been added."})
            case method, "notes", title if title in self.notes:
                return self._note(method, title, fields, me)
        return not_found()

    def _note(self, method: str, title: str, fields: dict[str, Any], me: str) -> Response:
        owner, secret = self.notes[title]
        if owner != me:
            leak = {"note": secret} if self.flaw == "refusal" else {}
            return answer(403, {"status": "fail", "message": "Not your note.", **leak})
        if method == "DELETE":
            del self.notes[title]
        elif method == "PUT":
            self.notes[title] = (me, str(fields.get("secret")))
        else:
            return answer(200, {"note_title": title, "secret": secret})
        return Response(status=204)


def people() -> Any:
    """The users of the examples, who have a name to log in with."""
    return tuple(
        replace(each, fields={**each.fields, "username": each.name}) for each in identities()
    )


@pytest.mark.parametrize(
    ("check", "flaw", "key"),
    [
        (CHANGEABLE, "email", "PUT /users/{username}/email"),
        (CHANGEABLE, "password", "PUT /users/{username}/password"),
        (CREATE, "admin", "POST /register"),
        (REFUSAL, "refusal", "GET /notes/{note_title}"),
    ],
)
def test_a_flaw_is_found_where_nothing_but_a_name_says_what_it_is_about(
    check: str, flaw: str, key: str
) -> None:
    server = Diary(flaw)
    found = findings(check, server, PATHS, login=LOGIN, people=people())
    assert key in {each for finding in found for each in finding.operations}


def test_without_a_flaw_nothing_is_found_and_what_was_made_is_gone_by_its_name() -> None:
    server = Diary()
    known = {name: {**user} for name, user in server.users.items()}
    checks = tuple(map(check_named, (CHANGEABLE, CREATE, REFUSAL, SECRET)))
    record, sent_ones = scanned(server, PATHS, checks=checks, login=LOGIN, people=people())
    assert record.findings == ()
    assert server.notes == {}
    assert server.users == known
    baselines = {"PUT /users/{username}/email", "PUT /users/{username}/password"}
    assert not baselines & {row.operation for row in record.coverage if "baseline" in row.reason}
    assert len(sent_ones) > 20
