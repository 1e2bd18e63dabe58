"""Valid requests for an operation, each value reproducible and each request recognisable. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from withstand.client.exchange import Request
from withstand.openapi.operation import Api, Operation, Schema
from withstand.openapi.value_pool import ValuePool

NOTHING: Mapping["Slot", object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One scalar input of an operation. In a body, `name` is a dotted pointer: `address.city`."""

    location: Literal["path", "query", "header", "cookie", "body"]
    name: str
    schema: Schema = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_text(self) -> bool:
        """Whether any text may be sent here: string-typed and no enumeration."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A request, the operation that it calls, and what to recognise it by."""

    request: Request
    operation: Operation
    canaries: tuple[str, ...] = ()  # the nonces that this request carries
    values: Mapping[Slot, object] = NOTHING


class Unbuildable(Exception):  # noqa: N818 - an outcome that callers handle, not a fault
    """No request can be built; `reason` is one sentence for the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RequestBuilder:
    """Builds requests for the operations of one API. Adds no credential."""

    def __init__(self, api: Api, *, base_path: str = "", nonce: Callable[[], str]) -> None:
        self.api = api
        self.base_path = base_path
        self.nonce = nonce

    def slots(self, operation: Operation) -> tuple[Slot, ...]:
        """Every scalar input of the operation, also optional ones; in a body to depth 3."""
        raise NotImplementedError

    def build(
        self,
        operation: Operation,
        pool: ValuePool | None = None,
        *,
        full: bool = True,
        replace: Mapping[Slot, object] = NOTHING,
    ) -> Built:
        """A request that the document allows, with `replace` put into its slots exactly.

        `full` sends every optional body property, otherwise only required ones. Raises
        `Unbuildable`.
        """
        raise NotImplementedError
