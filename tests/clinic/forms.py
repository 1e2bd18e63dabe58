"""What clients send, read with suspicion: a refusal is a line of plain text."""

import datetime
from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Response, abort, request

from tests.clinic.clinic import planted

_LARGEST = 2**63 - 1


def refuse(message: str, status: int = 400) -> NoReturn:
    """Ends the request with a line of text."""
    abort(Response(message + "\n", status, content_type="text/plain; charset=utf-8"))


def sent() -> Mapping[str, Any]:
    """The fields of the request: a JSON object or a form."""
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return request.form.to_dict()
    if request.mimetype != "application/json":
        refuse("send JSON or a form", 415)
    try:
        document = request.get_json(silent=True)
    except RecursionError:
        if planted("deep-bodies-not-thought-of"):
            raise
        document = None
    if not isinstance(document, dict):
        refuse("send a JSON object")
    return document


def text(
    fields: Mapping[str, Any], name: str, *, longest: int = 200, shortest: int = 1, usual: str = ""
) -> str:
    """A text of the request; `usual` where it was left out and need not be there."""
    value = fields.get(name)
    if value is None and usual and name not in fields:
        return usual
    if not isinstance(value, str):
        refuse(f"{name} must be a text")
    if not shortest <= len(value.strip()) or len(value) > longest:
        refuse(f"{name} must have {shortest} to {longest} characters")
    if not _printable(value):
        refuse(f"{name} contains characters that are no text")
    return value


def number(fields: Mapping[str, Any], name: str, *, most: int = _LARGEST) -> int:
    """A whole number of the request, from 1 on."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        refuse(f"{name} must be a whole number from 1 to {most}")
    return value


def moment(fields: Mapping[str, Any], name: str) -> str:
    """A time of the request, ISO 8601."""
    value = text(fields, name, longest=40)
    try:
        return datetime.datetime.fromisoformat(value).isoformat()
    except ValueError:
        refuse(f"{name} must be a time such as 2031-05-01T09:30:00Z")


def email(fields: Mapping[str, Any], name: str = "email") -> str:
    """An e-mail address of the request."""
    value = text(fields, name, longest=120)
    local, at, domain = value.partition("@")
    plain = all(char.isalnum() or char in "._%+-'" for char in local)
    if not (at and local and plain and "." in domain and domain.replace(".", "").isalnum()):
        refuse(f"{name} must be an e-mail address")
    return value.lower()


def asked(name: str, *, longest: int = 100) -> str:
    """A query parameter; empty where it was left out."""
    value = request.args.get(name, "")
    if len(value) > longest or not _printable(value):
        refuse(f"{name} must have at most {longest} characters")
    return value


def page() -> tuple[int, int]:
    """`limit` (1 to 50) and `offset` of a list."""
    found = []
    for name, usual, least, most in (("limit", 20, 1, 50), ("offset", 0, 0, 1_000_000)):
        value = request.args.get(name, str(usual))
        if not (value.isascii() and value.isdecimal() and len(value) < 9):
            refuse(f"{name} must be a whole number")
        if not least <= int(value) <= most:
            refuse(f"{name} must be from {least} to {most}")
        found.append(int(value))
    return found[0], found[1]


def _printable(value: str) -> bool:
    return not any(
        (char < " " and char not in "\t\r\n") or "\ud800" <= char <= "\udfff" for char in value
    )
