"""Values → bodies in the media types that can be written without knowing the API. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from withstand.openapi.naming import words
from withstand.openapi.operation import Parameter, RequestBody, Schema
from withstand.openapi.parameter_encoding import query_parts, text_of
from withstand.openapi.schema_merge import Resolve, flattened, types_of

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_FILES = frozenset(
    {"file", "files", "upload", "attachment", "document", "image", "picture", "photo", "avatar"}
    | {"logo", "thumbnail", "scan"}
)
_BOUNDARY = "withstand-form-boundary-7d3c1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as a value: its name and media type are what a browser would say of it."""

    name: str
    media_type: str
    content: bytes


def best_body(bodies: Sequence[RequestBody]) -> RequestBody | None:
    """The body that can be written most faithfully; None when none can be."""
    rated = [(rating, body) for body in bodies if (rating := _rating(body.media_type)) is not None]
    return min(rated, key=lambda pair: pair[0])[1] if rated else None


def multipart_body(bodies: Sequence[RequestBody]) -> RequestBody | None:
    """The form in parts among the bodies; None without one."""
    return next((body for body in bodies if _essence(body.media_type) == MULTIPART), None)


def encoded_body(body: RequestBody, value: object, resolve: Resolve) -> tuple[str, bytes]:
    """The Content-Type and the bytes of a value in that media type."""
    essence = _essence(body.media_type)
    if essence == FORM:
        return body.media_type, _form(value)
    if essence == MULTIPART:
        return _multipart(value, flattened(body.schema, resolve), resolve)
    if _is_json(essence):
        content_type = "application/json" if "*" in essence else body.media_type
        text = json.dumps(value, ensure_ascii=False, default=text_of)
        return content_type, text.encode("utf-8", "surrogatepass")
    content_type = "text/plain" if "*" in essence else body.media_type
    return content_type, _bytes(value)


def is_file(schema: Schema, name: str = "") -> bool:
    """Whether a property is a file: OpenAPI 3.0 says `format: binary`, 3.1 a media type.

    Of a form in parts `name` tells as well: generators that know a file by what is answered for it
    say that it is an address, or plain text.
    """
    if schema.get("format") == "binary":
        return True
    if "contentMediaType" in schema and "contentEncoding" not in schema:
        return True
    plain = schema.get("format") in {None, "uri", "url"} and not schema.keys() & {"enum", "const"}
    return plain and "string" in types_of(schema) and words(name)[-1] in _FILES


def _rating(media_type: str) -> int | None:
    essence = _essence(media_type)
    order = ("application/json", "+json", FORM, MULTIPART, "text/plain", "application/octet-stream")
    if essence in order:
        return order.index(essence)
    if _is_json(essence):
        return 1
    return 4 if essence.startswith("text/") and "xml" not in essence else None


def _essence(media_type: str) -> str:
    return media_type.split(";", 1)[0].strip().lower()


def _is_json(essence: str) -> bool:
    return essence in {"application/json", "text/json", "*/*", "application/*"} or essence.endswith(
        "+json"
    )


def _form(value: object) -> bytes:
    properties = value if isinstance(value, Mapping) else {"value": value}
    parts = [
        part for name, each in properties.items() for part in query_parts(_field(name, each), each)
    ]
    return "&".join(parts).encode("ascii")


def _field(name: str, value: object) -> Parameter:
    style = "deepObject" if isinstance(value, Mapping) else "form"
    return Parameter(name=name, location="query", required=True, schema={}, style=style)


def _multipart(value: object, schema: Schema, resolve: Resolve) -> tuple[str, bytes]:
    properties = value if isinstance(value, Mapping) else {"file": value}
    declared = schema.get("properties")
    declared = declared if isinstance(declared, Mapping) else {}
    blocks = [
        (head.encode("utf-8", "surrogatepass"), content)
        for name, each in properties.items()
        for head, content in _parts(name, each, declared.get(name, {}), resolve)
    ]
    boundary = _BOUNDARY
    while any(boundary.encode() in content for _, content in blocks):
        boundary += "0"
    lines = b"".join(
        b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head, content) for head, content in blocks
    )
    return f"{MULTIPART}; boundary={boundary}", lines + f"--{boundary}--\r\n".encode()


def _parts(
    name: str, value: object, schema: object, resolve: Resolve
) -> Iterator[tuple[str, bytes]]:
    """A list has one part for each item, what is nested travels as JSON (OpenAPI 3.0, 4.8.15)."""
    flat = flattened(schema, resolve)
    safe = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    disposition = f'Content-Disposition: form-data; name="{safe}"'
    if isinstance(value, Upload):
        head = f'{disposition}; filename="{value.name}"\r\nContent-Type: {value.media_type}'
        yield head, value.content
    elif isinstance(value, list):
        for each in value:
            yield from _parts(name, each, flat.get("items"), resolve)
    elif isinstance(value, Mapping):
        yield f"{disposition}\r\nContent-Type: application/json", _bytes(value)
    elif is_file(flat, name):
        yield f'{disposition}; filename="withstand.txt"\r\nContent-Type: text/plain', _bytes(value)
    else:
        yield disposition, _bytes(value)


def _bytes(value: object) -> bytes:
    if isinstance(value, Upload):
        return value.content
    return value if isinstance(value, bytes) else text_of(value).encode("utf-8", "surrogatepass")
