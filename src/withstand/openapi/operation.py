"""What an OpenAPI document says, in the few nouns that the rest of Withstand needs. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from withstand.openapi.acting import acts_by_name
from withstand.openapi.naming import REMOVE_WORDS, words_of_call

Schema = Mapping[str, Any]
Location = Literal["path", "query", "header", "cookie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. `schema` may hold references: resolve it with `Api.resolve`.

    `style` and `explode` are OpenAPI's; the style `json` is that of a parameter declared with
    `content`, which travels as JSON text.
    """

    name: str
    location: Location
    required: bool
    schema: Schema
    example: Any = None
    style: str | None = None
    explode: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBody:
    """One way to send a body: media type and schema."""

    media_type: str
    schema: Schema
    required: bool
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method on a path. `line` is its line in the document, when that is known."""

    method: str
    path: str
    operation_id: str | None = None
    summary: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    bodies: tuple[RequestBody, ...] = ()
    responses: Mapping[str, Mapping[str, Schema]] = field(default_factory=dict)
    """Status (`200`, `4XX`, `default`) → media type → schema."""
    security: tuple[tuple[str, ...], ...] = ()
    """Alternatives, each the names of the schemes it needs; an empty alternative is anonymous."""
    scopes: tuple[str, ...] = ()
    """What every alternative wants granted (OAuth2, OpenID Connect); empty where one wants none."""
    deprecated: bool = False
    line: int | None = None
    lost: str = ""
    """Why a parameter or body of it is not known: the reference leads nowhere. Empty: it is."""

    @property
    def key(self) -> str:
        """How people name it: `GET /orders/{id}`."""
        return f"{self.method} {self.path}"

    @property
    def requires_credential(self) -> bool:
        """Whether the document declares that no anonymous call is allowed."""
        return bool(self.security) and all(self.security)

    @property
    def is_read(self) -> bool:
        """Whether it is meant to change nothing: by its method, and no word in its path says that
        it acts all the same (`GET /orders/{id}/cancel`).
        """
        asks = any(each.required and each.location == "query" for each in self.parameters)
        return self.method in {"GET", "HEAD", "OPTIONS"} and not acts_by_name(
            self.path, self.summary, self.operation_id or "", asks
        )

    @property
    def removes(self) -> bool:
        """Whether it deletes something: by its method, or its path says so. What was written for
        browsers has only GET and POST: `POST /orders/{id}/delete`, `POST /rpc/deleteOrder`.
        """
        last = [part for part in self.path.split("/") if part and "{" not in part][-1:]
        return self.method == "DELETE" or any(
            word in REMOVE_WORDS for part in last for word in words_of_call(part)
        )

    @property
    def path_parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the path, in the order of the path: documents may list them in
        another, some generators by name.
        """
        found = (p for p in self.parameters if p.location == "path")
        return tuple(sorted(found, key=lambda p: self.path.find("{" + p.name + "}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A whole document: its operations in the document's order, and a resolver of references."""

    title: str
    version: str
    source: str
    operations: tuple[Operation, ...]
    security_schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    servers: tuple[str, ...] = ()
    """The addresses the document names, with their variables filled in: often relative."""
    problems: tuple[str, ...] = ()
    """What in the document spoils only a part of it: references that lead nowhere."""
    resolve: Callable[[Schema], Schema] = field(repr=False, default=lambda schema: schema)
    """A schema with its top-level `$ref` followed (also chains of them); nested ones stay."""

    def operation(self, key: str) -> Operation | None:
        """The operation of `GET /orders/{id}`, None without one."""
        return next((op for op in self.operations if op.key == key), None)
