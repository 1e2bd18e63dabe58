"""Letters to patients: a draft that is filled in, and words that are wrapped to fit a label."""

import json
import re
import subprocess
import textwrap
from string import Template
from typing import Any

from flask import Blueprint, Response, jsonify, render_template_string, request

from tests.clinic.clinic import planted
from tests.clinic.document import TEXT, Json, operation, thing
from tests.clinic.doors import me, only
from tests.clinic.flaws import Flaw
from tests.clinic.forms import asked, refuse, sent, text

blueprint = Blueprint("letters", __name__)

FLAWS = (
    Flaw(
        name="greeting-taken-for-a-template",
        title="The greeting of a letter becomes part of the source of its template.",
        seen_by="template-injection",
        seen_on=("POST /v2/letters/draft",),
    ),
    Flaw(
        name="label-wrapped-by-a-shell",
        title="The words of a label are handed to a shell, in quotes that they may close.",
        seen_by="command-injection",
        seen_on=("GET /v2/letters/label",),
    ),
    Flaw(
        name="draft-read-without-care",
        title="A draft whose body is no JSON crashes the request.",
        seen_by="malformed-body-crash",
        seen_on=("POST /v2/letters/draft",),
    ),
    Flaw(
        name="initials-tried-in-all-ways",
        title="The pattern for initials tries every way to divide what nearly fits.",
        seen_by="regular-expression-blow-up",
        seen_on=("GET /v2/letters/initials",),
    ),
)

_DRAFT = "$greeting\n\nPlease call us about your appointment.\n\nYours, the clinic\n"
_CAREFUL = re.compile(r"[A-Za-z]+( [A-Za-z]+)*")
_CARELESS = re.compile(r"([A-Za-z]+ ?)+")

PATHS: dict[str, Json] = {
    "/letters/draft": {
        "post": operation(
            "See a letter with one's own greeting",
            thing(letter=TEXT),
            body=thing(greeting={**TEXT, "examples": ["Dear Mrs Miller"]}),
        )
    },
    "/letters/label": {
        "get": operation(
            "See how words are divided into the lines of a label",
            thing(lines={"type": "array", "items": {"type": "string"}}),
            query={
                "words": {"type": "string", "maxLength": 200, "examples": ["Ward 7, 2nd floor"]}
            },
        )
    },
    "/letters/initials": {
        "get": operation(
            "See the initials of a name",
            thing(initials=TEXT),
            query={"name": {"type": "string", "maxLength": 100, "examples": ["Ada Miller"]}},
        )
    },
}


@blueprint.post("/letters/draft")
@only()
def draft() -> Response:
    fields = _draft_fields() if planted("draft-read-without-care") else sent()
    greeting = text(fields, "greeting")
    if planted("greeting-taken-for-a-template"):
        source = _DRAFT.replace("$greeting", greeting)
        return jsonify({"data": {"letter": render_template_string(source, name=me()["name"])}})
    return jsonify({"data": {"letter": Template(_DRAFT).substitute(greeting=greeting)}})


def _draft_fields() -> dict[str, Any]:
    try:
        found = json.loads(request.get_data())
    except RecursionError:
        refuse("send a JSON object")
    return found if isinstance(found, dict) else {}


@blueprint.get("/letters/label")
@only()
def label() -> Response:
    words = asked("words", longest=500)
    if planted("label-wrapped-by-a-shell"):
        made = subprocess.run(
            f"printf %s '{words}' | fold -s -w 24", shell=True, capture_output=True, check=False
        )
        lines = made.stdout.decode("utf-8", "replace").split("\n")
    else:
        lines = textwrap.wrap(words, 24)
    return jsonify({"data": {"lines": lines}})


@blueprint.get("/letters/initials")
@only()
def initials() -> Response:
    name = asked("name")
    pattern = _CARELESS if planted("initials-tried-in-all-ways") else _CAREFUL
    if pattern.fullmatch(name) is None:
        refuse("a name has letters and spaces")
    return jsonify({"data": {"initials": "".join(word[0] for word in name.split())}})
