"""What only administrators may do."""

from flask import Blueprint, Response, abort, jsonify, make_response

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.store import Row

blueprint = Blueprint("admin", __name__)

FLAWS = (
    Flaw(
        name="audit-open-to-patients",
        title="Every logged-in user may read the administrators' audit.",
        seen_by="operation-open-to-lower-role",
        seen_on=("GET /v2/admin/audit",),
    ),
)

_USER = thing(id=ID, name=TEXT, email=TEXT, role=TEXT)
_COLUMNS = "id, name, email, role"

PATHS: dict[str, Json] = {
    "/admin/audit": {
        "get": operation(
            "See how much of everything there is",
            listed(thing(what=TEXT, count={"type": "integer"})),
            refusals=(403,),
        )
    },
    "/admin/users/{id}": {
        "get": operation("See any user", _USER, path={"id": ID}, refusals=(403, 404)),
        "delete": operation("Remove a user", status=204, path={"id": ID}, refusals=(403, 404)),
    },
}

_COUNTED = ("users", "appointments", "messages", "documents")


@blueprint.get("/admin/audit")
@only()
def audit() -> Response:
    if me()["role"] != "admin" and not planted("audit-open-to-patients"):
        abort(403)
    found = [
        {"what": table, "count": (store().row(f"select count(*) as n from {table}") or {})["n"]}
        for table in _COUNTED
    ]
    return jsonify({"data": found})


def _user(user_id: int) -> Row:
    found = None
    if user_id < 2**63:
        found = store().row(f"select {_COLUMNS} from users where id = ?", user_id)
    if found is None:
        abort(404)
    return found


@blueprint.get("/admin/users/<int:user_id>")
@only("admin")
def get_user(user_id: int) -> Response:
    return jsonify({"data": _user(user_id)})


@blueprint.delete("/admin/users/<int:user_id>")
@only("admin")
def delete_user(user_id: int) -> Response:
    if _user(user_id)["role"] != "patient":
        abort(403)
    store().change("delete from users where id = ?", user_id)
    return make_response("", 204)
