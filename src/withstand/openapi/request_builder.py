"""Valid requests for an operation, each value reproducible and each request recognisable. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from urllib.parse import quote

from withstand.client.exchange import Request
from withstand.openapi.body_encoding import best_body, encoded_body
from withstand.openapi.body_pointer import MISSING, parts_of, value_at
from withstand.openapi.given_values import GivenValues
from withstand.openapi.operation import Api, Operation
from withstand.openapi.parameter_encoding import cookie_text, header_text, path_text, query_parts
from withstand.openapi.path_template import address_of
from withstand.openapi.plausible_text import Marks
from withstand.openapi.request_values import (
    NOTHING,
    Draft,
    Drafting,
    Unbuildable,
    declared,
    replaced,
    sendable,
)
from withstand.openapi.slot import Slot, body_slots, parameter_slots
from withstand.openapi.value_pool import ValuePool

__all__ = ["NOTHING", "Built", "RequestBuilder", "Slot", "Unbuildable"]
_KEPT_IN_PATHS = "/:@!$&'()*+,;=~-._%?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A request, the operation that it calls, and what to recognise it by."""

    request: Request
    operation: Operation
    canaries: tuple[str, ...] = ()
    """The nonces that this request carries, as they stand in it, the longest first: shortened
    where a text may not be as long, but never below 16 characters."""
    values: Mapping[Slot, object] = field(default_factory=lambda: NOTHING)
    """The value in each slot that was sent."""


class RequestBuilder:
    """Builds requests for the operations of one API. Adds no credential.

    A value is, in this order: given by the user, asked for by the API (`settle`), harvested (path
    parameters and references to other things), the document's example, its default, the first of
    its enumeration, or made from the schema. In bodies, what people write freely and what may exist
    only once carries the nonce.
    """

    def __init__(
        self,
        api: Api,
        *,
        base_path: str = "",
        nonce: Callable[[], str],
        given: GivenValues | None = None,
    ) -> None:
        self.api = api
        self.base_path = base_path.rstrip("/")
        self.nonce = nonce
        self._given = given
        self._settled: dict[str, dict[Slot, object]] = {}
        self._slots: dict[int, tuple[Operation, tuple[Slot, ...]]] = {}  # by the operation's id()

    def slots(self, operation: Operation) -> tuple[Slot, ...]:
        """Every scalar input of the operation, also optional ones; in a body to depth 3.

        Inputs that carry a credential are left out.
        """
        known = self._slots.get(id(operation))
        if known is None or known[0] is not operation:
            known = (operation, tuple(dict.fromkeys(self._slots_of(operation))))
            self._slots[id(operation)] = known
        return known[1]

    def _slots_of(self, operation: Operation) -> Iterator[Slot]:
        for parameter in sendable(self.api, operation):
            yield from parameter_slots(parameter, self.api.resolve)
        body = best_body(operation.bodies)
        if body is not None:
            yield from body_slots(body.schema, self.api.resolve)

    def build(
        self,
        operation: Operation,
        pool: ValuePool | None = None,
        *,
        full: bool = True,
        replace: Mapping[Slot, object] = NOTHING,
    ) -> Built:
        """A request that the document allows, with `replace` put into its slots exactly.

        `full` sends the optional properties of the body, and the optional query parameters that
        have an example, a default or a harvested value; otherwise only what is required is sent.
        A slot that the document does not declare is added. Raises `Unbuildable`.
        """
        marks = Marks(self.nonce())
        chosen = {**self.given(operation), **replace}
        draft = Drafting(self.api, operation, pool, marks, full=full, chosen=chosen).draft()
        settled = self._settled_values(operation, marks)
        draft = replaced(draft, operation, {**settled, **replace})
        request = self._written(operation, draft)
        return Built(
            request=request,
            operation=operation,
            canaries=tuple(filter(partial(_carries, request), sorted(marks.made, key=len)[::-1])),
            values=MappingProxyType({**self._sent(operation, draft), **replace}),
        )

    def given(self, operation: Operation) -> Mapping[Slot, object]:
        """The values that the user gave for inputs of the operation."""
        given = self._given
        return given.values(operation, self.slots(operation)) if given is not None else NOTHING

    def settle(self, operation: Operation, values: Mapping[Slot, object]) -> None:
        """From now on these values are sent in requests of the operation: the API asked for them.

        A function gets the nonce's marks and returns the value, another one for each request.
        """
        self._settled.setdefault(operation.key, {}).update(values)

    def settled(self, operation: Operation) -> Mapping[Slot, object]:
        """What `settle` was given for the operation."""
        return MappingProxyType(self._settled.get(operation.key, {}))

    def unsettle(self, operation: Operation) -> None:
        """Forgets what `settle` was given for the operation."""
        self._settled.pop(operation.key, None)

    def _settled_values(self, operation: Operation, marks: Marks) -> dict[Slot, object]:
        found = dict(self.given(operation))
        for slot, value in self._settled.get(operation.key, {}).items():
            found.setdefault(slot, value(marks) if callable(value) else value)
        return found

    def _written(self, operation: Operation, draft: Draft) -> Request:
        in_path: dict[str, str] = {}
        query: list[str] = []
        headers: list[tuple[str, str]] = [("Accept", accepted(operation))]
        cookies: list[str] = []
        for parameter, value in draft.parameters:
            match parameter.location:
                case "path":
                    in_path[parameter.name] = path_text(parameter, value)
                case "query":
                    query += query_parts(parameter, value)
                case "header":
                    headers.append((parameter.name, header_text(parameter, value)))
                case "cookie":
                    cookies.append(cookie_text(parameter, value))
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
        body = b""
        if draft.body is not None:
            content_type, body = encoded_body(draft.body, draft.content, self.api.resolve)
            headers.append(("Content-Type", content_type))
        path = self.base_path + _filled(address_of(operation.path), in_path)
        if query:
            path += ("&" if "?" in path else "?") + "&".join(query)
        return Request(method=operation.method, path=path, headers=tuple(headers), body=body)

    def _sent(self, operation: Operation, draft: Draft) -> dict[Slot, object]:
        given = {(p.location, p.name): value for p, value in draft.parameters}
        found: dict[Slot, object] = {}
        for slot in self.slots(operation):
            if slot.location == "body":
                content = draft.content if draft.body is not None else MISSING
                parts = parts_of(slot.name)
            else:
                parameter, parts = declared(operation, slot)
                content = given.get((parameter.location, parameter.name), MISSING)
            value = value_at(content, parts)
            if value is not MISSING:
                found[slot] = value
        return found


def accepted(operation: Operation) -> str:
    """The Accept header: what the document says a success looks like, and then anything."""
    media_types = dict.fromkeys(
        media_type
        for status, contents in operation.responses.items()
        if status.startswith("2") or status == "default"
        for media_type in contents
        if "*" not in media_type
    )
    return ", ".join((*media_types, "*/*;q=0.1")) if media_types else "*/*"


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template's text with the values, which are already encoded, in their places."""
    pieces = re.split(r"\{([^{}]+)\}", template)
    return "".join(
        values.get(piece, "") if at % 2 else quote(piece, safe=_KEPT_IN_PATHS)
        for at, piece in enumerate(pieces)
    )


def _carries(request: Request, text: str) -> bool:
    return (
        text in request.path
        or any(text in value for _, value in request.headers)
        or text.encode() in request.body
    )
