"""Messages between a patient and a doctor, with a search."""

import datetime

from flask import Blueprint, Response, abort, jsonify, make_response, request

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import asked, number, page, refuse, sent, text
from tests.clinic.store import Row

blueprint = Blueprint("messages", __name__)

FLAWS = (
    Flaw(
        name="search-pasted-into-sql",
        title="The search for messages is pasted into the text of its SQL query.",
        seen_by="sql-injection",
        seen_on=("GET /v2/messages",),
    ),
    Flaw(
        name="message-quoted-in-refusal",
        title="The refusal to show somebody else's message quotes it.",
        seen_by="refusal-leaks-data",
        seen_on=("GET /v2/messages/{id}",),
    ),
)

_MESSAGE = thing(id=ID, patient_id=ID, doctor_id=ID, subject=TEXT, text=TEXT, sent_at=TEXT)

PATHS: dict[str, Json] = {
    "/messages": {
        "get": operation(
            "List one's own messages, newest first",
            listed(_MESSAGE),
            query={
                "search": {"type": "string", "maxLength": 100},
                "limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 20},
                "offset": {"type": "integer", "minimum": 0, "default": 0},
            },
        ),
        "post": operation(
            "Write to a doctor",
            _MESSAGE,
            status=201,
            body=thing(doctor_id=ID, subject=TEXT, text=TEXT),
            refusals=(403,),
        ),
    },
    "/messages/{id}": {
        "get": operation("Read a message", _MESSAGE, path={"id": ID}, refusals=(404,)),
        "delete": operation("Delete a message", status=204, path={"id": ID}, refusals=(404,)),
    },
}


def _message(message_id: int) -> Row:
    found = None
    if message_id < 2**63:
        found = store().row("select * from messages where id = ?", message_id)
    if found is None or me()["id"] not in _parties(found):
        if found is not None and planted("message-quoted-in-refusal") and request.method == "GET":
            refuse(f"the message {found['subject']!r} is not yours", 403)
        abort(404)
    return found


@blueprint.get("/messages")
@only()
def list_messages() -> Response:
    limit, offset = page()
    search = asked("search")
    own = "? in (patient_id, doctor_id)"
    order = "order by id desc limit ? offset ?"
    if planted("search-pasted-into-sql"):
        found = store().rows(
            f"select * from messages where {own} and text like '%{search}%' {order}",
            *(me()["id"], limit, offset),
        )
        return jsonify({"data": found})
    found = store().rows(
        f"select * from messages where {own} and instr(lower(text), lower(?)) {order}"
        if search
        else f"select * from messages where {own} and ? = '' {order}",
        *(me()["id"], search, limit, offset),
    )
    return jsonify({"data": found})


def _parties(message: Row) -> set[int]:
    return {message["patient_id"], message["doctor_id"]}


@blueprint.post("/messages")
@only("patient")
def write_message() -> tuple[Response, int]:
    fields = sent()
    doctor_id = number(fields, "doctor_id")
    subject, words = text(fields, "subject"), text(fields, "text")
    if not store().row("select id from users where id = ? and role = 'doctor'", doctor_id):
        refuse("doctor_id names no doctor")
    message_id = store().insert(
        "messages",
        patient_id=me()["id"],
        doctor_id=doctor_id,
        subject=subject,
        text=words,
        sent_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    return jsonify({"data": _message(message_id)}), 201


@blueprint.get("/messages/<int:message_id>")
@only()
def read_message(message_id: int) -> Response:
    return jsonify({"data": _message(message_id)})


@blueprint.delete("/messages/<int:message_id>")
@only()
def delete_message(message_id: int) -> Response:
    _message(message_id)
    store().change("delete from messages where id = ?", message_id)
    return make_response("", 204)
