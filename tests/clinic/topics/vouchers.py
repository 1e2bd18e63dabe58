"""Vouchers, each of which can be redeemed once. This topic is the oldest: it answers 200 to all,
and says in the body whether that means yes.
"""

import secrets
import time

from flask import Blueprint, Response, jsonify

from tests.clinic.clinic import planted, store
from tests.clinic.document import Json, operation, thing
from tests.clinic.doors import visitor
from tests.clinic.flaws import Flaw
from tests.clinic.forms import number, sent
from tests.clinic.store import Row

blueprint = Blueprint("vouchers", __name__)

FLAWS = (
    Flaw(
        name="voucher-redeemed-in-two-steps",
        title="A voucher that is redeemed several times at once counts several times.",
        seen_by="race-condition",
    ),
)

_CODE: Json = {"type": "string", "pattern": "^[A-Z0-9]{16}$"}
_VOUCHER = thing(
    code=_CODE,
    value_cents={"type": "integer"},
    redemptions={"type": "integer"},
)


def _soft(operation: Json) -> Json:
    """The same operation, but that its 200 may also mean no."""
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    schema["properties"]["ok"] = {"type": "boolean"}
    schema["properties"]["error"] = {"type": "string"}
    schema["required"] = ["ok"]
    return operation


PATHS: dict[str, Json] = {
    "/vouchers": {
        "post": _soft(
            operation(
                "Buy a voucher",
                _VOUCHER,
                body=thing(value_cents={"type": "integer", "minimum": 1, "maximum": 10_000}),
            )
        )
    },
    "/vouchers/{code}": {"get": _soft(operation("See a voucher", _VOUCHER, path={"code": _CODE}))},
    "/vouchers/{code}/redeem": {
        "post": _soft(operation("Redeem a voucher", _VOUCHER, path={"code": _CODE}))
    },
}


def _yes(voucher: Row) -> Response:
    shown = {key: voucher[key] for key in ("code", "value_cents", "redemptions")}
    return jsonify({"ok": True, "data": shown})


def _no(error: str) -> Response:
    return jsonify({"ok": False, "error": error})


def _voucher(user: Row, code: str) -> Row | None:
    return store().row("select * from vouchers where code = ? and patient_id = ?", code, user["id"])


@blueprint.post("/vouchers")
def buy() -> Response:
    user = visitor()
    if user is None:
        return _no("log in first")
    value_cents = number(sent(), "value_cents", most=10_000)
    code = secrets.token_hex(8).upper()
    store().insert("vouchers", code=code, patient_id=user["id"], value_cents=value_cents)
    return _yes(_voucher(user, code) or {})


@blueprint.get("/vouchers/<code>")
def see(code: str) -> Response:
    user = visitor()
    if user is None:
        return _no("log in first")
    voucher = _voucher(user, code)
    return _yes(voucher) if voucher else _no("there is no such voucher")


@blueprint.post("/vouchers/<code>/redeem")
def redeem(code: str) -> Response:
    user = visitor()
    if user is None:
        return _no("log in first")
    voucher = _voucher(user, code)
    if voucher is None:
        return _no("there is no such voucher")
    if planted("voucher-redeemed-in-two-steps"):
        if voucher["redemptions"]:
            return _no("this voucher has been used")
        time.sleep(0.05)  # the work of a busy server, between the look and the act
        store().change("update vouchers set redemptions = 1 where code = ?", code)
        return _credited(user, voucher)
    # In one statement: of several at the same time only one finds it unused.
    used = store().change(
        "update vouchers set redemptions = 1 where code = ? and redemptions = 0", code
    )
    if not used:
        return _no("this voucher has been used")
    return _credited(user, voucher)


def _credited(user: Row, voucher: Row) -> Response:
    store().change(
        "update users set credit_cents = credit_cents + ? where id = ?",
        *(voucher["value_cents"], user["id"]),
    )
    return _yes(_voucher(user, voucher["code"]) or {})
