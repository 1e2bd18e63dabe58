"""Patients as doctors and administrators see them."""

from flask import Blueprint, Response, abort, jsonify

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import page

blueprint = Blueprint("patients", __name__)

FLAWS = (
    Flaw(
        name="patients-listed-to-anybody",
        title="The list of patients is served to callers without a session.",
        seen_by="missing-credential-accepted",
        seen_on=("GET /v2/patients",),
    ),
)

_PATIENT = thing(id=ID, name=TEXT, email=TEXT, phone={"type": "string"})
_COLUMNS = "id, name, email, phone"

PATHS: dict[str, Json] = {
    "/patients": {
        "get": operation(
            "List the patients",
            listed(_PATIENT),
            query={
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20},
                "offset": {"type": "integer", "minimum": 0, "default": 0},
            },
            refusals=(403,),
        )
    },
    "/patients/{id}": {
        "get": operation("See a patient", _PATIENT, path={"id": ID}, refusals=(404,))
    },
}


@blueprint.get("/patients")
def list_patients() -> Response:
    if not planted("patients-listed-to-anybody") and me()["role"] == "patient":
        abort(403)
    limit, offset = page()
    found = store().rows(
        f"select {_COLUMNS} from users where role = 'patient' order by id limit ? offset ?",
        *(limit, offset),
    )
    return jsonify({"data": found})


@blueprint.get("/patients/<int:patient_id>")
@only()
def get_patient(patient_id: int) -> Response:
    """Patients see themselves; doctors and administrators see all."""
    found = None
    if patient_id < 2**63 and (me()["role"] != "patient" or me()["id"] == patient_id):
        found = store().row(
            f"select {_COLUMNS} from users where role = 'patient' and id = ?", patient_id
        )
    if found is None:
        abort(404)
    return jsonify({"data": found})
