"""The OpenAPI 3.1 document, put together from the parts that stand beside the operations."""

from collections.abc import Mapping
from typing import Any

from tests.clinic.sessions import COOKIE

Json = dict[str, Any]

TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 200}
ID: Json = {"type": "integer", "minimum": 1}
MOMENT: Json = {"type": "string", "format": "date-time", "examples": ["2031-05-01T09:30:00+00:00"]}


def operation(
    summary: str,
    answer: Json | None = None,
    *,
    status: int = 200,
    body: Json | None = None,
    media_type: str = "application/json",
    also_form: bool = False,
    query: Mapping[str, Json] | None = None,
    path: Mapping[str, Json] | None = None,
    public: bool = False,
    refusals: tuple[int, ...] = (),
) -> Json:
    """One operation. `answer` is the schema of what stands in `data`; None: an empty body."""
    found: Json = {"summary": summary, "responses": {}}
    response: Json = {"description": "Done"}
    if answer is not None:
        wrapped = thing(data=answer)
        response["content"] = {"application/json": {"schema": wrapped}}
    found["responses"][str(status)] = response
    refused = (*(() if public else (401,)), *((400,) if body or query else ()), *refusals)
    for number in refused:
        found["responses"][str(number)] = {"description": "Refused", "content": {"text/html": {}}}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in (path or {}).items()
    ] + [{"name": name, "in": "query", "schema": schema} for name, schema in (query or {}).items()]
    if parameters:
        found["parameters"] = parameters
    if body is not None:
        content = {media_type: {"schema": body}}
        if also_form:
            content["application/x-www-form-urlencoded"] = {"schema": body}
        found["requestBody"] = {"required": True, "content": content}
    if public:
        found["security"] = []
    return found


def thing(*, needed: tuple[str, ...] | None = None, **properties: Json) -> Json:
    """An object; all of its properties are required unless `needed` names those that are."""
    required = list(properties if needed is None else needed)
    return {"type": "object", "properties": properties} | (
        {"required": required} if required else {}
    )


def listed(item: Json) -> Json:
    """A list of things."""
    return {"type": "array", "items": item}


def document(paths: Mapping[str, Json]) -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Clinic", "version": "2.0", "description": "Appointments and more."},
        "security": [{"session": []}],
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}}
        },
        "paths": dict(paths),
    }
