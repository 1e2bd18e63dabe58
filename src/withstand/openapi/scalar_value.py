"""Values that hold no others: from examples, marked with the nonce, or invented. Pure."""

from typing import Any

from withstand.openapi.naming import words
from withstand.openapi.operation import Schema
from withstand.openapi.plausible_number import NoValueError, number_for
from withstand.openapi.plausible_text import (
    Marks,
    has_format,
    is_free_text,
    is_personal,
    text_for,
)
from withstand.openapi.schema_fit import as_list, fits, has_type
from withstand.openapi.schema_merge import Resolve

_OFF = frozenset({"admin", "superuser", "staff", "root", "deleted", "disabled", "hidden"})
_OFF |= {"locked", "archived", "suspended", "banned", "blocked", "dry", "force"}


def fitting_examples(
    flat: Schema, kind: str, hints: tuple[object, ...], resolve: Resolve
) -> list[Any]:
    """The hints that the schema allows, and then what its enumeration has."""
    fitting = [
        hint
        for hint in hints
        if hint is not None
        and has_type(hint, kind)
        and has_format(hint, flat)
        and fits(hint, flat, resolve)
    ]
    allowed = (value for value in as_list(flat.get("enum")) if has_type(value, kind))
    return fitting + [value for value in allowed if value not in fitting]


def recognisable_text(
    name: str, flat: Schema, examples: list[Any], marks: Marks, resolve: Resolve
) -> str | None:
    """The nonce in place of an example that must be unique, or behind one that is free."""
    if is_personal(name):
        return text_for(name, flat, marks)
    if examples and is_free_text(name) and "format" not in flat:
        text = f"{examples[0]} {marks.token()}"
        return text if fits(text, flat, resolve) else text_for(name, flat, marks)
    return None


def invented(kind: str, name: str, flat: Schema, marks: Marks, *, ordinal: int) -> Any:
    """A value where no example fits; `ordinal` says which of several that must differ.

    Raises `NoValueError`.
    """
    match kind:
        case "string":
            made = text_for(name, flat, marks, ordinal=ordinal)
            if made is None:
                raise NoValueError(f"no text was found for {name!r}")
            return made
        case "integer" | "number":
            return number_for(flat, whole=kind == "integer", ordinal=ordinal)
        case "boolean":
            off = bool(_OFF & {*words(name)})
            return off if ordinal else not off
        case "null":
            return None
    raise NoValueError(f"{kind!r} is no type")
