"""The first version of the API, of which nothing should be left."""

from flask import Blueprint, Response, abort, jsonify
from flask.blueprints import BlueprintSetupState

from tests.clinic.clinic import planted, store
from tests.clinic.document import Json
from tests.clinic.flaws import Flaw

blueprint = Blueprint("versions", __name__)

FLAWS = (
    Flaw(
        name="first-version-left-open",
        title="The first version of the list of appointments still answers, and to anybody.",
        seen_by="old-version-less-guarded",
    ),
)

PATHS: dict[str, Json] = {}


def list_appointments_as_before() -> Response:
    if not planted("first-version-left-open"):
        abort(404)
    found = store().rows("select * from appointments order by id desc limit 20")
    return jsonify({"data": found})


@blueprint.record_once
def _beside_the_second(state: BlueprintSetupState) -> None:
    state.app.add_url_rule("/v1/appointments", view_func=list_appointments_as_before)
