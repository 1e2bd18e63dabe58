"""A scenario as a file declares it, and its rendering for a target and its identities. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from withstand.client.exchange import Headers, Request
from withstand.client.identity import Identity
from withstand.client.target import Target
from withstand.client.wire_format import as_forwarded
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.feed_table import FeedTable
from withstand.load.scenario.scenario import Call, Scenario
from withstand.load.scenario.template import (
    REQUEST,
    Piece,
    Place,
    Slot,
    Template,
    form_pieces,
    json_pieces,
    pieces,
    slots_of,
    written,
)

IDENTITY: Final = "identity"
RUN: Final = "run"
"""Names of placeholders that no feed may take: `{identity.email}` is a field of whoever sends,
`{run.id}` a text of this run alone, `{request.number}` counts."""
RESERVED: Final = (IDENTITY, RUN, REQUEST)

_MEDIA_TYPES: Final = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredRequest:
    """One request of a scenario file; its texts may have placeholders.

    `path` is below the target's base path. At most one of `json`, `form` and `body` is given.
    `identities` send it in turn, by name; none: nobody's credential is sent. `expected` are the
    statuses that are no error, None accepts 2xx and 3xx.
    """

    name: str
    method: str
    path: str
    headers: Headers = ()
    json: object = None
    form: Mapping[str, str] | None = None
    body: str | None = None
    weight: float = 1.0
    identities: tuple[str, ...] = ()
    expected: frozenset[int] | None = None
    expectation: Expectation | None = None
    follow_redirects: bool = False

    def body_pieces(self) -> tuple[Piece, ...]:
        """The body; empty without one. Raises UsageError as `pieces`."""
        if self.json is not None:
            return tuple(json_pieces(self.json))
        if self.form is not None:
            return tuple(form_pieces(self.form))
        return pieces(self.body, Place.BODY) if self.body else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A scenario file, checked: what is asked, and the feeds. `objectives` are texts by name."""

    source: str
    requests: tuple[DeclaredRequest, ...]
    feeds: Mapping[str, FeedTable] = field(default_factory=dict)
    objectives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def identities(self) -> tuple[str, ...]:
        """Everybody who sends anything, by name."""
        return tuple(
            dict.fromkeys(name for request in self.requests for name in request.identities)
        )


def declared_scenario(
    declaration: Declaration,
    identities: Mapping[str, Identity],
    target: Target,
    *,
    run_id: str,
    keep_alive: bool = True,
) -> Scenario:
    """The scenario for a target: a call for each request, with a variant for each identity.

    `identities` are logged in, by name.
    """
    calls = []
    for request in declaration.requests:
        senders: tuple[Identity | None, ...] = tuple(
            identities[name] for name in request.identities
        )
        variants = tuple(
            _variant(request, sender, target, run_id=run_id, keep_alive=keep_alive)
            for sender in senders or (None,)
        )
        rendered = tuple(variant for variant in variants if isinstance(variant, bytes))
        templates = tuple(variant for variant in variants if isinstance(variant, Template))
        calls.append(
            Call(
                operation=request.name,
                variants=templates or rendered,  # a feed fills all of them, or none
                weight=request.weight,
                expected=request.expected,
                expectation=request.expectation,
                follow_redirects=request.follow_redirects,
                head=request.method == "HEAD",
            )
        )
    return Scenario(calls=tuple(calls), feeds=declaration.feeds)


def _variant(
    declared: DeclaredRequest,
    sender: Identity | None,
    target: Target,
    *,
    run_id: str,
    keep_alive: bool,
) -> bytes | Template:
    constants: dict[str, Mapping[str, str]] = {RUN: {"id": run_id}}
    if sender is not None:
        constants[IDENTITY] = sender.fields
    request = Request(
        method=declared.method, path=target.base_path + declared.path, headers=declared.headers
    )
    if sender is not None:
        request = sender.authorize(request)
    if not keep_alive:
        request = request.with_header("Connection", "close")
    body = tuple(_resolved(declared.body_pieces(), constants))
    head = tuple(_resolved(_head(as_forwarded(request, target), declared, target), constants))
    if not slots_of(body):
        content = b"".join(part for part in body if isinstance(part, bytes))
        if content or declared.method in {"POST", "PUT", "PATCH"}:
            head = (*head, b"\r\nContent-Length: %d" % len(content))
        if not slots_of(head):
            start = b"".join(part for part in head if isinstance(part, bytes))
            return start + b"\r\n\r\n" + content
        body = (content,)
    return Template(head=head, body=body)


def _head(request: Request, declared: DeclaredRequest, target: Target) -> Iterator[Piece]:
    yield f"{request.method} ".encode()
    yield from pieces(request.path, Place.PATH)
    yield b" HTTP/1.1"
    headers = dict(request.headers)
    usual = {"Host": target.authority, "User-Agent": "withstand"}
    media_type = _media_type(declared)
    if media_type is not None:
        usual["Content-Type"] = media_type
    given = {name.lower() for name in headers}
    for name, value in usual.items():
        if name.lower() not in given:
            yield f"\r\n{name}: {value}".encode()
    for name, value in request.headers:
        yield f"\r\n{name}: ".encode()
        yield from pieces(value, Place.HEADER)


def _media_type(declared: DeclaredRequest) -> str | None:
    if declared.json is not None:
        return _MEDIA_TYPES["json"]
    return _MEDIA_TYPES["form"] if declared.form is not None else None


def _resolved(
    parts: tuple[Piece, ...] | Iterator[Piece], constants: Mapping[str, Mapping[str, str]]
) -> Iterator[Piece]:
    """The parts with everything filled in that is the same for the whole run."""
    for part in parts:
        if isinstance(part, Slot) and part.feed in constants:
            yield written(constants[part.feed][part.column], part.place)
        else:
            yield part
