"""The forms of values that only a scenario file has. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final, NewType

import attrs

from withstand.load.scenario.feed_table import FeedOrder
from withstand.settings.form import METHODS, Form, Unfit, kind, require_json, suggestion, text
from withstand.settings.forms import FORMS

RequestLine = NewType("RequestLine", str)
"""Method and path, `POST /orders?notify={users.email}`."""
JsonDocument = NewType("JsonDocument", object)
"""Anything that JSON can say."""
Fields = NewType("Fields", dict[str, str])
"""Names with one text each; numbers and truth values are read as their text."""
Statuses = NewType("Statuses", frozenset[int])
"""One status or a list of them."""
JsonValues = NewType("JsonValues", dict[str, object])
"""JSON paths, each with the value that is wanted there."""


@attrs.frozen(kw_only=True)
class FeedSource:
    """The file of a data feed, and the order in which its rows are taken."""

    file: str
    order: FeedOrder = FeedOrder.SEQUENTIAL


_ORDERS: Final = tuple(str(order) for order in FeedOrder)
_METHOD: Final = "|".join(METHODS)
_LINE: Final = rf"^({_METHOD}) /"
_BLANK: Final = re.compile(r"\s")
_GAP: Final = re.compile(r"\{[^{}]*\}")


def _request_line(value: object) -> RequestLine:
    line = text(value)
    if not re.match(_LINE, line):
        method = line.partition(" ")[0].upper()
        hint = "" if method in METHODS else suggestion(method, METHODS)
        raise Unfit(f"{line!r} is no request; write it as 'POST /orders'{hint}")
    path = line.partition(" ")[2]
    if _BLANK.search(_GAP.sub("", path)):
        raise Unfit(f"the path {path!r} has a blank; write it as %20")
    if "#" in path:
        raise Unfit(f"the path {path!r} has a '#', which is never sent; write it as %23")
    return RequestLine(line)


def _json_document(value: object) -> JsonDocument:
    require_json(value, null=True)
    return JsonDocument(value)


def _fields(value: object) -> Fields:
    if not isinstance(value, Mapping):
        raise Unfit(f'expected a table like {{ name = "text" }}, got {kind(value)}')
    return Fields({str(name): _plain(name, item) for name, item in value.items()})


def _plain(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise Unfit(f"{name!r} must be one text, not {kind(value)}")
    return value


def _statuses(value: object) -> Statuses:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int) or not 200 <= item <= 599:
            raise Unfit(f"expected a status from 200 to 599, or a list of them, got {kind(item)}")
    if not items:
        raise Unfit("is an empty list; leave it out to accept 2xx and 3xx")
    return Statuses(frozenset(item for item in items if isinstance(item, int)))


def _json_values(value: object) -> JsonValues:
    if not isinstance(value, Mapping):
        raise Unfit(f"""expected a table like {{ "$.status" = "open" }}, got {kind(value)}""")
    for path in value:
        if not re.match(r"\$([.\[]\S*)?$", path):
            raise Unfit(f"{path!r} is no JSON path; write it as '$.status'")
    require_json(value, null=True)
    return JsonValues(dict(value))


def _feed_source(value: object) -> FeedSource:
    if isinstance(value, str):
        return FeedSource(file=value)
    if not isinstance(value, Mapping):
        raise Unfit(f"expected a file name, or a table with file and order, got {kind(value)}")
    for key in value:
        if key not in {"file", "order"}:
            raise Unfit(f"{key!r} is no key{suggestion(key, ('file', 'order'))}")
    if "file" not in value:
        raise Unfit("names no file")
    order = text(value.get("order", FeedOrder.SEQUENTIAL))
    if order not in _ORDERS:
        known = ", ".join(_ORDERS)
        raise Unfit(f"order is one of {known}, not {order!r}{suggestion(order, _ORDERS)}")
    return FeedSource(file=text(value["file"]), order=FeedOrder(order))


_STATUS_SCHEMA: Final = {"type": "integer", "minimum": 200, "maximum": 599}
SCENARIO_FORMS: Final[Mapping[Any, Form]] = {
    **FORMS,
    RequestLine: Form(read=_request_line, schema={"type": "string", "pattern": _LINE}),
    JsonDocument: Form(read=_json_document, schema={}),
    Fields: Form(
        read=_fields,
        schema={
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        },
    ),
    Statuses: Form(
        read=_statuses,
        schema={"anyOf": [_STATUS_SCHEMA, {"type": "array", "items": _STATUS_SCHEMA}]},
    ),
    JsonValues: Form(
        read=_json_values,
        schema={"type": "object", "propertyNames": {"pattern": r"^\$"}},
    ),
    FeedSource: Form(
        read=_feed_source,
        schema={
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"file": {"type": "string"}, "order": {"enum": list(_ORDERS)}},
                    "required": ["file"],
                    "additionalProperties": False,
                },
            ]
        },
    ),
}
