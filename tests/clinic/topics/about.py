"""What the clinic says of itself, when it is open, and which card pays for a visit."""

import traceback

from flask import Blueprint, Response, jsonify, make_response

from tests.clinic.clinic import planted
from tests.clinic.document import TEXT, Json, operation, thing
from tests.clinic.doors import only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import asked

blueprint = Blueprint("about", __name__)

_HOURS = {"monday": "8 to 18", "wednesday": "8 to 12", "friday": "10 to 20"}
_CARD = "4012 8888 8888 1881"
_DATABASE = "postgresql://clinic:k9Qv72xNfP0@db.clinic.example/clinic"

FLAWS = (
    Flaw(
        name="database-password-told",
        title="What the clinic says of itself holds the password of its database.",
        seen_by="credential-in-response",
    ),
    Flaw(
        name="whole-card-number",
        title="The card that pays is shown with its whole number.",
        seen_by="card-number-in-response",
    ),
    Flaw(
        name="trace-for-an-odd-day",
        title="A day that there is not is answered with a stack trace.",
        seen_by="stack-trace-in-response",
    ),
    Flaw(
        name="versions-told",
        title="Every answer tells the server's software and its version.",
        seen_by="version-banner",
    ),
    Flaw(
        name="answers-may-be-sniffed",
        title="Browsers may take any answer for something else than it is.",
        seen_by="content-sniffing-possible",
    ),
)

PATHS: dict[str, Json] = {
    "/about": {"get": operation("What this clinic is", thing(name=TEXT, store=TEXT), public=True)},
    "/about/hours": {
        "get": operation(
            "When it is open",
            thing(day=TEXT, hours=TEXT),
            query={"day": {"type": "string", "maxLength": 20, "examples": ["monday"]}},
            public=True,
            refusals=(404,),
        )
    },
    "/me/card": {"get": operation("The card that pays", thing(brand=TEXT, card_number=TEXT))},
}


@blueprint.get("/about")
def about() -> Response:
    where = _DATABASE if planted("database-password-told") else "a database"
    return jsonify({"data": {"name": "Clinic", "store": where}})


@blueprint.get("/about/hours")
def hours() -> Response:
    day = asked("day") or "monday"
    if day not in _HOURS:
        return _closed(day)
    return jsonify({"data": {"day": day, "hours": _HOURS[day]}})


def _closed(day: str) -> Response:
    said = "on such a day the clinic is closed"
    if planted("trace-for-an-odd-day"):
        try:
            _looked_up(day)
        except KeyError:
            said = traceback.format_exc()
    response = make_response(f"{said}\n", 404)
    response.content_type = "text/plain; charset=utf-8"
    return response


def _looked_up(day: str) -> str:
    return _HOURS[day]


@blueprint.get("/me/card")
@only()
def card() -> Response:
    shown = _CARD if planted("whole-card-number") else f"**** **** **** {_CARD[-4:]}"
    return jsonify({"data": {"brand": "visa", "card_number": shown}})


@blueprint.after_app_request
def headers(response: Response) -> Response:
    """The headers that a careful server leaves out, or sends."""
    if planted("versions-told"):
        response.headers["X-Powered-By"] = "Flask/3.1 Python/3.12"
    if planted("answers-may-be-sniffed"):
        response.headers["X-Content-Type-Options"] = "anything"
    return response
