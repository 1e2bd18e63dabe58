"""Getting back into an account: a code by e-mail, which works a few times only."""

import hmac
import secrets

from flask import Blueprint, Response, jsonify, make_response

from tests.clinic.clinic import clinic, planted, store
from tests.clinic.document import Json, operation, thing
from tests.clinic.flaws import Flaw
from tests.clinic.forms import email, refuse, sent, text
from tests.clinic.topics.accounts import new_password, set_password

blueprint = Blueprint("recovery", __name__)

FLAWS: tuple[Flaw, ...] = (
    Flaw(
        name="recovery-knows-no-such-patient",
        title="Who asks for a code is told whether the address is that of a patient.",
        seen_by="user-enumeration",
    ),
    Flaw(
        name="codes-without-limit",
        title="The code from the e-mail can be guessed without end.",
        seen_by="code-guessing-not-limited",
    ),
)

_EMAIL: Json = {"type": "string", "format": "email"}

PATHS: dict[str, Json] = {
    "/recovery": {
        "post": operation(
            "Ask for a code by e-mail",
            thing(message={"type": "string"}),
            status=202,
            body=thing(email=_EMAIL),
            public=True,
        )
    },
    "/recovery/code": {
        "post": operation(
            "Choose a new password with the code from the e-mail",
            status=204,
            body=thing(
                email=_EMAIL,
                code={"type": "string", "pattern": "^[0-9]{6}$"},
                new_password={"type": "string", "format": "password", "minLength": 10},
            ),
            public=True,
            refusals=(403, 429),
        )
    },
}


@blueprint.post("/recovery")
def ask_for_code() -> tuple[Response, int]:
    address = email(sent())
    code = f"{secrets.randbelow(10**6):06}"
    with store().alone():
        if store().row("select id from users where email = ?", address):
            store().change("delete from recovery_codes where email = ?", address)
            store().insert("recovery_codes", email=address, code=code)  # an e-mail would go out
        elif planted("recovery-knows-no-such-patient"):
            refuse("no patient has this e-mail address", 404)
    message = "If somebody with this address is a patient here, an e-mail is on its way."
    return jsonify({"data": {"message": message}}), 202


@blueprint.post("/recovery/code")
def use_code() -> Response:
    fields = sent()
    address, code = email(fields), text(fields, "code", longest=6)
    password = new_password(fields, "new_password")
    wait_s = clinic().failed_codes.wait_s(address)
    if wait_s is not None and not planted("codes-without-limit"):
        response = make_response("<h1>Too many wrong codes</h1>", 429)
        response.headers["Retry-After"] = str(wait_s)
        return response
    known = store().row("select code from recovery_codes where email = ?", address)
    if not hmac.compare_digest((known["code"] if known else "-").encode(), code.encode()):
        clinic().failed_codes.add(address)
        refuse("this code is not right", 403)
    user = store().row("select id from users where email = ?", address)
    store().change("delete from recovery_codes where email = ?", address)
    if user is not None:
        set_password(user["id"], password, None)
    return make_response("", 204)
