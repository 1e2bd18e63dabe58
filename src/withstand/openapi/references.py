"""Following `$ref` inside one document. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from withstand.errors import UsageError

_DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
"""Keys below which there is data: a `$ref` in it is no reference."""
_NAMED = frozenset(
    {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "schemas"}
    | {"responses", "parameters", "requestBodies", "headers", "links", "callbacks", "content"}
    | {"pathItems", "paths", "webhooks", "mapping", "securitySchemes", "securityDefinitions"}
)
"""Keys below which the keys are names that the author chose: `default`, `example`, `$ref` too."""


class References:
    """The references of one document, all of which lead somewhere: checked when it is made.

    Raises `UsageError` for a reference to another document, to nothing, or to itself.
    """

    def __init__(self, document: Mapping[str, Any], *, source: str) -> None:
        self._document = document
        self._source = source
        self._targets: dict[str, Any] = {}
        for reference in _references_in(document):
            self._follow(reference)

    def resolved(self, node: Any) -> Mapping[str, Any]:
        """The mapping that a node stands for; an empty one for what is no mapping."""
        if isinstance(node, Mapping):
            reference = node.get("$ref")
            if isinstance(reference, str):
                node = self._follow(reference)
        return node if isinstance(node, Mapping) else {}

    def entries(self, node: Any) -> tuple[Mapping[str, Any], ...]:
        """The resolved mappings of a list; none for what is no list."""
        return tuple(self.resolved(part) for part in node) if isinstance(node, list) else ()

    def _follow(self, reference: str) -> Any:
        if reference in self._targets:
            return self._targets[reference]
        chain = [reference]
        node = self._at(reference)
        while isinstance(node, Mapping) and isinstance(following := node.get("$ref"), str):
            if following in chain:
                raise UsageError(
                    f"{self._source}: $ref {reference!r} leads only back to itself",
                    hint="let it name the part that holds the definition",
                )
            chain.append(following)
            node = self._at(following)
        self._targets.update(dict.fromkeys(chain, node))
        return node

    def _at(self, reference: str) -> Any:
        """What a JSON pointer (RFC 6901) in a URI fragment names."""
        if not reference.startswith("#"):
            raise UsageError(
                f"{self._source} refers to another document: {reference}",
                hint="bundle it into one document first, for example with `redocly bundle`",
            )
        node: Any = self._document
        for part in unquote(reference[1:]).split("/")[1:] if reference != "#" else ():
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, Mapping) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key[:9]) < len(node):
                node = node[int(key[:9])]
            else:
                self._lost(reference)
        if reference != "#" and not reference.startswith("#/"):
            self._lost(reference)
        return node

    def _lost(self, reference: str) -> None:
        raise UsageError(
            f"{self._source}: $ref {reference!r} leads nowhere",
            hint="correct the reference, or add the part that it names",
        )


def _references_in(document: Mapping[str, Any]) -> Iterator[str]:
    """Every reference once, without recursion and each shared part once."""
    pending: list[tuple[Any, bool]] = [(document, False)]
    seen: set[tuple[int, bool]] = set()
    found: set[str] = set()
    while pending:
        node, is_names = pending.pop()
        if not isinstance(node, dict | list) or (id(node), is_names) in seen:
            continue
        seen.add((id(node), is_names))
        if isinstance(node, list):
            pending.extend((part, False) for part in node)
            continue
        reference = None if is_names else node.get("$ref")
        if isinstance(reference, str) and reference not in found:
            found.add(reference)
            yield reference
        for key, part in node.items():
            if is_names:
                pending.append((part, False))
            elif key not in _DATA and not key.startswith("x-"):
                pending.append((part, key in _NAMED))
