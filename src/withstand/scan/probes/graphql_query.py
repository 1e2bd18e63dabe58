"""GraphQL as a scan needs it: queries about the schema, and very deep ones. Pure.

A deep query is built from fields that the schema has, and its first field is left out by
`@include(if: false)`: the server must judge its depth, and has nothing to look up.
"""

from collections.abc import Mapping
from typing import Any, Final

from withstand.client.exchange import Request, Response, json_request

TYPENAME: Final = "{__typename}"
HAS_SCHEMA: Final = "{__schema{queryType{name}}}"
_TYPE: Final = "type{kind name ofType{kind name ofType{kind name ofType{kind name}}}}"
SCHEMA: Final = (
    "{__schema{queryType{name} types{kind name fields{name "
    "args{defaultValue type{kind}} " + _TYPE + "}}}}"
)
Fields = Mapping[str, Mapping[str, str]]
"""Type → its fields that need no argument and lead to an object → the type of that object."""


def asking(path: str, query: str, *, times: int = 1) -> Request:
    """A query, or the same one several times in a batch."""
    payload = {"query": query}
    return json_request("POST", path, payload if times == 1 else [payload] * times)


def is_graphql(response: Response) -> bool:
    """Whether an answer to `TYPENAME` is GraphQL's: data with it, or a list of errors."""
    document = response.json()
    if not isinstance(document, dict):
        return False
    data = document.get("data")
    if isinstance(data, dict) and isinstance(data.get("__typename"), str):
        return True
    errors = document.get("errors")
    return (
        isinstance(errors, list)
        and bool(errors)
        and all(isinstance(error, dict) and "message" in error for error in errors)
        and ("data" in document or any("locations" in e or "extensions" in e for e in errors))
    )


def data_in(response: Response | None) -> dict[str, Any] | None:
    """The data of an answer without errors, which may be empty; None otherwise."""
    document = response.json() if response is not None else None
    if not isinstance(document, dict) or document.get("errors"):
        return None
    data = document.get("data")
    return data if isinstance(data, dict) else None


def object_fields(schema: Mapping[str, Any]) -> tuple[str, Fields]:
    """The name of the query type, and the fields by which one object leads to another."""
    found: dict[str, dict[str, str]] = {}
    for item in schema.get("types") or ():
        if item.get("kind") not in {"OBJECT", "INTERFACE"}:
            continue
        if str(item.get("name", "")).startswith("__"):
            continue  # about the schema: limits of depth leave that out as a rule
        found[str(item["name"])] = {
            str(each["name"]): name
            for each in item.get("fields") or ()
            if (name := _object_of(each.get("type"))) is not None and not _needs_argument(each)
        }
    return str((schema.get("queryType") or {}).get("name")), found


def deep_query(start: str, fields: Fields, depth: int) -> str | None:
    """A valid query of that many objects within each other; None where no types go round."""
    reach: list[dict[str, str]] = [dict.fromkeys(fields, "")]
    for _ in range(depth):
        reach.append(
            {
                name: step
                for name, own in fields.items()
                if (step := next((f for f, to in own.items() if to in reach[-1]), None)) is not None
            }
        )
    if start not in reach[depth]:
        return None
    words, name = [], start
    for left in range(depth, 0, -1):
        step = reach[left][name]
        words.append(step)
        name = fields[name][step]
    first, *others = words
    inner = "{".join([*others, "__typename"]) + "}" * len(others)
    return f"{{{first} @include(if: false){{{inner}}}}}"


def _object_of(kind: Any) -> str | None:
    """The object behind NON_NULL and LIST; None for a scalar."""
    while isinstance(kind, dict):
        if kind.get("kind") in {"OBJECT", "INTERFACE"}:
            return str(kind.get("name"))
        kind = kind.get("ofType")
    return None


def _needs_argument(each: Mapping[str, Any]) -> bool:
    return any(
        (argument.get("type") or {}).get("kind") == "NON_NULL"
        and argument.get("defaultValue") is None
        for argument in each.get("args") or ()
    )
