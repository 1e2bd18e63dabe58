"""Values that hold no others: from examples, marked with the nonce, or invented. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from withstand.openapi.naming import words
from withstand.openapi.operation import Schema
from withstand.openapi.plausible_number import NoValueError, number_for
from withstand.openapi.plausible_text import (
    Marks,
    another_number,
    has_format,
    is_free_text,
    is_personal,
    is_phone_number,
    on_another_day,
    text_maker,
)
from withstand.openapi.schema_fit import as_list, fits, has_type
from withstand.openapi.schema_merge import Resolve

_DAYS = frozenset({"date", "date-time"})
_OFF = frozenset({"admin", "superuser", "staff", "root", "deleted", "disabled", "hidden"})
_OFF |= {"locked", "archived", "suspended", "banned", "blocked", "dry", "force"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a value is made for one request after another, each with its own marks."""

    plain: Callable[[Marks], Any]
    """Raises `NoValueError`."""
    marked: Callable[[Marks], str | None] | None = None
    """A text with the nonce, where the request shall be known by it."""


def scalar_of(
    kind: str,
    name: str,
    flat: Schema,
    hints: tuple[object, ...],
    resolve: Resolve,
    *,
    ordinal: int,
    turn: int,
) -> Scalar:
    """How a value of the type is made; `ordinal` says which of several that must differ.

    The hints come first, then what the enumeration has: of these the one whose `turn` it is. Then
    one is invented.
    """
    examples = _fitting_examples(flat, kind, hints, resolve)
    allowed = "enum" in flat
    if turn < len(examples):
        plain = _always(examples[turn])
    elif allowed:
        plain = _never(f"no value is allowed for {name!r}")
    else:
        plain = _invented(kind, name, flat, ordinal=ordinal)
    is_marked = kind == "string" and not allowed and not ordinal
    return Scalar(plain, _marked(name, flat, examples, resolve) if is_marked else None)


def _fitting_examples(
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


def _marked(
    name: str, flat: Schema, examples: list[Any], resolve: Resolve
) -> Callable[[Marks], str | None] | None:
    """The nonce in place of an example that must be unique, or behind one that is free; and a day
    of the request's own: a room is let to one at a time.
    """
    text_for = text_maker(name, flat)
    if examples and is_phone_number(name, examples[0]):

        def in_form(marks: Marks) -> str | None:
            number = another_number(examples[0], marks)
            return number if fits(number, flat, resolve) else text_for(marks)

        return in_form
    if is_personal(name):
        return text_for
    if not examples and (flat.get("format") in _DAYS or words(name)[-1] in {"date", "at"}):

        def on_own_day(marks: Marks) -> str | None:
            day = on_another_day(text_for(marks) or "", marks)
            return day if day is not None and fits(day, flat, resolve) else None

        return on_own_day
    if not examples or not is_free_text(name) or "format" in flat:
        return None

    def behind_example(marks: Marks) -> str | None:
        text = f"{examples[0]} {marks.token()}"
        return text if fits(text, flat, resolve) else text_for(marks)

    return behind_example


def _invented(kind: str, name: str, flat: Schema, *, ordinal: int) -> Callable[[Marks], Any]:
    match kind:
        case "string":
            text_for = text_maker(name, flat, ordinal=ordinal)

            def text(marks: Marks) -> str:
                made = text_for(marks)
                if made is None:
                    raise NoValueError(f"no text was found for {name!r}")
                return made

            return text
        case "integer" | "number":
            try:
                return _always(number_for(flat, whole=kind == "integer", ordinal=ordinal))
            except NoValueError as error:
                return _never(str(error))
        case "boolean":
            off = bool(_OFF & {*words(name)})
            return _always(off if ordinal else not off)
        case "null":
            return _always(None)
    return _never(f"{kind!r} is no type")


def _always(value: object) -> Callable[[Marks], Any]:
    return lambda _marks: value


def _never(reason: str) -> Callable[[Marks], Any]:
    def refuse(_marks: Marks) -> Any:
        raise NoValueError(reason)

    return refuse
