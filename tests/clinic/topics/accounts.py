"""Signing up, and what users see and change of themselves."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request
from werkzeug.security import check_password_hash, generate_password_hash

from tests.clinic.clinic import clinic, planted, store
from tests.clinic.document import ID, TEXT, Json, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import email, refuse, sent, text
from tests.clinic.people import HASH_METHOD
from tests.clinic.sessions import COOKIE
from tests.clinic.store import Row

blueprint = Blueprint("accounts", __name__)

_COMMON = ("password", "12345678", "qwertz", "qwerty", "letmein", "welcome")
_SHORTEST = 10

FLAWS = (
    Flaw(
        name="hash-in-profile",
        title="The profile of a user holds the hash of their password.",
        seen_by="password-hash-in-response",
    ),
    Flaw(
        name="password-repeated",
        title="The answer to a sign-up repeats the password.",
        seen_by="secret-in-response",
    ),
    Flaw(
        name="session-in-address",
        title="The session's key may stand in the address instead of the cookie.",
        seen_by="credential-accepted-in-url",
    ),
    Flaw(
        name="sign-up-takes-role",
        title="Who signs up with a role gets it.",
        seen_by="privileged-property-accepted-on-create",
        seen_on=("POST /v2/register",),
    ),
    Flaw(
        name="profile-takes-credit",
        title="Whoever changes their profile may change their credit with it.",
        seen_by="privileged-property-accepted-on-update",
        seen_on=("PATCH /v2/me",),
    ),
)

_PROFILE = thing(
    id=ID,
    name=TEXT,
    email={"type": "string", "format": "email"},
    phone={"type": "string"},
    role={"type": "string", "enum": ["patient", "doctor", "admin"], "readOnly": True},
    credit_cents={"type": "integer", "readOnly": True},
)
_PASSWORD: Json = {
    "type": "string",
    "format": "password",
    "minLength": _SHORTEST,
    "maxLength": 200,
    "writeOnly": True,
}

PATHS: dict[str, Json] = {
    "/register": {
        "post": operation(
            "Sign up as a patient",
            thing(id=ID, name=TEXT, email=TEXT),
            status=201,
            body=thing(
                needed=("name", "email", "password"),
                name=TEXT,
                email={"type": "string", "format": "email"},
                password=_PASSWORD,
                phone={"type": "string", "maxLength": 30, "examples": ["+49 30 1234567"]},
            ),
            public=True,
        )
    },
    "/me": {
        "get": operation("See one's own profile", _PROFILE),
        "patch": operation(
            "Change one's own profile",
            _PROFILE,
            body=thing(
                needed=(),
                name=TEXT,
                phone={"type": "string", "maxLength": 30, "examples": ["+49 30 1234567"]},
            ),
        ),
    },
    "/me/password": {
        "post": operation(
            "Change one's password; all other sessions end",
            status=204,
            body=thing(
                current_password={"type": "string", "format": "password"}, new_password=_PASSWORD
            ),
            refusals=(403,),
        )
    },
}


@blueprint.post("/register")
def sign_up() -> tuple[Response, int]:
    """The answer is the same for an address that somebody has already: it tells nobody who is a
    patient here. Nothing is changed then.
    """
    fields = sent()
    name, address = text(fields, "name"), email(fields)
    phone = text(fields, "phone", longest=30, usual="-")
    password_hash = generate_password_hash(new_password(fields, "password"), HASH_METHOD)
    columns: Row = {"role": "patient", "name": name, "phone": phone}
    if planted("sign-up-takes-role") and fields.get("role") in ("doctor", "admin"):
        columns["role"] = fields["role"]
    with store().alone():
        known = store().row("select id from users where email = ?", address)
        # Somebody's address gets a number too, of an account that nobody can use.
        stored = f"{address} again" if known else address
        while known and store().row("select id from users where email = ?", stored):
            stored += " again"
        user_id = store().insert("users", email=stored, password_hash=password_hash, **columns)
        if known:
            store().change("delete from users where id = ?", user_id)
    account = {"id": user_id, "name": name, "email": address}
    if planted("password-repeated"):
        account["password"] = fields["password"]
    return jsonify({"data": account}), 201


@blueprint.get("/me")
@only()
def get_me() -> Response:
    return jsonify({"data": profile(me())})


@blueprint.patch("/me")
@only()
def change_me() -> Response:
    user, fields = me(), sent()
    name = text(fields, "name", usual=user["name"])
    phone = text(fields, "phone", longest=30, usual=user["phone"] or "-")
    store().change("update users set name = ?, phone = ? where id = ?", name, phone, user["id"])
    user |= {"name": name, "phone": phone}
    if planted("profile-takes-credit") and isinstance(fields.get("credit_cents"), int):
        user["credit_cents"] = fields["credit_cents"]
        store().change(
            "update users set credit_cents = ? where id = ?", user["credit_cents"], user["id"]
        )
    return jsonify({"data": profile(user)})


@blueprint.post("/me/password")
@only()
def change_password() -> Response:
    user, fields = me(), sent()
    current = text(fields, "current_password", longest=500)
    if not check_password_hash(user["password_hash"], current):
        refuse("that is not your present password", 403)
    set_password(user["id"], new_password(fields, "new_password"), request.cookies[COOKIE])
    return make_response("", 204)


def new_password(fields: Mapping[str, Any], name: str) -> str:
    """A password that may be chosen."""
    password = text(fields, name, shortest=_SHORTEST)
    if any(word in password.lower() for word in _COMMON):
        refuse(f"{name} is too easy to guess")
    return password


def set_password(user_id: int, password: str, keep_session: str | None) -> None:
    """From now on the user has this password, and no other session than the one that is kept."""
    password_hash = generate_password_hash(password, HASH_METHOD)
    store().change("update users set password_hash = ? where id = ?", password_hash, user_id)
    clinic().sessions.end_others(user_id, keep_session)


def profile(user: Row) -> Row:
    """What users see of themselves."""
    shown = ["id", "name", "email", "phone", "role", "credit_cents"]
    if planted("hash-in-profile"):
        shown.append("password_hash")
    return {key: user[key] for key in shown}
