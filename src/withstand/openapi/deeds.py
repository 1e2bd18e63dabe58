"""One address with several deeds: `POST /api` with `{"action": "deleteOrder", "id": 5}`. Pure.

Each deed that the document lists is an operation of its own, named like a call: `POST
/api?action=deleteOrder` where the query says it, `POST /api#action=deleteOrder` where the body
does. What stands behind `#` is in no request's path.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from withstand.openapi.operation import Operation, RequestBody, Schema
from withstand.openapi.schema_choice import default_choice, options_of
from withstand.openapi.schema_merge import Resolve, flattened
from withstand.openapi.spoken import WHICH_CALL, deed_in

_FEWEST: Final = 2
"""Different deeds among the choices: `method: [card, cash]` is no list of calls."""


def spread(operations: Iterable[Operation], resolve: Resolve) -> Iterator[Operation]:
    """The operations, in place of one with several deeds one for each of them."""
    for operation in operations:
        found = () if operation.path_parameters else tuple(_spread(operation, resolve))
        yield from found or (operation,)


def _spread(operation: Operation, resolve: Resolve) -> Iterator[Operation]:
    for parameter in operation.parameters:
        if parameter.location != "query" or parameter.name.lower() not in WHICH_CALL:
            continue
        values = _choices(flattened(parameter.schema, resolve))
        if _are_deeds(values):
            others = tuple(each for each in operation.parameters if each is not parameter)
            mark = "&" if "?" in operation.path else "?"
            for value in values:
                path = f"{operation.path}{mark}{parameter.name}={quote(value, safe='/.:')}"
                yield replace(operation, path=path, operation_id=value, parameters=others)
            return
    for body in operation.bodies[:1]:
        for name, schemas in _by_deed(body.schema, resolve):
            if _are_deeds(tuple(schemas)):
                for value, schema in schemas.items():
                    yield replace(
                        operation,
                        path=f"{operation.path}#{name}={value}",
                        operation_id=value,
                        bodies=(_narrowed(body, name, value, schema),),
                    )
                return


def _by_deed(schema: Schema, resolve: Resolve) -> Iterator[tuple[str, dict[str, Schema]]]:
    """A property that says which call it is, and the body's schema for each of its values."""
    flat = flattened(schema, resolve)
    for name, part in _names(flat).items():
        yield (
            name,
            {
                value: {
                    "allOf": [schema, {"properties": {name: {"enum": [value]}}, "required": [name]}]
                }
                for value in _choices(flattened(part, resolve))
            },
        )
    found: dict[str, dict[str, Schema]] = {}
    for _, choice in default_choice(flat, resolve) if options_of(flat) else ():
        for name, part in _names(choice).items():
            values = _choices(flattened(part, resolve))
            if len(values) == 1:
                found.setdefault(name, {})[values[0]] = choice
    yield from found.items()


def _narrowed(body: RequestBody, name: str, value: str, schema: Schema) -> RequestBody:
    """The body of one deed; an example of another deed's says nothing about it."""
    shown = body.example
    own = isinstance(shown, Mapping) and shown.get(name) == value
    return replace(body, schema=schema, required=True, example=shown if own else None)


def _names(flat: Schema) -> Mapping[str, Any]:
    """The properties that may say which call it is."""
    properties = flat.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {name: part for name, part in known.items() if name.lower() in WHICH_CALL}


def _choices(flat: Schema) -> tuple[str, ...]:
    values = [flat["const"]] if "const" in flat else flat.get("enum")
    if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
        return ()
    return tuple(dict.fromkeys(values))


def _are_deeds(values: tuple[str, ...]) -> bool:
    deeds = [deed for value in values if (deed := deed_in(value)) is not None]
    return len(set(deeds)) >= _FEWEST and 2 * len(deeds) >= len(values)
