"""Calendars of patients elsewhere, which the clinic looks at: from known hosts only."""

import threading
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, jsonify, make_response

from tests.clinic.clinic import planted, store
from tests.clinic.document import ID, Json, listed, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import refuse, sent, text
from tests.clinic.store import Row

blueprint = Blueprint("feeds", __name__)

FLAWS = (
    Flaw(
        name="calendar-fetched-from-anywhere",
        title="The clinic fetches a calendar from whatever address it is given, a little later.",
        seen_by="server-side-request-forgery",
        seen_on=("POST /v2/calendar-feeds",),
    ),
)

_HOSTS = frozenset({"calendar.example.com", "calendar.example.org"})
_URL: Json = {
    "type": "string",
    "format": "uri",
    "maxLength": 200,
    "examples": ["https://calendar.example.com/mine.ics"],
}
_FEED = thing(id=ID, url=_URL)

PATHS: dict[str, Json] = {
    "/calendar-feeds": {
        "get": operation("List one's own calendars", listed(_FEED)),
        "post": operation(
            "Have a calendar looked at", _FEED, status=201, body=thing(url=_URL), refusals=(422,)
        ),
    },
    "/calendar-feeds/{id}": {
        "get": operation("See a calendar", _FEED, path={"id": ID}, refusals=(404,)),
        "delete": operation("Forget a calendar", status=204, path={"id": ID}, refusals=(404,)),
    },
}


def _feed(feed_id: int) -> Row:
    found = store().row("select * from feeds where id = ?", feed_id) if feed_id < 2**63 else None
    if found is None or found["patient_id"] != me()["id"]:
        abort(404)
    return {"id": found["id"], "url": found["url"]}


@blueprint.get("/calendar-feeds")
@only()
def list_feeds() -> Response:
    found = store().rows(
        "select id, url from feeds where patient_id = ? order by id desc limit 50", me()["id"]
    )
    return jsonify({"data": found})


@blueprint.post("/calendar-feeds")
@only()
def add_feed() -> tuple[Response, int]:
    url = text(sent(), "url")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        refuse("url must be an address", 422)
    if planted("calendar-fetched-from-anywhere"):
        threading.Thread(target=_look_at, args=(url,), daemon=True).start()
    elif parts.scheme != "https" or host not in _HOSTS or parts.username or parts.netloc != host:
        refuse(f"url must be on one of these hosts: {', '.join(sorted(_HOSTS))}", 422)
    feed_id = store().insert("feeds", patient_id=me()["id"], url=url)
    return jsonify({"data": _feed(feed_id)}), 201


def _look_at(url: str) -> None:
    if urlsplit(url).hostname not in {"127.0.0.1", "localhost"}:
        return  # the tests stay on this machine, whatever the flaw is
    with suppress(OSError, ValueError, HTTPException):
        urllib.request.urlopen(url, timeout=2).close()


@blueprint.get("/calendar-feeds/<int:feed_id>")
@only()
def get_feed(feed_id: int) -> Response:
    return jsonify({"data": _feed(feed_id)})


@blueprint.delete("/calendar-feeds/<int:feed_id>")
@only()
def delete_feed(feed_id: int) -> Response:
    _feed(feed_id)
    store().change("delete from feeds where id = ?", feed_id)
    return make_response("", 204)
