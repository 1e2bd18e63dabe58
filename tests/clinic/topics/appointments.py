"""Appointments: each belongs to the patient who made it, and is seen by its doctor."""

from flask import Blueprint, Response, abort, jsonify, make_response

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, MOMENT, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import asked, moment, number, page, refuse, sent, text
from tests.clinic.store import Row

blueprint = Blueprint("appointments", __name__)

FLAWS = (
    Flaw(
        name="appointment-readable-by-others",
        title="Every patient who knows its number may read an appointment.",
        seen_by="object-readable-by-other-user",
        seen_on=("GET /v2/appointments/{id}",),
    ),
    Flaw(
        name="appointment-changeable-by-others",
        title="Every patient who knows its number may change an appointment.",
        seen_by="object-changeable-by-other-user",
        seen_on=("PATCH /v2/appointments/{id}",),
    ),
    Flaw(
        name="appointments-by-patient-id",
        title="Whoever sends a patient's number is shown that patient's appointments.",
        seen_by="object-of-other-user-by-parameter",
        seen_on=("GET /v2/appointments",),
    ),
)

_STATES = ("booked", "cancelled")
_APPOINTMENT = thing(id=ID, patient_id=ID, doctor_id=ID, reason=TEXT, starts_at=MOMENT, status=TEXT)
_CHANGE: Json = {"reason": TEXT, "status": {"type": "string", "enum": list(_STATES)}}

PATHS: dict[str, Json] = {
    "/appointments": {
        "get": operation(
            "List one's own appointments",
            listed(_APPOINTMENT),
            query={
                "status": {"type": "string", "enum": list(_STATES)},
                "patient_id": ID,
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20},
                "offset": {"type": "integer", "minimum": 0, "default": 0},
            },
        ),
        "post": operation(
            "Make an appointment",
            _APPOINTMENT,
            status=201,
            body=thing(doctor_id=ID, reason=TEXT, starts_at=MOMENT),
            refusals=(403,),
        ),
    },
    "/appointments/{id}": {
        "get": operation("See an appointment", _APPOINTMENT, path={"id": ID}, refusals=(404,)),
        "patch": operation(
            "Change an appointment",
            _APPOINTMENT,
            path={"id": ID},
            body=thing(needed=(), **_CHANGE),
            refusals=(404,),
        ),
        "delete": operation(
            "Take an appointment back", status=204, path={"id": ID}, refusals=(404,)
        ),
    },
}


def appointment_of(user: Row, appointment_id: int) -> Row:
    """An appointment that the user may see; a 404 page for any other, as if there were none."""
    found = None
    if appointment_id < 2**63:
        found = store().row("select * from appointments where id = ?", appointment_id)
    if found is None or user["id"] not in {found["patient_id"], found["doctor_id"]}:
        abort(404)
    return found


@blueprint.get("/appointments")
@only()
def list_appointments() -> Response:
    limit, offset = page()
    status = asked("status")
    if status and status not in _STATES:
        refuse(f"status must be one of {', '.join(_STATES)}")
    patient_id = patient()
    viewer = patient_id if patient_id and planted("appointments-by-patient-id") else me()["id"]
    found = store().rows(
        "select * from appointments where ? in (patient_id, doctor_id)"
        " and (? = '' or status = ?) and (? = 0 or patient_id = ?)"
        " order by id desc limit ? offset ?",
        *(viewer, status, status, patient_id, patient_id, limit, offset),
    )
    return jsonify({"data": found})


def patient() -> int:
    """The patient whose appointments are wanted, 0 for all that the caller may see."""
    fields = {"patient_id": asked("patient_id")}
    return number(fields, "patient_id") if fields["patient_id"] else 0


@blueprint.post("/appointments")
@only("patient")
def make_appointment() -> tuple[Response, int]:
    fields = sent()
    doctor_id = number(fields, "doctor_id")
    reason, starts_at = text(fields, "reason"), moment(fields, "starts_at")
    if not store().row("select id from users where id = ? and role = 'doctor'", doctor_id):
        refuse("doctor_id names no doctor")
    appointment_id = store().insert(
        "appointments",
        patient_id=me()["id"],
        doctor_id=doctor_id,
        reason=reason,
        starts_at=starts_at,
    )
    return jsonify({"data": appointment_of(me(), appointment_id)}), 201


@blueprint.get("/appointments/<int:appointment_id>")
@only()
def get_appointment(appointment_id: int) -> Response:
    if planted("appointment-readable-by-others") and appointment_id < 2**63:
        anyones = store().row("select * from appointments where id = ?", appointment_id)
        return jsonify({"data": anyones}) if anyones else abort(404)
    return jsonify({"data": appointment_of(me(), appointment_id)})


@blueprint.patch("/appointments/<int:appointment_id>")
@only()
def change_appointment(appointment_id: int) -> Response:
    if planted("appointment-changeable-by-others") and appointment_id < 2**63:
        known = store().row("select * from appointments where id = ?", appointment_id) or abort(404)
    else:
        known = appointment_of(me(), appointment_id)
    fields = sent()
    reason = text(fields, "reason", usual=known["reason"])
    status = text(fields, "status", usual=known["status"])
    if status not in _STATES:
        refuse(f"status must be one of {', '.join(_STATES)}")
    store().change(
        "update appointments set reason = ?, status = ? where id = ?",
        *(reason, status, appointment_id),
    )
    return jsonify({"data": known | {"reason": reason, "status": status}})


@blueprint.delete("/appointments/<int:appointment_id>")
@only()
def delete_appointment(appointment_id: int) -> Response:
    appointment_of(me(), appointment_id)
    store().change("delete from appointments where id = ?", appointment_id)
    store().change("delete from notes where appointment_id = ?", appointment_id)
    return make_response("", 204)
