"""The directory of doctors as GraphQL: of its grammar only names and braces, and one directive."""

import re
from typing import Any

from flask import Blueprint, Response, jsonify

from tests.clinic.clinic import planted
from tests.clinic.document import Json, operation, thing
from tests.clinic.flaws import Flaw
from tests.clinic.forms import sent, text

blueprint = Blueprint("graph", __name__)

_DEEPEST = 6
_LINKS = {"Query": {"doctors": "Doctor"}, "Doctor": {"colleagues": "Doctor"}}
_LEAVES = {"Query": {"name"}, "Doctor": {"name"}}

FLAWS = (
    Flaw(
        name="graphql-without-bounds",
        title="GraphQL tells its schema and accepts queries of any depth.",
        seen_by="graphql-too-open",
    ),
)

PATHS: dict[str, Json] = {
    "/graphql": {
        "post": operation(
            "Ask for doctors",
            thing(),
            body=thing(
                query={"type": "string", "maxLength": 2000, "examples": ["{doctors{name}}"]}
            ),
            public=True,
        )
    }
}


@blueprint.post("/graphql")
def answer() -> Response:
    query = re.sub(r"\s+", "", text(sent(), "query", longest=2000)).removeprefix("query")
    if query == "{__typename}":
        return jsonify({"data": {"__typename": "Query"}})
    if "__schema" in query and planted("graphql-without-bounds"):
        return jsonify({"data": {"__schema": _schema()}})
    if query == "{doctors{name}}":
        return jsonify({"data": {"doctors": [{"name": "Dora Diaz"}]}})
    depth = query.count("{") - 1
    if not _is_valid(query) or (depth > _DEEPEST and not planted("graphql-without-bounds")):
        return jsonify({"data": None, "errors": [{"message": "this query is not allowed"}]})
    return jsonify({"data": {}})


def _is_valid(query: str) -> bool:
    """Whether it is one chain of objects whose first is left out, closed as often as opened."""
    found = re.fullmatch(r"\{(\w+)@include\(if:false\)\{([\w{]+?)(\}+)", query)
    if found is None or len(found[3]) != query.count("{"):
        return False
    kind = "Query"
    words: list[str] = [found[1], *found[2].split("{")]
    leaf = words.pop()
    for link in words:
        if link not in _LINKS[kind]:
            return False
        kind = _LINKS[kind][link]
    return leaf == "__typename" or leaf in _LEAVES[kind]


def _schema() -> Json:
    def field(name: str, target: str | None) -> dict[str, Any]:
        kind = {"kind": "SCALAR", "name": "String", "ofType": None}
        if target is not None:
            inner = {"kind": "OBJECT", "name": target, "ofType": None}
            kind = {"kind": "LIST", "name": None, "ofType": inner}  # type: ignore[dict-item]
        return {"name": name, "args": [], "type": kind}

    types = [
        {
            "kind": "OBJECT",
            "name": name,
            "fields": [
                *(field(link, target) for link, target in links.items()),
                *(field(leaf, None) for leaf in _LEAVES[name]),
            ],
        }
        for name, links in _LINKS.items()
    ]
    return {"queryType": {"name": "Query"}, "types": types}
