"""One API a kind of login, each with the fewest words of configuration that a scan of it needs."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, jsonify, make_response, redirect, request, session

from tests.logins.notebook import (
    PASSWORDS,
    Notebook,
    add_notes,
    document,
    login_operation,
    refuse_401,
)

Json = dict[str, Any]
Made = tuple[Flask, Json, tuple[str, ...]]
"""An app, its document, and what of it is secret beside the passwords."""

PEOPLE = """
[identities]
alice = { role = "user", email = "alice@example.com", password = "alice-keeps-bees-77" }
bob   = { role = "user", email = "bob@example.com", password = "bob-collects-stamps-3" }
root  = { role = "root", email = "root@example.com", password = "root-of-all-evil-99" }
"""
KEYS = {
    "alice@example.com": "key-alice-5b1c9e",
    "bob@example.com": "key-bob-77ad01f",
    "root@example.com": "key-root-c0ffee1",
}
_OWNERS = {key: user for user, key in KEYS.items()}


def tokens_for(*, more: str) -> str:
    """[identities] with static tokens."""
    lines = [
        f'{user.partition("@")[0]} = {{ role = "{"root" if user.startswith("root") else "user"}", '
        f'token = "{key}"{more} }}'
        for user, key in KEYS.items()
    ]
    return "[identities]\n" + "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Kind:
    """How one logs in: the API, and what withstand.toml has to say of it."""

    name: str
    make: Callable[[Notebook], Made]
    config: str


def _issuer() -> tuple[dict[str, str], Callable[[str], str]]:
    issued: dict[str, str] = {}

    def issue(user: str) -> str:
        token = f"tok-{secrets.token_hex(12)}"
        issued[token] = user
        return token

    return issued, issue


def flask_session(book: Notebook) -> Made:
    """Flask: a form, a redirect, and a signed cookie that every response renews."""
    app = Flask("sessions", static_folder=None)
    app.secret_key = "not-the-default-one-8841"

    @app.post("/login")
    def log_in() -> Any:
        if not book.knows(request.form.get("username"), request.form.get("password")):
            return redirect("/login?failed=1")
        session.permanent = True
        session["user"], session["seen"] = request.form["username"], 0
        return redirect("/")

    def who() -> str | None:
        if "user" in session:
            session["seen"] += 1  # so the cookie is another one each time
        return session.get("user")

    add_notes(app, book, who)
    schemes = {"cookie": {"type": "apiKey", "in": "cookie", "name": "session"}}
    login = login_operation("application/x-www-form-urlencoded", "username", "password")
    return app, document(schemes, {"/login": login}), ()


def rotating_session(book: Notebook) -> Made:
    """A session id that is good for one request: the answer to it sets the next."""
    app = Flask("rotating", static_folder=None)
    issued, issue = _issuer()

    @app.post("/sign-in")
    def log_in() -> Any:
        body = request.get_json(silent=True) or {}
        if not book.knows(body.get("email"), body.get("password")):
            return jsonify(error="wrong"), 401
        response = jsonify(ok=True)
        response.set_cookie("SID", issue(body["email"]), httponly=True, samesite="Lax")
        return response

    def who() -> str | None:
        user = issued.pop(request.cookies.get("SID", ""), None)
        if user is not None:
            request.environ["next_sid"] = issue(user)
        return user

    @app.after_request
    def renew(response: Response) -> Response:
        following = request.environ.get("next_sid")
        if following is not None:
            response.set_cookie("SID", following, httponly=True, samesite="Lax")
        return response

    add_notes(app, book, who)
    schemes = {"cookie": {"type": "apiKey", "in": "cookie", "name": "SID"}}
    return app, document(schemes), ()


def django_like(book: Notebook) -> Made:
    """Django: a page with a hidden token, a cookie beside it, and a header on what changes."""
    app = Flask("django", static_folder=None)
    issued, issue = _issuer()

    def forged() -> bool:
        cookie = request.cookies.get("csrftoken")
        sent = request.headers.get("X-CSRFToken") or request.form.get("csrfmiddlewaretoken")
        return not cookie or sent != cookie

    @app.get("/accounts/login/")
    def page() -> Any:
        token = secrets.token_hex(16)
        response = make_response(
            f'<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{token}">'
            '<input name="username"><input type="password" name="password"></form>'
        )
        response.set_cookie("csrftoken", token, samesite="Lax")
        return response

    @app.post("/accounts/login/")
    def log_in() -> Any:
        if forged():
            return "<h1>Forbidden</h1><p>CSRF verification failed.</p>", 403
        if not book.knows(request.form.get("username"), request.form.get("password")):
            return page()
        response = redirect("/")
        response.set_cookie("sessionid", issue(request.form["username"]), httponly=True)
        response.set_cookie("csrftoken", secrets.token_hex(16), samesite="Lax")
        return response

    @app.before_request
    def guard() -> Any:
        changes = request.method not in {"GET", "HEAD", "OPTIONS"}
        if changes and request.path != "/accounts/login/" and who() is not None and forged():
            return jsonify(detail="CSRF Failed: CSRF token missing."), 403
        return None

    def who() -> str | None:
        return issued.get(request.cookies.get("sessionid", ""))

    def refuse() -> Any:
        return jsonify(detail="Authentication credentials were not provided."), 403

    add_notes(app, book, who, refuse)
    return (
        app,
        document({"cookieAuth": {"type": "apiKey", "in": "cookie", "name": "sessionid"}}),
        (),
    )


def express_like(book: Notebook) -> Made:
    """Express: JSON in and out, the token under a name of its own in a header of its own."""
    app = Flask("express", static_folder=None)
    issued, issue = _issuer()

    @app.post("/api/auth/signin")
    def log_in() -> Any:
        body = request.get_json(silent=True) or {}
        if not book.knows(body.get("username"), body.get("password")):
            return jsonify(accessToken=None, message="Invalid Password!"), 401
        return {"id": 1, "roles": ["ROLE_USER"], "accessToken": issue(body["username"])}

    def who() -> str | None:
        return issued.get(request.headers.get("x-access-token", ""))

    def refuse() -> Any:
        return jsonify(message="No token provided!"), 403

    add_notes(app, book, who, refuse)
    schemes = {"jwt": {"type": "apiKey", "in": "header", "name": "x-access-token"}}
    login = login_operation("application/json", "username", "password")
    return app, document(schemes, {"/api/auth/signin": login}), ()


def php_like(book: Notebook) -> Made:
    """PHP: the key in the query, and every answer a 200 that says whether it is one."""
    app = Flask("php", static_folder=None)

    def refuse() -> Any:
        return {"success": False, "error": "Invalid API key"}

    add_notes(app, book, lambda: _OWNERS.get(request.args.get("api_key", "")), refuse, base="")
    schemes = {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}
    return app, document(schemes, base=""), tuple(KEYS.values())


def key_in_header(book: Notebook) -> Made:
    """A key in a header; refusals are plain text."""
    app = Flask("key", static_folder=None)

    def refuse() -> Any:
        return Response("Unauthorized\n", status=401, mimetype="text/plain")

    add_notes(app, book, lambda: _OWNERS.get(request.headers.get("X-Api-Key", "")), refuse)
    schemes = {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}
    return app, document(schemes), tuple(KEYS.values())


def key_in_cookie(book: Notebook) -> Made:
    """The same in a cookie, beside which others may stand."""
    app = Flask("cookie", static_folder=None)
    add_notes(app, book, lambda: _OWNERS.get(request.cookies.get("auth", "")))
    schemes = {"key": {"type": "apiKey", "in": "cookie", "name": "auth"}}
    return app, document(schemes), tuple(KEYS.values())


def token_scheme(book: Notebook) -> Made:
    """`Authorization: Token …`, which the document only describes in words."""
    app = Flask("drf", static_folder=None)
    issued, issue = _issuer()

    @app.post("/api-token-auth/")
    def log_in() -> Any:
        body = request.get_json(silent=True) or {}
        if not book.knows(body.get("username"), body.get("password")):
            return jsonify(non_field_errors=["Unable to log in."]), 400
        return {"token": issue(body["username"])}

    def who() -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return issued.get(token) if scheme == "Token" else None

    add_notes(app, book, who)
    words = 'Token-based authentication with required prefix "Token"'
    schemes = {
        "t": {"type": "apiKey", "in": "header", "name": "Authorization", "description": words}
    }
    return app, document(schemes), ()


def token_in_header(book: Notebook) -> Made:
    """A login that gives its token in a response header."""
    app = Flask("header", static_folder=None)
    issued, issue = _issuer()

    @app.post("/login")
    def log_in() -> Any:
        body = request.get_json(silent=True) or {}
        if not book.knows(body.get("email"), body.get("password")):
            return jsonify(error="wrong"), 401
        return "", 204, {"X-Auth-Token": issue(body["email"])}

    def who() -> str | None:
        return issued.get(request.headers.get("X-Auth-Token", ""))

    add_notes(app, book, who)
    return app, document({"t": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}}), ()


def http_basic(book: Notebook) -> Made:
    """Name and password with every request."""
    app = Flask("basic", static_folder=None)

    def who() -> str | None:
        given = request.authorization
        if given is None or given.type != "basic":
            return None
        return given.username if book.knows(given.username, given.password) else None

    def refuse() -> Any:
        return Response(status=401, headers={"WWW-Authenticate": 'Basic realm="notes"'})

    add_notes(app, book, who, refuse)
    pairs = [base64.b64encode(f"{u}:{p}".encode()).decode() for u, p in PASSWORDS.items()]
    return app, document({"basic": {"type": "http", "scheme": "basic"}}), tuple(pairs)


def oauth(book: Notebook) -> Made:
    """OAuth2: the token endpoint takes a form, and the client proves itself by HTTP basic."""
    app = Flask("oauth", static_folder=None)
    issued, issue = _issuer()

    @app.post("/oauth/token")
    def token() -> Any:
        client = request.authorization
        if client is None or (client.username, client.password) != ("app", "client-s3cr3t-41"):
            return jsonify(error="invalid_client"), 401
        form = request.form
        if form.get("grant_type") == "client_credentials":
            return {"access_token": issue("root@example.com"), "token_type": "bearer"}
        if not book.knows(form.get("username"), form.get("password")):
            return jsonify(error="invalid_grant"), 400
        return {"access_token": issue(form["username"]), "token_type": "bearer", "expires_in": 3600}

    def who() -> str | None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return issued.get(given) if scheme == "Bearer" else None

    add_notes(app, book, who, refuse_401)
    flow = {"tokenUrl": "/oauth/token", "scopes": {}}
    schemes = {"oauth": {"type": "oauth2", "flows": {"password": flow}}}
    return app, document(schemes), ("client-s3cr3t-41",)


KINDS = (
    Kind("flask-session", flask_session, PEOPLE),
    Kind(
        "rotating-session",
        rotating_session,
        '[login]\nrequest = "POST /sign-in"\n'
        'json = { email = "{email}", password = "{password}" }\n' + PEOPLE,
    ),
    Kind(
        "django-like",
        django_like,
        '[login]\nrequest = "POST /accounts/login/"\n'
        'form = { username = "{email}", password = "{password}" }\n' + PEOPLE,
    ),
    Kind("express-like", express_like, PEOPLE),
    Kind("php-like", php_like, tokens_for(more="")),
    Kind("key-in-header", key_in_header, tokens_for(more="")),
    Kind("key-in-cookie", key_in_cookie, tokens_for(more=', cookie = "auth"')),
    Kind(
        "token-scheme",
        token_scheme,
        '[login]\nrequest = "POST /api-token-auth/"\n'
        'json = { username = "{email}", password = "{password}" }\n' + PEOPLE,
    ),
    Kind(
        "token-in-header",
        token_in_header,
        '[login]\nrequest = "POST /login"\n'
        'json = { email = "{email}", password = "{password}" }\n' + PEOPLE,
    ),
    Kind("http-basic", http_basic, PEOPLE),
    Kind(
        "oauth-password",
        oauth,
        '[login]\ngrant = "password"\nclient_id = "app"\nclient_secret = "client-s3cr3t-41"\n'
        + PEOPLE,
    ),
)
