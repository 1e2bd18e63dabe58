"""Notes on an appointment, numbered from 1 within it."""

from flask import Blueprint, Response, abort, jsonify, make_response

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import sent, text
from tests.clinic.store import Row
from tests.clinic.topics.appointments import appointment_of

blueprint = Blueprint("notes", __name__)

FLAWS = (
    Flaw(
        name="notes-trimmed-unseen",
        title="The text of a note is trimmed before anybody looks whether it is a text.",
        seen_by="unusual-value-crash",
        seen_on=("PUT /v2/appointments/{id}/notes/{n}",),
    ),
    Flaw(
        name="deep-bodies-not-thought-of",
        title="Bodies nested too deep for the JSON reader crash the request.",
        seen_by="large-input-crash",
    ),
    Flaw(
        name="notes-readable-by-others",
        title="The notes on an appointment are read without asking whose appointment it is.",
        seen_by="object-readable-by-other-user",
        seen_on=("GET /v2/appointments/{id}/notes", "GET /v2/appointments/{id}/notes/{n}"),
    ),
)

_NOTE = thing(appointment_id=ID, number=ID, text=TEXT)
_ITEM = {"id": ID, "n": ID}

PATHS: dict[str, Json] = {
    "/appointments/{id}/notes": {
        "get": operation("List the notes", listed(_NOTE), path={"id": ID}, refusals=(404,)),
        "post": operation(
            "Add a note",
            _NOTE,
            status=201,
            path={"id": ID},
            body=thing(text=TEXT),
            refusals=(404,),
        ),
    },
    "/appointments/{id}/notes/{n}": {
        "get": operation("See a note", _NOTE, path=_ITEM, refusals=(404,)),
        "put": operation(
            "Change a note", _NOTE, path=_ITEM, body=thing(text=TEXT), refusals=(404,)
        ),
        "delete": operation("Remove a note", status=204, path=_ITEM, refusals=(404,)),
    },
}


def _note(appointment_id: int, number: int, *, to_read: bool = False) -> Row:
    if not to_read or not planted("notes-readable-by-others") or appointment_id >= 2**63:
        appointment_of(me(), appointment_id)
    found = None
    if number < 2**63:
        found = store().row(
            "select * from notes where appointment_id = ? and number = ?", appointment_id, number
        )
    if found is None:
        abort(404)
    return found


@blueprint.get("/appointments/<int:appointment_id>/notes")
@only()
def list_notes(appointment_id: int) -> Response:
    if not planted("notes-readable-by-others") or appointment_id >= 2**63:
        appointment_of(me(), appointment_id)
    found = store().rows(
        "select * from notes where appointment_id = ? order by number", appointment_id
    )
    return jsonify({"data": found})


@blueprint.post("/appointments/<int:appointment_id>/notes")
@only()
def add_note(appointment_id: int) -> tuple[Response, int]:
    appointment_of(me(), appointment_id)
    words = text(sent(), "text")
    with store().alone():
        last = store().row(
            "select max(number) as number from notes where appointment_id = ?", appointment_id
        )
        number = ((last or {}).get("number") or 0) + 1
        store().insert("notes", appointment_id=appointment_id, number=number, text=words)
    return jsonify({"data": _note(appointment_id, number)}), 201


@blueprint.get("/appointments/<int:appointment_id>/notes/<int:number>")
@only()
def get_note(appointment_id: int, number: int) -> Response:
    return jsonify({"data": _note(appointment_id, number, to_read=True)})


@blueprint.put("/appointments/<int:appointment_id>/notes/<int:number>")
@only()
def change_note(appointment_id: int, number: int) -> Response:
    _note(appointment_id, number)
    if planted("notes-trimmed-unseen"):
        sent().get("text", "").strip()
    store().change(
        "update notes set text = ? where appointment_id = ? and number = ?",
        *(text(sent(), "text"), appointment_id, number),
    )
    return jsonify({"data": _note(appointment_id, number)})


@blueprint.delete("/appointments/<int:appointment_id>/notes/<int:number>")
@only()
def delete_note(appointment_id: int, number: int) -> Response:
    _note(appointment_id, number)
    store().change(
        "delete from notes where appointment_id = ? and number = ?", appointment_id, number
    )
    return make_response("", 204)
