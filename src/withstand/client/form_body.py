"""The fields in the body of a form that is sent, URL-encoded or in parts (RFC 7578). Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

from withstand.client.exchange import Request

_FORM: Final = "application/x-www-form-urlencoded"
_NAME: Final = re.compile(rb'(?i)\bname="([^"]*)"')
_BOUNDARY: Final = re.compile(r'(?i)^multipart/form-data\b.*;\s*boundary="?([^";,]+)')


def is_form(request: Request) -> bool:
    """Whether a body is a form's, as browsers send it."""
    return _kind(request) == _FORM or _boundary(request) is not None


def fields_of(request: Request) -> list[tuple[str, str]]:
    """The names and texts of a form, files left out; of a body without a type as if it were one."""
    boundary = _boundary(request)
    if boundary is None:
        return parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return [
        (_name_in(part), content.removesuffix(b"\r\n").decode("utf-8", "replace"))
        for part in _parts(request, boundary)
        for head, _, content in (part.partition(b"\r\n\r\n"),)
        if b"filename=" not in head
    ]


def with_field(
    request: Request, name: str, value: str, *, instead_of: Callable[[str], bool]
) -> Request:
    """The form with one more field at its end, and without those whose names are named."""
    boundary = _boundary(request)
    if boundary is not None:
        kept = [part for part in _parts(request, boundary) if not instead_of(_name_in(part))]
        head = f'\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts = (*kept, f"{head}{value}\r\n".encode(), b"--\r\n")
        return replace(request, body=b"".join(b"--%s%s" % (boundary, part) for part in parts))
    pairs = [pair for pair in request.body.split(b"&") if pair]
    named = (
        (unquote_plus(pair.partition(b"=")[0].decode("utf-8", "replace")), pair) for pair in pairs
    )
    kept = [pair for own, pair in named if not instead_of(own)]
    request = replace(request, body=b"&".join((*kept, urlencode({name: value}).encode())))
    if request.header("content-type") is None:
        request = request.with_header("Content-Type", _FORM)
    return request


def _kind(request: Request) -> str:
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def _boundary(request: Request) -> bytes | None:
    found = _BOUNDARY.match((request.header("content-type") or "").strip())
    return found[1].encode() if found is not None else None


def _parts(request: Request, boundary: bytes) -> Iterator[bytes]:
    """Head and content of each part, between the delimiters."""
    for part in request.body.split(b"--" + boundary)[1:]:
        if not part.startswith(b"--"):
            yield part


def _name_in(part: bytes) -> str:
    found = _NAME.search(part.partition(b"\r\n\r\n")[0])
    return found[1].decode("utf-8", "replace") if found is not None else ""
