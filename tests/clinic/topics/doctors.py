"""The directory of doctors, which anybody may read."""

import sqlite3

from flask import Blueprint, Response, abort, jsonify

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.flaws import Flaw
from tests.clinic.forms import asked, page

blueprint = Blueprint("doctors", __name__)

FLAWS = (
    Flaw(
        name="database-message-for-no-doctor",
        title="Who asks for a doctor that there is not gets what the database said.",
        seen_by="database-error-in-response",
    ),
)

_DOCTOR = thing(id=ID, name=TEXT, speciality=TEXT)
_COLUMNS = "id, name, speciality"

PATHS: dict[str, Json] = {
    "/doctors": {
        "get": operation(
            "List the doctors",
            listed(_DOCTOR),
            query={
                "speciality": {"type": "string", "maxLength": 100},
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20},
                "offset": {"type": "integer", "minimum": 0, "default": 0},
            },
            public=True,
        )
    },
    "/doctors/{id}": {
        "get": operation("See a doctor", _DOCTOR, path={"id": ID}, public=True, refusals=(404,))
    },
}


@blueprint.get("/doctors")
def list_doctors() -> Response:
    limit, offset = page()
    speciality = asked("speciality")
    found = store().rows(
        f"select {_COLUMNS} from users where role = 'doctor' and (? = '' or speciality = ?)"
        " order by id limit ? offset ?",
        *(speciality, speciality, limit, offset),
    )
    return jsonify({"data": found})


@blueprint.get("/doctors/<int:doctor_id>")
def get_doctor(doctor_id: int) -> Response:
    if doctor_id >= 2**63:
        abort(404)
    found = store().row(f"select {_COLUMNS} from users where role = 'doctor' and id = ?", doctor_id)
    if found is None:
        abort(404, _said_by_the_database(doctor_id))
    return jsonify({"data": found})


def _said_by_the_database(doctor_id: int) -> str:
    said = "no such doctor"
    if planted("database-message-for-no-doctor"):
        try:
            store().rows("select name from former_doctors where id = ?", doctor_id)
        except sqlite3.Error as error:
            said = f"sqlite3.{type(error).__name__}: {error}"
    return said
