"""Logging in and out."""

import sqlite3
from hashlib import scrypt

from flask import Blueprint, Response, jsonify, make_response, request
from werkzeug.security import check_password_hash, generate_password_hash

from tests.clinic.clinic import clinic, planted, store
from tests.clinic.document import Json, operation, thing
from tests.clinic.doors import only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import refuse, sent, text
from tests.clinic.people import HASH_METHOD
from tests.clinic.sessions import COOKIE
from tests.clinic.store import Row

blueprint = Blueprint("login", __name__)

_NOBODYS = generate_password_hash("nobody has this password", HASH_METHOD)

FLAWS = (
    Flaw(
        name="login-without-limit",
        title="Passwords can be guessed without end.",
        seen_by="login-not-rate-limited",
        seen_on=("POST /v2/login",),
    ),
    Flaw(
        name="login-limit-says-no-time",
        title="The refusal of further guesses does not say when to try again.",
        seen_by="rate-limit-without-retry-after",
        seen_on=("POST /v2/login",),
    ),
    Flaw(
        name="login-pasted-into-sql",
        title="The database is asked whether a login is right, by a query pasted together.",
        seen_by="sql-injection",
        seen_on=("POST /v2/login",),
    ),
    Flaw(
        name="login-knows-no-such-patient",
        title="A login says whether it is the address or the password that is wrong.",
        seen_by="user-enumeration",
        seen_on=("POST /v2/login",),
    ),
    Flaw(
        name="login-hashes-for-patients-only",
        title="A login refuses an address that nobody has without hashing the password.",
        seen_by="user-enumeration-by-time",
        seen_on=("POST /v2/login",),
    ),
    Flaw(
        name="session-outlives-logout",
        title="A logout makes the browser forget its session, and only the browser.",
        seen_by="token-accepted-after-logout",
        seen_on=("POST /v2/logout",),
    ),
    Flaw(
        name="session-cookie-for-scripts",
        title="The session's cookie may be read by scripts and sent along by other sites' pages.",
        seen_by="session-cookie-unprotected",
    ),
)

PATHS: dict[str, Json] = {
    "/login": {
        "post": operation(
            "Log in; the answer sets the session's cookie",
            thing(name={"type": "string"}, role={"type": "string"}),
            body=thing(
                email={"type": "string", "format": "email"},
                password={"type": "string", "format": "password"},
            ),
            also_form=True,
            public=True,
            refusals=(401, 429),
        )
    },
    "/logout": {"post": operation("Log out; the session ends", status=204)},
}


@blueprint.post("/login")
def log_in() -> Response:
    fields = sent()
    email = text(fields, "email").lower()
    password = text(fields, "password", longest=500)
    wait_s = clinic().failed_logins.wait_s(email)
    if wait_s is not None and not planted("login-without-limit"):
        return _too_many(wait_s)
    user = store().row("select * from users where email = ?", email)
    # Nobody's hash is tried as well, so that the time does not tell who is a patient.
    fits = check_password_hash(user["password_hash"] if user else _NOBODYS, password)
    known = user is not None
    if known and planted("login-hashes-for-patients-only"):
        scrypt(password.encode(), salt=b"", n=2**15, r=8, p=1, maxmem=2**26)  # as dear as it ought
    if planted("login-pasted-into-sql"):
        user = _found_by_pasting(email, fits=user is not None and fits)
        fits = user is not None
    if user is None or not fits:
        clinic().failed_logins.add(email)
        if not known and planted("login-knows-no-such-patient"):
            refuse("no patient has this e-mail address", 401)
        refuse("this e-mail address and password do not belong together", 401)
    key = clinic().sessions.begin(user["id"])
    data = {"name": user["name"], "role": user["role"]}
    if clinic().session_in_body:
        data["session"] = key
    response = jsonify({"data": data})
    careful = not planted("session-cookie-for-scripts")
    same_site = "Lax" if careful else None
    response.set_cookie(COOKIE, key, path="/", httponly=careful, samesite=same_site)
    return response


def _found_by_pasting(email: str, *, fits: bool) -> Row | None:
    try:
        return store().row(f"select * from users where email = '{email}' and {int(fits)} = 1")
    except sqlite3.Error:
        return None


@blueprint.post("/logout")
@only()
def log_out() -> Response:
    if not planted("session-outlives-logout"):
        clinic().sessions.end(request.cookies[COOKIE])
    response = make_response("", 204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
    return response


def _too_many(wait_s: int) -> Response:
    response = make_response("<h1>Too many failed logins</h1><p>Try again later.</p>", 429)
    if not planted("login-limit-says-no-time"):
        response.headers["Retry-After"] = str(wait_s)
    return response
