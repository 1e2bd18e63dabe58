"""The clinic put together from its topics."""

from collections.abc import Iterable

from flask import Flask, Response, jsonify, request

from tests.clinic.clinic import Clinic
from tests.clinic.document import Json, document
from tests.clinic.flaws import chosen
from tests.clinic.forms import refuse
from tests.clinic.people import fill
from tests.clinic.registry import FLAWS, TOPICS

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(flaws: Iterable[str] = (), *, session_in_body: bool = False) -> Flask:
    """A new clinic with its own tables and these flaws. Raises ValueError for an unknown flaw."""
    app = Flask("clinic", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    app.config["MAX_FORM_MEMORY_SIZE"] = 256 * 1024
    clinic = Clinic(planted=chosen(flaws, FLAWS), session_in_body=session_in_body)
    fill(clinic.store)
    app.extensions["clinic"] = clinic
    paths: dict[str, Json] = {}
    for topic in TOPICS:
        app.register_blueprint(topic.blueprint, url_prefix="/v2")
        for path, operations in topic.PATHS.items():
            paths[f"/v2{path}"] = paths.get(f"/v2{path}", {}) | operations
    whole = document(paths)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(whole)

    app.before_request(_same_site)
    app.after_request(_careful)
    return app


def _same_site() -> None:
    """A browser that was sent here by another site changes nothing."""
    origin = request.headers.get("Origin")
    if request.method in {"GET", "HEAD", "OPTIONS"} or origin is None:
        return
    if origin.partition("://")[2] != request.host:
        refuse("requests from other sites are refused", 403)


def _careful(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
