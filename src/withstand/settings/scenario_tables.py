"""The shape of a scenario file: one class a table, each key with its meaning and its form."""

from typing import Any

import attrs

from withstand.settings.forms import Texts, Weight
from withstand.settings.scenario_forms import (
    FeedSource,
    Fields,
    JsonDocument,
    JsonValues,
    RequestLine,
    Statuses,
)


def _doc(meaning: str) -> dict[str, Any]:
    return {"doc": meaning}


@attrs.frozen(kw_only=True)
class ExpectTable:
    """What a response must be like; anything else is an error."""

    status: Statuses | None = attrs.field(
        default=None, metadata=_doc("Status, or list of statuses. Default: any 2xx and 3xx.")
    )
    contains: Texts = attrs.field(
        default=Texts(()), metadata=_doc("Text, or list of texts, that the body must have.")
    )
    lacks: Texts = attrs.field(
        default=Texts(()), metadata=_doc("Text, or list of texts, that it must not have.")
    )
    json: JsonValues = attrs.field(
        default=JsonValues({}), metadata=_doc("JSON path → value that must be there.")
    )
    max_bytes: int | None = attrs.field(
        default=None, metadata=_doc("Longest body, in bytes, content codings undone.")
    )


@attrs.frozen(kw_only=True)
class RequestTable:
    """One request."""

    request: RequestLine = attrs.field(
        metadata=_doc("Method and path below the target's base path: `POST /orders`.")
    )
    name: str | None = attrs.field(
        default=None,
        metadata=_doc("What reports and objectives call it. Default: method and path."),
    )
    weight: Weight = attrs.field(
        default=Weight(1.0), metadata=_doc("How often it is sent beside the others. Default: 1.")
    )
    headers: Fields = attrs.field(
        default=Fields({}), metadata=_doc("Header fields, besides those of the whole file.")
    )
    json: JsonDocument | None = attrs.field(default=None, metadata=_doc("Body as JSON."))
    form: Fields | None = attrs.field(
        default=None, metadata=_doc("Body as a form, in place of json.")
    )
    body: str | None = attrs.field(
        default=None, metadata=_doc("Body as it is, in place of json; give its Content-Type.")
    )
    identity: Texts | None = attrs.field(
        default=None,
        metadata=_doc(
            "Who sends it: a name under [identities] of the configuration, several in turn, or * "
            "for all of them. Default: that of the whole file."
        ),
    )
    expect: ExpectTable = attrs.field(
        factory=ExpectTable, metadata=_doc("What its response must be like.")
    )
    follow_redirects: bool | None = attrs.field(
        default=None,
        metadata=_doc("Whether redirects on the target are followed, as part of the request."),
    )


@attrs.frozen(kw_only=True)
class ScenarioTables:
    """The whole of a scenario file."""

    feeds: dict[str, FeedSource] = attrs.field(
        factory=dict,
        metadata=_doc(
            "Name → CSV or JSON Lines file, relative to this one, or a table with file and order "
            "(sequential, random); {name.column} takes a value."
        ),
    )
    headers: Fields = attrs.field(
        default=Fields({}), metadata=_doc("Header fields of every request.")
    )
    identity: Texts | None = attrs.field(
        default=None,
        metadata=_doc("Who sends the requests that say nothing else. Default: nobody."),
    )
    slo: dict[str, Texts] = attrs.field(
        factory=dict,
        metadata=_doc("Name of a request, or * for each of them → its objectives."),
    )
    requests: tuple[RequestTable, ...] = attrs.field(
        default=(), metadata=_doc("What is sent, each as often as its weight says.")
    )
