"""What a form of the configuration is, and the words in which problems tell of values. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")


class Unfit(ValueError):  # noqa: N818 - a value that does not fit, told to the user as a problem
    """A value that is not what its key wants: the message says what would be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a value is read (raising `Unfit`), and the JSON Schema of what is accepted."""

    read: Callable[[object], Any]
    schema: Mapping[str, Any]


def suggestion(word: str, known: tuple[str, ...], *, cutoff: float = 0.6) -> str:
    """`; did you mean …?` when one of the known words is close, else nothing."""
    close = get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""


def require_json(value: object, *, null: bool = False) -> None:
    """Raises Unfit for what JSON cannot say, and for nothing at all unless `null` allows it."""
    if isinstance(value, Mapping):
        for item in value.values():
            require_json(item, null=null)
    elif isinstance(value, list):
        for item in value:
            require_json(item, null=null)
    elif not (value is None and null) and not isinstance(value, str | int | float | bool):
        raise Unfit(f"{kind(value)} cannot be sent; write it as text")


def kind(value: object) -> str:
    """What a value is, in the words of TOML and with short values shown."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value!r}" if len(value) <= 60 else "a long text"
        case int() | float():
            return f"the number {value}"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a table"
        case _:
            return f"the {type(value).__name__} {value}"


def text(value: object) -> str:
    """Text and nothing else."""
    if not isinstance(value, str):
        raise Unfit(f"expected text, got {kind(value)}")
    return value


def texts(value: object) -> tuple[str, ...]:
    """One text or a list of texts."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise Unfit(f"expected a list of texts, got {kind(value)}")
    return tuple(text(item) for item in value)
