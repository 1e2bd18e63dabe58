"""What no single key of a scenario file can tell, and the requests that it declares. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from withstand.client.identity import Identity
from withstand.errors import UsageError
from withstand.load.scenario.declaration import IDENTITY, RESERVED, RUN, DeclaredRequest
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.feed_table import FeedTable
from withstand.load.scenario.template import REQUEST, Piece, Place, Slot, pieces, slots_of, written
from withstand.settings.forms import suggestion
from withstand.settings.scenario_tables import ExpectTable, RequestTable, ScenarioTables
from withstand.settings.sources import Path, Problem
from withstand.slo import parse_objective

EVERYBODY: Final = "*"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FEED_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})
_BODIES: Final = ("json", "form", "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a scenario file can refer to. Of `unread_feeds` nothing is known but the name."""

    feeds: Mapping[str, FeedTable]
    unread_feeds: frozenset[str]
    identities: Mapping[str, Identity]
    follow_redirects: bool


def declared_requests(tables: ScenarioTables, context: Context) -> tuple[DeclaredRequest, ...]:
    """The requests of a file that breaks no rule."""
    return tuple(_declared(table, tables, context) for table in tables.requests)


def broken_scenario_rules(
    tables: ScenarioTables, unread: frozenset[str], context: Context
) -> list[Problem]:
    """Every rule that the tables break; rules on a table that could not be read are left out."""
    problems = list(_feed_names(tables))
    if "headers" not in unread:
        problems += _headers(tables.headers, ("headers",))
    if "identity" not in unread:
        problems += _senders(tables.identity or (), ("identity",), context)
    if "requests" in unread:
        return problems
    if not tables.requests:
        problems.append(Problem(path=("requests",), message="is empty; add a [[requests]]"))
    for at, table in enumerate(tables.requests):
        problems += _request(table, tables, context, ("requests", at))
    problems += _names(tables)
    if "slo" not in unread:
        problems += _objectives(tables)
    return problems


def _declared(table: RequestTable, tables: ScenarioTables, context: Context) -> DeclaredRequest:
    method, _, path = table.request.partition(" ")
    own = {name.lower() for name in table.headers}
    shared = {name: value for name, value in tables.headers.items() if name.lower() not in own}
    follows = table.follow_redirects
    return DeclaredRequest(
        name=_name(table),
        method=method,
        path=path,
        headers=(*shared.items(), *table.headers.items()),
        json=table.json,
        form=table.form,
        body=table.body,
        weight=table.weight,
        identities=_identities(table, tables, context),
        expected=table.expect.status,
        expectation=_expectation(table.expect),
        follow_redirects=context.follow_redirects if follows is None else follows,
    )


def _name(table: RequestTable) -> str:
    return table.name or table.request.partition("?")[0]


def _identities(table: RequestTable, tables: ScenarioTables, context: Context) -> tuple[str, ...]:
    named = table.identity if table.identity is not None else tables.identity or ()
    if EVERYBODY in named:
        return tuple(context.identities)
    return tuple(dict.fromkeys(named))


def _expectation(table: ExpectTable) -> Expectation | None:
    wanted = Expectation(
        contains=table.contains, lacks=table.lacks, json=table.json, max_bytes=table.max_bytes
    )
    return None if wanted == Expectation() else wanted


def _feed_names(tables: ScenarioTables) -> Iterator[Problem]:
    for name in tables.feeds:
        if name in RESERVED:
            message = f"is a name with a meaning of its own; so are {', '.join(RESERVED)}"
            yield Problem(path=("feeds", name), message=message)
        elif not _FEED_NAME.fullmatch(name):
            message = "is no name for a feed; use letters, digits, - and _"
            yield Problem(path=("feeds", name), message=message)


def _request(
    table: RequestTable, tables: ScenarioTables, context: Context, path: Path
) -> Iterator[Problem]:
    given = [key for key in _BODIES if getattr(table, key) is not None]
    if len(given) > 1:
        yield Problem(path=path, message=f"has both {' and '.join(given)}; keep one")
    yield from _headers(table.headers, (*path, "headers"))
    yield from _senders(table.identity or (), (*path, "identity"), context)
    declared = _declared(table, tables, context)
    senders = [
        context.identities[name] for name in declared.identities if name in context.identities
    ]
    texts: list[tuple[Path, tuple[Piece, ...]]] = []
    try:
        texts.append(((*path, "request"), pieces(declared.path, Place.PATH)))
        for name, value in declared.headers:
            texts.append(((*path, "headers", name), pieces(value, Place.HEADER)))
        texts.append(((*path, given[0] if given else "body"), declared.body_pieces()))
    except UsageError as error:
        yield Problem(path=path, message=error.message)
    for where, parts in texts:
        for slot in dict.fromkeys(slots_of(parts)):
            if (why := _unfillable(slot, senders, context)) is not None:
                yield Problem(path=where, message=why)
                break


def _headers(headers: Mapping[str, str], path: Path) -> Iterator[Problem]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            yield Problem(path=(*path, name), message=f"{name!r} is no name of a header field")
        elif name.lower() in _FRAMING:
            yield Problem(path=(*path, name), message="is set by Withstand; leave it out")
        elif any(char in value for char in "\r\n\0"):
            yield Problem(path=(*path, name), message="has a line break, which no header may have")


def _senders(names: tuple[str, ...], path: Path, context: Context) -> Iterator[Problem]:
    known = tuple(context.identities)
    for name in names:
        if name == EVERYBODY and not known:
            yield Problem(path=path, message="there is nobody under [identities]")
        elif name != EVERYBODY and name not in known:
            message = f"there is no {name!r} under [identities]{suggestion(name, known)}"
            yield Problem(path=path, message=message)


def _unfillable(slot: Slot, senders: list[Identity], context: Context) -> str | None:
    """Why a placeholder cannot be filled in; None when it can."""
    shown = f"{{{slot.feed}.{slot.column}}}"
    if slot.feed in context.unread_feeds:
        return None  # told already
    if slot.feed == IDENTITY:
        if not senders:
            return f"{shown} is a field of the sender, and nobody is; give an identity"
        for sender in senders:
            if slot.column not in sender.fields:
                hint = suggestion(slot.column, tuple(sender.fields))
                return f"{shown}: {sender.name} has no field {slot.column!r}{hint}"
        return None
    builtin = {RUN: "id", REQUEST: "number"}.get(slot.feed)
    if builtin is not None:
        return (
            None
            if slot.column == builtin
            else f"{shown} is not known; {{{slot.feed}.{builtin}}} is"
        )
    feed = context.feeds.get(slot.feed)
    if feed is None:
        hint = suggestion(slot.feed, (*context.feeds, *RESERVED))
        return f"{shown} names no feed{hint}; write {{{shown}}} to mean the text"
    values = feed.columns.get(slot.column)
    if values is None:
        hint = suggestion(slot.column, tuple(feed.columns))
        return f"{shown}: {feed.source} has no column {slot.column!r}{hint}"
    for row, value in enumerate(values, start=1):
        try:
            written(value, slot.place)
        except ValueError as error:
            return f"{shown} in row {row} of {feed.source} {error}"
    return None


def _names(tables: ScenarioTables) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for at, table in enumerate(tables.requests):
        name = _name(table)
        if name in seen:
            message = f"requests[{seen[name]}] is called {name!r} as well; give it another name"
            yield Problem(path=("requests", at, "name"), message=message)
        seen.setdefault(name, at)


def _objectives(tables: ScenarioTables) -> Iterator[Problem]:
    names = tuple(_name(table) for table in tables.requests)
    for name, texts in tables.slo.items():
        for at, text in enumerate(texts):
            try:
                objective = parse_objective(text, operation=name)
            except UsageError as error:
                summary = error.message.splitlines()[0]
                message = f"{text!r}: {summary}; {error.hint}"
                yield Problem(path=("slo", name, at), message=message)
                continue
            if not any(objective.covers(known) for known in names):
                message = f"no request is called {name!r}{suggestion(name, names)}"
                yield Problem(path=("slo", name), message=message)
