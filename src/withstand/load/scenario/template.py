"""Requests as byte templates: what is constant is rendered once, placeholders when sent. Pure.

A placeholder is `{feed.column}`, or `{feed.column:json}` for a value that is JSON itself. Double
braces, `{{feed.column}}`, mean the text. Every value is written as its place demands:
percent-encoded in a path or a form, escaped in a JSON string.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import count, cycle
from typing import Final, Protocol
from urllib.parse import quote, quote_plus

from withstand.errors import UsageError
from withstand.load.scenario.feed_table import FeedTable

REQUEST: Final = "request"
"""The feed that needs no file: `{request.number}` counts the fillings of one run, from 0."""

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_-]*"
_PLACEHOLDER: Final = re.compile(
    rf"\{{(?P<literal>\{{{_NAME}\.[^{{}}]+\}})\}}"
    rf"|\{{(?P<feed>{_NAME})\.(?P<column>[^{{}}:]+)(?P<json>:json)?\}}"
)


class Place(Enum):
    """Where a text stands, which decides how values are written there."""

    PATH = "path"
    HEADER = "header"
    FORM = "form"
    JSON_STRING = "JSON string"
    JSON = "JSON"
    JSON_TEXT = "JSON given as text"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Slot:
    """A gap in a template."""

    feed: str
    column: str
    place: Place


Piece = bytes | Slot


def pieces(text: str, place: Place) -> tuple[Piece, ...]:
    """A text as constants and gaps. Raises UsageError where `:json` has no meaning."""
    found: list[Piece] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        found.append(_CONSTANT[place](text[at : match.start()]))
        at = match.end()
        if match["literal"] is not None:
            found.append(_CONSTANT[place](match["literal"]))
        elif match["json"] is not None:
            raise UsageError(
                f"{match[0]} is a JSON value, which must be all that a value of json is"
            )
        else:
            found.append(Slot(match["feed"], match["column"], place))
    return (*found, _CONSTANT[place](text[at:]))


def json_pieces(value: object) -> Iterator[Piece]:
    """A JSON document as constants and gaps. A text that is one placeholder and nothing else takes
    the value as it is: a number from JSON Lines stays one. Raises UsageError as `pieces`.
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        if whole is not None and whole["literal"] is None:
            place = Place.JSON_TEXT if whole["json"] else Place.JSON
            yield Slot(whole["feed"], whole["column"], place)
        else:
            yield from (b'"', *pieces(value, Place.JSON_STRING), b'"')
    elif isinstance(value, Mapping):
        yield b"{"
        for index, (key, item) in enumerate(value.items()):
            yield from (b', "' if index else b'"', *pieces(key, Place.JSON_STRING), b'": ')
            yield from json_pieces(item)
        yield b"}"
    elif isinstance(value, list | tuple):
        yield b"["
        for index, item in enumerate(value):
            yield from (b", " if index else b"", *json_pieces(item))
        yield b"]"
    else:
        yield json.dumps(value).encode()


def form_pieces(fields: Mapping[str, str]) -> Iterator[Piece]:
    """A form as constants and gaps."""
    for index, (name, value) in enumerate(fields.items()):
        yield from (b"&" if index else b"", *pieces(name, Place.FORM), b"=")
        yield from pieces(value, Place.FORM)


def slots_of(parts: Sequence[Piece]) -> tuple[Slot, ...]:
    """The gaps."""
    return tuple(part for part in parts if isinstance(part, Slot))


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One request, without its Content-Length where the body has gaps."""

    head: tuple[Piece, ...]  # up to the empty line, without that
    body: tuple[Piece, ...] = ()


def written(value: object, place: Place) -> bytes:
    """A value as its place demands. Raises ValueError with the reason where it cannot be."""
    return _VALUE[place](value)


class Column(Protocol):
    """Encoded values by row."""

    def __getitem__(self, row: int, /) -> bytes: ...


class _Numbers:
    """The column whose value is the row's number."""

    def __getitem__(self, row: int, /) -> bytes:
        return b"%d" % row


class FeedReader:
    """The feeds of one run, each with one place that all requests take their next row from."""

    def __init__(
        self, feeds: Mapping[str, FeedTable], *, seed: int = 1, shard: int = 0, shards: int = 1
    ) -> None:
        self._feeds = feeds
        self._columns: dict[Slot, Column] = {}
        self._turns: dict[str, Iterator[int]] = {
            name: feed.turns(seed=seed, shard=shard, shards=shards) for name, feed in feeds.items()
        }
        self._turns[REQUEST] = count(shard, shards)

    def turns(self, feed: str) -> Iterator[int]:
        """The rows of a feed, to be taken one by one."""
        return self._turns[feed]

    def column(self, slot: Slot) -> Column:
        """What fills a gap, by row."""
        if slot.feed == REQUEST:
            return _Numbers()
        if slot not in self._columns:
            values = self._feeds[slot.feed].columns[slot.column]
            self._columns[slot] = tuple(written(value, slot.place) for value in values)
        return self._columns[slot]

    def fillings(self, template: Template) -> Iterator[bytes]:
        """The request with the next rows filled in, again and again."""
        in_head, in_body = slots_of(template.head), slots_of(template.body)
        feeds = tuple(dict.fromkeys(slot.feed for slot in (*in_head, *in_body)))
        head = [(feeds.index(slot.feed), self.column(slot)) for slot in in_head]
        body = [(feeds.index(slot.feed), self.column(slot)) for slot in in_body]
        length = b"\r\nContent-Length: %d" if body else b""
        form = _form(template.head) + length + b"\r\n\r\n" + _form(template.body)
        constant_bytes = sum(len(part) for part in template.body if isinstance(part, bytes))

        def values(rows: tuple[int, ...]) -> tuple[bytes | int, ...]:
            filled = [column[rows[feed]] for feed, column in body]
            framed = [constant_bytes + sum(map(len, filled))] if body else []
            return (*[column[rows[feed]] for feed, column in head], *framed, *filled)

        if len(feeds) == 1 and feeds[0] in self._feeds:
            # The usual case: all rows are made ready, so that sending one is a single formatting.
            ready = [values((row,)) for row in range(self._feeds[feeds[0]].rows)]
            return map(form.__mod__, map(ready.__getitem__, self.turns(feeds[0])))
        return (form % values(rows) for rows in zip(*map(self.turns, feeds), strict=True))


class Filled:
    """Templates in turn, filled; counts what it gave."""

    __slots__ = ("_turns", "bytes_given")

    def __init__(self, templates: Sequence[Template], reader: FeedReader) -> None:
        self._turns = cycle([reader.fillings(template) for template in templates])
        self.bytes_given = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = next(next(self._turns))
        self.bytes_given += len(data)
        return data


def _form(parts: Sequence[Piece]) -> bytes:
    return b"".join(
        b"%b" if isinstance(part, Slot) else part.replace(b"%", b"%%") for part in parts
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _header(value: object) -> bytes:
    text = _text(value)
    if any(char in text for char in "\r\n\0"):
        raise ValueError("has a line break, which no header may have")
    return text.encode()


def _json_text(value: object) -> bytes:
    text = _text(value)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON") from None
    return text.encode()


_VALUE: Final[Mapping[Place, Callable[[object], bytes]]] = {
    Place.PATH: lambda value: quote(_text(value), safe="").encode(),
    Place.HEADER: _header,
    Place.FORM: lambda value: quote_plus(_text(value)).encode(),
    Place.JSON_STRING: lambda value: json.dumps(_text(value), ensure_ascii=False)[1:-1].encode(),
    Place.JSON: lambda value: json.dumps(value, ensure_ascii=False).encode(),
    Place.JSON_TEXT: _json_text,
    Place.BODY: lambda value: _text(value).encode(),
}
_CONSTANT: Final[Mapping[Place, Callable[[str], bytes]]] = {
    **_VALUE,
    Place.PATH: str.encode,  # as it was written, with its slashes
    Place.HEADER: str.encode,  # the file's reader looks at the whole
}
