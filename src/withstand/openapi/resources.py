"""Which operations work on the same thing: who creates, reads, lists and deletes it. Pure."""

from collections.abc import Iterable
from typing import Any

from withstand.openapi.operation import Api, Operation


def producer_of(api: Api, operation: Operation) -> Operation | None:
    """The POST that creates what the last path parameter names: `GET /orders/{id}` → `POST /orders`."""
    raise NotImplementedError


def reader_of(api: Api, operation: Operation) -> Operation | None:
    """The GET of the item that the operation creates, changes or deletes."""
    raise NotImplementedError


def lister_of(api: Api, operation: Operation) -> Operation | None:
    """The GET of the collection that the operation's item is in."""
    raise NotImplementedError


def deleter_of(api: Api, producer: Operation) -> Operation | None:
    """The DELETE of the item that `producer` creates."""
    raise NotImplementedError


def identifier_in(document: Any, parameter_name: str) -> object | None:
    """The id that a creation's response gives for a path parameter; None without one."""
    raise NotImplementedError


def identifier_in_location(location: str, item_path: str) -> str | None:
    """The id in a Location header for the last parameter of `/orders/{id}`; None without one."""
    raise NotImplementedError


def in_dependency_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Producers before consumers, DELETE last; otherwise in the document's order."""
    raise NotImplementedError
