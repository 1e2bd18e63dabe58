"""The club's OpenAPI document: forms in, pages and 303 out."""

from typing import Any

from tests.club.visitors import COOKIE

Json = dict[str, Any]
_PAGE: Json = {"200": {"description": "A page", "content": {"text/html": {}}}}
_LED: Json = {"303": {"description": "Leads to a page that says what has happened"}}
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 200}
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}


def _form(
    fields: dict[str, Json] | None = None, *, public: bool = False, item: bool = False
) -> Json:
    properties = {"csrf_token": {"type": "string"}, **(fields or {})}
    schema: Json = {"type": "object", "properties": properties, "required": [*properties]}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    found: Json = {"requestBody": {"required": True, "content": content}, "responses": _LED}
    if item:
        found["parameters"] = [_ID]
    return found | ({"security": []} if public else {})


def _page(*parameters: Json) -> Json:
    return {"responses": _PAGE} | ({"parameters": list(parameters)} if parameters else {})


_EMAIL: Json = {"type": "string", "format": "email"}
_PASSWORD: Json = {"type": "string", "format": "password", "minLength": 10}
_LOGIN: dict[str, Json] = {"email": _EMAIL, "password": _PASSWORD}
_PERSON: dict[str, Json] = {**_LOGIN, "name": _TEXT}
_NOTE: dict[str, Json] = {"title": _TEXT, "text": {**_TEXT, "maxLength": 2000}}

DOCUMENT: Json = {
    "openapi": "3.1.0",
    "info": {"title": "Club", "version": "1.0"},
    "security": [{"session": []}],
    "components": {
        "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}}
    },
    "paths": {
        "/register": {"post": _form(_PERSON, public=True)},
        "/login": {"post": _form(_LOGIN, public=True)},
        "/logout": {"post": _form()},
        "/me": {"get": _page(), "post": _form({"name": _TEXT})},
        "/notes": {
            "get": _page({"name": "q", "in": "query", "schema": {"type": "string"}}),
            "post": _form(_NOTE),
        },
        "/notes/{id}": {"get": _page(_ID), "post": _form(_NOTE, item=True)},
        "/notes/{id}/delete": {"post": _form(item=True)},
        "/bookings": {"get": _page(), "post": _form({"place": _TEXT, "remark": _TEXT})},
        "/bookings/{id}": {"get": _page(_ID)},
        "/bookings/{id}/delete": {"post": _form(item=True)},
        "/chair/members": {"get": _page()},
        "/chair/notices": {"get": _page(), "post": _form({"text": _TEXT})},
    },
}
