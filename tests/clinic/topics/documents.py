"""Documents that patients hand in: uploaded as a form, downloaded as an attachment."""

from flask import Blueprint, Response, abort, jsonify, make_response, request
from werkzeug.utils import secure_filename

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, TEXT, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import refuse, sent, text
from tests.clinic.store import Row

blueprint = Blueprint("documents", __name__)

FLAWS = (
    Flaw(
        name="documents-served-as-they-came",
        title="Documents of any type are taken, and shown in the browser as what they were called.",
        seen_by="uploaded-markup-served",
        seen_on=("POST /v2/documents",),
    ),
    Flaw(
        name="documents-of-all-listed",
        title="The list of documents shows those of every patient.",
        seen_by="list-shows-other-users-objects",
        seen_on=("GET /v2/documents",),
    ),
)

_KINDS = {"txt": "text/plain; charset=utf-8", "pdf": "application/pdf", "png": "image/png"}
_COLUMNS = "id, patient_id, title, filename, length(content) as size_bytes"
_DOCUMENT = thing(id=ID, patient_id=ID, title=TEXT, filename=TEXT, size_bytes=ID)

PATHS: dict[str, Json] = {
    "/documents": {
        "get": operation("List one's own documents", listed(_DOCUMENT)),
        "post": operation(
            "Hand a document in",
            _DOCUMENT,
            status=201,
            body=thing(title=TEXT, file={"type": "string", "format": "binary"}),
            media_type="multipart/form-data",
            refusals=(403, 413, 415),
        ),
    },
    "/documents/{id}": {
        "get": operation("See what is known of a document", _DOCUMENT, path={"id": ID}),
        "delete": operation("Remove a document", status=204, path={"id": ID}, refusals=(404,)),
    },
    "/documents/{id}/file": {
        "get": operation("Download a document", path={"id": ID}, refusals=(404,))
        | {
            "responses": {
                "200": {
                    "description": "The file",
                    "content": {"application/octet-stream": {"schema": {"type": "string"}}},
                },
                "401": {"description": "Refused", "content": {"text/html": {}}},
                "404": {"description": "Refused", "content": {"text/html": {}}},
            }
        }
    },
}


def _document(document_id: int, columns: str = _COLUMNS) -> Row:
    found = None
    if document_id < 2**63:
        found = store().row(f"select {columns} from documents where id = ?", document_id)
    if found is None or found["patient_id"] != me()["id"]:
        abort(404)
    return found


@blueprint.get("/documents")
@only()
def list_documents() -> Response:
    found = store().rows(
        f"select {_COLUMNS} from documents where ? in (0, patient_id) order by id desc limit 50",
        0 if planted("documents-of-all-listed") else me()["id"],
    )
    return jsonify({"data": found})


@blueprint.post("/documents")
@only("patient")
def hand_in() -> tuple[Response, int]:
    if request.mimetype != "multipart/form-data":
        refuse("send a multipart form", 415)
    title = text(sent(), "title")
    upload = request.files.get("file")
    if upload is None:
        refuse("file is missing")
    name = secure_filename(upload.filename or "")[:100] or "document.txt"
    if "." not in name:
        name += ".txt"
    kind = name.rsplit(".", 1)[-1].lower()
    any_kind = planted("documents-served-as-they-came")
    if kind not in _KINDS and not any_kind:
        refuse(f"a file must be one of {', '.join(_KINDS)}", 415)
    document_id = store().insert(
        "documents",
        patient_id=me()["id"],
        title=title,
        filename=name,
        content_type=upload.mimetype if any_kind else _KINDS[kind],
        content=upload.read(),
    )
    return jsonify({"data": _document(document_id)}), 201


@blueprint.get("/documents/<int:document_id>")
@only()
def get_document(document_id: int) -> Response:
    return jsonify({"data": _document(document_id)})


@blueprint.get("/documents/<int:document_id>/file")
@only()
def download(document_id: int) -> Response:
    found = _document(document_id, "*")
    response = make_response(found["content"])
    response.content_type = found["content_type"]
    if planted("documents-served-as-they-came"):
        response.headers["Content-Security-Policy"] = "default-src 'self' 'unsafe-inline'"
        return response
    response.headers["Content-Disposition"] = f'attachment; filename="{found["filename"]}"'
    return response


@blueprint.delete("/documents/<int:document_id>")
@only()
def delete_document(document_id: int) -> Response:
    _document(document_id)
    store().change("delete from documents where id = ?", document_id)
    return make_response("", 204)
